"""Which events that count can be applied, and where a partition stops at one that cannot."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from events.pattern import PatternArchived, PatternRecorded, stream_of
from events.record import NewRecord, Record
from events.team import STREAM
from projectors.chain import Step, StreamKey, TeamLog, follow
from projectors.entries import incomplete_from, read_entries
from projectors.errors import Broken
from tests.facts import team_created
from tests.scribe import LOG_ID, Scribe, edited

RECORDED = PatternRecorded(fields={"name": "Names"})
ARCHIVED = PatternArchived()


def written() -> Scribe:
    log = Scribe()
    log.fence()
    return log


def steps_of(records: list[Record]) -> list[Step]:
    counting = [record for record in records if "ce_id" in record.headers]
    return follow(read_entries(counting, LOG_ID), {}, {})


def broken_at(records: list[Record]) -> int:
    with pytest.raises(Broken) as broken:
        steps_of(records)
    return broken.value.offset


def test_events_in_order_are_followed() -> None:
    log = written()
    team = log.team()
    pattern = log.pattern(team, RECORDED)
    log.pattern(team, edited(1, name="Other"), pattern)
    logs: dict[str, TeamLog] = {}
    states: dict[StreamKey, object] = {}
    steps = follow(read_entries(log.records[1:], LOG_ID), logs, states)  # type: ignore[arg-type]
    assert [step.offset for step in steps] == [1, 2, 3]
    assert steps[-1].fields == '{"name":"Other"}'
    assert (logs[team].last_sequence, logs[team].event_count) == (3, 3)
    assert set(states) == {(team, STREAM), (team, stream_of(pattern))}


def test_two_teams_in_one_partition_have_chains_of_their_own() -> None:
    log = written()
    one, two = log.team(), log.team()
    log.pattern(one, RECORDED)
    log.pattern(two, RECORDED)
    assert [step.envelope.sequence for step in steps_of(log.records)] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence": 3},
        {"sequence": 1},
        {"previous_hash": "0" * 64},
        {"version": 2},
        {"type": "pattern.renamed.v1"},
        {"data": b"{}"},
        {"data": b'{"fields": {"name": "a", "size": NaN}}'},
        {"data": b'{"fields": {"name": "a", "size": 1e999}}'},
        {"data": b'{"fields": {"name": "a\\u0000"}}'},
        {"data": b'{"fields": {"size": 1}}'},
        {"log_id": "0190a5d0-0000-7000-8000-00000000dead"},
        {"recorded_at": "2026-02-30T00:00:00Z"},
        {"stream": STREAM},
        {"stream": "libraries"},
        {"stream": "libraries/0190a5d0-0000-7000-8000-000000000002"},
    ],
    ids=str,
)
def test_an_event_that_does_not_fit_breaks_the_partition_where_it_stands(wrong: dict[str, object]) -> None:
    log = written()
    team = log.team()
    pattern = log.new_id()
    log.command(team, (stream_of(pattern), RECORDED), **wrong)
    assert broken_at(log.records) == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: replace(record, value=None),
        lambda record: replace(record, key=None),
        lambda record: replace(record, key=b"no id"),
        lambda record: replace(record, value=b"\xff"),
        lambda record: replace(record, headers={**record.headers, "ce_sequence": b"two"}),
    ],
    ids=["no data", "no key", "key is no id", "data is no JSON", "sequence is no number"],
)
def test_a_record_that_counts_and_is_no_event_breaks_the_partition(spoil: Callable[[Record], Record]) -> None:
    log = written()
    team = log.team()
    log.pattern(team, RECORDED)
    assert broken_at([*log.records[:2], spoil(log.records[2])]) == 2


def test_an_altered_event_breaks_the_partition_at_the_next_one() -> None:
    log = written()
    team = log.team()
    pattern = log.pattern(team, RECORDED)
    log.pattern(team, ARCHIVED, pattern)
    altered = replace(log.records[2], value=b'{"fields":{"name":"Other"}}')
    assert broken_at([*log.records[:2], altered, log.records[3]]) == 3


def test_a_missing_event_is_found_at_the_next_one_of_its_team() -> None:
    log = written()
    team = log.team()
    pattern = log.pattern(team, RECORDED)
    log.pattern(team, ARCHIVED, pattern)
    assert broken_at([log.records[1], log.records[3]]) == 3


def test_an_event_that_comes_twice_breaks_the_partition() -> None:
    log = written()
    log.team()
    again = replace(log.records[1], offset=2)
    assert broken_at([log.records[1], again]) == 2


def test_a_pattern_event_in_the_teams_stream_and_the_other_way_round_break_the_partition() -> None:
    log = written()
    log.command(log.new_id(), (STREAM, RECORDED))
    assert broken_at(log.records) == 1
    other = written()
    other.command(
        other.new_id(),
        (stream_of(other.new_id()), team_created("Team")),
    )
    assert broken_at(other.records) == 1


def test_the_events_of_a_command_are_held_back_until_all_are_there() -> None:
    log = written()
    team = log.team()
    stream = stream_of(log.new_id())
    log.command(team, (stream, RECORDED), (stream, ARCHIVED))
    whole = read_entries(log.records[1:], LOG_ID)
    assert incomplete_from(whole) is None
    assert incomplete_from(read_entries(log.records[1:3], LOG_ID)) == 2
    assert incomplete_from([]) is None


def test_a_command_whose_second_event_is_broken_is_not_applied_at_all() -> None:
    log = written()
    team = log.team()
    stream = stream_of(log.new_id())
    first, second = log.command(team, (stream, RECORDED), (stream, ARCHIVED))
    spoilt = replace(second, headers={**second.headers, "ce_streamversion": b"9"})
    assert broken_at([log.records[1], first, spoilt]) == first.offset == 2


@pytest.mark.parametrize(
    "other",
    [
        {"command_index": 0},
        {"command_index": 2, "command_count": 3},
        {"command_count": 3},
        {"command_id": LOG_ID},
    ],
    ids=str,
)
def test_events_that_cut_through_a_command_break_the_partition_at_its_beginning(
    other: dict[str, int],
) -> None:
    log = written()
    team = log.team()
    stream, command = stream_of(log.new_id()), log.new_id()
    log.command(team, (stream, RECORDED), command_id=command, command_count=2)
    log.command(
        team, (stream, ARCHIVED), **{"command_id": command, "command_index": 1, "command_count": 2, **other}
    )
    assert broken_at(log.records) == 2


def test_a_command_that_begins_in_its_middle_breaks_the_partition() -> None:
    log = written()
    log.command(
        log.new_id(),
        (STREAM, team_created("Team")),
        command_index=1,
        command_count=2,
    )
    assert broken_at(log.records) == 1


def test_a_fence_within_a_command_breaks_the_partition_at_the_commands_beginning() -> None:
    log = written()
    team = log.team()
    stream, command = stream_of(log.new_id()), log.new_id()
    log.command(team, (stream, RECORDED), command_id=command, command_count=2)
    log.fence(writer="second")
    log.command(team, (stream, ARCHIVED), command_id=command, command_index=1, command_count=2)
    assert broken_at(log.records) == 2


def test_an_unreadable_record_within_a_command_breaks_the_partition_at_the_commands_beginning() -> None:
    log = written()
    team = log.team()
    stream = stream_of(log.new_id())
    log.command(team, (stream, RECORDED), command_count=2)
    rubbish = log.counting(NewRecord(key=b"x", value=b"y", headers={"ce_id": b"z"}))
    assert rubbish.offset == 3
    assert broken_at(log.records) == 2
