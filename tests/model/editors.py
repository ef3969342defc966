"""People who edit a library from copies of their own, as the commands that they make tell it."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from events.identifiers import uuid7
from events.json_text import Json
from events.outcome import Outcome
from events.pattern import Pattern, PatternState
from tests.model.merge_oracle import Fields

NOW_MS = 1_760_000_000_000


@dataclass
class Made:
    """A command, and the fields of its patterns as its editor saw them just before it."""

    body: dict[str, Json]
    seen: dict[str, Fields]
    outcome: Outcome | None = None

    @property
    def command_id(self) -> str:
        command_id: str = self.body["command_id"]
        return command_id

    @property
    def members(self) -> list[dict[str, Json]]:
        """The commands in it: itself, or those of a batch."""
        commands: list[dict[str, Json]] = self.body.get("commands", [self.body])
        return commands

    def changes(self, pattern_id: str) -> Iterator[dict[str, Json]]:
        """Those of its commands that change the fields of a pattern."""
        for member in self.members:
            if member.get("pattern_id") == pattern_id and member["type"] in (
                "record_pattern",
                "edit_pattern",
            ):
                yield member

    @property
    def is_refused(self) -> bool:
        return self.outcome is not None and self.outcome.status in ("conflict", "rejected")

    def version_of(self, pattern_id: str) -> int | None:
        """The version that it made of a pattern; None while that is not known."""
        if self.outcome is None:
            return None
        told = self.outcome.answer.get("outcomes", [self.outcome.answer])
        return max(int(one["version"]) for one in told if one.get("pattern_id") == pattern_id)


@dataclass
class Editor:
    """A copy that was pulled at some time, and the commands that were made on it, sent or not."""

    number: int
    pulled: Mapping[str, PatternState] = field(default_factory=dict)
    made: list[Made] = field(default_factory=list)

    def sees(self, pattern_id: str) -> Fields | None:
        """A pattern's fields: as they were pulled, under what this editor has written since."""
        state = self.pulled.get(pattern_id)
        fields = dict(state.fields) if isinstance(state, Pattern) else None
        for made in self.own(pattern_id):
            for change in made.changes(pattern_id):
                fields = applied({} if fields is None else fields, change, made.seen[pattern_id])
        return fields

    def base(self, pattern_id: str) -> dict[str, Json]:
        """What a new command on the pattern is based on."""
        state, own = self.pulled.get(pattern_id), self.own(pattern_id)
        version = {"base_version": state.version} if isinstance(state, Pattern) else {}
        return version | ({"base_command": own[-1].command_id} if own else {})

    def own(self, pattern_id: str) -> list[Made]:
        """The commands on the pattern whose effect was not pulled yet, without those that had none."""
        state = self.pulled.get(pattern_id)
        reached = 0 if state is None else state.version
        return [
            made
            for made in self.made
            if any(True for _ in made.changes(pattern_id))
            and not made.is_refused
            and (made.outcome is None or (made.version_of(pattern_id) or 0) > reached)
        ]

    def make(self, body: dict[str, Json]) -> Made:
        """Make a command, or several at once as a batch; it waits to be sent."""
        number = len(self.made) << 8 | self.number
        command_id = uuid7(NOW_MS, number.to_bytes(10, "big"))
        members = body.get("commands", [body])
        patterns = {one["pattern_id"] for one in members if "pattern_id" in one}
        seen = {pattern_id: self.sees(pattern_id) or {} for pattern_id in patterns}
        made = Made(body={**body, "command_id": command_id}, seen=copy.deepcopy(seen))
        self.made.append(made)
        return made


def applied(fields: Fields, change: Mapping[str, Json], seen: Fields) -> dict[str, Json]:
    """The fields after a command's own words; what it left as its editor saw it is no word of theirs."""
    if change["type"] == "record_pattern":
        return dict(change["fields"])
    removed = {name for name in change.get("remove", ()) if name in seen}
    kept = {name: value for name, value in fields.items() if name not in removed}
    given = change.get("set", {}).items()
    return kept | {name: value for name, value in given if name not in seen or seen[name] != value}
