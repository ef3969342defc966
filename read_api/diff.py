"""Diff: what changed in a library between two points of its log, pattern by pattern and field by field."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from events.cursor import Cursor
from events.json_text import dump
from read_api.answers import PAGED, answers
from read_api.documents import DiffPage
from read_api.etags import json_answer, not_modified
from read_api.pages import page_statement
from read_api.paging import ORDINAL, next_page, points_of, read_page_token
from read_api.parameters import Reading, TeamId
from read_api.points import CURRENT, VERSION_AT
from read_api.problems import bad_page, invalid_parameter
from read_api.reader import CurrentReader, Reader, shown

MAX_LIMIT = 1000
MAX_EVENTS = 10_000
"""Events that one page goes over at the most, so that it takes its time whatever is between the points: with
patterns of 10 KB that nothing has changed in, 3 s."""

# Each pattern that anything happened to comes at its last event up to the later point. Nothing happens to one
# that was deleted, so at the earlier point it was there or not yet.
_ROWS = """
SELECT history.*, old_version, old_sequence, old_archived, old_item,
       octet_length(item) + coalesce(octet_length(old_item), 0) AS size
  FROM (SELECT pattern_id, version, sequence, archived, item,
               CASE WHEN archived IS NOT NULL THEN item::json -> 'fields' END AS fields
          FROM history
         WHERE team_id = $1 AND sequence > $5 AND sequence <= $6 AND {current}) AS history
  LEFT JOIN LATERAL (
       SELECT version AS old_version, sequence AS old_sequence, archived AS old_archived, item AS old_item,
              item::json -> 'fields' AS old_fields
         FROM history AS old
        WHERE team_id = $1 AND pattern_id = history.pattern_id AND version = {version}
       ) AS old ON true
 WHERE archived IS DISTINCT FROM old_archived
    OR fields::text IS DISTINCT FROM old_fields::text
       AND fields::jsonb::text IS DISTINCT FROM old_fields::jsonb::text
"""
_SIDE = """
coalesce('{"version":' || @version || ',"sequence":' || @sequence || ',"status":"'
         || CASE WHEN @archived THEN 'archived' WHEN NOT @archived THEN 'live' END || '"}', 'null')
"""
_VALUE = """coalesce('{"value":' || @.value || '}', 'null')"""
# As text in its own order jsonb tells 1 from 1.0, as JSON does, and not one order of keys from another.
_FIELDS = """
(SELECT coalesce(string_agg(to_json(key)::text || ':{"before":' || @before || ',"after":' || @after || '}',
                            ',' ORDER BY key COLLATE "C"), '')
   FROM json_each(old_item::json -> 'fields') AS old
   FULL JOIN json_each(CASE WHEN archived IS NOT NULL THEN item::json -> 'fields' END) AS new USING (key)
  WHERE old.value::jsonb::text IS DISTINCT FROM new.value::jsonb::text)
"""
_CHANGE = """
CASE WHEN old_archived IS NULL THEN 'added' WHEN archived IS NULL THEN 'removed'
     WHEN old_archived = archived THEN 'changed' WHEN archived THEN 'archived' ELSE 'restored' END
"""


def _item() -> str:
    before, after = _SIDE.replace("@", "old_"), _SIDE.replace("@", "")
    old, new = _VALUE.replace("@", "old"), _VALUE.replace("@", "new")
    fields = _FIELDS.replace("@before", old).replace("@after", new)
    return (
        f"""'{{"pattern_id":"' || pattern_id || '","change":"' || {_CHANGE} || '","before":' || {before}"""
        f""" || ',"after":' || {after} || ',"fields":{{' || {fields} || '}}}}'"""
    )


STATEMENT = page_statement(
    rows=_ROWS.format(
        current=CURRENT.format(point="$4"),
        version=VERSION_AT.format(pattern_id="history.pattern_id", point="$3"),
    ),
    item=_item(),
    place="sequence",
    order="sequence",
)

router = APIRouter(tags=["changes"])


class DiffQuery(Reading):
    """Between which points; each is a cursor, or a recorded time (RFC 3339)."""

    from_: Annotated[
        str | None, Field(alias="from", description="The earlier point; without it, the log's beginning")
    ] = None
    to: Annotated[str | None, Field(description="The later point; without it, the present")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most patterns in one page")] = 100
    page: Annotated[str | None, Field(description="`next_page` of an earlier answer")] = None


@router.get(
    "/patterns/diff",
    summary="What changed between two points",
    responses=answers(DiffPage, *PAGED, etag=True),
)
async def list_differences(
    team_id: TeamId, query: Annotated[DiffQuery, Query()], reader: CurrentReader
) -> Response:
    """Each pattern that is not the same at both points, with the fields that differ, before and after.

    They come by their last change up to the later point. What was changed, and changed back, does not.
    Go on with `page=<next_page>` and the same points; a page can be empty although there is another.
    """
    question = ["diff", team_id, query.from_, query.to]
    (after,) = (0,) if query.page is None else read_page_token(query.page, question, ORDINAL)
    await reader.wait(team_id, query)
    begin, end = await _points(reader, team_id, query)
    etag = reader.etag(str(begin), str(end))
    if reader.holds(etag):
        return not_modified(etag)
    after = max(after, begin.sequence)
    until = min(after + MAX_EVENTS, end.sequence)
    asked = (begin.sequence, end.sequence, after, until)
    page = await reader.page(STATEMENT, team_id, query.limit, *asked, since=end)
    shown(page.position, end)
    place = page.next_place or ((until,) if until < end.sequence else None)
    token = next_page(question, place, begin, end)
    tail = dump({"next_page": token, "from": str(begin), "to": str(end)})[1:]
    return json_answer(b'{"differences":[', page.items, b"],", tail, etag=etag)


async def _points(reader: Reader, team_id: str, query: DiffQuery) -> tuple[Cursor, Cursor]:
    """The points that the request names, or those that its first page showed."""
    named = points_of(query.page) or (query.from_, query.to)
    if len(named) != 2:
        raise bad_page()
    begin_text, end_text = named
    # The earlier one first: it may have to become visible, and then the present is no earlier.
    begin = None if begin_text is None else await reader.point(team_id, "from", begin_text, query.timeout)
    end = await reader.point(team_id, "to", end_text, query.timeout)
    if begin is None:
        return Cursor(log_id=end.log_id, team_id=team_id, sequence=0), end
    if begin.sequence > end.sequence:
        raise invalid_parameter("from", "must not be later than `to`")
    return begin, end
