"""A Patternlog server in memory: the real decider on a log that is a list."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass, field
from typing import Any

from command_api.answers import outcome_body
from command_api.decider.bases import Progress, seen_by
from command_api.decider.memory import Draft, Memory, WorkingSet
from command_api.decider.micro_batch import decide_batch
from command_api.decider.recovery import Orphans
from command_api.decider.requests import PartitionIdentity, read_request
from command_api.decider.snapshot import Snapshot
from command_api.decisions.commands import (
    BasedCommand,
    Command,
    InvalidCommand,
    PatternCommand,
    command_from,
)
from command_api.decisions.refusals import Refusal, Rejected
from command_api.decisions.seen import Seen
from events import envelope
from events.cursor import BadCursor, Cursor, parse_cursor
from events.envelope import Envelope
from events.identifiers import uuid7, uuid7_ms
from events.json_text import Json, dump
from events.pattern import (
    DeletedPattern,
    NoPattern,
    Pattern,
    PatternEvent,
    PatternState,
    pattern_id_of,
    stream_of,
)
from events.record import NewRecord, Record
from events.registry import read
from events.team import STREAM as TEAM_STREAM
from events.team import NoTeam, Team, TeamState
from tests.sync_fakes.audited import AuditedLog

_CREATION = {"command_id": uuid7(0, bytes(10)), "type": "create_team", "name": "Ours"}


class Refused(Exception):
    """A request that ends in a problem document."""

    def __init__(self, status: int, code: str, **members: Json) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.members = members


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A command on a pattern, what its sender is taken to have seen, what it met, and what it became."""

    command: PatternCommand
    seen: Seen | Rejected | None
    before: PatternState
    event: PatternEvent | None
    status: str


def _found(answer: dict[str, Json] | None, status: int, code: str) -> dict[str, Json]:
    if answer is None:
        raise Refused(status, code)
    return answer


def _nothing() -> WorkingSet:
    rows = Snapshot(
        heads_checkpoint=None,
        outcomes_checkpoint=None,
        position=None,
        states={},
        versions={},
        events={},
        names={},
        logs={},
        answers={},
    )
    return WorkingSet(Memory(), rows)


@dataclass
class FakeServer:
    """One team's log, with the projections that clients see."""

    team_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    log_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    working: WorkingSet = field(default_factory=_nothing)
    """All that the decider knows, which is never projected."""
    sequence: int = 0
    """How far the log is projected."""
    changes: dict[str, dict[str, Json]] = field(default_factory=dict)
    outcomes: dict[str, dict[str, Json]] = field(default_factory=dict)
    received: list[list[str]] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    """The command ids whose events are in the log, in order."""
    reused: list[str] = field(default_factory=list)
    """Command ids that came again with another body."""
    judged: list[Judged] = field(default_factory=list)
    log: AuditedLog = field(default_factory=AuditedLog)
    actor: str = "tester"
    """Who sends what comes next."""

    def __post_init__(self) -> None:
        self.submit([_CREATION])
        for kept in (self.received, self.applied, self.outcomes):
            kept.clear()

    @classmethod
    def without_team(cls) -> FakeServer:
        server = cls()
        server.working, server.sequence = _nothing(), 0
        server.log.records.clear()
        return server

    @property
    def team(self) -> TeamState:
        state = self.working.state((self.team_id, TEAM_STREAM))
        return state if isinstance(state, Team) else NoTeam()

    @property
    def patterns(self) -> dict[str, PatternState]:
        states = {pattern_id_of(stream): state for (_, stream), state in self.working.draft.states.items()}
        return {
            key: state for key, state in states.items() if key and isinstance(state, Pattern | DeletedPattern)
        }

    # ---------------------------------------------------------------- commands

    def submit(self, commands: list[dict[str, Json]]) -> list[dict[str, Json]]:
        """One outcome each; a malformed command refuses the batch."""
        self.received.append([command["command_id"] for command in commands])
        parsed = []
        for index, body in enumerate(commands):
            try:
                parsed.append(command_from(body))
            except InvalidCommand as error:
                raise Refused(
                    400, error.code, detail=error.detail, pointer=f"/commands/{index}{error.pointer}"
                ) from None
        return [self._outcome(command, body) for command, body in zip(parsed, commands, strict=True)]

    def look_up(self, command_id: str) -> dict[str, Json]:
        if command_id not in self.outcomes:
            raise Refused(404, "unknown_command")
        return {**self.outcomes[command_id], "repeat": True}

    def _outcome(self, command: Command, body: dict[str, Json]) -> dict[str, Json]:
        before, seen = self._state_of(command), self._seen_by(command)
        identity = PartitionIdentity(log_id=self.log_id, partition=0, partitions=1)
        request = read_request(self._record(command.command_id, body), identity)
        decided = decide_batch([request], self.working, identity, Orphans([], 0), lambda _: True)
        ((_, outcome),) = decided.outcomes
        answer = outcome_body(outcome)
        if answer.get("code") == Refusal.INTERNAL_ERROR:
            raise AssertionError(answer["detail"])
        if answer.get("code") == Refusal.COMMAND_ID_REUSED:
            self.reused.append(command.command_id)
        elif not outcome.repeat:
            self.outcomes[command.command_id] = answer
            event = self._apply(command.command_id, decided.events)
            if isinstance(command, PatternCommand):
                judged = Judged(command=command, seen=seen, before=before, event=event, status=outcome.status)
                self.judged.append(judged)
        return answer

    def _record(self, command_id: str, body: dict[str, Json]) -> Record:
        """The command as it comes from Kafka, the moment that its id was made."""
        return Record(
            partition=0,
            offset=0,
            timestamp_ms=uuid7_ms(command_id),
            key=self.team_id.encode(),
            value=dump(body),
            headers={"actor": self.actor.encode(), "request_id": b"r"},
        )

    def _apply(self, command_id: str, records: list[NewRecord]) -> PatternEvent | None:
        event = None
        self.log.records += records
        for one in map(envelope.decode, records):
            self.applied.append(command_id)
            self.sequence = one.sequence
            pattern_id = pattern_id_of(one.stream)
            if pattern_id is not None:
                self.changes[pattern_id] = self._change(pattern_id, one)
                found = read(one.type, one.data)
                event = found if isinstance(found, PatternEvent) else None
        return event

    def _state_of(self, command: Command) -> PatternState:
        if not isinstance(command, PatternCommand):
            return NoPattern()
        state = self.working.state((self.team_id, stream_of(command.pattern_id)))
        return state if isinstance(state, Pattern | DeletedPattern) else NoPattern()

    def _seen_by(self, command: Command) -> Seen | Rejected | None:
        return (
            seen_by(self.team_id, command, self.working, Progress())
            if isinstance(command, BasedCommand)
            else None
        )

    def _change(self, pattern_id: str, one: Envelope) -> dict[str, Json]:
        state = self.working.state((self.team_id, one.stream))
        head = {"pattern_id": pattern_id, "version": one.version, "sequence": one.sequence}
        if isinstance(state, Pattern):
            return {**head, "status": state.status, "fields": dict(state.fields)}
        return {**head, "status": "deleted"}

    # ---------------------------------------------------------------- changes

    def cursor(self, sequence: int) -> str:
        return str(Cursor(log_id=self.log_id, team_id=self.team_id, sequence=sequence))

    def pull(self, cursor: str | None, at_least: str | None, limit: int) -> dict[str, Json]:
        if isinstance(self.team, NoTeam):
            raise Refused(404, "unknown_team")
        awaited = 0 if at_least is None else self._position(at_least)
        since = 0 if cursor is None else self._position(cursor)
        if max(awaited, since) > self.sequence:
            raise Refused(503, "not_yet_visible")
        newer = sorted(
            (change for change in self.changes.values() if change["sequence"] > since),
            key=lambda change: change["sequence"],
        )
        page, rest = newer[:limit], newer[limit:]
        end = page[-1]["sequence"] if rest else self.sequence
        return {"changes": copy.deepcopy(page), "cursor": self.cursor(end), "has_more": bool(rest)}

    def _position(self, cursor: str) -> int:
        try:
            position = parse_cursor(cursor)
        except BadCursor:
            raise Refused(400, "bad_cursor") from None
        if position.team_id != self.team_id:
            raise Refused(400, "cursor_of_another_team")
        if position.log_id != self.log_id:
            raise Refused(410, "log_changed", bootstrap=f"/api/v1/teams/{self.team_id}/changes")
        return position.sequence

    # ---------------------------------------------------------------- the audit

    def tree_head(self, size: int | None = None) -> dict[str, Json]:
        return _found(self.log.head(self.log_id, self.team_id, size), 404, "no_tree_head")

    def consistency(self, old: int, new: int) -> dict[str, Json]:
        return _found(self.log.consistency(old, new), 400, "proof_out_of_range")

    def inclusion(self, sequence: int, size: int) -> dict[str, Json]:
        return _found(self.log.inclusion(sequence, size), 400, "proof_out_of_range")

    # ---------------------------------------------------------------- what tests do to it

    def backup(self) -> tuple[Draft, dict[str, Any]]:
        """The log as it is now."""
        kept = ("sequence", "changes", "outcomes", "applied", "log")
        return self.working.draft.copy(), copy.deepcopy({name: getattr(self, name) for name in kept})

    def restore(self, backup: tuple[Draft, dict[str, Any]]) -> None:
        """Back to an earlier log, which thereby is another one."""
        draft, kept = backup
        self.working.draft = draft.copy()
        for name, value in copy.deepcopy(kept).items():
            setattr(self, name, value)
        self.log_id = str(uuid.uuid4())

    def live(self) -> dict[str, dict[str, Json]]:
        """The live patterns' fields by name."""
        return {
            state.name: dict(state.fields)
            for state in self.patterns.values()
            if isinstance(state, Pattern) and state.status == "live"
        }
