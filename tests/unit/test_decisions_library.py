"""Random commands to one small library: whatever is accepted happens, and names stay unique."""

import copy
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from command_api.decisions.commands import (
    AbandonConflict,
    EditPattern,
    PatternCommand,
    ResolveConflict,
    SingleCommand,
)
from command_api.decisions.library import stream_for, wanted_name
from command_api.decisions.refusals import Accepted, Conflict, Decision, Rejected
from events.identifiers import uuid7
from events.json_text import Json
from events.pattern import (
    DeletedPattern,
    NoPattern,
    Pattern,
    PatternConflictAbandoned,
    PatternConflictDetected,
    PatternConflictResolved,
    PatternEdited,
    stream_of,
)
from events.registry import Event, read, type_of, write
from events.state_json import dump_state, load_state
from events.stream import evolve
from events.team import STREAM as TEAM_STREAM
from tests.commands import (
    OTHER,
    PATTERN,
    abandon,
    archive,
    create_team,
    delete,
    edit,
    record,
    resolve,
    restore,
    set_merging,
)
from tests.facts import detected, sides
from tests.specs import TEAM, Library, events_of
from tests.strategies import REPEATABLE

IDS = [PATTERN, OTHER, "33333333-3333-4333-8333-333333333333"]
NAMES = ["Race", "race", "caf\u00e9", "cafe\u0301"]

ConflictCommand = AbandonConflict | ResolveConflict

pattern_ids = st.sampled_from(IDS)
names = st.sampled_from(NAMES)
fields = st.sampled_from(["x", "y", "z"])
set_fields = st.dictionaries(fields, st.integers(0, 2), max_size=2)


class LibraryUnderCommands(RuleBasedStateMachine):
    """Sends commands and compares each decision with what the history of events says."""

    def __init__(self) -> None:
        super().__init__()
        self.library = Library()
        self.sent = 0
        self.history: dict[str, list[Event]] = defaultdict(list)

    @initialize()
    def begin(self) -> None:
        self.send(create_team())
        for pattern_id, name in zip(IDS, ["Race", "caf\u00e9"], strict=False):
            self.send(record(pattern_id, name=name, x=0))

    @rule(pattern_id=pattern_ids, name=names)
    def record(self, pattern_id: str, name: str) -> None:
        self.send(record(pattern_id, name=name))

    @rule(
        pattern_id=pattern_ids,
        back=st.integers(-1, 4),
        changed=set_fields,
        removed=st.sets(fields, max_size=1),
    )
    def edit(self, pattern_id: str, back: int, changed: dict[str, Json], removed: set[str]) -> None:
        if changed or removed:
            base = self.version_of(pattern_id, back)
            self.send(edit(base, *sorted(removed - changed.keys()), of=pattern_id, **changed))

    @rule(pattern_id=pattern_ids, back=st.integers(0, 2), name=names)
    def rename(self, pattern_id: str, back: int, name: str) -> None:
        self.send(edit(self.version_of(pattern_id, back), of=pattern_id, name=name))

    def version_of(self, pattern_id: str, back: int) -> int:
        return max(1, len(self.history[stream_of(pattern_id)]) - back)

    @rule(pattern_id=pattern_ids, command=st.sampled_from([archive, restore] * 6 + [delete]))
    def move(self, pattern_id: str, command: Callable[[str], SingleCommand]) -> None:
        self.send(command(pattern_id))

    @rule(
        pattern_id=pattern_ids,
        command=st.sampled_from([abandon, partial(resolve, rest="mine"), partial(resolve, rest="theirs")]),
    )
    def end_the_oldest_conflict(self, pattern_id: str, command: Callable[[], ConflictCommand]) -> None:
        for conflict_id in self.open_conflicts(stream_of(pattern_id))[:1]:
            self.send(replace(command(), pattern_id=pattern_id, conflict_id=conflict_id))

    def open_conflicts(self, stream: str) -> list[str]:
        events = self.history[stream]
        ended = [
            event.conflict_id
            for event in events
            if isinstance(event, PatternConflictResolved | PatternConflictAbandoned)
        ]
        found = [event.conflict_id for event in events if isinstance(event, PatternConflictDetected)]
        assert len(set(ended)) == len(ended)
        return [conflict_id for conflict_id in found if conflict_id not in ended]

    def send(self, command: SingleCommand) -> None:
        self.sent += 1
        command = replace(command, command_id=uuid7(self.sent, bytes(10)))
        before = copy.deepcopy(self.library.states)
        decision = self.library.send(command)
        self.compare(command, decision)
        self.history[stream_for(command)] += events_of(decision)
        if isinstance(decision, Rejected):
            assert self.library.states == before

    def compare(self, command: SingleCommand, decision: Decision) -> None:
        """The decision, worked out again from the history alone."""
        if not isinstance(command, EditPattern) or isinstance(decision, Rejected):
            return
        events = self.history[stream_for(command)]
        changed_since = {
            name
            for event in events[command.base_version :]
            if isinstance(event, PatternEdited | PatternConflictResolved)
            for name in [*event.set, *event.remove]
        }
        overlap = changed_since & {*command.set, *command.remove}
        clashes = {name for name in overlap if self.clashes(command, name)}
        if clashes:
            assert isinstance(decision, Conflict)
            assert (decision.current_version, {*decision.fields}) == (len(events), clashes)
        else:
            assert isinstance(decision, Accepted)
            (event,) = decision.events
            assert isinstance(event, PatternEdited)
            assert event.base_version == command.base_version

    def clashes(self, command: EditPattern, name: str) -> bool:
        """Whether three values of a field, all of which may be missing, are three different ones."""
        stream = stream_for(command)
        pattern = self.library.states[stream]
        assert isinstance(pattern, Pattern)
        base = self.library.working.fields_at((TEAM, stream, command.base_version or 0))
        assert base is not None
        return len({fields.get(name) for fields in (base, pattern.fields, command.set)}) == len("all")

    @invariant()
    def no_two_live_patterns_share_a_name(self) -> None:
        held = [name for _, name in self.library.live_names()]
        assert len(held) == len(set(held))

    @invariant()
    def a_pattern_knows_its_open_conflicts(self) -> None:
        for stream, state in self.library.states.items():
            if isinstance(state, Pattern):
                assert [*state.conflicts] == self.open_conflicts(stream)

    def teardown(self) -> None:
        """Each state is the fold of its events as written."""
        for stream, events in self.history.items():
            state = None
            for event in events:
                state = evolve(state, read(type_of(event), write(event)))
            if state is not None:
                assert state == self.library.states[stream] == load_state(dump_state(state))
                assert state.version == len(events)


TestLibraryUnderCommands = LibraryUnderCommands.TestCase
TestLibraryUnderCommands.settings = settings(REPEATABLE, max_examples=20, stateful_step_count=25)


# ---------------------------------------------------------------- what a decision looks at

LIVE = Pattern(version=1, status="live", fields={"name": "cafe\u0301"}, field_versions={"name": 1})


def test_a_command_wants_the_name_that_its_pattern_will_hold() -> None:
    assert wanted_name(record(name="cafe\u0301"), NoPattern()) == "caf\u00e9"
    assert wanted_name(edit(1, name="cafe\u0301"), LIVE) == "caf\u00e9"
    assert wanted_name(restore(), LIVE) == "caf\u00e9"


def test_a_resolution_wants_the_name_that_it_decides_on() -> None:
    about_the_name = detected(name=sides("a", "b", "cafe\u0301"))
    assert wanted_name(resolve(rest="mine"), LIVE, about_the_name) == "caf\u00e9"
    assert wanted_name(resolve(name="e\u0301"), LIVE, about_the_name) == "\u00e9"
    assert wanted_name(resolve(rest="mine"), LIVE, detected(x=sides(1, 2, 3))) is None
    assert wanted_name(resolve(rest="mine"), LIVE) is None


def test_a_command_that_takes_no_name_wants_none() -> None:
    assert wanted_name(edit(1, x=1), LIVE) is None
    assert wanted_name(archive(), LIVE) is None
    assert wanted_name(delete(), LIVE) is None
    assert wanted_name(create_team(), NoPattern()) is None
    assert wanted_name(abandon(), LIVE, detected(name=sides("a", "b", "c"))) is None
    for state in (NoPattern(), DeletedPattern(version=2)):
        assert wanted_name(restore(), state) is None


def test_a_command_changes_the_stream_of_its_pattern_or_of_the_team() -> None:
    assert stream_for(create_team()) == TEAM_STREAM == "team"
    assert stream_for(set_merging()) == TEAM_STREAM
    on_pattern = (record(), edit(1, x=1), resolve(), abandon(), archive(), restore(), delete())
    for command in on_pattern:
        assert isinstance(command, PatternCommand)
        assert stream_for(command) == f"patterns/{PATTERN}"
