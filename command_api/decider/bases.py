"""What the sender of a command had seen, found in the working set: the base of its changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from command_api.decider.memory import WorkingSet
from command_api.decider.snapshot import StreamKey
from command_api.decisions.commands import ArchivePattern, BasedCommand, RestorePattern
from command_api.decisions.library import stream_for
from command_api.decisions.merging import Value
from command_api.decisions.refusals import Refusal, Rejected
from command_api.decisions.seen import Base, Seen, base_after, written_by
from events.json_text import parse


@dataclass(slots=True)
class Progress:
    """How far the batch under way has brought each pattern: the version that it began with, and its last."""

    began: dict[str, int] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)


def seen_by(
    team_id: str, command: BasedCommand, working: WorkingSet, progress: Progress
) -> Seen | Rejected | None:
    """What the command's sender had seen; None for a command without a base."""
    base = base_of(team_id, command, working, progress)
    if base is None or isinstance(base, Rejected):
        return base
    key = (team_id, stream_for(command))
    if isinstance(base, range):
        # The events are nowhere: that something is not known is better than to take it for seen.
        return Seen(base=Base(version=1), fields=None)
    fields = working.fields_at((*key, base.version))
    return Seen(base=base, fields=fields, written=dict(_written(key, base, working)))


def base_of(
    team_id: str, command: BasedCommand, working: WorkingSet, progress: Progress
) -> Base | range | Rejected | None:
    """The base of a command, or why it is none; the versions whose events tell it, if those are not at hand.

    A command of a batch builds on those before it that are on its pattern, whether it says so or not.
    """
    made = _versions_below(team_id, command, working, progress)
    if isinstance(made, Rejected):
        return made
    if made is None:
        return None if command.base_version is None else Base(version=command.base_version)
    for version in reversed(made):
        event = working.event_at((team_id, stream_for(command), version))
        if event is None:
            return made
        base = base_after(event, version)
        if base is not None:
            # Who saw all of it then has seen all of it since: the rest is their own, and changed no field.
            since = base.seen_up_to(made[-1] if base.version == version else None)
            return replace(since.seen_up_to(command.base_version), made=made)
        if command.base_version is None and isinstance(command, ArchivePattern | RestorePattern):
            # What it did is undone, or done again, whatever there is; words would go unseen.
            return Base(version=version)
    return Base(version=command.base_version, made=made) if command.base_version else _unknown(command)


def _versions_below(
    team_id: str, command: BasedCommand, working: WorkingSet, progress: Progress
) -> range | Rejected | None:
    """The versions that the command made which this one is based on; None if it is based on none."""
    began, reached = progress.began.get(command.pattern_id), progress.reached.get(command.pattern_id)
    if began and (command.base_version or 0) > began:
        detail = f"base_version {command.base_version} is of the batch itself, which began with {began}"
        return Rejected(code=Refusal.UNKNOWN_BASE_VERSION, detail=detail)
    on_batch = command.base_command == command.command_id
    on_version = command.base_command is None and command.base_version is not None
    if began is not None and reached is not None and (on_batch or on_version):
        return range(began + 1, reached + 1)
    if command.base_command is None:
        return None
    answered = working.answered((team_id, command.base_command))
    if answered is None:
        return _unknown(command)
    if answered.status in ("conflict", "rejected"):
        return Rejected(
            code=Refusal.DEPENDS_ON_REFUSED,
            detail=f"the command {command.base_command}, on which it is based, was not accepted",
            about={"base_command": command.base_command},
        )
    return _versions_of(answered.answer).get(command.pattern_id) or _unknown(command)


@lru_cache(maxsize=64)
def _versions_of(answer: str) -> Mapping[str, range]:
    """By pattern, the versions that a command made; a batch's answer is long, and asked for often."""
    told = parse(answer.encode())
    made: dict[str, range] = {}
    for one in told.get("outcomes", [told]):
        if "pattern_id" in one:
            first = made.get(one["pattern_id"], range(one["version"], 0)).start
            made[one["pattern_id"]] = range(first, one["version"] + 1)
    return made


def _written(key: StreamKey, base: Base, working: WorkingSet) -> Iterator[tuple[str, Value]]:
    for name, version in base.own.items():
        event = working.event_at((*key, version))
        if event is not None:
            yield name, written_by(event, name)


def _unknown(command: BasedCommand) -> Rejected:
    detail = f"no edit of this pattern by a command {command.base_command} is known"
    about = {"base_command": command.base_command}
    return Rejected(code=Refusal.UNKNOWN_BASE_COMMAND, detail=detail, about=about)
