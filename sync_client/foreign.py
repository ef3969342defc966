"""What somebody else changed in a pattern, seen from a client that also changes it."""

from collections.abc import Iterable, Mapping
from itertools import accumulate

from command_api.decisions.commands import EditPattern, PatternCommand, RecordPattern
from events.json_text import Json, same
from events.pattern import Pattern, PatternState
from sync_client.line import effect_in, line_of
from sync_client.local_pattern import UNSETTLED, Entry, LocalPattern, Stage


def differing(old: Mapping[str, Json], new: Mapping[str, Json]) -> set[str]:
    """The fields that are not the same, or only on one side."""
    both = old.keys() & new.keys()
    return (old.keys() ^ new.keys()) | {name for name in both if not same(old[name], new[name])}


def field_after(fields: Mapping[str, Json], effect: PatternCommand) -> dict[str, Json]:
    """The fields after a command, whatever a decision on it would be."""
    if isinstance(effect, RecordPattern):
        return dict(effect.fields)
    if isinstance(effect, EditPattern):
        return {name: value for name, value in fields.items() if name not in effect.remove} | effect.set
    return dict(fields)


def fields_after(fields: Mapping[str, Json], effects: Iterable[PatternCommand]) -> list[dict[str, Json]]:
    """The fields before the first of some commands, and after each."""
    return list(accumulate(effects, field_after, initial=dict(fields)))


def fields_of_state(state: PatternState) -> Mapping[str, Json]:
    """The fields of a pattern, none of one that is not there."""
    return state.fields if isinstance(state, Pattern) else {}


def foreign_fields(state: LocalPattern, new: PatternState) -> set[str]:
    """The fields of `new` that the user does not see coming.

    What explains a field is the old confirmed state, with as many of the visible commands that were sent as
    the server may have applied by then.
    """
    if not isinstance(new, Pattern):
        return set()
    sent = [entry for entry in line_of(state.entries) if entry.stage in UNSETTLED]
    surely = [place for place, entry in enumerate(sent, 1) if _is_in(entry, new)]
    possible = fields_after(
        fields_of_state(state.confirmed), (effect_in(state.entries, entry) for entry in sent)
    )
    return set.intersection(*(differing(fields, new.fields) for fields in possible[max(surely, default=0) :]))


def _is_in(entry: Entry, new: Pattern) -> bool:
    return entry.stage is Stage.ACCEPTED and entry.version is not None and entry.version <= new.version
