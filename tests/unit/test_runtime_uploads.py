"""A file is read within limits and as what it is said to be, or refused as a whole."""

import gzip
import json
import zlib
from dataclasses import replace
from typing import Any

import pytest

from runtime.problems import Problem
from runtime.uploads.kinds import Kind
from runtime.uploads.limits import Limits
from runtime.uploads.receiving import Received
from runtime.uploads.rows import Row, read_rows

LIMITS = Limits(most_bytes=4_000_000, most_ratio=100, most_rows=100, most_row_bytes=1000)
EVERY = frozenset(Kind)
JSON = frozenset({Kind.JSON, Kind.NDJSON})
BOMB = gzip.compress(bytes(LIMITS.most_bytes * 4))


def read(
    content: bytes,
    media_type: str = "",
    name: str = "",
    encoding: str = "",
    *,
    taken: frozenset[Kind] = EVERY,
    limits: Limits = LIMITS,
) -> tuple[Row, ...]:
    received = Received(content=content, media_type=media_type, name=name, encoding=encoding)
    return read_rows(received, taken, "rows", limits).rows


def refusal(content: bytes, *told: str, **options: Any) -> tuple[str, int]:
    with pytest.raises(Problem) as caught:
        read(content, *told, **options)
    return caught.value.code, caught.value.status


def values(rows: tuple[Row, ...]) -> list[Any]:
    return [row.value if row.error is None else row.error.code for row in rows]


@pytest.mark.parametrize(
    ("content", "media_type", "name"),
    [
        (b'[{"a":1},{"a":2}]', "application/json", ""),
        (b' [ {"a":1} ,\n {"a":2} ] \n', "", ""),
        (b'{"other":[1],"rows":[{"a":1},{"a":2}],"more":{"rows":[]}}', "application/json", "x.json"),
        (b'{"rows":[{"a":1},{"a":2}]}', "", ""),
        (b'{"a":1}\n\n{"a":2}\r\n', "application/x-ndjson", ""),
        (b'{"a":1}\n{"a":2}', "", ""),
        (b'{"a":1}\n{"a":2}', "application/octet-stream", "x.JSONL"),
        (b'\xef\xbb\xbf[{"a":1},{"a":2}]', "application/json", ""),
    ],
)
def test_every_form_of_json_has_the_same_rows(content: bytes, media_type: str, name: str) -> None:
    assert values(read(content, media_type, name)) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("told", [("", "", "gzip"), ("application/gzip", "", ""), ("", "x.json.gz", "")])
def test_a_compressed_file_that_says_so_is_the_same_file(told: tuple[str, str, str]) -> None:
    plain = b'[{"a":1}]'
    received = Received(content=gzip.compress(plain), media_type=told[0], name=told[1], encoding=told[2])
    read_file = read_rows(received, JSON, "rows", LIMITS)
    uncompressed = Received(content=plain, media_type="application/json")
    assert read_file == read_rows(uncompressed, JSON, "rows", LIMITS)


def test_csv_has_its_names_in_the_first_line() -> None:
    content = b'name, mail\r\n"a, b",x@y\r\nc\r\n\r\n"d\n""e""",\xc3\xa9\r\n'
    rows = read(content, "text/csv")
    assert values(rows) == [{"name": "a, b", "mail": "x@y"}, "malformed_row", {"name": 'd\n"e"', "mail": "é"}]


@pytest.mark.parametrize(
    ("content", "told", "expected"),
    [
        (b"[1]", ("image/png",), ("unsupported_upload", 415)),
        (b"[1]", ("application/json", "", "br"), ("unsupported_upload", 415)),
        (b"\x89PNG", (), ("malformed_upload", 400)),
        (b"[1]", ("application/json", "x.csv"), ("upload_type_mismatch", 415)),
        (b"a,b\n1,2", ("application/json",), ("upload_type_mismatch", 415)),
        (b'{"a":1}', ("text/csv",), ("upload_type_mismatch", 415)),
        (b"[1]", ("application/json", "", "gzip"), ("upload_type_mismatch", 415)),
        (gzip.compress(b"[1]"), ("application/json",), ("upload_type_mismatch", 415)),
        (gzip.compress(b"[1]")[:-4], ("", "x.gz"), ("malformed_upload", 400)),
        (gzip.compress(b"[1]") + b"x", ("", "x.gz"), ("malformed_upload", 400)),
        (b"\x1f\x8bnonsense", ("", "x.gz"), ("malformed_upload", 400)),
        (b"[1\xff]", (), ("malformed_upload", 400)),
        (b'["\x00"]', (), ("malformed_upload", 400)),
        ("[1]".encode("utf-16"), ("application/json",), ("malformed_upload", 400)),
        (b"[]", (), ("malformed_upload", 400)),
        (b"[1,]", (), ("malformed_upload", 400)),
        (b"[1", (), ("malformed_upload", 400)),
        (b"[1 2]", (), ("malformed_upload", 400)),
        (b"[1] 2", (), ("malformed_upload", 400)),
        (b'{"rows":1}', (), ("malformed_upload", 400)),
        (b'{"rows":[1],"rows":[2]}', (), ("malformed_upload", 400)),
        (b'{"a":1}', ("application/json",), ("malformed_upload", 400)),
        (b'{1:[1],"rows":[2]}', ("application/json",), ("malformed_upload", 400)),
        (b"[" * 100_000, (), ("malformed_upload", 400)),
        (b"[" + b"9" * 10_000 + b"]", (), ("malformed_upload", 400)),
        (b"[" + b"1," * 100 + b"1]", (), ("too_many_rows", 413)),
        (b"{}\n" * 101, ("application/x-ndjson",), ("too_many_rows", 413)),
        (b"a,a\n1,2", ("text/csv",), ("malformed_upload", 400)),
        (b"a,\n1,2", ("text/csv",), ("malformed_upload", 400)),
        (b'a\n"x', ("text/csv",), ("malformed_upload", 400)),
        (b"a\n" + b"x" * 200_000, ("text/csv",), ("malformed_upload", 400)),
    ],
)
def test_a_file_that_is_broken_or_is_something_else_is_refused(
    content: bytes, told: tuple[str, ...], expected: tuple[str, int]
) -> None:
    assert refusal(content, *told) == expected


def test_what_is_not_taken_is_refused_however_it_is_told() -> None:
    assert refusal(b"a\n1", "text/csv", taken=JSON) == ("unsupported_upload", 415)
    assert refusal(b"a\n1", "", "x.csv", taken=JSON) == ("unsupported_upload", 415)
    assert refusal(b"a\n1", taken=JSON) == ("unsupported_upload", 415)


def test_the_limit_of_bytes_is_kept_uncompressed_and_compressed() -> None:
    limits = replace(LIMITS, most_bytes=100)
    assert refusal(b'["%s"]' % (b"x" * 100), limits=limits) == ("upload_too_large", 413)
    compressed = gzip.compress(b'["%s"]' % (b"x" * 100))
    assert refusal(compressed, "application/gzip", limits=limits) == ("upload_too_large", 413)


@pytest.mark.parametrize("content", [BOMB, gzip.compress(bytes(3_000_000))])
def test_a_file_that_grows_out_of_all_proportion_is_not_uncompressed(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown: list[int] = []
    make = zlib.decompressobj

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._inner = make(wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            part = self._inner.decompress(data, most)
            grown.append(len(part))
            return part

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    assert refusal(content, "application/gzip") == ("upload_too_large", 413)
    assert sum(grown) <= max(1024 * 1024, len(content) * LIMITS.most_ratio) + 64 * 1024


def test_a_row_that_is_no_good_is_told_by_itself_with_its_place() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    bad = ['{"a":1,"a":2}', "9007199254740993", json.dumps(deep), '"\\u0000"', json.dumps("x" * 2000), "NaN"]
    rows = read(f'{{"rows":[{",".join(bad)},1]}}'.encode())
    assert values(rows) == [
        *("duplicate_key", "number_out_of_range", "too_deep", "invalid_text", "too_large", "malformed_json"),
        1,
    ]
    assert [row.pointer for row in rows] == [f"/rows/{index}" for index in range(7)]
    assert values(read(b'{"a":1}\n{"a":\n{"a":3}', "application/x-ndjson")) == [
        *({"a": 1}, "malformed_json", {"a": 3}),
    ]
