"""The notary as a worker of the projector's process: at most one of all processes signs at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from projectors.notary.heads_log import BadHeadRecord, HeadsLog
from projectors.notary.keys import signing_keys, witness_addresses
from projectors.notary.notary import Notary
from projectors.notary.witnesses import Witness
from projectors.reader import open_reader
from projectors.transaction import is_passing, reason_of
from runtime.health import Health
from runtime.kafka import create_producer
from runtime.postgres import driver
from runtime.settings import Settings
from runtime.topics import Topics

_log = structlog.get_logger(__name__)

_LOCK = 0x70_61_74_74_72_65_65
_AGAIN_AFTER_S = 1.0


class NotaryPart:
    """Signs as long as the process lives, if there are keys; raise `BadKey` when it is made."""

    def __init__(self, settings: Settings, engine: AsyncEngine, health: Health) -> None:
        self._settings = settings
        self._engine = engine
        self._health = health
        self._take_keys()
        self._addresses = witness_addresses(settings)

    async def run(self) -> None:
        """Take the turn at signing, and take it again when it was lost."""
        async with httpx.AsyncClient(timeout=self._settings.witness_timeout_s) as client:
            witnesses = [Witness(client, address) for address in self._addresses]
            while True:
                try:
                    self._take_keys()
                    await self._take_turn(witnesses)
                except BadHeadRecord as error:
                    self._health.alarm("notary", str(error))
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    # aiokafka cancels what waits for a connection that breaks; that is no end of ours.
                    task = asyncio.current_task()
                    if task is None or task.cancelling():
                        raise
                    self._health.set("notary", "kafka: the connection broke")
                except Exception as error:
                    self._health.set("notary", _passing(error))
                await asyncio.sleep(_AGAIN_AFTER_S)

    def _take_keys(self) -> None:
        self._seeds = self._settings.latest().tree_head_keys
        self._keys = signing_keys(self._settings.latest())

    def _has_other_keys(self) -> bool:
        return self._settings.latest().tree_head_keys != self._seeds

    async def _take_turn(self, witnesses: list[Witness]) -> None:
        self._health.remark("notary", None if self._keys else "no key: tree heads are not signed")
        if not self._keys:
            return
        async with driver(self._engine) as pg:
            if not await pg.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                self._health.set("notary", None)
                return
            _log.info("signing tree heads", keys=[key.key().vkey for key in self._keys])
            async with open_heads_log(self._settings) as heads:
                notary = Notary(self._settings, self._keys, witnesses, self._health)
                await notary.work(pg, heads, until=self._has_other_keys)
            # The session goes back to the pool, and the lock must not stay with it.
            await pg.execute("SELECT pg_advisory_unlock($1)", _LOCK)


def _passing(error: Exception) -> str:
    """What to say of a failure that passes; raise any other."""
    if isinstance(error, KafkaError):
        return f"kafka: {error}"
    if is_passing(error):
        return reason_of(error)
    raise error


@asynccontextmanager
async def open_heads_log(settings: Settings) -> AsyncIterator[HeadsLog]:
    """The topic of heads, to be read and written."""
    topic = Topics(settings.topic_prefix).tree_heads
    places = [TopicPartition(topic, partition) for partition in range(settings.log_partitions)]
    async with (
        open_reader(settings, "patternlog-notary", *places) as reader,
        create_producer(settings, "patternlog-notary") as producer,
    ):
        yield HeadsLog(topic, settings.log_partitions, reader, producer)
