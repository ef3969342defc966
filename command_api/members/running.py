"""A list of members at work: the commands of its rows go to each log in their order."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from command_api.command_log import Sender
from command_api.members.planning import (
    InvalidRow,
    MemberRow,
    PlannedCommand,
    Target,
    invalid_result,
    planned,
)
from command_api.service import CommandService
from command_api.submission import Submission
from events.json_text import Json
from runtime.problems import Problem

Read = Mapping[int, MemberRow | InvalidRow]
_GOOD = ("accepted", "merged")


class MemberBatch:
    """One list on its way, as its sender's commands: what they may not do is refused to them."""

    def __init__(self, service: CommandService, sender: Sender, most_at_once: int) -> None:
        self._service = service
        self._sender = sender
        self._most = most_at_once

    async def run(
        self, read: Read, ids: Mapping[str, str], batch_id: str, wait_s: float
    ) -> list[dict[str, Json]]:
        """Send what can be sent and wait so long; the results are in the list's order."""
        results = {row.index: invalid_result(row) for row in read.values() if isinstance(row, InvalidRow)}
        known: dict[int, tuple[MemberRow, str]] = {}
        for index, row in read.items():
            if isinstance(row, InvalidRow):
                continue
            member = row.member or ids.get(row.name or "")
            if member is None:
                results[index] = _unknown(index)
            else:
                known[index] = (row, member)
        told = await self._send([*planned(known, self._sender.team_id, batch_id)], wait_s)
        results |= {index: _result(index, known[index][1], answers) for index, answers in told.items()}
        return [results[index] for index in read]

    async def _send(
        self, commands: Sequence[PlannedCommand], wait_s: float
    ) -> dict[int, list[dict[str, Json]]]:
        until = time.monotonic() + wait_s
        by_target: dict[Target, list[PlannedCommand]] = {}
        for command in commands:
            by_target.setdefault(command.target, []).append(command)
        told: dict[int, list[dict[str, Json]]] = {}
        for target, all_of_it in by_target.items():
            for begin in range(0, len(all_of_it), self._most):
                part = all_of_it[begin : begin + self._most]
                answers = await self._send_part(target, part, max(0.0, until - time.monotonic()))
                for command, answer in zip(part, answers, strict=True):
                    told.setdefault(command.index, []).append(answer)
        return told

    async def _send_part(
        self, target: Target, part: Sequence[PlannedCommand], wait_s: float
    ) -> list[dict[str, Json]]:
        ids, texts = [one.command_id for one in part], [one.text for one in part]
        sender = replace(self._sender, collection=target[0], team_id=target[1])
        try:
            submission = Submission(ids, texts, is_many=True, count=len(texts))
            answers = await self._service.submit(sender, submission, wait_s)
        except Problem as problem:
            detail = "send the same list again under the same batch_id"
            unsent = {"status": "unknown", "code": problem.code, "detail": detail}
            answers = [{"command_id": one.command_id, **unsent} for one in part]
        return [{f"{target[0].removesuffix('s')}_id": target[1], **answer} for answer in answers]


def _result(index: int, member: str, answers: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """A row is what the first of its commands is that was not accepted."""
    worst = next((one for one in answers if one["status"] not in _GOOD), answers[0])
    about: dict[str, Json] = {name: worst[name] for name in ("code", "detail") if name in worst}
    return {
        "index": index,
        "member": member,
        "status": worst["status"],
        **about,
        "outcomes": list(answers),
    }


def _unknown(index: int) -> dict[str, Json]:
    detail = "nobody has this name, or has shown that this address is theirs"
    return {"index": index, "status": "invalid", "code": "unknown_user", "detail": detail}
