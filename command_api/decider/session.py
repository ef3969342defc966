"""One term of ownership of a partition: how it begins, and how commands are answered until it ends."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from command_api.decider.conditional_log import ConditionalLog, NotReady, Taken, take
from command_api.decider.memory import Memory, WorkingSet
from command_api.decider.micro_batch import Decided, decide_batch
from command_api.decider.needs import NotAtHand, wanted_next
from command_api.decider.partition_io import PartitionIO, Topic
from command_api.decider.recovery import Orphans, read_tail, remember, wanted_by_tail
from command_api.decider.requests import PartitionIdentity, Request, read_request, wanted_by
from command_api.decider.snapshot import Snapshot, Wanted
from command_api.decisions.commands import MAX_MEMBERS
from events import outcome
from events.outcome import Position
from events.record import NewRecord, Record
from runtime.kafka import MAX_BATCH_BYTES
from runtime.settings import Settings

# What goes beyond it is one command's: at most 3 MiB, and an answer.
_MAX_MICRO_BATCH_BYTES = MAX_BATCH_BYTES // 2
# Who waits for the first answer of a micro-batch waits for all of it, and merging takes its time.
_MAX_MICRO_BATCH_S = 0.5

ReadSnapshot = Callable[[Wanted], Awaitable[Snapshot]]
"""Reads what is wanted of the partition's rows, with its checkpoints."""


class CommandsLost(Exception):
    """[commands] no longer holds a command that is still to be answered."""


class RetakeDue(Exception):
    """The partition was held long enough; retention must never remove the last fence and mark."""


class Commands(Protocol):
    """Where an owner gets its partition's commands from."""

    def seek(self, offset: int) -> None:
        """Go on at an offset."""

    async def fetch(self, most: int) -> Sequence[Record]:
        """The next commands, as many as there are up to `most`; none after a short wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seat:
    """What a session works with, beside the log that it writes."""

    settings: Settings
    identity: PartitionIdentity
    commands: Commands
    read: ReadSnapshot


async def take_session(io: PartitionIO, writer: str, seat: Seat) -> "Session":
    """Take the partition, recall what the projections do not know yet, and say where it goes on.

    Raise what `take` raises, `CheckpointWentBack`, and `EventError` for a log that cannot be followed.
    """
    before = await seat.read(Wanted())
    await _check_lag(io, before, seat.settings.decider_max_lag)
    taken = await take(io, writer=writer, log_id=seat.identity.log_id, start=before.start)
    tail = read_tail(taken.events)
    snapshot = await seat.read(wanted_by_tail(tail))
    memory = remember(tail, taken.outcomes, before, snapshot)
    orphans = Orphans(tail, taken.next_command_offset)
    await taken.log.append_mark(
        Position(
            next_command_offset=taken.next_command_offset,
            events_end=orphans.owed_from(taken.next_command_offset, taken.log.events_end),
        )
    )
    seat.commands.seek(taken.next_command_offset)
    return Session(seat, taken, memory, orphans)


async def _check_lag(io: PartitionIO, snapshot: Snapshot, most: int) -> None:
    for topic, point in ((Topic.EVENTS, snapshot.start.heads), (Topic.OUTCOMES, snapshot.start.outcomes)):
        lag = (await io.bounds(topic)).end - point.offset
        if lag > most:
            raise NotReady(f"the projection of {topic.value} is {lag} records behind")


@dataclass(frozen=True, slots=True)
class _Enough:
    """Whether a micro-batch is large enough, or has taken long enough."""

    until: float

    def __call__(self, size: int) -> bool:
        return size > _MAX_MICRO_BATCH_BYTES or time.monotonic() > self.until


class Session:
    """One term of ownership: micro-batches, one after another."""

    def __init__(self, seat: Seat, taken: Taken, memory: Memory, orphans: Orphans) -> None:
        self.begun = {
            "next_command_offset": taken.next_command_offset,
            "tail_events": len(taken.events),
            "owed_answers": len(orphans),
        }
        self._seat = seat
        self._log: ConditionalLog = taken.log
        self._next_offset = taken.next_command_offset
        self._memory = memory
        self._orphans = orphans
        self._retake_at = time.monotonic() + seat.settings.retake_after_s
        self._records_left = seat.settings.retake_after_records

    async def serve(self, stopping: asyncio.Event) -> None:
        """Answer commands until `stopping` is set or something is in doubt."""
        while not stopping.is_set():
            if time.monotonic() > self._retake_at or self._records_left <= 0:
                raise RetakeDue
            records = await self._seat.commands.fetch(self._seat.settings.decider_batch)
            if records:
                await self.answer(records)

    async def answer(self, records: Sequence[Record]) -> None:
        """Answer the next commands; those that were answered before are passed over."""
        fresh = [record for record in records if record.offset >= self._next_offset]
        if fresh and fresh[0].offset != self._next_offset:
            raise CommandsLost(f"command {self._next_offset} is gone, the next one is {fresh[0].offset}")
        requests = [read_request(record, self._seat.identity) for record in fresh]
        while requests:
            done = await self._answer_some(requests[: _few(requests)])
            requests = requests[done:]

    async def _answer_some(self, requests: Sequence[Request]) -> int:
        working, snapshot = await self._read(requests)
        decided = await self._decide(requests, working)
        if decided.events:
            await self._log.append_events(decided.events)
            self._memory.keep_events(working.draft, self._log.events_end - 1, decided.bytes)
        await self._log.append_outcomes(self._outcome_records(decided))
        self._memory.keep_answers(working.draft, self._log.outcomes_end - 1)
        self._memory.evict(snapshot)
        self._next_offset = decided.outcomes[-1][0] + 1
        self._orphans.answered_up_to(self._next_offset)
        self._records_left -= len(decided.outcomes)
        return len(decided.outcomes)

    async def _read(self, requests: Sequence[Request]) -> tuple[WorkingSet, Snapshot]:
        """What the requests are known to need, with the state of the projections."""
        asked = wanted_by(requests)
        snapshot = await self._snapshot(asked)
        working = WorkingSet(self._memory, snapshot, asked)
        # The event of a base tells which versions it is made of.
        for _ in range(2):
            if more := wanted_next(requests, working):
                working.learn(more, await self._snapshot(more))
        return working, snapshot

    async def _decide(self, requests: Sequence[Request], working: WorkingSet) -> Decided:
        """In a thread: while it merges, heartbeats go on. What a request turns out to need is read then."""
        while True:
            enough = _Enough(time.monotonic() + _MAX_MICRO_BATCH_S)
            try:
                return await asyncio.to_thread(
                    decide_batch, requests, working, self._seat.identity, self._orphans, enough
                )
            except NotAtHand as lack:
                working.learn(lack.wanted, await self._snapshot(lack.wanted))

    async def _snapshot(self, wanted: Wanted) -> Snapshot:
        snapshot = await self._seat.read(wanted)
        self._memory.observe(snapshot)
        return snapshot

    def _outcome_records(self, decided: Decided) -> list[NewRecord]:
        # They land as one batch, so what the whole batch answers is owed by none of them.
        answered_up_to = decided.outcomes[-1][0] + 1
        events_end = self._orphans.owed_from(answered_up_to, self._log.events_end)
        return [
            outcome.encode(answer, command_offset=offset, events_end=events_end)
            for offset, answer in decided.outcomes
        ]


def _few(requests: Sequence[Request]) -> int:
    """How many of the requests hold no more commands than one may: each may need a large pattern."""
    held = accumulate(len(request.commands) for request in requests)
    return max(1, sum(count <= MAX_MEMBERS for count in held))
