"""What the decider reads next, once it knows the states: in bounds, and no base that nobody needs."""

import json

from command_api.decider.conditional_log import BEGINNING
from command_api.decider.memory import Memory, WorkingSet
from command_api.decider.requests import MOST_BASES, PartitionIdentity, Request, read_request, wanted_next
from command_api.decider.snapshot import Snapshot
from events.json_text import Json
from events.pattern import Pattern, stream_of
from events.record import Record
from tests.commands import command_id

TEAM = "0198c0de-0000-7000-8000-00000000000a"
PATTERN = "11111111-1111-4111-8111-111111111111"
HERE = PartitionIdentity(log_id=TEAM, partition=0, partitions=1)
STATE = Pattern(version=50, status="live", fields={"name": "n"}, field_versions={"a": 50, "b": 1})
STREAM = (TEAM, stream_of(PATTERN))


def edit(base_version: int, **given: Json) -> Request:
    command = {
        "type": "edit_pattern",
        "command_id": command_id(),
        "pattern_id": PATTERN,
        "base_version": base_version,
        "set": given,
    }
    headers = {"actor": b"ann", "request_id": b"r"}
    value = json.dumps(command).encode()
    return read_request(
        Record(partition=0, offset=0, timestamp_ms=0, key=TEAM.encode(), value=value, headers=headers), HERE
    )


def working() -> WorkingSet:
    snapshot = Snapshot(
        heads_checkpoint=BEGINNING,
        outcomes_checkpoint=BEGINNING,
        position=None,
        states={STREAM: STATE},
        versions={},
        names={},
        logs={},
        answers={},
    )
    return WorkingSet(Memory(), snapshot)


def test_an_edit_of_what_changed_since_wants_its_base() -> None:
    wanted, count = wanted_next([edit(49, a=1)], working())
    assert (wanted.versions, count) == ({(*STREAM, 49)}, 1)


def test_an_edit_that_meets_nothing_wants_no_base() -> None:
    for request in (edit(49, b=1), edit(50, a=1), edit(51, a=1)):
        assert wanted_next([request], working())[0].versions == set()


def test_edits_that_may_meet_one_another_want_their_bases() -> None:
    wanted, count = wanted_next([edit(49, b=1), edit(48, b=2)], working())
    assert (wanted.versions, count) == ({(*STREAM, 49), (*STREAM, 48)}, 2)


def test_so_many_bases_are_read_at_a_time_and_the_rest_of_the_requests_wait() -> None:
    requests = [edit(base, a=1) for base in range(1, 50)]
    wanted, count = wanted_next(requests, working())
    assert (len(wanted.versions), count) == (MOST_BASES, MOST_BASES)
    assert wanted_next(requests[count:], working())[1] == len(requests) - count
