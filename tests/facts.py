"""Events told shortly."""

from collections.abc import Mapping, Sequence

from command_api.decisions.merging import ABSENT, Value
from events.json_text import Json
from events.merge_rules import Rule
from events.pattern import (
    Choice,
    ConflictField,
    MergedField,
    PatternConflictAbandoned,
    PatternConflictDetected,
    PatternConflictResolved,
    PatternEdited,
    Present,
)
from events.team import TeamCreated
from tests.commands import CONFLICT


def edited(
    base_version: int,
    *removed: str,
    own: Mapping[str, int] | None = None,
    merged: Mapping[str, MergedField] | None = None,
    overwrote: Sequence[str] = (),
    **fields: Json,
) -> PatternEdited:
    return PatternEdited(
        base_version=base_version,
        own=dict(own or {}),
        set=fields,
        remove=list(removed),
        merged=dict(merged or {}),
        overwrote=list(overwrote),
    )


def sides(
    base: Value, theirs: Value, mine: Value, *, rule: Rule = Rule.VALUE, clashes: bool = True
) -> ConflictField:
    """A field of an edit in conflict, as each side has it."""
    return ConflictField(
        rule=rule, clashes=clashes, base=_present(base), theirs=_present(theirs), mine=_present(mine)
    )


def detected(
    base_version: int = 1,
    *,
    conflict_id: str = CONFLICT,
    own: Mapping[str, int] | None = None,
    base_known: bool = True,
    **fields: ConflictField,
) -> PatternConflictDetected:
    return PatternConflictDetected(
        conflict_id=conflict_id,
        base_version=base_version,
        own=dict(own or {}),
        base_known=base_known,
        fields=fields,
    )


def resolved(
    base_version: int,
    choices: Mapping[str, Choice],
    *removed: str,
    conflict_id: str = CONFLICT,
    **fields: Json,
) -> PatternConflictResolved:
    return PatternConflictResolved(
        conflict_id=conflict_id,
        base_version=base_version,
        choices=dict(choices),
        set=fields,
        remove=list(removed),
    )


ABANDONED = PatternConflictAbandoned(conflict_id=CONFLICT)


def _present(value: Value) -> Present | None:
    return None if value is ABSENT else Present(value=value)


def team_created(name: str = "Team", admin: str | None = "ada") -> TeamCreated:
    """A team that somebody created for themselves."""
    return TeamCreated(name=name, admin=admin, organization_id=None)
