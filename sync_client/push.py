"""Pushing: what waits in the outbox goes to the server in batches, and each answer is kept with its effect.

Ids are made and stored before the first send, and a batch without an answer is sent again under the same ids:
whatever happens in between, each command is applied once.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from events.identifiers import uuid7
from events.shapes import utc_text
from sync_client.dispatch import Dispatch, Outgoing
from sync_client.errors import BatchRefused, TryLater, UnexpectedAnswer
from sync_client.outbox import Outbox
from sync_client.replica import Replica
from sync_client.retrying import patiently
from sync_client.settlement import PushReport, Settlement, is_open
from sync_client.surroundings import Surroundings
from sync_client.transport import Transport
from sync_client.wire import Answer, Rejected

BATCH = 500
BATCH_BYTES = 4 * 1024 * 1024
_KEPT = timedelta(days=30)


class StillPending(TryLater):
    """The server took the command, or may have, and does not know its outcome yet."""

    def __init__(self) -> None:
        super().__init__(
            "no_outcome", "the server has not decided on what was sent; its fate is asked for again"
        )


class Pusher:
    """One push of one replica's outbox."""

    def __init__(self, replica: Replica, transport: Transport, surroundings: Surroundings) -> None:
        self._replica = replica
        self._outbox = Outbox(replica.connection)
        self._dispatch = Dispatch(replica.connection)
        self._settlement = Settlement(replica, surroundings.now)
        self._transport = transport
        self._surroundings = surroundings
        self._unanswered: set[int] = set()
        self._batches = 0

    @property
    def report(self) -> PushReport:
        """What became of everything so far, also after an error."""
        return replace(self._settlement.report, batches=self._batches, unanswered=len(self._unanswered))

    async def push(self) -> None:
        """Send what can be sent, until nothing more can."""
        with self._replica.transaction():
            self._outbox.forget_done(utc_text(self._surroundings.now() - _KEPT))
        total = self._outbox.count_sendable() + self.report.answered
        while batch := self._next_batch():
            answers = await self._send(batch)
            self._batches += 1
            self._settlement.keep(batch, answers)
            await self._ask_about([one for one in batch if is_open(answers.get(one.command_id))])
            self._surroundings.progress.step("pushed", self.report.answered, total)

    def _next_batch(self) -> list[Outgoing]:
        with self._replica.transaction():
            return self._dispatch.take(BATCH, BATCH_BYTES, self._unanswered, self._new_id)

    def _new_id(self) -> str:
        return uuid7(int(self._surroundings.now().timestamp() * 1000), self._surroundings.random_bytes(10))

    async def _send(self, batch: Sequence[Outgoing]) -> dict[str, Answer]:
        """The answers by command id; those of commands that were not taken are missing."""
        try:
            answers = await self._transport.send([command.body() for command in batch])
        except BatchRefused as error:
            return await self._blame(batch, error)
        by_id = {answer.command_id: answer for answer in answers}
        if by_id.keys() != {command.command_id for command in batch}:
            raise UnexpectedAnswer("the outcomes are of other commands than were sent")
        return by_id

    async def _blame(self, batch: Sequence[Outgoing], error: BatchRefused) -> dict[str, Answer]:
        """Find the command that a whole batch was refused for: named by the server, or by halving."""
        if error.index is not None and error.index < len(batch):
            batch = [batch[error.index]]
        if len(batch) > 1:
            half = len(batch) // 2
            return {**await self._send(batch[:half]), **await self._send(batch[half:])}
        (culprit,) = batch
        refused = Rejected(
            command_id=culprit.command_id, status="rejected", code=error.code, detail=error.message
        )
        return {culprit.command_id: refused}

    async def _ask_about(self, commands: Sequence[Outgoing]) -> None:
        """Ask what became of commands without an outcome; in order, so the first that has none ends it."""
        for index, command in enumerate(commands):
            try:
                answer = await patiently(
                    self._surroundings.patience, partial(self._ask, command), on=StillPending
                )
            except StillPending:
                self._unanswered |= {command.position for command in commands[index:]}
                if self.report.answered == 0:
                    raise
                return
            self._settlement.keep([command], {command.command_id: answer})

    async def _ask(self, command: Outgoing) -> Answer:
        answer = await self._transport.look_up(command.command_id)
        if answer is None or is_open(answer):
            raise StillPending
        if answer.command_id != command.command_id:
            raise UnexpectedAnswer("the outcome is of another command than was asked about")
        return answer
