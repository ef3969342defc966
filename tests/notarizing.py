"""A notary on a projected log, one round at a time."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from pydantic import SecretStr

from events.pattern import PatternRecorded
from evidence.notes import SigningKey
from evidence.tree_heads import SignedTreeHead, open_head
from projectors.notary.heads_log import HeadsLog
from projectors.notary.keys import signing_keys, witness_addresses
from projectors.notary.notary import Notary
from projectors.notary.part import open_heads_log
from projectors.notary.witnesses import Witness
from runtime.health import Health
from runtime.settings import Settings
from tests.projecting import TopicLog, caught_up, events_log, fetch, fresh_log, projecting
from tests.services import Services

SEED = bytes(range(32))
KEY = SigningKey("patternlog", SEED)
KEYS = SecretStr(base64.b64encode(SEED).decode())
SIGNING: dict[str, Any] = {"tree_head_keys": KEYS, "tree_head_s": 0.01, "witness_timeout_s": 2.0}


@dataclass
class Story:
    """A log with a team, and what was published of it."""

    settings: Settings
    log: TopicLog
    team: str

    async def grow(self, patterns: int = 1) -> None:
        """Write and project some more events."""
        for number in range(patterns):
            name = f"{self.log.scribe.next_offset}-{number}"
            self.log.scribe.pattern(self.team, PatternRecorded(fields={"name": name}))
        await self.project()

    async def project(self) -> None:
        """Project all that was written; nothing is signed meanwhile."""
        end = await self.log.publish()
        async with projecting(self.settings.model_copy(update={"tree_head_keys": SecretStr("")})):
            await caught_up(self.settings, end)

    async def heads(self) -> list[SignedTreeHead]:
        """The stored heads, verified, from the smallest on."""
        rows = await fetch(self.settings, "SELECT note FROM tree_heads ORDER BY size")
        return [open_head(row[0], [KEY.key()]) for row in rows]

    async def sizes(self) -> list[int]:
        """The sizes of the stored heads."""
        return [one.head.size for one in await self.heads()]

    async def alarms(self) -> list[str]:
        """Why which logs are signed no more."""
        return [row[0] for row in await fetch(self.settings, "SELECT reason FROM tree_alarms")]


@asynccontextmanager
async def story(services: Services, **other: Any) -> AsyncIterator[Story]:
    """A projected log with a team and two patterns: three events."""
    async with fresh_log(services, **SIGNING, **other) as settings:
        log = await events_log(settings)
        told = Story(settings, log, log.scribe.team())
        await told.grow(2)
        yield told


@dataclass
class Turn:
    """A notary's turn at signing."""

    notary: Notary
    pg: asyncpg.Connection
    heads: HeadsLog
    health: Health

    async def sign(self) -> int:
        """One round; the number of heads."""
        return await self.notary.round(self.pg, self.heads)


@asynccontextmanager
async def turn(
    settings: Settings, clock: Callable[[], float] = lambda: 1_700_000_000.0
) -> AsyncIterator[Turn]:
    """A notary that has begun."""
    health = Health()
    pg = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    try:
        async with (
            open_heads_log(settings) as heads,
            httpx.AsyncClient(timeout=settings.witness_timeout_s) as client,
        ):
            witnesses = [Witness(client, one) for one in witness_addresses(settings)]
            notary = Notary(settings, signing_keys(settings), witnesses, health, clock)
            await notary.begin(pg, heads)
            yield Turn(notary, pg, heads, health)
    finally:
        await pg.close()
