"""How points are named, and what the read models have to be at to show one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.cursor import Cursor
from read_api.points import is_named_by_time, read_time
from read_api.positions import Position
from read_api.reader import shown
from runtime.problems import Problem

LOG = "0190a5d0-0000-7000-8000-000000000001"
OTHER_LOG = "0190a5d0-0000-7000-8000-000000000002"
TEAM = "0190a5d0-0000-7000-8000-00000000000a"


@given(st.uuids(), st.uuids(), st.integers(min_value=0, max_value=2**63 - 1))
def test_no_cursor_is_taken_for_a_time(log: object, team: object, sequence: int) -> None:
    assert not is_named_by_time(str(Cursor(log_id=str(log), team_id=str(team), sequence=sequence)))


@given(st.datetimes())
def test_every_time_is_taken_for_one_and_read(time: object) -> None:
    text = f"{time}".replace(" ", "T") + "Z"
    assert is_named_by_time(text)
    assert read_time("as_of", text).replace(tzinfo=None) == time


@pytest.mark.parametrize(
    "text", ["2026", "2026-03-03T00:00:00", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+01:00"]
)
def test_a_time_that_is_none_is_refused_by_the_name_of_its_parameter(text: str) -> None:
    with pytest.raises(Problem, match="invalid_parameter") as raised:
        read_time("from", text)
    assert raised.value.members["parameter"] == "from"


def position(sequence: int, log_id: str = LOG) -> Position:
    return Position(log_id=log_id, team_id=TEAM, sequence=sequence)


def test_an_answer_shows_the_point_and_else_the_present() -> None:
    assert shown(position(9), None) == position(9)
    assert shown(position(9), position(5).point) == shown(position(5), position(5).point) == position(5)


def test_read_models_that_went_back_since_the_point_was_found_show_nothing() -> None:
    with pytest.raises(Problem, match="not_yet_visible"):
        shown(position(4), position(5).point)
    with pytest.raises(Problem, match="log_changed"):
        shown(position(9, OTHER_LOG), position(5).point)
