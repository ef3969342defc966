"""The decider as a service: a member of the commands' consumer group that owns what it is assigned."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.decider.owner import PartitionOwner
from command_api.decider.requests import PartitionIdentity
from events.record import Record
from runtime.health import Health
from runtime.kafka import client_options, member_options, record_of
from runtime.log_setup import LogIdentity, check_log
from runtime.postgres import BY_INDEX, create_engine
from runtime.service import spawn
from runtime.settings import Settings
from runtime.topics import Topics
from runtime.workers import was_asked_to_end

_FETCH_WAIT_MS = 200
_PART = "group"


class PartitionCommands:
    """One partition of the group consumer."""

    def __init__(self, consumer: AIOKafkaConsumer, at: TopicPartition) -> None:
        self._consumer = consumer
        self._at = at

    def seek(self, offset: int) -> None:
        """Go on at an offset; nothing is fetched before the first call."""
        self._consumer.seek(self._at, offset)
        self._consumer.resume(self._at)

    async def fetch(self, most: int) -> Sequence[Record]:
        """The next commands, as many as there are up to `most`; none after a short wait."""
        found = await self._consumer.getmany(self._at, timeout_ms=_FETCH_WAIT_MS, max_records=most)
        return [record_of(message) for message in found.get(self._at, ())]


class Decider(ConsumerRebalanceListener):  # type: ignore[misc]
    """Owns the partitions that the group assigns; lets go of them before another member gets them."""

    def __init__(self, settings: Settings, engine: AsyncEngine, health: Health, log: LogIdentity) -> None:
        self._settings = settings
        self._engine = engine
        self._health = health
        self._identity = log
        self._owners: dict[PartitionOwner, asyncio.Task[None]] = {}
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._consumer = AIOKafkaConsumer(
            **client_options(settings),
            **member_options(settings),
            group_id=f"{settings.topic_prefix}.deciders",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=settings.decider_batch,
        )

    async def start(self) -> None:
        """Join the group."""
        self._health.set(_PART, "no partitions assigned yet")
        self._consumer.subscribe([Topics(self._settings.topic_prefix).commands], listener=self)
        await self._consumer.start()

    async def stop(self) -> None:
        """Finish what is under way and leave the group."""
        await self._let_go()
        await self._consumer.stop()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002
        """Stop owning; the next owner would take the partitions from us anyway."""
        await self._let_go()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Own what was assigned, which may be nothing."""
        self._health.set(_PART, None)
        for at in assigned:
            self._consumer.pause(at)
            identity = PartitionIdentity(
                log_id=self._identity.log_id, partition=at.partition, partitions=self._identity.partitions
            )
            commands = PartitionCommands(self._consumer, at)
            owner = PartitionOwner(self._settings, self._engine, self._health, commands, identity)
            task = asyncio.create_task(owner.run(), name=f"owner of partition {at.partition}")
            task.add_done_callback(self._ended)
            self._owners[owner] = task

    async def watch(self) -> None:
        """Wait until an owner fails in a way that it does not handle itself, and raise what it raised."""
        await self._failed

    def _ended(self, owner: asyncio.Task[None]) -> None:
        if was_asked_to_end(owner) or self._failed.done():
            return
        error = RuntimeError("an owner was cut off") if owner.cancelled() else owner.exception()
        if error is not None:
            self._failed.set_exception(error)

    async def _let_go(self) -> None:
        owners, self._owners = self._owners, {}
        for owner in owners:
            owner.stop()
        if not owners:
            return
        _, late = await asyncio.wait(owners.values(), timeout=self._settings.append_timeout_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)


@asynccontextmanager
async def decider_part(app: FastAPI, settings: Settings, health: Health) -> AsyncIterator[None]:
    """Decide on the commands of the assigned partitions while the service runs."""
    engine = create_engine(settings, "patternlog-decider", **BY_INDEX)
    decider = Decider(settings, engine, health, await check_log(settings))
    try:
        await decider.start()
        spawn(app, decider.watch(), "decider")
        yield
    finally:
        await decider.stop()
        await engine.dispose()
