"""The watchdog: how far each projection is behind its log, and a new consumer for one that has gone quiet.

A consumer can stop consuming while it looks alive, so the log's end is asked for over a connection of its
own, and what counts as life is that the checkpoint moves.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from projectors.errors import WrongLog
from projectors.loop import PartitionLoop
from projectors.pulse import Pulses
from projectors.reader import Bounds, open_reader, read_bounds
from projectors.subscriber import Subscription
from projectors.transaction import is_passing
from runtime.metrics import PROJECTION_LAG
from runtime.settings import Settings

_log = structlog.get_logger(__name__)

_LOOKS = 20
"""How often it looks within the time after which it acts."""


class Watchdog:
    """Looks at subscriptions until it is cancelled."""

    def __init__(self, settings: Settings, subscriptions: Sequence[Subscription]) -> None:
        self._settings = settings
        self._watches = [Watch(settings, subscription) for subscription in subscriptions]

    async def run(self) -> None:
        """Look again and again; a look that Kafka does not answer tells nothing, and says so."""
        while True:
            try:
                async with open_reader(self._settings, "patternlog-watchdog") as reader:
                    while True:
                        await self._look(reader)
                        await asyncio.sleep(self._settings.watchdog_s / _LOOKS)
            except KafkaError as error:
                for watch in self._watches:
                    watch.subscription.status.say("watchdog", f"kafka: {error}")
                await asyncio.sleep(self._settings.watchdog_s / _LOOKS)

    async def _look(self, reader: AIOKafkaConsumer) -> None:
        for watch in self._watches:
            await watch.check_stored()
            loops = dict(watch.subscription.assignment.loops)
            bounds = await read_bounds(reader, watch.subscription.projection.topic, loops)
            if watch.is_overdue(loops, bounds, time.monotonic()):
                await watch.restart()


class Watch:
    """One subscription, looked at."""

    def __init__(self, settings: Settings, subscription: Subscription) -> None:
        self.subscription = subscription
        self._patience_s = settings.watchdog_s
        self._too_far = settings.decider_max_lag
        self._pulses = Pulses(settings.watchdog_s)
        self._joined_at = time.monotonic()

    def is_overdue(
        self, loops: Mapping[int, PartitionLoop], bounds: Mapping[int, Bounds], now: float
    ) -> bool:
        """Look at the partitions that are open; tell whether the consumer has to be replaced."""
        if self.subscription.assignment.is_joined:
            self._joined_at = now
        for partition in self._pulses.partitions - set(loops):
            self._pulses.forget(partition)
            PROJECTION_LAG.remove(self.subscription.name, partition)
        overdue = [self._is_overdue(p, loops[p], bounds[p], now) for p in loops]
        self._report(sum(bounds[p].end - loops[p].checkpoint.next_offset for p in loops))
        return any(overdue) or now - self._joined_at > self._patience_s

    async def check_stored(self) -> None:
        """Notice a Postgres that was restored to an earlier state; one that is away shows nothing."""
        try:
            await self.subscription.assignment.check_stored()
        except Exception as error:
            if not is_passing(error):
                raise

    async def restart(self) -> None:
        """Replace the consumer; if that fails, it is due again as soon as it was this time."""
        self._pulses.begin_anew(time.monotonic())
        self._joined_at = time.monotonic()
        _log.error("no progress, replacing the consumer", projection=self.subscription.name)
        await self.subscription.restart()

    def _is_overdue(self, partition: int, loop: PartitionLoop, bounds: Bounds, now: float) -> bool:
        offset = loop.checkpoint.next_offset
        if not bounds.hold(offset):
            self.subscription.assignment.stop(partition, WrongLog(bounds.outside(offset)))
            return False
        lag = bounds.end - offset
        PROJECTION_LAG.labels(self.subscription.name, partition).set(lag)
        # Without Postgres nothing moves, and another consumer would not help.
        return not loop.is_waiting and self._pulses.is_overdue(partition, offset, lag, now)

    def _report(self, behind: int) -> None:
        say = self.subscription.status.say
        stuck = ", ".join(map(str, sorted(self._pulses.stuck)))
        say("watchdog", f"no progress in partition {stuck}" if stuck else None)
        say("lag", f"{behind} records behind" if behind > self._too_far else None)
