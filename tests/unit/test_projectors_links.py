"""The chains of teams, checked over the records as written."""

from dataclasses import replace

import pytest

from events.pattern import PatternRecorded
from events.record import Record
from events.team import TeamMergingChanged
from projectors.errors import Broken
from projectors.fold import PartitionWalk
from projectors.links import Links
from tests.scribe import LOG_ID, Scribe


def recorded(name: str) -> PatternRecorded:
    return PatternRecorded(fields={"name": name})


@pytest.fixture
def log() -> Scribe:
    scribe = Scribe()
    scribe.fence()
    return scribe


def walked(records: list[Record]) -> Links:
    walk = PartitionWalk(0, [LOG_ID])
    walk.read(records)
    return walk.links


def with_header(record: Record, name: str, value: bytes | None) -> Record:
    others = {key: held for key, held in record.headers.items() if key != name}
    return replace(record, headers=others if value is None else {**others, name: value})


def test_each_team_has_a_chain_of_its_own(log: Scribe) -> None:
    one, two = log.team(), log.team()
    log.pattern(one, recorded("a"))
    links = walked(log.records)
    assert links.faults == []
    assert {team: at.last_sequence for team, at in links.logs().items()} == {one: 2, two: 1}


def test_one_team_s_fault_is_no_other_s(log: Scribe) -> None:
    one, two = log.team(), log.team()
    log.pattern(one, recorded("a"))
    log.pattern(one, recorded("b"))
    log.pattern(two, recorded("a"))
    links = walked([*log.records[:3], *log.records[4:]])
    assert [(fault.team_id, fault.sequence, fault.offset) for fault in links.faults] == [(one, 2, 4)]
    assert links.broken_teams == {one}
    assert links.logs()[two].last_sequence == 2


@pytest.mark.parametrize(
    ("header", "value", "first_bad", "reason"),
    [
        ("ce_sequence", None, 3, "sequence none stands where 3 should"),
        ("ce_sequence", b"00000000000000000004", 3, "sequence 4 stands where 3 should"),
        ("ce_sequence", b"3", 3, "sequence 3 stands where 3 should"),
        ("ce_previoushash", b"0" * 64, 2, "sequence 3 does not name the hash of the one before"),
        ("ce_previoushash", None, 2, "sequence 3 does not name the hash of the one before"),
        ("ce_logid", b"other", 3, "it belongs to another log"),
        ("ce_commandindex", b"1", 3, "it cuts through the events of a command"),
        ("ce_commandcount", b"\xff", 3, "it cuts through the events of a command"),
        ("ce_commandcount", None, 3, "it cuts through the events of a command"),
    ],
)
def test_what_does_not_continue_the_chain_is_told(
    log: Scribe, header: str, value: bytes | None, first_bad: int, reason: str
) -> None:
    team = log.team()
    for name in "ab":
        log.pattern(team, recorded(name))
    links = walked([*log.records[:3], with_header(log.records[3], header, value)])
    assert [(fault.sequence, fault.reason) for fault in links.faults] == [(first_bad, reason)]


def test_what_is_void_is_no_link(log: Scribe) -> None:
    team = log.team()
    log.void(log.records[-1])
    log.pattern(team, recorded("a"))
    assert walked(log.records).logs()[team].last_sequence == 2


def test_a_command_that_is_not_whole_yet_is_known(log: Scribe) -> None:
    team = log.team()
    streams = [f"patterns/{log.new_id()}" for _ in range(3)]
    log.command(team, *((stream, recorded(stream)) for stream in streams))
    walk = PartitionWalk(0, [LOG_ID])
    whole = []
    for record in log.records:
        walk.read([record])
        whole.append(walk.links.is_whole)
    assert whole == [True, True, False, False, True]
    assert walk.links.faults == []


def test_an_event_of_another_command_in_between_is_a_fault(log: Scribe) -> None:
    team = log.team()
    log.command(team, ("team", TeamMergingChanged(policy="reject", rules={})), command_count=2)  # type: ignore[arg-type]
    log.pattern(team, recorded("a"))
    (fault,) = walked(log.records).faults
    assert (fault.sequence, fault.reason) == (3, "it cuts through the events of a command")


def test_a_record_of_no_team_stops_the_partition(log: Scribe) -> None:
    log.team()
    with pytest.raises(Broken, match="the key is no team's id"):
        walked([log.records[0], replace(log.records[1], key=b"nobody")])
