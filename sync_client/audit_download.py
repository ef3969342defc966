"""Downloading a log as it was written, and its tree heads, into a folder.

The log comes into a part file that names the log's id: cut off anywhere, the next download goes on after its
last whole line. It takes its name when it has come to the end that the server told.
"""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from events.json_text import Json
from sync_client.audit_files import BadAuditFile
from sync_client.errors import TryLater, UnexpectedAnswer
from sync_client.http_transport import HttpTransport
from sync_client.pattern_files import replacing
from sync_client.progress import Progress
from sync_client.retrying import Patience, patiently
from sync_client.wire import read_cursor

LOG, HEADS = "log.ndjson", "heads.ndjson"
INCOMPLETE = "log_incomplete"
_CHUNK = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Downloaded:
    """What was downloaded; `breaks_off` is why the server could not tell the whole log, if so."""

    log: Path
    heads: Path
    events: int
    head_count: int
    breaks_off: str | None = None


class AuditDownload:
    """One download into one folder, of the log from the sequence `first` on."""

    def __init__(self, folder: Path, transport: HttpTransport, patience: Patience, watcher: Progress) -> None:
        self._folder = folder
        self._transport = transport
        self._patience = patience
        self._watcher = watcher

    async def run(self, first: int = 1) -> Downloaded:
        """Download; raise a `TransportError`, with whole lines kept for the next time, or `BadAuditFile`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # The heads first: those that are signed meanwhile would be of events that the log here lacks.
            heads = await self._heads(first)
            breaks_off = await self._log(first)
            log = self._folder / LOG if breaks_off is None else self._part(first)
            return Downloaded(
                log=log,
                heads=self._folder / HEADS,
                events=_whole_lines(log)[0],
                head_count=heads,
                breaks_off=breaks_off,
            )
        except OSError as error:
            raise BadAuditFile(f"{error.filename or self._folder}: {error.strerror or error}") from error

    # ---------------------------------------------------------------- the log

    async def _log(self, first: int) -> str | None:
        part = self._part(first)
        part.touch()
        try:
            await patiently(self._patience, lambda: self._go_on(part, first))
        except TryLater as error:
            if error.code == INCOMPLETE:
                return error.message
            raise
        part.replace(self._folder / LOG)
        return None

    def _part(self, first: int) -> Path:
        return self._folder / f".{LOG}.from-{first}.part"

    async def _go_on(self, part: Path, first: int) -> None:
        """Append what is missing; an end that comes too early is tried again from there."""
        count, size = _whole_lines(part)
        os.truncate(part, size)
        async with self._transport.stream("log", {"from": str(first + count)}) as response:
            last = _last_sequence(response)
            if not self._is_of_this_log(response, count):
                os.truncate(part, 0)
                raise TryLater("log_changed", "the log is another one than was downloaded so far", 0.0)
            with part.open("ab") as file:
                # Whatever comes is written at once: what is held back is lost when the connection breaks.
                async for chunk in response.aiter_bytes():
                    file.write(chunk)
                    count += chunk.count(b"\n")
                    self._watcher.step("downloaded", count, max(0, last + 1 - first))
                file.flush()
                os.fsync(file.fileno())
        if first + count - 1 < last:
            raise TryLater("cut_off", f"the log broke off after {count:,} events")

    def _is_of_this_log(self, response: httpx.Response, count: int) -> bool:
        """Whether what is in the part file is of the log that the server has; notes its id."""
        note = self._folder / f".{LOG}.id"
        log_id = read_cursor(response.headers.get("Patternlog-Cursor", "")).log_id
        known = note.read_text(encoding="utf-8") if note.exists() else None
        if known != log_id:
            with replacing(note) as file:
                file.write(log_id)
        return count == 0 or known == log_id

    # ---------------------------------------------------------------- the heads

    async def _heads(self, first: int) -> int:
        lines: list[dict[str, Json]] = [{"head": note} async for note in self._notes()]
        keys = await patiently(self._patience, self._transport.server_keys)
        others: list[dict[str, Json]] = [{"rotation": note} for note in keys.notes]
        if first > 1:
            proof = await patiently(self._patience, lambda: self._transport.inclusion(first, first))
            others += [] if proof is None else [{"inclusion": proof}]
        with replacing(self._folder / HEADS) as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in [*lines, *others])
        return len(lines)

    async def _notes(self) -> AsyncIterator[str]:
        page: str | None = None
        more = True
        while more:
            notes, page = await patiently(self._patience, partial(self._transport.tree_heads, page))
            for note in notes:
                yield note
            if page is not None and not notes:
                raise UnexpectedAnswer("the tree heads: a page without any has a next one")
            more = page is not None


def _last_sequence(response: httpx.Response) -> int:
    text = response.headers.get("Patternlog-Last-Sequence", "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UnexpectedAnswer("the answer is not Patternlog's: it does not tell the log's last sequence")
    return int(text)


def _whole_lines(path: Path) -> tuple[int, int]:
    """How many lines of a file are whole, and their size in bytes."""
    count = size = position = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            count += chunk.count(b"\n")
            end = chunk.rfind(b"\n")
            size = size if end < 0 else position + end + 1
            position += len(chunk)
    return count, size
