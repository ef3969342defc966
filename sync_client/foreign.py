"""What somebody else changed in a pattern, seen from a client that also changes it."""

from collections.abc import Iterable, Mapping

from command_api.decisions.commands import EditPattern, PatternCommand, RecordPattern
from events.json_text import Json, same
from events.pattern import Pattern
from sync_client.local_pattern import UNSETTLED, LocalPattern, Stage


def differing(old: Mapping[str, Json], new: Mapping[str, Json]) -> set[str]:
    """The fields that are not the same, or only on one side."""
    both = old.keys() & new.keys()
    return (old.keys() ^ new.keys()) | {name for name in both if not same(old[name], new[name])}


def fields_after(fields: Mapping[str, Json], commands: Iterable[PatternCommand]) -> dict[str, Json]:
    """The fields after some commands, whatever a decision on them would be."""
    result = dict(fields)
    for command in commands:
        if isinstance(command, RecordPattern):
            result = dict(command.fields)
        elif isinstance(command, EditPattern):
            result = {name: value for name, value in result.items() if name not in command.remove}
            result.update(command.set)
    return result


def foreign_fields(state: LocalPattern, new: Pattern) -> set[str]:
    """The fields of `new` that neither the old confirmed state nor our own commands explain."""
    fields = state.confirmed.fields if isinstance(state.confirmed, Pattern) else {}
    answered = [entry.command for entry in state.entries if entry.stage is Stage.ACCEPTED]
    unsettled = [entry.command for entry in state.entries if entry.stage in UNSETTLED]
    without_sent, with_sent = fields_after(fields, answered), fields_after(fields, unsettled)
    return differing(without_sent, new.fields) & differing(with_sent, new.fields)
