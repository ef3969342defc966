import json
import uuid
from typing import Any

import pytest

from command_api.decider import micro_batch
from command_api.decider.conditional_log import BEGINNING
from command_api.decider.memory import Memory, WorkingSet
from command_api.decider.micro_batch import Decided, decide_batch
from command_api.decider.requests import PartitionIdentity, read_request
from command_api.decider.snapshot import Snapshot
from command_api.decisions.decide import decide
from events import envelope
from events.envelope import Envelope
from events.identifiers import uuid7
from events.outcome import Outcome
from events.record import Record
from tests.simulated_log import LOG_ID

TEAM = "0198c0de-0000-7000-8000-00000000000a"
NOW = 1_760_000_000_000
HERE = PartitionIdentity(log_id=LOG_ID, partition=0, partitions=1)


def command_id(number: int, at_ms: int = NOW) -> str:
    return uuid7(at_ms, number.to_bytes(10, "big"))


def pattern_id(number: int) -> str:
    return str(uuid.UUID(int=number))


def create_team(number: int = 0) -> dict[str, Any]:
    return {"type": "create_team", "command_id": command_id(number), "name": "Team"}


def record_pattern(number: int, pattern: int, name: str) -> dict[str, Any]:
    return {
        "type": "record_pattern",
        "command_id": command_id(number),
        "pattern_id": pattern_id(pattern),
        "fields": {"name": name},
    }


def on_pattern(kind: str, number: int, pattern: int, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "command_id": command_id(number),
        "pattern_id": pattern_id(pattern),
        **more,
    }


def no_orphans(_: int) -> list[Envelope]:
    return []


class Desk:
    """A working set without Postgres, and a running command offset."""

    def __init__(self) -> None:
        nothing = Snapshot(
            heads_checkpoint=BEGINNING,
            outcomes_checkpoint=BEGINNING,
            position=None,
            states={},
            versions={},
            names={},
            logs={},
            answers={},
        )
        self.working = WorkingSet(Memory(), nothing)
        self.next_offset = 0

    def decide(self, *commands: dict[str, Any] | bytes, **options: Any) -> Decided:
        requests = [read_request(self.record(command, **options), HERE) for command in commands]
        return decide_batch(requests, self.working, HERE, no_orphans, max_bytes=10**9)

    def record(
        self, command: dict[str, Any] | bytes, *, key: str = TEAM, headers: dict[str, bytes] | None = None
    ) -> Record:
        self.next_offset += 1
        return Record(
            partition=0,
            offset=self.next_offset - 1,
            timestamp_ms=NOW,
            key=key.encode(),
            value=command if isinstance(command, bytes) else json.dumps(command).encode(),
            headers={"actor": b"ann", "request_id": b"r"} if headers is None else headers,
        )


def only(decided: Decided) -> Outcome:
    assert len(decided.outcomes) == 1
    return decided.outcomes[0][1]


def code_of(decided: Decided) -> object:
    return only(decided).answer["code"]


def test_accepted_commands_become_chained_events() -> None:
    decided = Desk().decide(create_team(), record_pattern(1, 1, "a"))
    first, second = (envelope.decode(record) for record in decided.events)
    assert (first.sequence, second.sequence) == (1, 2)
    assert second.previous_hash == envelope.record_hash(decided.events[0])
    assert [outcome.status for _, outcome in decided.outcomes] == ["accepted", "accepted"]
    assert decided.outcomes[1][1].answer == {"pattern_id": pattern_id(1), "version": 1, "sequence": 2}


def test_each_command_gets_one_outcome_in_order() -> None:
    decided = Desk().decide(create_team(), b"{", record_pattern(1, 1, "a"))
    assert [offset for offset, _ in decided.outcomes] == [0, 1, 2]
    assert [outcome.status for _, outcome in decided.outcomes] == ["accepted", "rejected", "accepted"]


def test_a_name_is_free_again_in_the_same_batch_and_taken_again() -> None:
    desk = Desk()
    desk.decide(create_team(), record_pattern(1, 1, "a"))
    taken = desk.decide(record_pattern(2, 2, "a"))
    assert code_of(taken) == "name_taken"
    handed_over = desk.decide(on_pattern("archive_pattern", 3, 1), record_pattern(4, 2, "a"))
    assert [outcome.status for _, outcome in handed_over.outcomes] == ["accepted", "accepted"]
    assert code_of(desk.decide(on_pattern("restore_pattern", 5, 1))) == "name_taken"


def test_edits_of_one_batch_merge_with_one_another_and_with_the_version_that_they_began_with() -> None:
    desk = Desk()
    fields = {"name": "a", "solution": "1\n2\n3\n4\n5"}
    desk.decide(create_team(), {**record_pattern(1, 1, "a"), "fields": fields})
    edits = [
        {**on_pattern("edit_pattern", number, 1), "base_version": 1, "set": {"solution": solution}}
        for number, solution in ((2, "1!\n2\n3\n4\n5"), (3, "1\n2\n3!\n4\n5"), (4, "1\n2\n3\n4\n5!"))
    ]
    decided = desk.decide(*edits)
    assert [outcome.status for _, outcome in decided.outcomes] == ["accepted", "merged", "merged"]
    assert json.loads(decided.events[-1].value or b"")["set"] == {"solution": "1!\n2\n3!\n4\n5!"}


def test_a_resent_command_gets_its_first_outcome_and_no_second_event() -> None:
    desk = Desk()
    desk.decide(create_team())
    first = desk.decide(record_pattern(1, 1, "a"))
    again = desk.decide(record_pattern(1, 1, "a"))
    assert again.events == []
    assert only(again).repeat
    assert only(again).answer == only(first).answer


def test_a_refused_command_that_is_resent_stays_refused_though_it_could_succeed_now() -> None:
    desk = Desk()
    refused = desk.decide(record_pattern(1, 1, "a"))
    assert code_of(refused) == "unknown_team"
    desk.decide(create_team(2))
    assert code_of(desk.decide(record_pattern(1, 1, "a"))) == "unknown_team"


def test_another_body_under_an_id_is_refused_and_the_first_outcome_stands() -> None:
    desk = Desk()
    desk.decide(create_team(), record_pattern(1, 1, "a"))
    reused = desk.decide(record_pattern(1, 1, "b"))
    assert code_of(reused) == "command_id_reused"
    assert only(reused).repeat
    assert only(desk.decide(record_pattern(1, 1, "a"))).status == "accepted"


@pytest.mark.parametrize(
    ("made_at", "code"),
    [
        (NOW - micro_batch.MAX_COMMAND_AGE_MS - 1, "too_old"),
        (NOW - micro_batch.MAX_COMMAND_AGE_MS, None),
        (NOW + micro_batch.MAX_COMMAND_AHEAD_MS, None),
        (NOW + micro_batch.MAX_COMMAND_AHEAD_MS + 1, "in_future"),
    ],
)
def test_a_command_is_judged_by_the_age_of_its_id(made_at: int, code: str | None) -> None:
    command = {**create_team(), "command_id": command_id(1, made_at)}
    assert only(Desk().decide(command)).answer.get("code") == code


def test_the_first_outcome_comes_before_the_age() -> None:
    desk = Desk()
    desk.decide({**create_team(), "command_id": command_id(1)})
    request = desk.record({**create_team(), "command_id": command_id(1)})
    late = Record(
        partition=0,
        offset=request.offset,
        timestamp_ms=NOW + micro_batch.MAX_COMMAND_AGE_MS + 1,
        key=request.key,
        value=request.value,
        headers=request.headers,
    )
    decided = decide_batch([read_request(late, HERE)], desk.working, HERE, no_orphans, max_bytes=10**9)
    assert only(decided).status == "accepted"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (b"", {}),
        (b"not json", {}),
        (create_team(), {"headers": {}}),
        (create_team(), {"headers": {"actor": b"\xff", "request_id": b"r"}}),
        (create_team(), {"key": "no team"}),
    ],
)
def test_a_malformed_record_is_refused_without_an_id(
    command: dict[str, Any] | bytes, options: dict[str, Any]
) -> None:
    outcome = only(Desk().decide(command, **options))
    assert (outcome.status, outcome.command_id) == ("rejected", None)


def test_poison_gets_an_outcome_and_blocks_nothing_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = decide

    def raising(view: Any, command: Any) -> Any:
        if getattr(command, "pattern_id", None) == pattern_id(1):
            raise ZeroDivisionError
        return real(view, command)

    monkeypatch.setattr(micro_batch, "decide", raising)
    decided = Desk().decide(create_team(), record_pattern(1, 1, "a"), record_pattern(2, 2, "a"))
    assert [outcome.status for _, outcome in decided.outcomes] == ["accepted", "rejected", "accepted"]
    assert decided.outcomes[1][1].answer["code"] == "internal_error"


def test_a_command_that_has_its_events_only_gets_its_outcome() -> None:
    desk = Desk()
    first = desk.decide(create_team(), record_pattern(1, 1, "a"))
    events = [envelope.decode(record) for record in first.events]
    later = Desk()
    later.working.draft.states.update(desk.working.draft.states)
    later.working.draft.logs.update(desk.working.draft.logs)
    requests = [read_request(later.record(each), HERE) for each in (create_team(), record_pattern(1, 1, "a"))]
    decided = decide_batch(
        requests, later.working, HERE, {0: events[:1], 1: events[1:]}.__getitem__, max_bytes=10**9
    )
    assert decided.events == []
    assert [outcome for _, outcome in decided.outcomes] == [outcome for _, outcome in first.outcomes]


def test_an_owed_merge_is_still_told_as_a_merge() -> None:
    desk = Desk()
    edits = [
        on_pattern("edit_pattern", number, 1, base_version=1, set={f"f{number}": number}) for number in (2, 3)
    ]
    first = desk.decide(create_team(), record_pattern(1, 1, "a"), *edits)
    assert [outcome.status for _, outcome in first.outcomes][2:] == ["accepted", "merged"]
    owed = [envelope.decode(first.events[3])]
    request = read_request(Desk().record(edits[1]), HERE)
    decided = decide_batch([request], Desk().working, HERE, lambda _: owed, max_bytes=10**9)
    assert only(decided) == first.outcomes[3][1]


def test_a_batch_ends_when_its_records_are_large_enough_and_loses_none() -> None:
    desk = Desk()
    requests = [
        read_request(desk.record(each), HERE)
        for each in (create_team(), record_pattern(1, 1, "a"), record_pattern(2, 2, "b"))
    ]
    decided = decide_batch(requests, desk.working, HERE, no_orphans, max_bytes=1)
    assert len(decided.outcomes) == 1
    assert len(decided.events) == 1


def test_a_conflict_names_the_fields_and_the_current_version() -> None:
    desk = Desk()
    edit = on_pattern("edit_pattern", 2, 1, base_version=1, set={"x": 1})
    other = on_pattern("edit_pattern", 3, 1, base_version=1, set={"x": 2})
    decided = desk.decide(create_team(), record_pattern(1, 1, "a"), edit, other)
    conflict = decided.outcomes[3][1]
    assert conflict.status == "conflict"
    assert conflict.answer["conflict"] == {"current_version": 2, "fields": ["x"]}
