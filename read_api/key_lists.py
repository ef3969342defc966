"""Lists of what a log has by a key of its own: members, invitations, settings, teams."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter
from starlette.responses import Response

from events.json_text import dump
from read_api.etags import json_answer
from read_api.pages import page_statement
from read_api.paging import next_page, read_page_token
from read_api.parameters import Id, Reading, Text
from read_api.reader import Reader

MAX_LIMIT = 1000

BY_ID = TypeAdapter(tuple[Id])
BY_TEXT = TypeAdapter(tuple[Text])
TOLD = """
'sequence', sequence,
'since', to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
"""
"""The members that every item has."""
_NIL = "00000000-0000-0000-0000-000000000000"


class ListQuery(Reading):
    """Which page."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most items in one page")] = 100
    page: Annotated[str | None, Field(description="`next_page` of an earlier answer")] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyList:
    """A list in the order of its keys. `rows` selects those after $3, `item` makes one's JSON."""

    name: str
    rows: str
    key: str
    item: str
    shape: TypeAdapter[tuple[str]]

    @property
    def statement(self) -> str:
        """The statement of a page; $3 is the key after which it begins."""
        return page_statement(
            rows=self.rows,
            item=f"json_build_object({self.item}, {TOLD})::text",
            place=f"{self.key}::text",
            order=self.key,
        )

    async def answer(self, reader: Reader, log: str, query: ListQuery) -> Response:
        """A page of it."""
        question = [self.name, log]
        first = ("" if self.shape is BY_TEXT else _NIL,)
        place = first if query.page is None else read_page_token(query.page, question, self.shape)
        await reader.wait(log, query)
        page = await reader.page(self.statement, log, query.limit, *place)
        token = next_page(question, page.next_place)
        tail = dump({"next_page": token, "cursor": page.position.cursor})[1:]
        return json_answer(b'{"%b":[' % self.name.encode(), page.items, b"],", tail)
