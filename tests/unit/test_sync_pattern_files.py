"""Reading and writing pattern files."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_client import json_stream
from sync_client.errors import BadPatternFile
from sync_client.json_stream import JsonStream
from sync_client.pattern_files import Item, read_patterns, replacing, written

PATTERNS = [{"name": "a", "x-own": [1, {"é": None}]}, {"name": "b"}]
DEMO = {"patterns": PATTERNS, "changelog": [{"action": "x"}]}


def values(path: Path) -> list[object]:
    return [item.value for item in read_patterns(path)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.json", json.dumps(PATTERNS)),
        ("library.json", json.dumps(DEMO)),
        ("pretty.json", json.dumps(DEMO, indent=2)),
        ("last.json", json.dumps({"changelog": [], "last_updated": "now", "patterns": PATTERNS})),
        ("lines.ndjson", "\n".join(map(json.dumps, PATTERNS))),
        ("lines.jsonl", "\n\n".join(map(json.dumps, PATTERNS)) + "\n\n"),
        ("lines-by-content.txt", "\n".join(map(json.dumps, PATTERNS))),
        ("with-a-mark.json", "\ufeff" + json.dumps(DEMO)),
    ],
)
def test_every_shape_of_a_pattern_file_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert values(tmp_path / name) == PATTERNS


def test_a_library_that_stands_on_one_line_is_no_ndjson(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"patterns": []}\n')
    assert values(tmp_path / "x.json") == []


def test_a_bad_line_of_ndjson_is_told_of_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_text('{"name": "a"}\n{"name": \n{"name": "b"}\n')
    first, bad, last = read_patterns(tmp_path / "x.ndjson")
    assert (first.value, last.value) == ({"name": "a"}, {"name": "b"})
    assert bad.place == 2
    assert bad.error is not None
    assert bad.error.code == "malformed_json"


def test_what_json_readers_do_not_agree_on_is_wrong_with_its_pattern_alone(tmp_path: Path) -> None:
    texts = [
        '{"a": 1, "a": 2}',
        '{"a": 9007199254740993}',
        '{"a": NaN}',
        r'{"a": "\u0000"}',
        r'{"a": "\ud800"}',
        '{"name": "good"}',
    ]
    (tmp_path / "x.json").write_text(f"[{', '.join(texts)}]")
    *bad, good = read_patterns(tmp_path / "x.json")
    assert [item.error and item.error.code for item in bad] == [
        "duplicate_key",
        "number_out_of_range",
        "malformed_json",
        "invalid_text",
        "invalid_text",
    ]
    assert good == Item(place=6, value={"name": "good"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "{",
        "[",
        '[{"name": "a"}',
        '[{"name": "a"},]',
        '[{"name": "a"} {"name": "b"}]',
        '{"patterns": {}}',
        '{"changelog":\n []}',
        '{"changelog": [], }',
        '{1: 2, "patterns": []}',
        "[] []",
        "[" * 100_000,
    ],
)
def test_a_file_that_is_no_pattern_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(BadPatternFile):
        values(tmp_path / "x.json")


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPatternFile):
        values(tmp_path / "missing.json")
    (tmp_path / "x.json").write_bytes(b'[{"name": "\xff"}]')
    with pytest.raises(BadPatternFile):
        values(tmp_path / "x.json")


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)


@settings(deadline=None, max_examples=40)
@given(elements=st.lists(JSON, max_size=6), chunk=st.integers(1, 7), indent=st.sampled_from([None, 0, 3]))
def test_a_list_is_read_alike_however_the_text_is_cut(
    elements: list[object], chunk: int, indent: int | None
) -> None:
    text = json.dumps({"other": elements, "patterns": elements}, indent=indent, ensure_ascii=False)
    stream = JsonStream(io.BytesIO(text.encode()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_CHUNK", chunk)
        assert [json.loads(element) for element in stream.elements("patterns")] == elements


def test_memory_holds_no_more_than_a_piece_of_a_long_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", 1000)
    stream = JsonStream(io.BytesIO(json.dumps([{"name": "x" * 100}] * 10_000).encode()))
    longest = max(len(stream._text) for _ in stream.elements("patterns"))
    assert longest < 5000


# ---------------------------------------------------------------- writing


@pytest.mark.parametrize("style", ["json", "ndjson"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_is_written_is_read_again(tmp_path: Path, style: str, count: int) -> None:
    patterns = [{"name": f"é {index}", "x": [index, 0.5, None]} for index in range(count)]
    path = tmp_path / f"out.{style}"
    with replacing(path) as file:
        file.writelines(written(map(json.dumps, patterns), "json" if style == "json" else "ndjson"))
    assert values(path) == patterns
    assert len(path.read_text().splitlines()) == (count if style == "ndjson" else count + 2)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(str(1 // 0))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    path.chmod(0o640)
    with replacing(path) as file:
        file.write("new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadPatternFile, match="No such file"), replacing(tmp_path / "no" / "out.json"):
        pass
