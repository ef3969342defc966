"""Blame: the version that each field of a pattern, and each line of its texts, is from.

A field is from the version that last wrote it, which its pattern's state tells. A line of a text is from the
newest version before which it was not there: what the versions wrote is compared, each with the one before
it, from the newest to the oldest, until every line is accounted for. A line that a merge took from the other
side was there before the merge, and stays theirs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from events.json_text import Json
from events.line_diff import Change, changes_between, lines_of
from events.merge_rules import Rule, rule_of
from events.pattern import (
    Pattern,
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
from events.registry import Event

MAX_EFFORT = 2_000_000
"""Lines read and steps of comparing that one blame may take: about a second."""
_MOST = 20_000
"""The steps that one comparison takes at the most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """An event, and the version of the pattern that it made."""

    version: int
    event: Event


@dataclass(kw_only=True, slots=True)
class _Text:
    """A text on its way back: as `version` wrote it, and for each of its lines the one that is there now."""

    version: int
    lines: list[str] | None
    places: list[int | None]
    sources: list[int | None] = field(init=False)
    """For each line that is there now, the version that it is from, as far as it is known."""
    _open: int = field(init=False)
    """How many of them are not known: asked at every edit, and a text can have half a million lines."""

    def __post_init__(self) -> None:
        self.sources = [None] * len(self.places)
        self._open = len(self.places)

    @property
    def is_traced(self) -> bool:
        return self._open == 0

    def go_back(self, version: int, value: Json) -> int:
        """Go on with what an older version wrote; return what the comparison took."""
        old = lines_of(value) if isinstance(value, str) else None
        if old is None or self.lines is None:
            self.settle()
            return 0
        changes = changes_between(old, self.lines)
        took = len(old) + len(self.lines) + _steps(changes)
        if changes is None:
            self.settle()
        else:
            places = self._places_before(changes)
            self.version, self.lines, self.places = version, old, places
        return took

    def settle(self) -> None:
        """Before this version was no such line."""
        self._attribute(self.places)

    def _places_before(self, changes: Iterable[Change]) -> list[int | None]:
        before: list[int | None] = []
        at = 0
        for change in changes:
            kept_to = at + change.start - len(before)
            before += self.places[at:kept_to] + [None] * (change.end - change.start)
            at = kept_to + len(change.lines)
            self._attribute(self.places[kept_to:at])
        return before + self.places[at:]

    def _attribute(self, places: Iterable[int | None]) -> None:
        for place in places:
            if place is not None and self.sources[place] is None:
                self.sources[place] = self.version
                self._open -= 1


class Blame:
    """A pattern's fields on their way back through its history."""

    def __init__(self, pattern: Pattern, own: Mapping[str, Rule]) -> None:
        self._versions = {name: pattern.field_versions[name] for name in pattern.fields}
        self._texts = {
            name: _text(value, self._versions[name])
            for name, value in pattern.fields.items()
            if rule_of(name, own) is Rule.TEXT and isinstance(value, str)
        }
        self._left = MAX_EFFORT

    @property
    def before(self) -> int | None:
        """The next edit that may matter is before this version; None: every line is accounted for.

        So it is, too, when the comparing has taken too long.
        """
        wanted = [text.version for text in self._texts.values() if not text.is_traced]
        return max(wanted) if wanted and self._left > 0 else None

    @property
    def versions(self) -> set[int]:
        """Every version that something is from."""
        sources = {source for text in self._texts.values() for source in text.sources if source is not None}
        return {*self._versions.values(), *sources}

    def go_back(self, edits: Iterable[Edit]) -> None:
        """Take edits, each older than the one before."""
        for edit in edits:
            for name, value in _written(edit.event).items():
                text = self._texts.get(name)
                if self._left <= 0:
                    return
                if text is not None and edit.version < text.version and not text.is_traced:
                    self._left -= text.go_back(edit.version, value)
            if isinstance(edit.event, PatternRecorded):
                for text in self._texts.values():
                    text.settle()

    def fields(self) -> dict[str, Json]:
        """By field the version that it is from, and of a text those of its lines."""
        return {name: {"version": version, **self._lines(name)} for name, version in self._versions.items()}

    def _lines(self, name: str) -> dict[str, Json]:
        text = self._texts.get(name)
        if text is None:
            return {}
        return {"lines": text.sources} | ({} if text.is_traced else {"before": text.version + 1})


def _text(value: str, version: int) -> _Text:
    text = _Text(version=version, lines=lines_of(value), places=list(range(value.count("\n") + 1)))
    if version == 1:
        text.settle()
    return text


def _written(event: Event) -> Mapping[str, Json]:
    """What an event made of each field that it wrote; of one that it removed, nothing."""
    if not isinstance(event, PatternEvent):
        return {}
    match event:
        case PatternRecorded():
            return event.fields
        case PatternEdited() | PatternConflictResolved():
            return {**event.set, **dict.fromkeys(event.remove)}
        case PatternConflictDetected() | PatternConflictAbandoned() | PatternArchived() | PatternRestored():
            return {}
        case PatternDeleted():
            return {}
        case _:
            assert_never(event)


def _steps(changes: list[Change] | None) -> int:
    """About what it took to find the changes: half the square of the lines that they touch."""
    if changes is None:
        return _MOST
    touched = sum(change.end - change.start + len(change.lines) for change in changes)
    return min(touched * touched // 2, _MOST)
