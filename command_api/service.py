"""The command API's work: append commands, wait for their outcomes, look outcomes up."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.answers import outcome_body, pending_body
from command_api.command_log import CommandLog, Sender
from command_api.decisions.refusals import Refusal
from command_api.lookup import find_outcome
from command_api.outcome_feed import OutcomeFeed
from command_api.recent import CommandPlace
from command_api.submission import Submission
from events.json_text import Json
from events.outcome import Outcome
from runtime.postgres import FAILED
from runtime.problems import Problem

_MOST_REMEMBERED = 100_000

CommandKey = tuple[str, str]


class CommandService:
    """Commands in, outcomes out; one per process."""

    def __init__(self, log: CommandLog, feed: OutcomeFeed, engine: AsyncEngine) -> None:
        self._log = log
        self._feed = feed
        self._engine = engine
        self._sent: OrderedDict[CommandKey, CommandPlace] = OrderedDict()

    async def submit(self, sender: Sender, submission: Submission, wait_s: float) -> list[dict[str, Json]]:
        """Append the commands and wait for their outcomes; what is not known in time is `pending`."""
        places = await self._log.append(sender, submission.texts)
        for command_id, place in zip(submission.command_ids, places, strict=True):
            self._remember((sender.team_id, command_id), place)
        answers = [self._feed.outcome_of(place) for place in places]
        try:
            if wait_s > 0:
                await asyncio.wait(answers, timeout=wait_s)
        finally:
            for place in places:
                self._feed.forget(place)
        return [
            _body(sender.team_id, command_id, answer)
            for command_id, answer in zip(submission.command_ids, answers, strict=True)
        ]

    async def look_up(self, team_id: str, command_id: str) -> dict[str, Json]:
        """The first outcome of a command, or `pending` where this process has sent it and knows no more.

        Raise `Problem` 404 `unknown_command`, or 503 `database_unavailable`.
        """
        place = self._sent.get((team_id, command_id))
        recent = None if place is None else self._feed.recent(place)
        found = None if recent is None else _first(recent)
        if found is None:
            found = await self._find(team_id, command_id, may_fail=place is not None)
        if found is not None:
            return outcome_body(found)
        if place is not None:
            return pending_body(team_id, command_id)
        detail = "no outcome is known under this id; that is no proof that it was not received: re-send it"
        raise Problem("unknown_command", 404, detail)

    async def _find(self, team_id: str, command_id: str, *, may_fail: bool) -> Outcome | None:
        try:
            return await find_outcome(self._engine, team_id, command_id)
        except FAILED as error:
            if may_fail:
                return None
            raise Problem(
                "database_unavailable",
                503,
                "outcomes cannot be looked up at the moment",
                headers={"Retry-After": "1"},
            ) from error

    def _remember(self, key: CommandKey, place: CommandPlace) -> None:
        self._sent[key] = place
        self._sent.move_to_end(key)
        if len(self._sent) > _MOST_REMEMBERED:
            self._sent.popitem(last=False)


def is_pending(bodies: Sequence[dict[str, Json]]) -> bool:
    """Whether any outcome is not known yet."""
    return any(body["status"] == "pending" for body in bodies)


def _first(answer: Outcome) -> Outcome | None:
    """The first outcome under a command id, which a repeat tells too, unless it answers another body."""
    if answer.answer.get("code") == Refusal.COMMAND_ID_REUSED:
        return None
    return replace(answer, repeat=False)


def _body(team_id: str, command_id: str, answer: asyncio.Future[Outcome]) -> dict[str, Json]:
    if not answer.done():
        return pending_body(team_id, command_id)
    return outcome_body(answer.result())
