"""Reads and decisions go on while a projection is rebuilt, switched, switched back and dropped."""

import asyncio
from typing import Any

from fastapi import FastAPI

from events.pattern import PatternRecorded
from projectors.rebuild import rebuilding
from read_api.part import read_api_part
from read_api.routes import router
from runtime.settings import Settings
from runtime.web import build_app
from tests.libraries import client_of
from tests.projecting import TopicLog, caught_up, events_log, fresh_log, projecting, until
from tests.scribe import edited
from tests.services import Services
from tests.tokens import signed_tokens_part


class _Reading:
    """A client that reads all the time, and remembers what it saw last."""

    def __init__(self, app: FastAPI, log: TopicLog, team: str, pattern: str) -> None:
        self.reads = 0
        self.seen = 0
        self._client = client_of(app)
        self._log = log
        self._team = team
        self._pattern = pattern
        self._url = f"/api/v1/teams/{team}"

    async def run(self, stop: asyncio.Event) -> None:
        """Every read succeeds, shows at least what was asked for, and nothing older than the one before."""
        async with self._client:
            while not stop.is_set():
                changes = await self._get("/changes", limit=500)
                sequence = max(change["sequence"] for change in changes["changes"])
                assert sequence >= self.seen, "a step back"
                self.seen = sequence
                shown = await self._get(f"/patterns/{self._pattern}", at_least=changes["cursor"])
                assert shown["sequence"] >= sequence
                history = await self._get(f"/patterns/{self._pattern}/history", at_least=changes["cursor"])
                versions = [version["version"] for version in history["versions"]]
                assert versions == list(range(versions[0], versions[0] + len(versions))), "a gap"
                await self._get("/patterns", at_least=changes["cursor"])
                self.reads += 1

    async def _get(self, path: str, **parameters: Any) -> Any:
        answer = await self._client.get(self._url + path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_who_reads_all_the_time_sees_no_error_no_gap_and_no_step_back(services: Services) -> None:
    async with fresh_log(services) as settings:
        log = await events_log(settings)
        team = log.scribe.team()
        pattern = log.scribe.pattern(team, PatternRecorded(fields={"name": "hot"}))
        app = build_app("read", settings, [router], [signed_tokens_part, read_api_part])
        async with projecting(settings), app.router.lifespan_context(app):
            await caught_up(settings, await log.publish())
            reading = _Reading(app, log, team, pattern)
            stop = asyncio.Event()
            writing = asyncio.create_task(_write(log, team, pattern, stop))
            reader = asyncio.create_task(reading.run(stop))
            for step in (rebuild_and_switch, switch_back, drop_second):
                await step(settings)
                before = reading.reads

                async def reads_on(before: int = before) -> bool:
                    assert not reader.done(), reader.exception()
                    return reading.reads > before + 5

                await until(reads_on)
            stop.set()
            await writing
            await reader
        assert reading.seen > 10


async def _write(log: TopicLog, team: str, pattern: str, stop: asyncio.Event) -> None:
    version = 1
    while not stop.is_set():
        log.scribe.pattern(team, edited(version, note=version), pattern)
        version += 1
        await log.publish()


async def rebuild_and_switch(settings: Settings) -> None:
    """Fill the next generation of the library, and switch to it."""
    async with rebuilding(settings, "library") as work:
        compared = await work.rebuild(None)
        assert compared.findings.differences == []
        await work.switch(compared, accept_difference=False)


async def switch_back(settings: Settings) -> None:
    """Switch back to the generation before."""
    async with rebuilding(settings, "library") as work:
        compared = await work.compare(await work.back())
        assert compared.findings.differences == []
        await work.switch(compared, accept_difference=False)


async def drop_second(settings: Settings) -> None:
    """Drop the second generation."""
    async with rebuilding(settings, "library") as work:
        await work.drop(2)
