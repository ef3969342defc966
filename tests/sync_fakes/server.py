"""A Patternlog server in memory: the real decisions on a log that is a list."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from command_api.decisions.commands import (
    Command,
    EditPattern,
    InvalidCommand,
    PatternCommand,
    command_from,
    command_hash,
)
from command_api.decisions.decide import decide
from command_api.decisions.library import LibraryView, wanted_name
from command_api.decisions.refusals import Accepted, Conflict, Decision, Rejected
from events.cursor import BadCursor, Cursor, parse_cursor
from events.json_text import Json
from events.pattern import NoPattern, Pattern, PatternEvent, PatternState, evolve, taken_name
from events.team import NoTeam, Team, TeamState

AT = "2026-01-01T00:00:00.000Z"


class Refused(Exception):
    """A request that ends in a problem document."""

    def __init__(self, status: int, code: str, **members: Json) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.members = members


@dataclass
class FakeServer:
    """One team's log, with the projections that clients see."""

    team_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    log_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    team: TeamState = field(default_factory=lambda: Team(version=1, name="Ours"))
    sequence: int = 1
    patterns: dict[str, PatternState] = field(default_factory=dict)
    versions: dict[tuple[str, int], Mapping[str, Json]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    changes: dict[str, dict[str, Json]] = field(default_factory=dict)
    outcomes: dict[str, dict[str, Json]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    received: list[list[str]] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    """The command ids whose events are in the log, in order."""
    reused: list[str] = field(default_factory=list)
    """Command ids that came again with another body."""
    decided: list[tuple[Command, PatternState, Decision]] = field(default_factory=list)

    @classmethod
    def without_team(cls) -> FakeServer:
        return cls(team=NoTeam(), sequence=0)

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
        if command.command_id in self.outcomes:
            if self.hashes[command.command_id] != command_hash(body):
                self.reused.append(command.command_id)
                return self._answer(command, "rejected", code="command_id_reused", detail="another body")
            return {**self.outcomes[command.command_id], "repeat": True}
        outcome = self._decide(command)
        self.outcomes[command.command_id] = outcome
        self.hashes[command.command_id] = command_hash(body)
        return outcome

    def _decide(self, command: Command) -> dict[str, Json]:
        pattern = self._state_of(command)
        name = wanted_name(command, pattern)
        holder = None if name is None else self.names.get(name)
        base = None
        if isinstance(command, EditPattern):
            base = self.versions.get((command.pattern_id, command.base_version))
        view = LibraryView(team=self.team, pattern=pattern, name_holder=holder, base=base)
        decision = decide(view, command)
        self.decided.append((command, pattern, decision))
        match decision:
            case Accepted():
                return self._apply(command, decision)
            case Conflict():
                conflict = {"current_version": decision.current_version, "fields": list(decision.fields)}
                return self._answer(
                    command, "conflict", code="edit_conflict", detail="changed", conflict=conflict
                )
            case Rejected():
                return self._answer(command, "rejected", code=decision.code, detail=decision.detail)

    def _apply(self, command: Command, decision: Accepted) -> dict[str, Json]:
        self.applied.append(command.command_id)
        version = 1
        for event in decision.events:
            self.sequence += 1
            if isinstance(command, PatternCommand) and isinstance(event, PatternEvent):
                state = evolve(self._state_of(command), event)
                self._rename(command.pattern_id, state)
                self.patterns[command.pattern_id] = state
                if isinstance(state, Pattern):
                    self.versions[command.pattern_id, state.version] = state.fields
                self.changes[command.pattern_id] = self._change(command.pattern_id, state)
                version = state.version
            else:
                self.team = Team(version=1, name="Ours")
        status = "merged" if decision.merged else "accepted"
        return self._answer(
            command, status, version=version, sequence=self.sequence, cursor=self.cursor(self.sequence)
        )

    def _rename(self, pattern_id: str, state: PatternState) -> None:
        old = taken_name(self.patterns.get(pattern_id, NoPattern()))
        if old is not None:
            del self.names[old]
        if (new := taken_name(state)) is not None:
            self.names[new] = pattern_id

    def _answer(self, command: Command, status: str, **members: Json) -> dict[str, Json]:
        return {
            "command_id": command.command_id,
            "status": status,
            "recorded_at": AT,
            "repeat": False,
            **members,
        }

    def _state_of(self, command: Command) -> PatternState:
        if isinstance(command, PatternCommand):
            return self.patterns.get(command.pattern_id, NoPattern())
        return NoPattern()

    def _change(self, pattern_id: str, state: PatternState) -> dict[str, Json]:
        head = {"pattern_id": pattern_id, "version": state.version, "sequence": self.sequence}
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

    # ---------------------------------------------------------------- what tests do to it

    def backup(self) -> dict[str, Any]:
        """The log as it is now."""
        kept = ("team", "sequence", "patterns", "names", "changes", "outcomes", "hashes", "applied")
        return copy.deepcopy({name: getattr(self, name) for name in kept})

    def restore(self, backup: dict[str, Any]) -> None:
        """Back to an earlier log, which thereby is another one."""
        for name, value in copy.deepcopy(backup).items():
            setattr(self, name, value)
        self.log_id = str(uuid.uuid4())

    def live(self) -> dict[str, dict[str, Json]]:
        """The live patterns' fields by name."""
        return {
            state.name: dict(state.fields)
            for state in self.patterns.values()
            if isinstance(state, Pattern) and state.status == "live"
        }
