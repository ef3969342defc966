"""The command API's work: append commands, wait for their outcomes, look outcomes up."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from asyncpg import InterfaceError, PostgresError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.answers import outcome_body, pending_body
from command_api.command_log import CommandLog, Sender
from command_api.lookup import find_outcome
from command_api.outcome_feed import CommandPlace, OutcomeFeed
from command_api.submission import Submission
from events import outcome
from events.json_text import Json
from events.record import Record
from runtime.problems import Problem

_MOST_REMEMBERED = 20_000

CommandKey = tuple[str, str]


class CommandService:
    """Commands in, outcomes out; one per process."""

    def __init__(self, log: CommandLog, feed: OutcomeFeed, engine: AsyncEngine) -> None:
        self._log = log
        self._feed = feed
        self._engine = engine
        self._sent: OrderedDict[CommandKey, tuple[CommandPlace, asyncio.Future[Record]]] = OrderedDict()

    async def submit(self, sender: Sender, submission: Submission, wait_s: float) -> list[dict[str, Json]]:
        """Append the commands and wait for their outcomes; what is not known in time is `pending`."""
        places = await self._log.append(sender, submission.texts)
        answers = [self._feed.outcome_of(place) for place in places]
        for command_id, place, answer in zip(submission.command_ids, places, answers, strict=True):
            self._remember((sender.team_id, command_id), place, answer)
        if wait_s > 0:
            await asyncio.wait(answers, timeout=wait_s)
        return [
            _body(sender.team_id, command_id, answer)
            for command_id, answer in zip(submission.command_ids, answers, strict=True)
        ]

    async def look_up(self, team_id: str, command_id: str) -> dict[str, Json]:
        """The outcome of a command, or `pending` where this process still waits for it.

        Raise `Problem` 404 `unknown_command`, or 503 `database_unavailable`.
        """
        sent = self._sent.get((team_id, command_id))
        if sent is not None:
            return _body(team_id, command_id, sent[1])
        try:
            found = await find_outcome(self._engine, team_id, command_id)
        except (SQLAlchemyError, PostgresError, InterfaceError, OSError, TimeoutError) as error:
            raise Problem(
                "database_unavailable",
                503,
                "outcomes cannot be looked up at the moment",
                headers={"Retry-After": "1"},
            ) from error
        if found is None:
            detail = (
                "no outcome is known under this id; that is no proof that it was not received: re-send it"
            )
            raise Problem("unknown_command", 404, detail)
        return outcome_body(found)

    def _remember(self, key: CommandKey, place: CommandPlace, answer: asyncio.Future[Record]) -> None:
        self._sent[key] = (place, answer)
        if len(self._sent) > _MOST_REMEMBERED:
            _, (forgotten, _) = self._sent.popitem(last=False)
            self._feed.forget(forgotten)


def is_pending(bodies: Sequence[dict[str, Json]]) -> bool:
    """Whether any outcome is not known yet."""
    return any(body["status"] == "pending" for body in bodies)


def _body(team_id: str, command_id: str, answer: asyncio.Future[Record]) -> dict[str, Json]:
    if not answer.done():
        return pending_body(team_id, command_id)
    return outcome_body(outcome.decode(answer.result()))
