import pytest

from events.errors import MalformedRecord
from events.record import NewRecord, headers_of, integer_of, text_of


@pytest.mark.parametrize(
    ("written", "value"),
    [(b"0", 0), (b"7", 7), (b"00000000000000000007", 7), (b"9223372036854775807", 2**63 - 1)],
)
def test_a_header_of_digits_is_an_integer(written: bytes, value: int) -> None:
    assert integer_of({"n": written}, "n") == value


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"-1",
        b"+1",
        b"1.0",
        b" 1",
        b"1\n",
        b"1_0",
        b"x",
        "\u0661".encode(),
        b"9223372036854775808",
        b"0" * 21,
    ],
)
def test_any_other_header_is_no_integer(written: bytes) -> None:
    with pytest.raises(MalformedRecord, match="header n is not a number"):
        integer_of({"n": written}, "n")


def test_a_header_that_is_missing_or_not_text_is_named() -> None:
    with pytest.raises(MalformedRecord, match="header a is missing"):
        text_of({}, "a")
    with pytest.raises(MalformedRecord, match="header a is missing"):
        integer_of({}, "a")
    with pytest.raises(MalformedRecord, match="header a is not UTF-8"):
        text_of({"a": b"\xff"}, "a")


def test_of_headers_with_one_name_the_last_counts_and_one_without_value_never() -> None:
    assert headers_of([("a", b"1"), ("b", None), ("a", b"2"), ("a", None)]) == {"a": b"2"}


def test_a_records_size_is_never_understated() -> None:
    record = NewRecord(key=b"k" * 36, value=b"v" * 1000, headers={"name": b"x" * 64, "other": b""})
    varints, attributes, written = 4 * 10, 1, 36 + 1000 + len("name") + 64 + len("other")
    assert record.size >= written + varints + attributes + 2 * 2 * 2
    assert NewRecord(key=None, value=None, headers={}).size < 100


def test_further_headers_leave_a_record_as_it_was() -> None:
    record = NewRecord(key=b"k", value=b"v", headers={"a": b"1", "b": b"2"})
    assert record.with_headers({"b": b"3", "c": b"4"}) == NewRecord(
        key=b"k", value=b"v", headers={"a": b"1", "b": b"3", "c": b"4"}
    )
    assert record.headers == {"a": b"1", "b": b"2"}
