"""The command API's work: append commands, wait for their outcomes, look outcomes up."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.answers import outcome_body, pending_body
from command_api.command_log import CommandLog, Sender
from command_api.decisions.refusals import Refusal
from command_api.lookup import Found, find_outcome, may_read
from command_api.offered import commands_url
from command_api.outcome_feed import OutcomeFeed
from command_api.recent import CommandPlace
from command_api.submission import Submission
from events.json_text import Json
from events.outcome import Outcome
from runtime.postgres import FAILED
from runtime.problems import Problem

_MOST_REMEMBERED = 100_000

CommandKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Sent:
    """Where this process has put a command, and whose it was."""

    place: CommandPlace
    actor: str


class CommandService:
    """Commands in, outcomes out; one per process."""

    def __init__(self, log: CommandLog, feed: OutcomeFeed, engine: AsyncEngine) -> None:
        self._log = log
        self._feed = feed
        self._engine = engine
        self._sent: OrderedDict[CommandKey, _Sent] = OrderedDict()

    async def submit(self, sender: Sender, submission: Submission, wait_s: float) -> list[dict[str, Json]]:
        """Append the commands and wait for their outcomes; what is not known in time is `pending`."""
        places = await self._log.append(sender, submission.texts)
        for command_id, place in zip(submission.command_ids, places, strict=True):
            self._remember((sender.team_id, command_id), _Sent(place, sender.actor))
        answers = [self._feed.outcome_of(place) for place in places]
        try:
            if wait_s > 0:
                await asyncio.wait(answers, timeout=wait_s)
        finally:
            for place in places:
                self._feed.forget(place)
        return [
            _body(sender, command_id, answer)
            for command_id, answer in zip(submission.command_ids, answers, strict=True)
        ]

    async def look_up(self, asker: Sender, command_id: str) -> dict[str, Json]:
        """The first outcome of a command, or `pending` where this process has sent it and knows no more.

        It is for its sender, and for those who may read what it changed. Raise `Problem` 404
        `unknown_command`, or 503 `database_unavailable`.
        """
        sent = self._sent.get((asker.team_id, command_id))
        if sent is not None and sent.actor != asker.actor:
            sent = None
        recent = None if sent is None else self._feed.recent(sent.place)
        outcome = None if recent is None else _first(recent)
        if outcome is not None:
            return outcome_body(outcome)
        found = await self._find(asker, command_id, may_fail=sent is not None)
        if found is not None:
            return outcome_body(found.outcome)
        if sent is not None:
            return pending_body(_url(asker, command_id), command_id)
        detail = "no outcome is known under this id; that is no proof that it was not received: re-send it"
        raise Problem("unknown_command", 404, detail)

    async def may_read(self, asker: Sender) -> bool:
        """Whether somebody may know what others do there; raise what Postgres does."""
        return await may_read(self._engine, asker)

    async def _find(self, asker: Sender, command_id: str, *, may_fail: bool) -> Found | None:
        try:
            found = await find_outcome(self._engine, asker.team_id, command_id)
            if found is None or found.actor == asker.actor or await may_read(self._engine, asker):
                return found
            return None
        except FAILED as error:
            if may_fail:
                return None
            raise Problem(
                "database_unavailable",
                503,
                "outcomes cannot be looked up at the moment",
                headers={"Retry-After": "1"},
            ) from error

    def _remember(self, key: CommandKey, sent: "_Sent") -> None:
        self._sent[key] = sent
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


def _url(sender: Sender, command_id: str) -> str:
    return commands_url(sender.collection, sender.team_id, command_id)


def _body(sender: Sender, command_id: str, answer: asyncio.Future[Outcome]) -> dict[str, Json]:
    if not answer.done():
        return pending_body(_url(sender, command_id), command_id)
    return outcome_body(answer.result())
