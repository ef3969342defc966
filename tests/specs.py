"""Decisions told as given, when, then; and a whole library in memory that commands are sent to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from command_api.decisions.commands import (
    ArchivePattern,
    Command,
    CreateTeam,
    DeletePattern,
    EditPattern,
    RecordPattern,
    RestorePattern,
)
from command_api.decisions.decide import decide
from command_api.decisions.library import LibraryView, stream_for, wanted_name
from command_api.decisions.refusals import Accepted, Conflict, Decision, Refusal, Rejected
from events.identifiers import uuid7
from events.json_text import Json
from events.pattern import (
    DeletedPattern,
    NoPattern,
    Pattern,
    PatternState,
    pattern_id_of,
    stream_of,
    taken_name,
)
from events.registry import Event
from events.stream import StreamState, evolve
from events.team import STREAM as TEAM_STREAM
from events.team import NoTeam, Team, TeamCreated

TEAM = "7f3c2f0e-1f0a-4a53-9d55-0d6f6c1f7a01"
PATTERN = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
COMMAND = uuid7(1_700_000_000_000, bytes(range(10)))


def create_team(name: str = "Compilers") -> CreateTeam:
    return CreateTeam(command_id=COMMAND, name=name)


def record(pattern_id: str = PATTERN, /, **fields: Json) -> RecordPattern:
    return RecordPattern(command_id=COMMAND, pattern_id=pattern_id, fields={"name": "Race", **fields})


def edit(base_version: int, *removed: str, of: str = PATTERN, **fields: Json) -> EditPattern:
    return EditPattern(
        command_id=COMMAND, pattern_id=of, base_version=base_version, set=fields, remove=list(removed)
    )


def archive(pattern_id: str = PATTERN) -> ArchivePattern:
    return ArchivePattern(command_id=COMMAND, pattern_id=pattern_id)


def restore(pattern_id: str = PATTERN) -> RestorePattern:
    return RestorePattern(command_id=COMMAND, pattern_id=pattern_id)


def delete(pattern_id: str = PATTERN) -> DeletePattern:
    return DeletePattern(command_id=COMMAND, pattern_id=pattern_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """An event and the stream that it happened in."""

    stream: str
    event: Event


def in_pattern(pattern_id: str, *events: Event) -> tuple[Fact, ...]:
    """Events of a pattern other than the usual one."""
    return tuple(Fact(stream=stream_of(pattern_id), event=event) for event in events)


class Library:
    """A team's library: the state of every stream, folded from its events."""

    def __init__(self) -> None:
        self.states: dict[str, StreamState] = {}
        self.versions: dict[tuple[str, int], Mapping[str, Json]] = {}

    def apply(self, stream: str, event: Event) -> None:
        """Let an event happen."""
        self.states[stream] = state = evolve(self.states.get(stream), event)
        if isinstance(state, Pattern):
            self.versions[stream, state.version] = state.fields

    def view(self, command: Command) -> LibraryView:
        """What the decision on a command may look at."""
        team, state = self.states.get(TEAM_STREAM), self.states.get(stream_for(command))
        pattern: PatternState = state if isinstance(state, Pattern | DeletedPattern) else NoPattern()
        name = wanted_name(command, pattern)
        holders = [pattern_id for pattern_id, held in self.live_names() if held == name]
        return LibraryView(
            team=team if isinstance(team, Team) else NoTeam(),
            pattern=pattern,
            name_holder=holders[0] if holders else None,
            base=self._base_of(command),
        )

    def _base_of(self, command: Command) -> Mapping[str, Json] | None:
        if not isinstance(command, EditPattern):
            return None
        return self.versions.get((stream_for(command), command.base_version))

    def send(self, command: Command) -> Decision:
        """Decide on a command and let the events happen that it becomes."""
        decision = decide(self.view(command), command)
        if isinstance(decision, Accepted):
            for event in decision.events:
                self.apply(stream_for(command), event)
        return decision

    def live_names(self) -> list[tuple[str, str]]:
        """Each live pattern's id and the name key that it holds."""
        named = []
        for stream, state in self.states.items():
            pattern_id = pattern_id_of(stream)
            name = None if pattern_id is None or isinstance(state, Team) else taken_name(state)
            if pattern_id is not None and name is not None:
                named.append((pattern_id, name))
        return named


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision on the command, to be compared with the expected one."""

    decision: Decision

    def then(self, *events: Event) -> None:
        assert self.decision == Accepted(events=events)

    def then_merged(self, *events: Event) -> None:
        assert self.decision == Accepted(events=events, merged=True)

    def then_conflict(self, current_version: int, *fields: str) -> None:
        assert self.decision == Conflict(current_version=current_version, fields=fields)

    def then_refused(self, code: Refusal, *mentioned: str) -> None:
        assert isinstance(self.decision, Rejected), self.decision
        assert self.decision.code is code
        assert [text for text in mentioned if text not in self.decision.detail] == []


@dataclass(frozen=True, slots=True)
class Given:
    """A library with a history."""

    library: Library = field(default_factory=Library)

    def when(self, command: Command) -> Decided:
        return Decided(decide(self.library.view(command), command))


def given(*history: Event | Fact | Sequence[Fact]) -> Given:
    """What happened so far: the team's events, events of `PATTERN`, and those of others `in_pattern`."""
    library = Library()
    for item in history:
        for fact in [_fact(item)] if isinstance(item, Event | Fact) else item:
            library.apply(fact.stream, fact.event)
    return Given(library)


def _fact(item: Event | Fact) -> Fact:
    if isinstance(item, Fact):
        return item
    return Fact(stream=TEAM_STREAM if isinstance(item, TeamCreated) else stream_of(PATTERN), event=item)


def fields_of(library: Library, pattern_id: str = PATTERN) -> Mapping[str, Json]:
    """The fields of a pattern that is there."""
    state = library.states[stream_of(pattern_id)]
    assert isinstance(state, Pattern)
    return state.fields
