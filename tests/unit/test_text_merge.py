"""Text merges line by line, whichever side is first, and holds only what somebody wrote."""

from hypothesis import given
from hypothesis import strategies as st

from command_api.decisions.text_merge import merge_text

lines = st.lists(st.sampled_from("abcd"), max_size=8).map("\n".join)
BASE = "one\ntwo\nthree\nfour\nfive"


def test_changes_with_a_line_between_them_merge() -> None:
    merged = merge_text(BASE, "ONE\ntwo\nthree\nfour\nfive", "one\ntwo\nthree\nfive\nsix")
    assert merged == "ONE\ntwo\nthree\nfive\nsix"


def test_lines_added_at_both_ends_merge() -> None:
    assert merge_text("a\n", "before\na\n", "a\nafter\n") == "before\na\nafter\n"


def test_changes_that_touch_do_not_merge() -> None:
    assert merge_text(BASE, "one\nTWO\nthree\nfour\nfive", "one\ntwo\nTHREE\nfour\nfive") is None


def test_the_same_line_changed_twice_does_not_merge() -> None:
    assert merge_text(BASE, "1\ntwo\nthree\nfour\nfive", "I\ntwo\nthree\nfour\nfive") is None


def test_other_lines_added_at_one_place_do_not_merge() -> None:
    assert merge_text("a\nb", "a\nx\nb", "a\ny\nb") is None


def test_a_line_changed_where_the_other_side_took_it_away_does_not_merge() -> None:
    assert merge_text(BASE, "one\ntwo\nfour\nfive", "one\ntwo\nthree!\nfour\nfive") is None


def test_what_both_sides_did_alike_is_done_once() -> None:
    assert merge_text(BASE, f"zero\n{BASE}\nsix", f"zero\n{BASE}") == f"zero\n{BASE}\nsix"


def test_other_ends_of_lines_are_left_alone() -> None:
    assert merge_text("a\r\nb\u2028c\nd\x0be", "A\r\nb\u2028c\nd\x0be", "a\r\nb\u2028c\nd\x0bE") is not None
    assert merge_text("a\r\nb\x0cc\nd", "a\r\nb\x0cc\nD", "A\r\nb\x0cc\nd") == "A\r\nb\x0cc\nD"


def test_texts_too_different_to_be_compared_in_time_are_left_to_people() -> None:
    base, other = (
        "\n".join(f"both {number}" if number % 2 else f"{side} {number}" for number in range(3000))
        for side in ("old", "new")
    )
    assert merge_text(base, other, f"zero\n{base}") is None


def test_a_text_that_was_written_anew_is_one_change_however_long() -> None:
    base, other = ("\n".join(f"{side} {number}" for number in range(3000)) for side in ("old", "new"))
    assert merge_text(f"{base}\nlast", f"{other}\nlast", f"{base}\nlast\nafter") == f"{other}\nlast\nafter"


def test_a_text_that_grew_by_many_lines_merges() -> None:
    many = "\n".join(f"new {number}" for number in range(3000))
    assert merge_text(BASE, f"{BASE}\n{many}", f"zero\n{BASE}") == f"zero\n{BASE}\n{many}"
    assert merge_text(f"{BASE}\n{many}", BASE, f"zero\n{BASE}\n{many}") == f"zero\n{BASE}"


@given(base=lines, one=lines, other=lines)
def test_it_does_not_matter_which_side_is_first(base: str, one: str, other: str) -> None:
    assert merge_text(base, one, other) == merge_text(base, other, one)


@given(base=lines, one=lines)
def test_a_side_that_changed_nothing_leaves_the_other_as_it_is(base: str, one: str) -> None:
    assert merge_text(base, one, base) == one
    assert merge_text(base, one, one) == one


@given(base=lines, one=lines, other=lines)
def test_no_line_is_made_up_and_no_new_one_is_lost(base: str, one: str, other: str) -> None:
    merged = merge_text(base, one, other)
    if merged is not None:
        before, left, right, after = (set(text.split("\n")) for text in (base, one, other, merged))
        assert (left | right) - before <= after <= left | right
