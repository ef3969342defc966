"""A team on some server, and the commands that one sends it."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from events.json_text import Json
from sync_client.http_transport import Endpoint, http_transport
from sync_client.retrying import Patience, RetryingTransport
from sync_client.session_auth import BearerToken
from sync_client.transport import Transport
from sync_client.wire import Accepted, Answer, Change, PatternItem
from tests.commands import command_id
from tests.sync_fakes.http_server import TOKEN


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team that was just created, and a transport to it. `url` is empty where there is no network."""

    transport: Transport
    team_id: str
    url: str = ""

    async def submit(self, *commands: dict[str, Json]) -> list[Answer]:
        """Submit commands, and wait as long as it takes to hear of each."""
        answers = await self.transport.send(commands)
        return [await self._settled(answer) for answer in answers]

    async def record(self, **fields: Json) -> tuple[str, Accepted]:
        pattern_id = str(uuid.uuid4())
        (answer,) = await self.submit(recording(pattern_id, **fields))
        assert isinstance(answer, Accepted)
        return pattern_id, answer

    async def all_changes(self, *, at_least: str, limit: int) -> tuple[list[Change], int]:
        """Every change from nothing on, and how many pages it took."""
        changes: list[Change] = []
        cursor, pages, more = None, 0, True
        while more:
            page = await self.transport.changes(cursor, at_least=at_least, limit=limit)
            changes, cursor, more = changes + page.changes, str(page.cursor), page.has_more
            pages += 1
        return changes, pages

    async def fields_after(self, answer: Answer) -> dict[str, Json]:
        """The fields of the pattern that changed last, when an answer's events can be seen."""
        assert isinstance(answer, Accepted)
        changes, _ = await self.all_changes(at_least=answer.cursor, limit=10)
        items = [change for change in changes if isinstance(change, PatternItem)]
        return items[-1].fields

    async def _settled(self, answer: Answer) -> Answer:
        while answer.status == "pending":
            answer = await self.transport.look_up(answer.command_id) or answer
        return answer


def recording(pattern_id: str, **fields: Json) -> dict[str, Json]:
    return {
        "command_id": command_id(),
        "type": "record_pattern",
        "pattern_id": pattern_id,
        "fields": fields,
    }


def editing(pattern_id: str, base_version: int, **given: Json) -> dict[str, Json]:
    return {
        "command_id": command_id(),
        "type": "edit_pattern",
        "pattern_id": pattern_id,
        "base_version": base_version,
        "set": given,
    }


def building_on(command: dict[str, Json], **given: Json) -> dict[str, Json]:
    edit = editing(command["pattern_id"], 1, **given)
    del edit["base_version"]
    return {**edit, "base_command": command["command_id"]}


def resolving(conflict: dict[str, Json], base_version: int, **decisions: Json) -> dict[str, Json]:
    """A decision on what an edit in conflict led to."""
    return {**abandoning(conflict), "type": "resolve_conflict", "base_version": base_version, **decisions}


def abandoning(conflict: dict[str, Json]) -> dict[str, Json]:
    return {
        "command_id": command_id(),
        "type": "abandon_conflict",
        "pattern_id": conflict["pattern_id"],
        "conflict_id": conflict["command_id"],
    }


@asynccontextmanager
async def team_at(url: str) -> AsyncIterator[Team]:
    """A new team on a server."""
    endpoint = Endpoint(server=url, team_id=str(uuid.uuid4()), auth=BearerToken(TOKEN))
    async with http_transport(endpoint) as transport:
        patient = RetryingTransport(transport, Patience())
        yield await created(Team(transport=patient, team_id=endpoint.team_id, url=url))


async def created(team: Team) -> Team:
    """The team, when the server knows it."""
    (answer,) = await team.submit({"command_id": command_id(), "type": "create_team", "name": "Ours"})
    assert isinstance(answer, Accepted)
    return team
