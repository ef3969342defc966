"""From a request to the audit: where a command came from is told there, and written nowhere else."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import TopicPartition

from runtime.kafka import create_reader
from runtime.settings import Settings
from runtime.topics import Topics
from server.setup import set_up
from tests.commands import command_id
from tests.databases import fresh_database, settings_for
from tests.everything import Everything, everything
from tests.services import Services
from tests.waiting import eventually

AGENT = "audited/1.0"


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        yield settings


async def listed(all_: Everything, url: str, of: str) -> list[Any]:
    answer: dict[str, Any] = (await all_.client.get(url)).json()
    return list(answer.get(of, []))


async def test_an_event_and_a_refusal_tell_where_they_came_from(settings: Settings, tmp_path: Path) -> None:
    team_id = str(uuid.uuid4())
    audit = f"/api/v1/teams/{team_id}/audit"
    async with everything(settings, tmp_path) as all_:
        all_.client.headers["User-Agent"] = AGENT
        answers: list[httpx.Response] = []
        for _ in range(2):
            create = {"command_id": command_id(), "type": "create_team", "name": "ours"}
            answers.append(await all_.submit(team_id, create))
        assert [answer.status_code for answer in answers] == [200, 409]

        async def is_told() -> bool:
            found = await listed(all_, audit, "entries") + await listed(all_, f"{audit}/refusals", "refusals")
            return len(found) == 2 and all(one["origin"] for one in found)

        await eventually(is_told)
        (event,) = await listed(all_, audit, "entries")
        (refusal,) = await listed(all_, f"{audit}/refusals", "refusals")
        assert event["origin"] == refusal["origin"]
        told = dict(event["origin"])
        assert told.pop("credential").startswith("session:")
        assert told == {"address": "127.0.0.1", "user_agent": AGENT}
        assert (refusal["code"], refusal["command_type"]) == ("team_exists", "create_team")
        assert refusal["actor"] == event["actor"]
    topics = Topics(settings.topic_prefix)
    assert AGENT.encode() in await everything_in(settings, topics.commands)
    for topic in (topics.events, topics.outcomes):
        written = await everything_in(settings, topic)
        assert team_id.encode() in written
        assert AGENT.encode() not in written
        assert b"127.0.0.1" not in written
    assert not any(AGENT in line for line in all_.supervisor.lines)


async def everything_in(settings: Settings, topic: str) -> bytes:
    """All keys, values and headers of a topic."""
    places = [TopicPartition(topic, partition) for partition in range(settings.log_partitions)]
    found = b""
    async with create_reader(settings, "test", *places) as reader:
        await reader.seek_to_beginning(*places)
        ends = await reader.end_offsets(places)
        for at in places:
            while await reader.position(at) < ends[at]:
                for message in (await reader.getmany(at, timeout_ms=1000)).get(at, ()):
                    headers = [part for header in message.headers for part in (header[0].encode(), header[1])]
                    found += b" ".join([message.key or b"", message.value or b"", *headers])
    return found
