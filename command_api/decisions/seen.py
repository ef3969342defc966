"""What the sender of a command had before them: the base that its changes are compared with.

A base is a version of the pattern, or an earlier command of the sender's own. The author of edits C1, C2, C3
saw the pattern at the version that C1 began with, under what C1 and C2 *wrote*, which need not be what they
*became*: others may have edited in between, and the server may have merged.

    version 3 ──foreign──► 4 ──C1──► 5 ──foreign──► 6 ──C2──► 7       C2 has seen 3, and what C1 wrote at 5
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from command_api.decisions.merging import ABSENT, UNKNOWN, Value
from events.json_text import Json
from events.pattern import (
    PatternArchived,
    PatternConflictAbandoned,
    PatternConflictDetected,
    PatternConflictResolved,
    PatternDeleted,
    PatternEdited,
    PatternEvent,
    PatternRecorded,
    PatternRestored,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """A version, and by field the later versions at which the sender wrote it themselves.

    `made` are the versions that the command made on which the sender builds, if it is one of their own.
    """

    version: int
    own: Mapping[str, int] = field(default_factory=dict)
    made: range = range(0)

    def seen_up_to(self, version: int | None) -> "Base":
        """The base of somebody who has since seen a later version, too."""
        newest = max(self.version, version or 0)
        return Base(version=newest, own={name: at for name, at in self.own.items() if at > newest})

    def covers(self, version: int) -> bool:
        """Whether nobody else has made a version from the base up to this one."""
        own = {at for at in (*self.own.values(), *self.made) if self.version < at <= version}
        return len(own) == version - self.version


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A base with its values: the fields at the version (None: not known), and what was written later."""

    base: Base
    fields: Mapping[str, Json] | None
    written: Mapping[str, Value] = field(default_factory=dict)

    def value(self, name: str) -> Value:
        """A field as the sender saw it."""
        if name in self.base.own:
            return self.written.get(name, UNKNOWN)
        return UNKNOWN if self.fields is None else self.fields.get(name, ABSENT)


def base_after(event: PatternEvent, version: int) -> Base | None:
    """What the sender of the event that made a version had seen then, their own change included.

    None for an event that tells nothing of that: it says what is to be, whatever there was.
    """
    match event:
        case PatternRecorded():
            return Base(version=version)
        case PatternEdited():
            return _after_changes(event, version, event.own, unseen=False)
        case PatternConflictResolved():
            merged = {name for name, choice in event.choices.items() if choice == "merged"}
            unseen = not merged.isdisjoint((*event.set, *event.remove))
            return _after_changes(event, version, {}, unseen=unseen)
        case PatternConflictDetected() | PatternConflictAbandoned():
            return None
        case PatternArchived() | PatternRestored() | PatternDeleted():
            return None
        case _:
            assert_never(event)


def _after_changes(
    event: PatternEdited | PatternConflictResolved, version: int, before: Mapping[str, int], *, unseen: bool
) -> Base:
    if event.base_version == version - 1 and not unseen:
        return Base(version=version)
    own = {**before, **dict.fromkeys([*event.set, *event.remove], version)}
    return Base(version=event.base_version, own=own)


def written_by(event: PatternEvent, name: str) -> Value:
    """What the sender of an event wrote into a field that the event set or removed."""
    if isinstance(event, PatternEdited) and name in event.merged:
        return event.merged[name].mine
    if isinstance(event, PatternConflictResolved) and event.choices.get(name) == "merged":
        # It may hold what others wrote since, which the event does not tell apart.
        return UNKNOWN
    if isinstance(event, PatternEdited | PatternConflictResolved):
        return event.set.get(name, ABSENT)
    return UNKNOWN
