"""What `replay` folds at a point is what the read API shows as of it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from events.cursor import Cursor
from events.pattern import PatternArchived, PatternDeleted, PatternRecorded
from projectors.errors import Broken, WrongLog
from projectors.replay import Extent, NoSuchPoint, Replayed, replay
from read_api.part import read_api_part
from read_api.routes import router
from runtime.log_setup import check_log
from runtime.settings import Settings
from runtime.topics import Topics
from runtime.web import build_app
from tests.libraries import client_of
from tests.projecting import TopicLog, append, caught_up, events_log, fetch, fresh_log, projecting, trim
from tests.scribe import detected, edited, new_records
from tests.services import Services
from tests.tokens import signed_tokens_part

CONFLICT = "0190a5d0-0000-7000-8000-0000000000cc"
RECORDED = ("12:00:00", "12:00:01", "12:00:01", "12:00:04", "12:00:02", "12:00:03", "12:00:09", "12:00:10")


@dataclass
class Told:
    """A team with eight events, recorded by a clock that goes back once, beside another team."""

    settings: Settings
    log: TopicLog
    team: str
    client: httpx.AsyncClient

    async def replay(self, **extent: object) -> Replayed:
        return await folded(self.settings, Extent(team_id=self.team, **extent))  # type: ignore[arg-type]

    async def shown(self, as_of: str) -> list[dict[str, object]]:
        parameters = {"as_of": as_of, "limit": "1000"}
        answer = await self.client.get(f"/api/v1/teams/{self.team}/patterns", params=parameters)
        assert answer.status_code == 200, answer.text
        return [one["fields"] for one in answer.json()["patterns"]]

    def cursor(self, sequence: int) -> str:
        return str(Cursor(log_id=self.log.scribe.log_id, team_id=self.team, sequence=sequence))


async def folded(settings: Settings, extent: Extent) -> Replayed:
    return await replay(settings, (await check_log(settings)).log_ids, extent, lambda *_: None)


async def written(settings: Settings) -> tuple[TopicLog, str]:
    log = await events_log(settings)
    scribe, times = log.scribe, (f"2026-03-03T{clock}.000Z" for clock in RECORDED)
    scribe.recorded_at = next(times)
    team = scribe.team("Ours")
    a, b, c = scribe.new_id(), scribe.new_id(), scribe.new_id()
    for event, pattern in (
        (PatternRecorded(fields={"name": "b", "x": 1.0, "ä": None}), a),
        (PatternRecorded(fields={"name": "a"}), b),
        (edited(1, "x", name="z"), a),
        (PatternArchived(), b),
        (PatternRecorded(fields={"name": "c"}), c),
        (detected(CONFLICT, name="mine"), a),
        (PatternDeleted(), c),
    ):
        scribe.recorded_at = next(times)
        written_now = scribe.pattern(team, event, pattern)
        assert written_now == pattern
        scribe.void(scribe.records[-1])
    scribe.fence(writer="other")
    scribe.pattern(scribe.team("Theirs"), PatternRecorded(fields={"name": "theirs"}))
    return log, team


@pytest.fixture(scope="module")
async def told(services: Services) -> AsyncIterator[Told]:
    async with fresh_log(services, log_partitions=1) as settings:
        log, team = await written(settings)
        end = await log.publish()
        async with projecting(settings):
            await caught_up(settings, end)
        app = build_app("read", settings, [router], [signed_tokens_part, read_api_part])
        async with app.router.lifespan_context(app), client_of(app) as client:
            yield Told(settings, log, team, client)


def library(replayed: Replayed, team_id: str) -> list[dict[str, object]]:
    return [json.loads(text) for text in replayed.library(team_id)]


async def test_at_every_sequence_it_is_what_the_read_api_shows(told: Told) -> None:
    for sequence in range(len(RECORDED) + 1):
        found = library(await told.replay(sequence=sequence), told.team)
        assert found == await told.shown(told.cursor(sequence))


async def test_at_every_time_it_is_what_the_read_api_shows(told: Told) -> None:
    replayed = await told.replay()
    first = replayed.teams[told.team].first_recorded
    assert first is not None
    for second in range(-1, 12):
        time = first + timedelta(seconds=second)
        found = library(await told.replay(time=time), told.team)
        assert found == await told.shown(time.isoformat())


async def test_a_time_later_than_all_events_is_the_present(told: Told) -> None:
    now = await told.replay()
    first = now.teams[told.team].first_recorded
    assert first is not None
    later = await told.replay(time=first + timedelta(days=1))
    assert (later.states, later.types) == (now.states, now.types)


async def test_the_whole_log_is_counted(told: Told) -> None:
    replayed = await folded(told.settings, Extent())
    assert replayed.types == {
        "team.created.v2": 2,
        "pattern.recorded.v1": 4,
        "pattern.edited.v3": 1,
        "pattern.archived.v1": 1,
        "pattern.conflict_detected.v1": 1,
        "pattern.deleted.v1": 1,
    }
    assert (replayed.actors, replayed.void_records) == ({"ada": 10}, 7)
    ours, theirs = replayed.teams.values()
    assert (ours.name, ours.last_sequence, ours.patterns, ours.open_conflicts) == (
        *("Ours", 8),
        {"live": 1, "archived": 1, "deleted": 1},
        1,
    )
    assert (theirs.name, theirs.last_sequence) == ("Theirs", 2)
    assert (str(ours.first_recorded), str(ours.last_recorded)) == (
        "2026-03-03 12:00:00+00:00",
        "2026-03-03 12:00:10+00:00",
    )


async def test_the_last_hash_is_the_one_that_was_projected(told: Told) -> None:
    rows = await fetch_hashes(told.settings)
    replayed = await folded(told.settings, Extent())
    assert {team_id: team.last_hash for team_id, team in replayed.teams.items()} == rows


async def fetch_hashes(settings: Settings) -> dict[str, str]:
    rows = await fetch(settings, "SELECT team_id::text, last_hash FROM projected_logs")
    return {str(team_id): str(link) for team_id, link in rows}


async def test_a_team_or_a_sequence_that_is_not_in_the_log_is_said_not_to_be(told: Told) -> None:
    with pytest.raises(NoSuchPoint, match="no team"):
        await folded(told.settings, Extent(team_id=CONFLICT))
    with pytest.raises(NoSuchPoint, match="ends at sequence 8"):
        await told.replay(sequence=9)


async def test_it_stops_at_a_record_that_a_projector_would_stop_at(services: Services) -> None:
    async with fresh_log(services, log_partitions=1) as settings:
        log = await events_log(settings)
        team = log.scribe.team()
        log.scribe.pattern(team, edited(1, name="n"))
        await log.publish()
        with pytest.raises(Broken) as broken:
            await folded(settings, Extent())
        assert broken.value.offset == 3
        assert (await folded(settings, Extent(team_id=team, sequence=1))).types.total() == 1


async def test_it_stops_where_the_chain_breaks(services: Services) -> None:
    async with fresh_log(services, log_partitions=1) as settings:
        log = await events_log(settings)
        team = log.scribe.team()
        for name in "abc":
            log.scribe.pattern(team, PatternRecorded(fields={"name": name}))
        records = new_records(log.scribe.records)
        await append(settings, Topics(settings.topic_prefix).events, 0, [*records[:2], *records[3:]])
        with pytest.raises(Broken, match="sequence 3 stands where 2 should"):
            await folded(settings, Extent())


async def test_a_log_without_its_beginning_is_not_folded(services: Services) -> None:
    async with fresh_log(services, log_partitions=2) as settings:
        log = await events_log(settings, partition=1)
        log.scribe.team()
        await log.publish()
        await trim(settings, Topics(settings.topic_prefix).events, before=2, partition=1)
        with pytest.raises(WrongLog, match="begins at offset 2"):
            await folded(settings, Extent())
