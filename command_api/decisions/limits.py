"""How large a pattern and an event may become, and refusals that several decisions share."""

from collections.abc import Mapping

from command_api.decisions.refusals import Accepted, Decision, Refusal, Rejected
from events.json_text import Json, dump
from events.pattern import Pattern, PatternEvent, name_key
from events.registry import write

MAX_PATTERN_BYTES = 1024 * 1024
MAX_PATTERN_FIELDS = 1000
MAX_EVENT_BYTES = 3 * MAX_PATTERN_BYTES
"""Of all that one command becomes: merged values and what was written, or all sides of a conflict."""
MAX_OPEN_CONFLICTS = 100
MAX_OWN_FIELDS = 100
"""Fields of which an edit's event tells when its author had written them: others came between."""
MAX_MERGED_TEXTS = 8
"""Texts of one edit that are merged by line, some 20 ms each. More are left to people."""


def name_taken(holder: str | None) -> Rejected:
    """The refusal of a name that another live pattern has."""
    return Rejected(code=Refusal.NAME_TAKEN, detail=f"the live pattern {holder} has this name")


def archived() -> Rejected:
    """The refusal of a change to a pattern that was put away."""
    return Rejected(
        code=Refusal.PATTERN_ARCHIVED, detail="an archived pattern is restored before it is edited"
    )


def name_refused(holder: str | None, before: Pattern, after: Pattern) -> Rejected | None:
    """The refusal of a change that takes another's name; a merge may leave a pattern the name that it has."""
    if holder is None or name_key(after.name) == name_key(before.name):
        return None
    return name_taken(holder)


def within_limits(after: Pattern, event: PatternEvent) -> Decision:
    """The event, unless it or the pattern after it is too large."""
    return (
        pattern_too_large(after.fields, len(after.field_versions))
        or event_too_large(event)
        or Accepted(events=(event,))
    )


def pattern_too_large(fields: Mapping[str, Json], names: int) -> Rejected | None:
    """The refusal of a pattern that is too large.

    The names of removed fields count too: the state keeps them, and would grow without end.
    """
    if names > MAX_PATTERN_FIELDS:
        return too_large(
            f"a pattern has at most {MAX_PATTERN_FIELDS} fields, those that it once had included"
        )
    if len(dump(fields)) > MAX_PATTERN_BYTES:
        return too_large(f"a pattern has at most {MAX_PATTERN_BYTES} bytes of JSON")
    return None


def event_too_large(event: PatternEvent) -> Rejected | None:
    """The refusal of a command that would become too large an event."""
    if len(write(event)) > MAX_EVENT_BYTES:
        return too_large(f"with what it merges or conflicts with, it takes more than {MAX_EVENT_BYTES} bytes")
    return None


def too_large(detail: str) -> Rejected:
    """The refusal of what is too large."""
    return Rejected(code=Refusal.TOO_LARGE, detail=detail)
