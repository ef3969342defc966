"""An import at work: its commands go into the log part by part, and each row gets its own result."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from command_api.command_log import Sender
from command_api.imports.commands import InvalidRow, PlannedRow, RowCommand
from command_api.service import CommandService
from command_api.submission import Submission
from events.json_text import Json
from runtime.problems import Problem

_TOLD = (
    "command_id",
    "pattern_id",
    "status",
    "code",
    "detail",
    "version",
    "sequence",
    "cursor",
    "url",
    "repeat",
)
"""What a row tells of its command's outcome."""


class Import:
    """One upload's commands on their way, in the order of their rows."""

    def __init__(
        self,
        service: CommandService,
        sender: Sender,
        chunk: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._sender = sender
        self._chunk = chunk
        self._now = now

    async def run(self, planned: Sequence[PlannedRow], wait_s: float) -> list[dict[str, Json]]:
        """Send what can be sent and wait so long for the outcomes; the results are in the file's order.

        A part goes after the one before it has its outcomes, as long as there is time to wait.
        Raise `Problem` 503 `log_unavailable` where nothing could be sent.
        """
        results = {row.index: invalid_result(row) for row in planned if isinstance(row, InvalidRow)}
        commands = [row for row in planned if isinstance(row, RowCommand)]
        until = self._now() + wait_s
        for begin in range(0, len(commands), self._chunk):
            part = commands[begin : begin + self._chunk]
            try:
                outcomes = await self._send(part, max(0.0, until - self._now()))
            except Problem as problem:
                if begin == 0:
                    raise
                results |= {row.index: _unsent(row, problem) for row in commands[begin:]}
                break
            results |= {row.index: _result(row, body) for row, body in zip(part, outcomes, strict=True)}
        return [results[row.index] for row in planned]

    async def _send(self, part: Sequence[RowCommand], wait_s: float) -> list[dict[str, Json]]:
        ids, texts = [row.command_id for row in part], [row.text for row in part]
        submission = Submission(ids, texts, is_many=True, count=len(texts))
        return await self._service.submit(self._sender, submission, wait_s)


def dry_results(planned: Sequence[PlannedRow]) -> list[dict[str, Json]]:
    """What can be said of the rows without sending anything."""
    return [
        invalid_result(row) if isinstance(row, InvalidRow) else {"index": row.index, "status": "valid"}
        for row in planned
    ]


def invalid_result(row: InvalidRow) -> dict[str, Json]:
    """The result of a row that becomes no command."""
    return {
        "index": row.index,
        "status": "invalid",
        "code": row.code,
        "detail": row.detail,
        "pointer": row.pointer,
    }


def counts(results: Sequence[Mapping[str, Json]]) -> dict[str, int]:
    """How many rows there are of each status."""
    found: dict[str, int] = {}
    for result in results:
        found[result["status"]] = found.get(result["status"], 0) + 1
    return found


def _result(row: RowCommand, body: Mapping[str, Json]) -> dict[str, Json]:
    return {"index": row.index, "pattern_id": row.pattern_id, **dict(_told(body))}


def _told(body: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    return ((name, body[name]) for name in _TOLD if name in body)


def _unsent(row: RowCommand, problem: Problem) -> dict[str, Json]:
    """A row that the log did not acknowledge: it may hold its command all the same."""
    return {
        "index": row.index,
        "pattern_id": row.pattern_id,
        "command_id": row.command_id,
        "status": "unknown",
        "code": problem.code,
        "detail": "send the same file again under the same import_id",
    }
