"""A decider's desk: commands as JSON come in, and become events and outcomes, without Kafka and Postgres."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from command_api.decider.memory import Memory, WorkingSet
from command_api.decider.micro_batch import Decided, decide_batch
from command_api.decider.recovery import Orphans, read_tail, remember
from command_api.decider.requests import PartitionIdentity, read_request
from events import outcome
from events.identifiers import uuid7
from events.outcome import Outcome
from events.record import NewRecord, Record
from tests.simulated_log import LOG_ID
from tests.snapshots import snapshot

TEAM = "0198c0de-0000-7000-8000-00000000000a"
NOW = 1_760_000_000_000
HERE = PartitionIdentity(log_id=LOG_ID, partition=0, partitions=1)
NO_ORPHANS = Orphans([], 0)


def command_id(number: int, at_ms: int = NOW) -> str:
    return uuid7(at_ms, number.to_bytes(10, "big"))


def pattern_id(number: int) -> str:
    return str(uuid.UUID(int=number))


def create_team(number: int = 0) -> dict[str, Any]:
    return {"type": "create_team", "command_id": command_id(number), "name": "Team"}


def record_pattern(number: int, pattern: int, name: str, **fields: Any) -> dict[str, Any]:
    return on_pattern("record_pattern", number, pattern, fields={"name": name, **fields})


def on_pattern(kind: str, number: int, pattern: int, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "command_id": command_id(number),
        "pattern_id": pattern_id(pattern),
        **more,
    }


def edit(number: int, base: int | str, pattern: int = 1, **fields: Any) -> dict[str, Any]:
    """An edit, based on a version or on a command's id."""
    given = {"base_version": base} if isinstance(base, int) else {"base_command": base}
    return on_pattern("edit_pattern", number, pattern, **given, set=fields)


def batch(number: int, *commands: dict[str, Any]) -> dict[str, Any]:
    """Commands as the members of a batch."""
    members = [{name: value for name, value in each.items() if name != "command_id"} for each in commands]
    return {"type": "batch", "command_id": command_id(number), "commands": members}


class Desk:
    """A working set without Postgres, and a running command offset."""

    def __init__(self, memory: Memory | None = None, orphans: Orphans = NO_ORPHANS) -> None:
        self.working = WorkingSet(memory or Memory(), snapshot())
        self.orphans = orphans
        self.next_offset = 0
        self.written: list[Decided] = []

    def decide(self, *commands: dict[str, Any] | bytes, **options: Any) -> Decided:
        requests = [read_request(self.record(command, **options), HERE) for command in commands]
        decided = decide_batch(requests, self.working, HERE, self.orphans, lambda _: False)
        self.written.append(decided)
        return decided

    def answers(self, *commands: dict[str, Any] | bytes, **options: Any) -> list[Outcome]:
        return [answer for _, answer in self.decide(*commands, **options).outcomes]

    def record(
        self,
        command: dict[str, Any] | bytes,
        *,
        key: str = TEAM,
        headers: dict[str, bytes] | None = None,
        at_ms: int = NOW,
    ) -> Record:
        self.next_offset += 1
        return Record(
            partition=0,
            offset=self.next_offset - 1,
            timestamp_ms=at_ms,
            key=key.encode(),
            value=command if isinstance(command, bytes) else json.dumps(command).encode(),
            headers={"actor": b"ann", "request_id": b"r"} if headers is None else headers,
        )

    def answers_written(self) -> list[NewRecord]:
        """The records of all outcomes so far."""
        return [
            outcome.encode(answer, command_offset=offset, events_end=0)
            for decided in self.written
            for offset, answer in decided.outcomes
        ]

    def restarted(self, answered: int | None = None) -> "Desk":
        """The desk of a decider that has read all events, and the outcomes of all or so many commands."""
        answers = self.answers_written()[:answered]
        events = [record for decided in self.written for record in decided.events]
        tail = read_tail(records_of(events))
        memory = remember(tail, records_of(answers), snapshot(), snapshot())
        anew = Desk(memory, Orphans(tail, len(answers)))
        anew.next_offset = len(answers)
        return anew


def only(decided: Decided) -> Outcome:
    assert len(decided.outcomes) == 1
    return decided.outcomes[0][1]


def code_of(decided: Decided) -> object:
    return only(decided).answer["code"]


def records_of(records: Sequence[NewRecord]) -> list[Record]:
    """Records as they lie in a topic, from its beginning."""
    return [
        Record(
            partition=0,
            offset=offset,
            timestamp_ms=NOW,
            key=record.key,
            value=record.value,
            headers=record.headers,
        )
        for offset, record in enumerate(records)
    ]
