"""Refusals: commands that were refused, for as long as their outcomes are kept."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter
from starlette.responses import Response

from events.json_text import dump
from read_api.answers import OF_EITHER, PAGED, answers
from read_api.audit_documents import RefusalsPage
from read_api.audit_query import TimeSpan
from read_api.audit_rows import folded, needle_of
from read_api.etags import json_answer
from read_api.pages import page_statement
from read_api.paging import MAX_ORDINAL, next_page, read_page_token
from read_api.parameters import TeamId, Text
from read_api.reader import CurrentReader
from read_api.scanning import Order, Place, Scan, Shown, read_page

MAX_LIMIT = 1000

_ROWS = """
SELECT recorded_at, command_offset, partition, item, octet_length(item) AS size
  FROM refusals WHERE team_id = $1 AND (recorded_at, command_offset) > ($3::timestamptz, $4::bigint)
                  AND (recorded_at, command_offset) < ($5::timestamptz, $6::bigint){condition}
"""
_CONDITIONS = {
    "actor": """ AND "left"(actor, 256) = "left"($7::text, 256) AND actor = $7""",
    "code": " AND code = $7::text",
    "": "",
}
_MICROSECONDS = "(extract(epoch FROM recorded_at) * 1000000)::bigint AS microseconds"
_ITEM = """
json_build_array((extract(epoch FROM recorded_at) * 1000000)::bigint, page.command_offset, item,
                 (SELECT json_build_object('address', address, 'user_agent', user_agent,
                                          'credential', credential)
                    FROM origins WHERE origins.partition = page.partition
                                   AND origins.command_offset = page.command_offset))::text
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Ordinal = Annotated[int, Field(ge=-MAX_ORDINAL, le=MAX_ORDINAL)]
# Microseconds before or after 1970 that are still a date.
_Moment = Annotated[int, Field(ge=-(2**55), le=2**57)]
_PLACE = TypeAdapter(tuple[_Moment, _Ordinal])

router = APIRouter(tags=["audit"])


class RefusalsQuery(TimeSpan):
    """Which refusals; filters combine."""

    actor: Annotated[Text | None, Field(description="Of commands of this actor, by id")] = None
    code: Annotated[Text | None, Field(description="With this code", examples=["name_taken"])] = None
    text: Annotated[
        Text | None, Field(description="In what is told of it; upper and lower case are alike")
    ] = None
    order: Annotated[Order, Field(description="asc: oldest first; desc: newest first")] = "asc"
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most refusals in one page")] = 100
    page: Annotated[str | None, Field(description="`next_page` of an earlier answer")] = None


def refusals_scan(team_id: str, query: RefusalsQuery) -> Scan:
    """The scan of what is asked for; raise `Problem`."""
    by = "actor" if query.actor is not None else "code" if query.code is not None else ""
    begin, end = query.times
    needle = None if query.text is None else needle_of(query.text)

    def show(part: bytes) -> Shown | None:
        microseconds, offset, item, origin = orjson.loads(part)
        told = orjson.loads(item)
        if query.code not in (None, told["code"]) or (needle is not None and needle not in folded(item)):
            return None
        return (microseconds, offset), orjson.dumps({**told, "origin": origin})

    order = f"recorded_at {query.order}, command_offset {query.order}"
    rows = _ROWS.format(condition=_CONDITIONS[by])
    return Scan(
        team_id=team_id,
        statement=page_statement(
            rows=rows, item=_ITEM, place=f"{_MICROSECONDS}, command_offset", order=order
        ),
        order=query.order,
        low=(_microseconds(begin), -1),
        high=(_microseconds(end), -1),
        show=show,
        arguments=tuple(filter(None, [query.actor or query.code])),
        convert=_moment,
    )


@router.get(
    "/audit/refusals",
    summary="Commands that were refused",
    responses=answers(RefusalsPage, *PAGED, etag=False, always=OF_EITHER),
)
async def list_refusals(
    team_id: TeamId, query: Annotated[RefusalsQuery, Query()], reader: CurrentReader
) -> Response:
    """Who was refused what, and why, by the time at which the command was recorded; for 37 days.

    A refused command that was sent again, and told the same, is here once. What the command API refuses by
    itself was never recorded, and is not here.
    """
    question = ["refusals", team_id, query.order, query.from_, query.to, query.actor, query.code, query.text]
    place = None if query.page is None else read_page_token(query.page, question, _PLACE)
    await reader.wait(team_id, query)
    scan = refusals_scan(team_id, query)
    page = await read_page(reader, scan if place is None else scan.after(place), query.limit)
    token = next_page(question, page.next_place)
    tail = dump({"next_page": token, "cursor": page.position.cursor})[1:]
    return json_answer(b'{"refusals":[', page.items, b"],", tail)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(place: Place) -> tuple[object, ...]:
    """A place as the statement takes it."""
    return (_EPOCH + timedelta(microseconds=place[0]), place[1])
