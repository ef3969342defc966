"""Ending a conflict from here: the command that says what was decided, and the edit that it amounts to."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal

from command_api.decisions.commands import AbandonConflict, EditPattern, PatternCommand, ResolveConflict
from command_api.decisions.refusals import Refusal
from events.json_text import Json
from events.pattern import Pattern
from sync_client.errors import LocalRefusal

Side = Literal["mine", "theirs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decisions:
    """What the user decided by field; `rest` is for fields in conflict that are not named."""

    rest: Side | None = None
    take: Mapping[str, Side] = field(default_factory=dict)
    set: Mapping[str, Json] = field(default_factory=dict)
    remove: Sequence[str] = ()


def resolution(
    edit: EditPattern, clashes: Set[str], confirmed: Pattern, decisions: Decisions
) -> dict[str, Json]:
    """The members of the command that resolves an edit's conflict; raise `LocalRefusal`.

    What nobody else has touched is taken as it was edited. What both sides changed and the server can merge,
    it merges: it has the base.
    """
    if others := sorted(decisions.take.keys() - {*edit.set, *edit.remove}):
        raise LocalRefusal(Refusal.INVALID_FIELD, f"take: the conflict is not about {', '.join(others)}")
    take: dict[str, Side] = dict(decisions.take)
    named = {*take, *decisions.set, *decisions.remove}
    undecided = []
    for name in (*edit.set, *edit.remove):
        if name in named:
            continue
        if name not in clashes:
            if confirmed.field_versions.get(name, 0) <= (edit.base_version or 0):
                take[name] = "mine"
        elif decisions.rest is None:
            undecided.append(name)
        else:
            take[name] = decisions.rest
    if undecided:
        raise LocalRefusal(Refusal.UNRESOLVED_FIELDS, f"not decided: {', '.join(undecided)}")
    return {
        "base_version": confirmed.version,
        "take": take,
        "set": dict(decisions.set),
        "remove": list(decisions.remove),
    }


def effect_of(command: PatternCommand, draft: PatternCommand | None) -> PatternCommand:
    """The command in terms of fields. The end of a draft's conflict is the edit that it amounts to."""
    if isinstance(command, AbandonConflict):
        return EditPattern(
            command_id=command.command_id, pattern_id=command.pattern_id, base_version=1, set={}, remove=[]
        )
    if not isinstance(command, ResolveConflict):
        return command
    mine = draft if isinstance(draft, EditPattern) else None
    taken = [] if mine is None else [name for name, side in command.take.items() if side == "mine"]
    values = {} if mine is None else {name: mine.set[name] for name in taken if name in mine.set}
    return EditPattern(
        command_id=command.command_id,
        pattern_id=command.pattern_id,
        base_version=command.base_version,
        set={**values, **command.set},
        remove=[*command.remove, *(name for name in taken if name not in values)],
    )


def left_to_merge(command: PatternCommand, draft: PatternCommand | None) -> set[str]:
    """The fields of a draft that the end of its conflict leaves to the server."""
    if not isinstance(command, ResolveConflict) or not isinstance(draft, EditPattern):
        return set()
    return {*draft.set, *draft.remove} - {*command.take, *command.set, *command.remove}
