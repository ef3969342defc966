"""What is read as of a point is what the events up to it fold to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.cursor import Cursor
from events.merge_rules import Policy
from events.pattern import (
    Pattern,
    PatternArchived,
    PatternConflictAbandoned,
    PatternDeleted,
    PatternRecorded,
    PatternRestored,
    pattern_id_of,
    stream_of,
)
from events.registry import Event
from events.shapes import utc_text
from events.stream import StreamState, evolve
from events.team import STREAM as TEAM_STREAM
from events.team import TeamMergingChanged
from read_api.part import read_api_part
from read_api.routes import router
from runtime.web import build_app
from tests.facts import team_created
from tests.libraries import client_of
from tests.projecting import TopicLog, events_log, fresh_log, projecting
from tests.scribe import Scribe, detected, edited, resolved
from tests.services import Services
from tests.strategies import REPEATABLE, json_values
from tests.tokens import signed_tokens_part

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
ENDS = ("resolve", "abandon")
KINDS = ("edit", "edit", "rename", "archive", "restore", "delete", "conflict", *ENDS, "merging")


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What is to happen, as far as it can; `seconds` is by how much the brokers' clock moves."""

    kind: str
    pattern: int
    value: Any
    seconds: int


draws = st.builds(
    Draw,
    kind=st.sampled_from(KINDS),
    pattern=st.integers(0, 5),
    value=json_values(3),
    seconds=st.sampled_from([0, 0, 1, 1, 1, 5, -2]),
)
logs = st.lists(draws, min_size=30, max_size=80)


@dataclass(kw_only=True)
class Team:
    """A team's log on its way, and what it folds to after each of its events."""

    scribe: Scribe
    team_id: str
    now: datetime = NOON
    states: dict[str, StreamState] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    folds: list[dict[str, dict[str, Any]]] = field(default_factory=lambda: [{}])
    open_conflicts: list[set[str]] = field(default_factory=lambda: [set()])
    times: list[tuple[bool, datetime]] = field(default_factory=list)
    """Of each event: whether it is a pattern's, and when it was recorded."""

    def happen(self, stream: str, event: Event) -> None:
        self.scribe.recorded_at = utc_text(self.now)
        self.scribe.command(self.team_id, (stream, event))
        self.states[stream] = evolve(self.states.get(stream), event)
        self.sequences[stream] = len(self.folds)
        self.times.append((stream != TEAM_STREAM, self.now))
        self.folds.append(
            {
                pattern_id: document(pattern_id, state, self.sequences[named])
                for named, state in self.states.items()
                if isinstance(state, Pattern) and (pattern_id := pattern_id_of(named))
            }
        )
        patterns = [state for state in self.states.values() if isinstance(state, Pattern)]
        self.open_conflicts.append({conflict for state in patterns for conflict in state.conflicts})

    def draw(self, draw: Draw, streams: Sequence[str]) -> None:
        """Let it happen to the pattern that it is about, a new one where that is not there yet."""
        self.now += timedelta(seconds=draw.seconds)
        stream, number = streams[draw.pattern], len(self.folds)
        state = self.states.get(stream)
        if draw.kind == "merging":
            policy = list(Policy)[number % len(Policy)]
            self.happen(TEAM_STREAM, TeamMergingChanged(policy=policy, rules={}))
        elif state is None:
            self.happen(stream, PatternRecorded(fields={"name": f"n{number}", "x": draw.value}))
        elif isinstance(state, Pattern):
            self.happen(stream, self._change(draw, state, number))

    def _change(self, draw: Draw, state: Pattern, number: int) -> Event:
        conflict = next(iter(state.conflicts), None)
        match draw.kind:
            case "archive":
                return PatternArchived()
            case "restore":
                return PatternRestored()
            case "delete" if number % 3 == 0:
                return PatternDeleted()
            case "conflict":
                return detected(self.scribe.new_id(), x=draw.value)
            case "resolve" if conflict:
                return resolved(conflict, state.version, x=draw.value)
            case "abandon" if conflict:
                return PatternConflictAbandoned(conflict_id=conflict)
            case "rename":
                return edited(state.version, name=f"n{number}")
            case _:
                return edited(state.version, *(["y"] if number % 2 else []), x=draw.value)

    def sequence_at(self, time: datetime) -> int:
        """The last event before the first one of a pattern that was recorded after a time."""
        later = (at for at, (is_of_pattern, then) in enumerate(self.times) if is_of_pattern and then > time)
        return next(later, len(self.times))


def document(pattern_id: str, state: Pattern, sequence: int) -> dict[str, Any]:
    return {
        "pattern_id": pattern_id,
        "version": state.version,
        "sequence": sequence,
        "status": state.status,
        "fields": state.fields,
    }


@dataclass(frozen=True, kw_only=True)
class Running:
    """A log, its projector and a read API."""

    log: TopicLog
    client: httpx.AsyncClient

    async def get(self, team: Team, path: str, **parameters: str) -> Any:
        answer = await self.client.get(f"/api/v1/teams/{team.team_id}/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def cursor(self, team: Team, sequence: int) -> str:
        return str(Cursor(log_id=self.log.scribe.log_id, team_id=team.team_id, sequence=sequence))

    async def patterns(self, team: Team, as_of: str) -> Mapping[str, dict[str, Any]]:
        found = await self.get(team, "patterns", as_of=as_of, status="any", limit="1000", timeout="30")
        return {one["pattern_id"]: one for one in found["patterns"]}


@pytest.fixture(scope="module")
async def running(services: Services) -> AsyncIterator[Running]:
    async with fresh_log(services, projector_batch=7) as of_log, projecting(of_log):
        app = build_app("read", of_log, [router], [signed_tokens_part, read_api_part])
        async with app.router.lifespan_context(app), client_of(app) as client:
            yield Running(log=await events_log(of_log), client=client)


async def told(running: Running, drawn: Sequence[Draw]) -> Team:
    """A team to which all this happened, and which can be read."""
    scribe = running.log.scribe
    team = Team(scribe=scribe, team_id=scribe.new_id())
    streams = [stream_of(scribe.new_id()) for _ in range(6)]
    team.happen(TEAM_STREAM, team_created("Team"))
    for draw in drawn:
        team.draw(draw, streams)
    await running.log.publish()
    # Whose team it is can be seen then, too.
    await running.get(team, "patterns", at_least=running.cursor(team, len(team.times)), timeout="30")
    return team


@settings(REPEATABLE, max_examples=6)
@given(drawn=logs)
async def test_at_every_point_it_is_what_the_events_fold_to(running: Running, drawn: list[Draw]) -> None:
    team = await told(running, drawn)
    for sequence in range(len(team.folds)):
        as_of = running.cursor(team, sequence)
        assert await running.patterns(team, as_of) == team.folds[sequence]
        conflicts = (await running.get(team, "conflicts", as_of=as_of, limit="1000"))["conflicts"]
        assert {one["conflict_id"] for one in conflicts} == team.open_conflicts[sequence]


@settings(REPEATABLE, max_examples=4)
@given(drawn=logs)
async def test_at_every_time_it_is_what_the_events_until_then_fold_to(
    running: Running, drawn: list[Draw]
) -> None:
    team = await told(running, drawn)
    for time in {then for _, then in team.times}:
        for moment in (time - timedelta(milliseconds=1), time):
            found = await running.patterns(team, utc_text(moment))
            assert found == team.folds[team.sequence_at(moment)]


@settings(REPEATABLE, max_examples=4)
@given(drawn=logs, data=st.data())
async def test_a_diff_leads_from_one_fold_to_the_other(
    running: Running, drawn: list[Draw], data: st.DataObject
) -> None:
    team = await told(running, drawn)
    for _ in range(30):
        begin, end = sorted(data.draw(st.integers(0, len(team.times))) for _ in range(2))
        points = {"from": running.cursor(team, begin), "to": running.cursor(team, end), "limit": "1000"}
        found = (await running.get(team, "patterns/diff", **points))["differences"]
        assert applied(team.folds[begin], found) == without_places(team.folds[end])


def without_places(fold: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What of a fold a diff has to lead to."""
    return {pattern_id: (one["status"], one["fields"]) for pattern_id, one in fold.items()}


def applied(fold: Mapping[str, dict[str, Any]], found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A fold after the differences were made to it; each must meet what it says was there before."""
    after = without_places(fold)
    for one in found:
        status, fields = after.pop(one["pattern_id"], (None, {}))
        assert status == (one["before"] and one["before"]["status"])
        for name, change in one["fields"].items():
            assert change["before"] == ({"value": fields[name]} if name in fields else None)
        kept = {name: value for name, value in fields.items() if name not in one["fields"]}
        new = {name: change["after"]["value"] for name, change in one["fields"].items() if change["after"]}
        if one["after"]:
            after[one["pattern_id"]] = (one["after"]["status"], kept | new)
    return after
