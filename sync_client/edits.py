"""Local edits: they apply at once, and wait in the outbox to be sent."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from command_api.decisions.commands import Command, EditPattern, InvalidCommand, PatternCommand, command_from
from command_api.decisions.library import wanted_name
from command_api.decisions.refusals import Refusal
from events.errors import InvalidJson
from events.json_text import Json, check
from events.pattern import Pattern, PatternState, taken_name
from events.shapes import utc_text
from sync_client.drafts import Drafts
from sync_client.errors import LocalRefusal
from sync_client.library import Library
from sync_client.line import effect_in, last_of, merged_by_server
from sync_client.local_pattern import Entry, LocalPattern, Verdict
from sync_client.local_store import LocalStore
from sync_client.merge import propose
from sync_client.outbox import NO_ID, TEAM, NewCommand, text_of
from sync_client.replica import Replica
from sync_client.resolving import Decisions, resolution

_MAX_DEPTH = 30
"""Of a pattern's fields: in a batch of commands they stand some levels deeper, and the server allows 34."""


class Editor:
    """Makes commands. A method keeps one command or raises `LocalRefusal`; the caller has a transaction."""

    def __init__(self, replica: Replica) -> None:
        self._store = LocalStore(replica.connection)
        self._library = Library(replica.connection)
        self._drafts = Drafts(replica.connection)

    def create_team(self, name: str, now: datetime) -> None:
        """Create the team on the server, before anything else is sent."""
        command = _valid({"type": "create_team", "occurred_at": utc_text(now), "name": name})
        self._store.outbox.add(NewCommand(pattern_id=TEAM, text=text_of(command), after=None), utc_text(now))

    def record(self, fields: Mapping[str, Json], now: datetime) -> str:
        """Add a pattern; its new id."""
        pattern_id = str(uuid.uuid4())
        self._make(pattern_id, {"type": "record_pattern", "fields": dict(fields)}, now)
        return pattern_id

    def edit(self, pattern_id: str, given: Mapping[str, Json], remove: Sequence[str], now: datetime) -> None:
        """Set and remove fields of a pattern."""
        body = {"type": "edit_pattern", "base_version": 1, "set": dict(given), "remove": list(remove)}
        self._make(pattern_id, body, now)

    def change_status(self, pattern_id: str, command_type: str, now: datetime) -> None:
        """Archive, restore or delete a pattern; a deletion is of what is seen here, and of nothing newer."""
        base = {"base_version": 1} if command_type == "delete_pattern" else {}
        self._make(pattern_id, {"type": command_type, **base}, now)

    def resolve(self, number: int, decisions: Decisions, now: datetime) -> None:
        """Say what becomes of a draft's conflict."""
        draft = self._drafts.open_conflict(number)
        state = self._store.refresh(draft.pattern_id)
        entry = next(entry for entry in state.entries if entry.position == number)
        seen = state.confirmed
        if not isinstance(entry.command, EditPattern) or not isinstance(seen, Pattern):
            raise LocalRefusal(Refusal.CONFLICT_NOT_OPEN, "the pattern is gone: drop the draft")
        if seen.version < draft.current_version:
            raise LocalRefusal("not_pulled", "what it is in conflict with is not here yet: patternlog pull")
        members = resolution(entry.command, draft.clashes, seen, decisions)
        self._make(
            draft.pattern_id,
            {"type": "resolve_conflict", "conflict_id": draft.conflict_id, **members},
            now,
            resolves=number,
        )

    def abandon(self, number: int, now: datetime) -> None:
        """Give a draft's edit up, for everybody."""
        draft = self._drafts.open_conflict(number)
        body = {"type": "abandon_conflict", "pattern_id": draft.pattern_id, "conflict_id": draft.conflict_id}
        command = _valid_pattern({**body, "occurred_at": utc_text(now)})
        self._store.outbox.add(
            NewCommand(pattern_id=draft.pattern_id, text=text_of(command), after=None, resolves=number),
            utc_text(now),
        )

    def _make(
        self, pattern_id: str, body: dict[str, Json], now: datetime, *, resolves: int | None = None
    ) -> None:
        state = self._store.refresh(pattern_id)
        if "base_version" in body:
            body["base_version"] = max(1, state.confirmed.version)
        command = _valid_pattern({**body, "pattern_id": pattern_id, "occurred_at": utc_text(now)})
        entry = Entry(position=0, command=command, resolves=resolves)
        proposed = propose(state, entry, self._holders(effect_in(state.entries, entry), state))
        if isinstance(proposed, Verdict):
            raise LocalRefusal(proposed.code, proposed.detail)
        outbox = self._store.outbox
        below = last_of(state)
        hidden = resolves is not None and not _can_show(state, entry, below)
        outbox.add(
            NewCommand(
                pattern_id=pattern_id,
                text=text_of(command),
                after=None if hidden else below or outbox.team_creation(),
                names=_names(state.view, proposed.view),
                resolves=resolves,
                hidden=hidden,
            ),
            utc_text(now),
        )
        self._store.write_view(pattern_id, state if hidden else proposed)

    def _holders(self, command: PatternCommand, state: LocalPattern) -> dict[str, str]:
        """Who holds the name that a command wants, as the user sees it."""
        name = wanted_name(command, state.view)
        holder = None if name is None else self._library.by_name(name)
        if name is None or holder is None or holder.pattern_id == command.pattern_id:
            return {}
        return {name: holder.pattern_id}


def _can_show(state: LocalPattern, resolution: Entry, below: int | None) -> bool:
    """Whether others can build on the end of a conflict before the server has accepted it.

    It names a version as its base, and no command; and what only the server can merge is not known here.
    """
    return below is None and not merged_by_server(state.entries, resolution)


def _names(before: PatternState, after: PatternState) -> set[str]:
    """The names that a command gives up and takes."""
    old, new = taken_name(before), taken_name(after)
    return set() if old == new else {name for name in (old, new) if name is not None}


def _valid_pattern(body: dict[str, Json]) -> PatternCommand:
    command = _valid(body)
    if not isinstance(command, PatternCommand):
        raise TypeError(f"{command.type} is no pattern's command")
    return command


def _valid(body: dict[str, Json]) -> Command:
    try:
        check(body, max_depth=_MAX_DEPTH)
        return command_from({"command_id": NO_ID, **body})
    except InvalidCommand as error:
        raise LocalRefusal(error.code, error.detail) from None
    except InvalidJson as error:
        raise LocalRefusal(error.code, error.reason) from None
