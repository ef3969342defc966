import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given

from events.errors import InvalidJson
from events.json_text import MAX_DEPTH, MAX_INTEGER, Json, canonical, check, dump, parse
from tests.strategies import REPEATABLE, json_values


def code_of(refused: Callable[[], object]) -> str:
    with pytest.raises(InvalidJson) as caught:
        refused()
    assert caught.value.reason
    return caught.value.code


def nested(depth: int, opening: str = "[", middle: str = "", closing: str = "]") -> bytes:
    return (opening * depth + middle + closing * depth).encode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "malformed_json"),
        (b" \n", "malformed_json"),
        (b"\xef\xbb\xbf{}", "malformed_json"),
        (b"\xff", "malformed_json"),
        (b"{", "malformed_json"),
        (b"[1,]", "malformed_json"),
        (b'{"a":1,}', "malformed_json"),
        (b"{} {}", "malformed_json"),
        (b"{'a':1}", "malformed_json"),
        (b"// no\n1", "malformed_json"),
        (b"01", "malformed_json"),
        (b"+1", "malformed_json"),
        (b"1.", "malformed_json"),
        (b"NaN", "malformed_json"),
        (b"[-Infinity]", "malformed_json"),
        (b'"\x00"', "malformed_json"),
        (b'"\n"', "malformed_json"),
        (b'"\xed\xa0\x80"', "malformed_json"),
        (b'"\\x41"', "malformed_json"),
        (b'"\\u0000"', "invalid_text"),
        (b'{"\\u0000":1}', "invalid_text"),
        (b'"\\ud800"', "invalid_text"),
        (b'"\\udc00\\ud800"', "invalid_text"),
        (b'[{"a":{"\\ud83d":1}}]', "invalid_text"),
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b'{"\\u0061":1,"a":2}', "duplicate_key"),
        (b'[{"x":{"b":1,"c":2,"b":3}}]', "duplicate_key"),
        (b"9007199254740992", "number_out_of_range"),
        (b"-9007199254740992", "number_out_of_range"),
        (b"123456789012345678", "number_out_of_range"),
        (b"-" + b"9" * 17, "number_out_of_range"),
        (b"9" * 10_000, "number_out_of_range"),
        (b"1e400", "number_out_of_range"),
        (b"[-1e400]", "number_out_of_range"),
    ],
)
def test_text_that_json_readers_do_not_agree_on_is_refused(text: bytes, code: str) -> None:
    assert code_of(lambda: parse(text)) == code


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b" { } \r\n", {}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        ('"\u2028 \U0001f468\u200d\U0001f469 e\u0301"'.encode(), "\u2028 \U0001f468\u200d\U0001f469 e\u0301"),
        (b'"\\u0001\\\\u0000"', "\x01\\u0000"),
        (b"9007199254740991", MAX_INTEGER),
        (b"-9007199254740991", -MAX_INTEGER),
        (b"-0", 0),
        (b"1e2", 100.0),
        (b"1E-400", 0.0),
        (b"1.7976931348623157e308", 1.7976931348623157e308),
        (b'{"A":1,"a":2,"\xc3\xa1":3,"a\xcc\x81":4}', {"A": 1, "a": 2, "\u00e1": 3, "a\u0301": 4}),
    ],
)
def test_text_that_json_readers_agree_on_is_read(text: bytes, value: Json) -> None:
    found = parse(text)
    assert (found, type(found)) == (value, type(value))


def test_the_sign_of_a_negative_zero_is_kept_where_it_is_a_fraction() -> None:
    assert dump(parse(b"-0.0")) == b"-0.0"


@pytest.mark.parametrize(
    ("opening", "middle", "closing"), [("[", "", "]"), ("[", "1", "]"), ('{"a":', "1", "}")]
)
def test_nesting_is_allowed_to_the_limit_and_refused_beyond(opening: str, middle: str, closing: str) -> None:
    allowed = parse(nested(MAX_DEPTH, opening, middle, closing))
    check(allowed)
    assert code_of(lambda: check([allowed])) == "too_deep"
    assert code_of(lambda: parse(nested(MAX_DEPTH + 1, opening, middle, closing))) == "too_deep"


def test_the_limit_of_nesting_is_the_callers_to_choose() -> None:
    parse(nested(MAX_DEPTH + 2), max_depth=MAX_DEPTH + 2)
    assert code_of(lambda: parse(b"[[]]", max_depth=1)) == "too_deep"


def test_brackets_in_text_and_side_by_side_are_no_nesting() -> None:
    assert parse(b'["' + b"[{" * MAX_DEPTH + b'"]') == ["[{" * MAX_DEPTH]
    assert parse(b"[" + b"[]," * 100 + b"[]]") == [[]] * 101


@pytest.mark.parametrize(
    "text",
    [b"[" * 200_000, b'{"a":' * 200_000, nested(200_000)],
    ids=["open arrays", "open objects", "closed arrays"],
)
def test_nesting_beyond_any_stack_is_refused(text: bytes) -> None:
    assert code_of(lambda: parse(text)) == "too_deep"


@pytest.mark.parametrize(
    "text",
    [
        b"{" + b",".join(b'"k%d":1' % n for n in range(30_000)) + b',"k29999":2}',
        b"9" * 1_000_000,
        b"[" + b"{}," * 100_000 + b'"\\u0000"]',
    ],
    ids=["a key twice", "digits", "objects side by side"],
)
def test_a_megabyte_of_trouble_is_refused_within_a_second_of_work(text: bytes) -> None:
    before = time.process_time()
    code_of(lambda: parse(text))
    assert time.process_time() - before < 1


def test_the_reason_for_a_refusal_is_short_however_long_the_key() -> None:
    key = b'"' + b"k" * 10_000 + b'":1'
    with pytest.raises(InvalidJson) as caught:
        parse(b"{" + key + b"," + key + b"}")
    assert len(caught.value.reason) < 200


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "number_out_of_range"),
        ([float("-inf")], "number_out_of_range"),
        ({"a": 2**53}, "number_out_of_range"),
        (-(2**53), "number_out_of_range"),
        ([10**5_000], "number_out_of_range"),
        (["\x00"], "invalid_text"),
        ({"\ud800": 1}, "invalid_text"),
        ({"a": ["\udfff"]}, "invalid_text"),
    ],
)
def test_a_value_made_in_memory_is_held_to_the_same_rule(value: Json, code: str) -> None:
    assert code_of(lambda: check(value)) == code


@REPEATABLE
@given(json_values())
def test_what_is_written_is_read_back_with_its_keys_in_order(value: Json) -> None:
    check(value)
    text = dump(value)
    assert json.dumps(parse(text)) == json.dumps(value)
    assert dump(parse(text)) == text


@REPEATABLE
@given(json_values())
def test_escaped_text_is_the_same_text(value: Json) -> None:
    assert parse(json.dumps(value, ensure_ascii=True).encode()) == value


@REPEATABLE
@given(json_values())
def test_the_canonical_text_knows_no_order_of_keys(value: Json) -> None:
    def reversed_keys(item: Json) -> Json:
        if isinstance(item, dict):
            return {name: reversed_keys(item[name]) for name in reversed(item)}
        return [reversed_keys(child) for child in item] if isinstance(item, list) else item

    assert canonical(reversed_keys(value)) == canonical(value)
    assert parse(canonical(value)) == value


def test_canonical_text_is_compact_sorted_and_plain() -> None:
    assert canonical({"b": [1, 1.0], "a": "\u00e9/\x01"}) == '{"a":"\u00e9/\\u0001","b":[1,1.0]}'.encode()


def test_what_is_no_json_is_never_written() -> None:
    for number in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(InvalidJson, match="not finite"):
            dump({"a": [number]})
    with pytest.raises(ValueError, match="surrogates"):
        dump("\ud800")
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical(float("inf"))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_text_about_what_is_no_number_is_written_however_deep(word: str) -> None:
    value: Json = word
    for _ in range(MAX_DEPTH + 2):
        value = [value]
    assert dump(value) == b"[" * (MAX_DEPTH + 2) + b'"' + word.encode() + b'"' + b"]" * (MAX_DEPTH + 2)
    assert dump({word: 1}) == b'{"' + word.encode() + b'":1}'
