"""Decisions told as given, when, then; and a whole library in memory that commands are sent to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from command_api.decider.answering import answered_with
from command_api.decider.bases import Progress
from command_api.decider.judging import view_of
from command_api.decider.memory import Memory, WorkingSet
from command_api.decider.snapshot import Answered
from command_api.decider.stream_writer import Fact as Placed
from command_api.decider.stream_writer import settle
from command_api.decisions.commands import SingleCommand
from command_api.decisions.decide import decide
from command_api.decisions.library import LibraryView, stream_for
from command_api.decisions.refusals import Accepted, Conflict, Decision, Refusal, Rejected
from command_api.decisions.sender import Sender
from events.json_text import Json, dump
from events.organization import STREAM as ORGANIZATION_STREAM
from events.organization import Organization, OrganizationEvent
from events.outcome import OutcomeStatus
from events.pattern import PatternConflictDetected, pattern_id_of, stream_of, taken_name
from events.registry import Event
from events.stream import StreamState, evolve
from events.team import STREAM as TEAM_STREAM
from events.team import Team, TeamEvent
from tests.commands import PATTERN
from tests.snapshots import snapshot

ADA = Sender(actor="ada", at_ms=1_760_000_000_000)
"""The admin of every team here."""
TEAM = "7f3c2f0e-1f0a-4a53-9d55-0d6f6c1f7a01"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """An event, the stream that it happened in, and the command that it came of, if that matters."""

    stream: str
    event: Event
    command_id: str | None = None


def in_pattern(pattern_id: str, *events: Event) -> tuple[Fact, ...]:
    """Events of a pattern other than the usual one."""
    return tuple(Fact(stream=stream_of(pattern_id), event=event) for event in events)


def of_command(command_id: str, event: Event) -> Fact:
    """An event of the usual pattern, with a command that later ones can be based on."""
    return Fact(stream=stream_of(PATTERN), event=event, command_id=command_id)


class Library:
    """A team's library: the state of every stream, folded from its events."""

    def __init__(self) -> None:
        self.working = WorkingSet(Memory(), snapshot())

    @property
    def states(self) -> dict[str, StreamState]:
        """The state of each stream."""
        return {stream: state for (_, stream), state in self.working.draft.states.items()}

    def apply(self, fact: Fact) -> None:
        """Let an event happen."""
        after = evolve(self.working.state((TEAM, fact.stream)), fact.event)
        settle(self.working, team_id=TEAM, stream=fact.stream, event=fact.event, after=after)
        if fact.command_id is not None:
            answer = {"pattern_id": pattern_id_of(fact.stream), "version": after.version}
            self.answer(fact.command_id, "accepted", **answer)

    def answer(self, command_id: str, status: OutcomeStatus, **answer: Json) -> None:
        """Let a command have its outcome."""
        self.working.draft.answers[TEAM, command_id] = Answered(
            command_hash="", recorded_at="", status=status, answer=dump(answer).decode()
        )

    def view(self, command: SingleCommand) -> LibraryView:
        """What the decision on a command may look at."""
        return view_of(TEAM, command, self.working, Progress())

    def send(self, command: SingleCommand, sender: Sender = ADA) -> Decision:
        """Decide on a command and let the events happen that it becomes."""
        decision = decide(self.view(command), command, sender)
        for event in events_of(decision):
            self.apply(Fact(stream=stream_for(command), event=event))
        return decision

    def live_names(self) -> list[tuple[str, str]]:
        """Each live pattern's id and the name key that it holds."""
        named = []
        for stream, state in self.states.items():
            pattern_id = pattern_id_of(stream)
            name = None if pattern_id is None or isinstance(state, Team | Organization) else taken_name(state)
            if pattern_id is not None and name is not None:
                named.append((pattern_id, name))
        return named


def events_of(decision: Decision) -> tuple[Event, ...]:
    """What happens by a decision."""
    match decision:
        case Accepted():
            return decision.events
        case Conflict():
            return (decision.event,)
        case Rejected():
            return ()


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision on the command and its outcome's status, to be compared with the expected ones."""

    decision: Decision
    status: OutcomeStatus

    def then(self, *events: Event) -> None:
        assert self.decision == Accepted(events=events)
        assert self.status == "accepted"

    def then_merged(self, *events: Event) -> None:
        assert self.decision == Accepted(events=events)
        assert self.status == "merged"

    def then_conflict(self, current_version: int, *fields: str) -> None:
        assert isinstance(self.decision, Conflict), self.decision
        assert (self.decision.current_version, self.decision.fields) == (current_version, fields)
        assert self.status == "conflict"

    def then_detected(self, event: PatternConflictDetected) -> None:
        assert isinstance(self.decision, Conflict), self.decision
        assert repr(self.decision.event) == repr(event)

    def then_refused(self, code: Refusal, *mentioned: str, **about: Json) -> None:
        assert isinstance(self.decision, Rejected), self.decision
        assert self.decision.code is code
        assert [text for text in mentioned if text not in self.decision.detail] == []
        assert {name: self.decision.about.get(name) for name in about} == about


@dataclass(frozen=True, slots=True)
class Given:
    """A library with a history."""

    library: Library = field(default_factory=Library)

    def and_refused(self, command_id: str, status: OutcomeStatus = "rejected") -> "Given":
        """A command of the sender's own that was not accepted."""
        self.library.answer(command_id, status)
        return self

    def when(self, command: SingleCommand, sender: Sender = ADA) -> Decided:
        decision = decide(self.library.view(command), command, sender)
        events = events_of(decision)
        if not events:
            return Decided(decision, "rejected")
        stream = stream_for(command)
        before = self.library.states.get(stream)
        version = len(events) + (before.version if before else 0)
        placed = Placed(stream=stream, event=events[-1], version=version, sequence=1)
        return Decided(decision, answered_with(command, [placed])[0])


def given(*history: Event | Fact | Sequence[Fact]) -> Given:
    """What happened so far: the team's events, events of `PATTERN`, and those of others `in_pattern`."""
    library = Library()
    for item in history:
        for fact in [_fact(item)] if isinstance(item, Event | Fact) else item:
            library.apply(fact)
    return Given(library)


def _fact(item: Event | Fact) -> Fact:
    if isinstance(item, Fact):
        return item
    if isinstance(item, OrganizationEvent):
        return Fact(stream=ORGANIZATION_STREAM, event=item)
    return Fact(stream=TEAM_STREAM if isinstance(item, TeamEvent) else stream_of(PATTERN), event=item)
