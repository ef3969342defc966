"""The audit as a stream: everything up to one point, in as little memory as a page takes.

Each chunk is a statement of its own, so that a client that reads slowly, or goes away, holds nothing in
Postgres; rows of the audit never change, and so all of them show the same point. Headers are sent before it
is known how the stream ends. One that is cut off ends without the chunk by which HTTP tells the end, and
without the last line that tells how many lines there were.
"""

import csv
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import orjson
import structlog
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import StreamingResponse

from events.cursor import Cursor
from events.json_text import dump
from events.log_line import log_line
from read_api.audit_query import AuditFilters, scan_of
from read_api.audit_rows import RECORDS, AuditRow, envelope_of
from read_api.paging import MAX_ORDINAL
from read_api.parameters import Reading, TeamId
from read_api.problems import log_incomplete
from read_api.reader import CurrentReader, Reader, shown
from read_api.rights import check_still_allowed
from read_api.scanning import Chunk, Scan, Shown
from runtime.problems import Problem

Format = Literal["ndjson", "csv"]

_log = structlog.get_logger(__name__)

_COLUMNS = (
    *("sequence", "stream", "version", "type", "actor", "command_id", "request_id"),
    *("occurred_at", "recorded_at", "address", "user_agent", "changes"),
)
# What a spreadsheet takes for the beginning of a formula, and the mark itself.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")

router = APIRouter(tags=["audit"])


class ExportQuery(AuditFilters):
    """Which events, and in what form."""

    format: Annotated[Format, Field(description="ndjson: one JSON object per line; csv: RFC 4180")] = "ndjson"


class LogQuery(Reading):
    """Which part of the log."""

    from_: Annotated[int, Field(alias="from", ge=1, le=MAX_ORDINAL, description="The first sequence")] = 1
    to: Annotated[
        str | None,
        Field(description="Up to this point: a cursor, or a recorded time (RFC 3339); else the present"),
    ] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    """How a stream begins and ends."""

    media_type: str
    head: bytes
    last: Callable[[str, int, str], bytes]
    """The last line: how it ended, after how many others, and up to which cursor."""


class CutOffStream(Exception):
    """The stream cannot be finished; the connection is closed, so that the client learns of it."""


@router.get(
    "/audit/export",
    summary="The audit as a file",
    responses={200: {"content": {"application/x-ndjson": {}, "text/csv": {}}, "description": "The file"}},
    response_class=StreamingResponse,
)
async def export_audit(
    team_id: TeamId, query: Annotated[ExportQuery, Query()], reader: CurrentReader
) -> StreamingResponse:
    """Everything that fits the filters, oldest first, up to the point at which the log is now.

    The last line says `end`, the number of lines before it, and the cursor of that point; without it the file
    is not whole.
    """
    end = await _end(reader, team_id, query, None)
    tell, form = _FORMS[query.format]
    scan = await scan_of(reader, team_id, query, "asc", tell)
    scan = replace(scan, high=(min(scan.high[0], end.sequence + 1),))
    return await _streamed(reader, scan, end, form)


@router.get(
    "/audit/log",
    summary="The log as written",
    responses={200: {"content": {"application/x-ndjson": {}}, "description": "The records"}},
    response_class=StreamingResponse,
)
async def export_log(
    team_id: TeamId, query: Annotated[LogQuery, Query()], reader: CurrentReader
) -> StreamingResponse:
    """The record of each event as it was written, one to a line, in order and without gaps.

    The header `Patternlog-Last-Sequence` tells the sequence of the last line.
    """
    end = await _end(reader, team_id, query, query.to)
    expected = query.from_ - 1

    def show(part: bytes) -> Shown | None:
        nonlocal expected
        event = envelope_of(team_id, part)
        if event.sequence != expected + 1:
            return None
        expected += 1
        return (event.sequence,), log_line(event)

    scan = Scan(
        team_id=team_id,
        statement=RECORDS,
        order="asc",
        low=(query.from_ - 1,),
        high=(end.sequence + 1,),
        show=show,
    )

    def last(how: str, count: int, cursor: str) -> bytes:  # noqa: ARG001 - the headers tell it
        if how == "end" and count != max(0, end.sequence + 1 - query.from_):
            raise CutOffStream(f"the audit does not hold what is after sequence {expected}")
        return b""

    return await _streamed(reader, scan, end, _Form(media_type=_NDJSON, head=b"", last=last), query.from_)


async def _end(reader: Reader, team_id: str, reading: Reading, to: str | None) -> Cursor:
    await reader.wait(team_id, reading)
    return await reader.point(team_id, "to", to, reading.timeout)


async def _streamed(
    reader: Reader, scan: Scan, end: Cursor, form: _Form, wanted: int | None = None
) -> StreamingResponse:
    """The answer; what can be told as a problem is found before it begins: that `wanted` is not there."""
    chunks = scan.chunks(reader)
    first = await anext(chunks)
    shown(first.position, end)
    if wanted is not None and wanted <= end.sequence and not first.found:
        raise log_incomplete(wanted)
    headers = {"Patternlog-Cursor": str(end), "Patternlog-Last-Sequence": str(end.sequence)}
    return StreamingResponse(
        _lines(reader, first, chunks, end, form),
        media_type=form.media_type,
        headers={**headers, "Cache-Control": "no-store"},
    )


async def _lines(
    reader: Reader, first: Chunk, rest: AsyncIterator[Chunk], end: Cursor, form: _Form
) -> AsyncIterator[bytes]:
    count = len(first.found)
    yield form.head + _text(first)
    try:
        async for chunk in rest:
            # What was projected may have been forgotten since, and be there only in part.
            shown(chunk.position, end)
            await check_still_allowed(reader.request)
            count += len(chunk.found)
            yield _text(chunk)
    except Problem as problem:
        _log.warning("a stream was cut off", code=problem.code, lines=count)
        yield form.last("cut_off", count, str(end))
        raise CutOffStream(problem.code) from problem
    yield form.last("end", count, str(end))


def _text(chunk: Chunk) -> bytes:
    return b"".join(told for _, told in chunk.found)


def _json_line(row: AuditRow) -> bytes:
    return orjson.dumps(row.entry) + b"\n"


def _json_last(how: str, count: int, cursor: str) -> bytes:
    return dump({how: {"count": count, "cursor": cursor}}) + b"\n"


def _csv_line(row: AuditRow) -> bytes:
    entry, origin = row.entry, row.origin or {}
    cells = {**entry, **origin, "changes": orjson.dumps(entry["changes"]).decode()}
    return _csv(*(cells.get(name) for name in _COLUMNS))


def _csv(*cells: object) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([_safe(cell) for cell in cells])
    return line.getvalue().encode()


def _safe(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


_NDJSON = "application/x-ndjson"
_FORMS: dict[Format, tuple[Callable[[AuditRow], bytes], _Form]] = {
    "ndjson": (_json_line, _Form(media_type=_NDJSON, head=b"", last=_json_last)),
    "csv": (
        _csv_line,
        _Form(media_type="text/csv; charset=utf-8; header=present", head=_csv(*_COLUMNS), last=_csv),
    ),
}
