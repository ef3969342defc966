import pytest

from command_api.decisions.pattern_fields import KNOWN_FIELDS, InvalidField, check_fields
from events.json_text import MAX_INTEGER, Json

TEXTS = ["description", "problem", "solution", "bad_example", "good_example", "category"]


def field_refused(fields: dict[str, Json]) -> str:
    with pytest.raises(InvalidField) as caught:
        check_fields(fields)
    assert caught.value.reason
    return caught.value.field


def test_the_known_fields_are_the_published_ones() -> None:
    assert list(KNOWN_FIELDS) == ["name", *TEXTS, "severity", "tags", "counters"]


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "n" * 255,
        "\U0001f9ea" * 255,
        "e\u0301" * 127,
        "a/b [c] {d} \\ ~ ' \"",
        " padded ",
        "\u202e\u0645\u0631\u062d\u0628\u0627",
        "\u200b",
        "../../etc/passwd",
        "line\nbreak",
    ],
)
def test_a_name_is_any_text_of_up_to_255_code_points(name: str) -> None:
    check_fields({"name": name})


@pytest.mark.parametrize(
    "name", ["", " ", "\t\r\n", "\u3000\u2003", "n" * 256, "\U0001f9ea" * 256, None, 1, True, ["x"], {"x": 1}]
)
def test_a_name_that_is_blank_too_long_or_no_text_is_refused(name: Json) -> None:
    assert field_refused({"name": name}) == "name"


@pytest.mark.parametrize("field", TEXTS)
def test_a_text_may_be_any_text_and_nothing_else(field: str) -> None:
    for text in ("", " ", "\U0001f9ea", "x" * 100_000):
        check_fields({field: text})
    wrong: Json
    for wrong in (None, 1, True, [], {}, ["x"]):
        assert field_refused({field: wrong}) == field


@pytest.mark.parametrize("severity", ["low", "medium", "high", "critical"])
def test_a_severity_is_one_of_four(severity: str) -> None:
    check_fields({"severity": severity})


@pytest.mark.parametrize("wrong", ["", "Low", "low ", None, 0, 1, True, ["low"], {"low": 1}])
def test_any_other_severity_is_refused(wrong: Json) -> None:
    assert field_refused({"severity": wrong}) == "severity"


@pytest.mark.parametrize("tags", [[], ["a"], ["a", "A", "a ", "\U0001f9ea", "a/b"]])
def test_tags_are_texts_each_once(tags: Json) -> None:
    check_fields({"tags": tags})


@pytest.mark.parametrize(
    "wrong", [None, "a", {"a": 1}, [1], ["a", None], [["a"]], [""], [" "], ["a", "b", "a"]]
)
def test_other_tags_are_refused(wrong: Json) -> None:
    assert field_refused({"tags": wrong}) == "tags"


@pytest.mark.parametrize("counters", [{}, {"seen": 0}, {"seen": 3, "fixed": MAX_INTEGER, "": 1}])
def test_counters_count(counters: Json) -> None:
    check_fields({"counters": counters})


@pytest.mark.parametrize("wrong", [-1, MAX_INTEGER + 1, 1.0, -0.0, True, False, "1", None, [1], {"n": 1}])
def test_what_is_no_count_is_refused(wrong: Json) -> None:
    assert field_refused({"counters": {"fine": 1, "seen": wrong}}) == "counters"
    assert field_refused({"counters": wrong if not isinstance(wrong, dict) else [wrong]}) == "counters"


@pytest.mark.parametrize("value", [None, True, -1, 1e300, "", " ", [], [1, "a", None], {"": {"": []}}])
def test_a_field_of_any_other_name_may_hold_anything(value: Json) -> None:
    check_fields({"Severity": value, "tag": value, "x": value, "names": value})


def test_the_names_of_fields_have_1_to_255_characters() -> None:
    check_fields({"f" * 255: 1, "\U0001f9ea" * 255: 1, " ": 1, "a/b": 1, "Name": 1, "\u0001": 1})
    assert field_refused({"": 1}) == ""
    assert field_refused({"f" * 256: 1}) == "f" * 255


def test_the_first_field_that_will_not_do_is_named() -> None:
    assert field_refused({"name": "x", "tags": 1, "severity": 1}) == "tags"
