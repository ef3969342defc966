"""Follows a decider's log and holds every outcome against the plain model of merging."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from command_api.decider.partition_io import Topic
from command_api.decider.recovery import TailEvent, read_tail
from events.json_text import Json
from events.merge_rules import Policy, stricter
from events.organization import Organization
from events.outcome import Outcome
from events.pattern import (
    Pattern,
    PatternConflictAbandoned,
    PatternConflictDetected,
    PatternConflictResolved,
    PatternEdited,
    PatternState,
    pattern_id_of,
    stream_of,
)
from events.record import Record
from events.registry import read
from events.stream import StreamState, evolve
from events.team import STREAM as TEAM_STREAM
from events.team import Team
from tests.model.editors import Made
from tests.model.merge_oracle import CLASH, MISSING, Fields, merged_value
from tests.simulated_decider import SimulatedDecider


@dataclass(frozen=True, kw_only=True)
class OpenConflict:
    """A conflict that nobody has ended."""

    id: str
    clashing: list[str]


@dataclass
class Judge:
    """One team's log, as far as it was followed."""

    team_id: str
    sent: dict[int, Made] = field(default_factory=dict)
    """By command offset."""
    offsets: list[int] = field(default_factory=list)
    """The command offsets that were answered, in order."""
    first_outcomes: dict[str, Outcome] = field(default_factory=dict)
    states: dict[tuple[str, str], StreamState] = field(default_factory=dict)
    conflicts: dict[str, dict[str, PatternConflictDetected]] = field(default_factory=dict)
    """By pattern, the conflicts that are open."""

    def patterns(self) -> dict[str, PatternState]:
        """Every pattern as it is now: what a pull brings."""
        found = {pattern_id_of(stream): state for (_, stream), state in self.states.items()}
        return {
            key: state for key, state in found.items() if key and not isinstance(state, Team | Organization)
        }

    def an_open_conflict(self, pattern_id: str) -> OpenConflict | None:
        """The oldest of a pattern."""
        for conflict_id, event in self.conflicts.get(pattern_id, {}).items():
            clashing = [name for name, sides in event.fields.items() if sides.clashes]
            return OpenConflict(id=conflict_id, clashing=clashing)
        return None

    def follow(self, decider: SimulatedDecider) -> None:
        """Take what was answered since: each command exactly once, in order, with its events."""
        outcomes = decider.outcomes()
        events: dict[int, list[Record]] = {}
        for record in decider.partition.counting(Topic.EVENTS):
            events.setdefault(int(record.headers["command_offset"]), []).append(record)
        for offset in range(len(self.offsets), len(outcomes)):
            self._take(offset, outcomes[offset], read_tail(events.get(offset, [])))
            self.offsets.append(offset)

    def _take(self, offset: int, outcome: Outcome, events: Sequence[TailEvent]) -> None:
        made = self.sent[offset]
        assert outcome.command_id == made.command_id
        first = self.first_outcomes.get(made.command_id)
        assert outcome.repeat == (first is not None)
        if first is not None:
            assert events == []
            assert (outcome.status, outcome.answer) == (first.status, first.answer)
            return
        self.first_outcomes[made.command_id] = outcome
        if outcome.status == "rejected":
            assert events == []
            self._check_refusal(made, outcome)
            return
        assert len(events) == len(made.members)
        for member, event in zip(made.members, events, strict=True):
            self._happen(made, member, event)
        if outcome.status == "conflict":
            assert made.command_id in self.conflicts[made.body["pattern_id"]]

    def _happen(self, made: Made, member: Mapping[str, Json], tail: TailEvent) -> None:
        envelope = tail.envelope
        key, event = (self.team_id, envelope.stream), read(envelope.type, envelope.data)
        before = self.states.get(key)
        self.states[key] = after = evolve(before, event)
        pattern_id = member.get("pattern_id", "")
        if isinstance(before, Pattern) and isinstance(after, Pattern):
            match event:
                case PatternEdited():
                    self._check_edit(made, member, before, event, after)
                case PatternConflictDetected():
                    self._check_conflict(made, member, before, event)
                    self.conflicts.setdefault(pattern_id, {})[event.conflict_id] = event
                case PatternConflictResolved():
                    self._check_resolution(member, self.conflicts[pattern_id].pop(event.conflict_id), after)
                case PatternConflictAbandoned():
                    del self.conflicts[pattern_id][event.conflict_id]
                    assert after.fields == before.fields
                case _:
                    pass
            assert set(after.conflicts) == set(self.conflicts.get(pattern_id, {}))

    def _check_edit(
        self,
        made: Made,
        member: Mapping[str, Json],
        before: Pattern,
        event: PatternEdited,
        after: Pattern,
    ) -> None:
        """Each field is what the model says; a change that does not merge took the place of the other."""
        expected = self._expected(made, member, before)
        clashes = sorted(name for name, value in expected.items() if value is CLASH)
        assert clashes == sorted(event.overwrote)
        assert not clashes or self._policy(member) is Policy.LAST_WRITER_WINS
        mine = _written(member)
        for name, value in expected.items():
            wanted = mine[name] if value is CLASH else value
            assert _plain(after.fields.get(name, MISSING)) == _plain(wanted), name
        others = {name: value for name, value in before.fields.items() if name not in expected}
        assert others == {name: value for name, value in after.fields.items() if name not in expected}

    def _check_conflict(
        self, made: Made, member: Mapping[str, Json], before: Pattern, event: PatternConflictDetected
    ) -> None:
        """The event holds all three sides of each field, and names those that do not merge."""
        assert self._policy(member) is Policy.MERGE
        expected, mine = self._expected(made, member, before), _written(member)
        assert event.base_known
        assert {name for name, sides in event.fields.items() if sides.clashes} == {
            name for name, value in expected.items() if value is CLASH
        }
        seen = made.seen[member["pattern_id"]]
        for name, sides in event.fields.items():
            found = [
                MISSING if side is None else side.value for side in (sides.base, sides.theirs, sides.mine)
            ]
            assert found == [seen.get(name, MISSING), before.fields.get(name, MISSING), mine[name]], name

    def _check_resolution(
        self, member: Mapping[str, Json], conflict: PatternConflictDetected, after: Pattern
    ) -> None:
        for name, sides in conflict.fields.items():
            if not sides.clashes:
                continue
            if name in member.get("set", {}):
                assert after.fields[name] == member["set"][name]
            elif member["rest"] == "mine":
                value = MISSING if sides.mine is None else sides.mine.value
                assert after.fields.get(name, MISSING) == value

    def _check_refusal(self, made: Made, outcome: Outcome) -> None:
        code = outcome.answer["code"]
        if code == "batch_refused":
            failed = outcome.answer["failed"]
            member, code = made.members[failed["index"]], failed["code"]
        else:
            member = made.body
        base = self.first_outcomes.get(member.get("base_command", ""))
        if code == "depends_on_refused":
            assert base is not None
            assert base.status in ("conflict", "rejected")
        elif code == "unknown_base_command":
            assert base is None
        elif code in ("stale_edit", "edit_conflict"):
            state = self.states[self.team_id, stream_of(member["pattern_id"])]
            assert isinstance(state, Pattern)
            seen, mine = made.seen[member["pattern_id"]], _written(member)
            changed = [name for name in mine if seen.get(name, MISSING) != state.fields.get(name, MISSING)]
            assert changed
            assert (code == "stale_edit") == (self._policy(member) is Policy.REJECT)
        else:
            assert code in (
                *("name_taken", "pattern_archived", "pattern_not_archived", "pattern_changed"),
                *(
                    "interrupted",
                    "conflict_not_open",
                    "stale_resolution",
                    "unresolved_fields",
                    "invalid_field",
                ),
            )

    def _expected(self, made: Made, member: Mapping[str, Json], before: Pattern) -> dict[str, object]:
        seen: Fields = made.seen[member["pattern_id"]]
        return {
            name: merged_value(name, seen.get(name, MISSING), before.fields.get(name, MISSING), mine)
            for name, mine in _written(member).items()
        }

    def _policy(self, member: Mapping[str, Json]) -> Policy:
        team = self.states[self.team_id, TEAM_STREAM]
        assert isinstance(team, Team)
        asked = member.get("policy")
        return stricter(team.policy, None if asked is None else Policy(asked))


def _written(member: Mapping[str, Json]) -> dict[str, object]:
    return {**dict.fromkeys(member.get("remove", ()), MISSING), **member.get("set", {})}


def _plain(value: object) -> object:
    """Tags that were merged have an order of their own."""
    return sorted(value) if isinstance(value, list) else value
