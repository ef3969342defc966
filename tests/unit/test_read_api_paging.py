"""Page tokens are good for the question that they were made for, and nothing else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from events.cursor import Cursor
from read_api import paging
from read_api.paging import next_page, page_token, points_of, read_page_token
from read_api.pattern_list import SORTS
from runtime.problems import Problem

PATTERN = "0190a5d0-0000-7000-8000-00000000000a"
QUESTION = ["team", "live", None, "name"]
BY_NAME = SORTS["name"].shape
BY_SEQUENCE = SORTS["updated"].shape


def refused(token: str, question: object = QUESTION, shape: TypeAdapter[object] = BY_NAME) -> bool:
    with pytest.raises(Problem) as raised:
        read_page_token(token, question, shape)
    return (raised.value.code, raised.value.status) == ("bad_page", 400)


def made_up(place: str) -> str:
    payload = place.encode()
    return base64.urlsafe_b64encode(paging._digest(QUESTION, payload) + payload).decode()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=255))
def test_any_name_comes_back_from_its_token(name: str) -> None:
    token = page_token(QUESTION, (name, PATTERN))
    assert read_page_token(token, QUESTION, BY_NAME) == (name, PATTERN)


@given(st.integers(min_value=1, max_value=2**63 - 1))
def test_any_sequence_comes_back_from_its_token(sequence: int) -> None:
    token = page_token(QUESTION, (sequence,))
    assert read_page_token(token, QUESTION, BY_SEQUENCE) == (sequence,)


@given(st.lists(st.integers(min_value=0, max_value=2**63 - 1), min_size=1, max_size=2))
def test_the_points_of_a_page_come_back_from_its_token(sequences: list[int]) -> None:
    points = [Cursor(log_id=PATTERN, team_id=PATTERN, sequence=sequence) for sequence in sequences]
    token = page_token(QUESTION, (1,), *points)
    assert points_of(token) == [str(point) for point in points]
    assert read_page_token(token, QUESTION, BY_SEQUENCE) == (1,)
    own = token.rpartition(".")[2]
    for other in (own, f".{own}", f"x.{token}", token.replace(".", "..")):
        assert refused(other, shape=BY_SEQUENCE)
    assert points_of(own) == points_of(None) == []


def test_the_last_page_has_no_token() -> None:
    assert next_page(QUESTION, None, None) is None
    assert next_page(QUESTION, (1,), None) == page_token(QUESTION, (1,))


def test_a_token_of_another_question_is_refused() -> None:
    token = page_token(QUESTION, (1,))
    for question in (["other", *QUESTION[1:]], [*QUESTION[:3], "-name"], [*QUESTION, None], []):
        assert refused(token, question, BY_SEQUENCE)


@given(st.data())
def test_a_token_that_was_changed_anywhere_is_refused(data: st.DataObject) -> None:
    token = page_token(QUESTION, (123456,))
    at = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters().filter(lambda found: found != token[at]))
    assert refused(token[:at] + character + token[at + 1 :], shape=BY_SEQUENCE)


@given(st.text(max_size=100))
def test_any_other_text_is_refused(text: str) -> None:
    assert refused(text)


@given(st.binary(max_size=60))
def test_any_other_bytes_are_refused(raw: bytes) -> None:
    assert refused(base64.urlsafe_b64encode(raw).decode())


@pytest.mark.parametrize(
    "place",
    [
        "[1]",
        "null",
        "[]",
        '["name"]',
        f'["name","{PATTERN.upper()}"]',
        f'["na\\u0000me","{PATTERN}"]',
        f'["\\ud800","{PATTERN}"]',
        f'["","{PATTERN}"]',
        f'["{"x" * 2000}","{PATTERN}"]',
        f'["name","{PATTERN}",1]',
        '["name","name"]',
        "{",
    ],
)
def test_a_made_up_place_is_refused_although_its_checksum_fits(place: str) -> None:
    assert refused(made_up(place))


@pytest.mark.parametrize("place", ["[0]", "[-1]", f"[{2**63}]", "[1.5]", '["1"]', "[true]", "[1,2]", "1"])
def test_a_made_up_sequence_is_refused_although_its_checksum_fits(place: str) -> None:
    assert refused(made_up(place), shape=BY_SEQUENCE)
