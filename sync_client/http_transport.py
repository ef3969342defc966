"""The transport over HTTP."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache

import httpx

from command_api.decisions.refusals import Refusal
from events.json_text import Json, dump
from evidence.head_files import texts_of
from sync_client.audit_wire import ServerKeys, read_head, read_heads_page, read_keys, read_path
from sync_client.errors import BatchRefused, RequestRefused
from sync_client.http_errors import error_of, explained
from sync_client.wire import Answer, ChangesPage, read_answer, read_outcomes, read_page, read_problem

_WAIT_S = 10
"""How long the server is asked to wait for outcomes."""
_TIMEOUT = httpx.Timeout(30.0 + _WAIT_S, connect=5.0)
_FOR_COMMANDS = frozenset({*Refusal, "body_too_large", "too_many_commands"} - {Refusal.UNKNOWN_TEAM})
"""Codes that blame a request's commands, not the request."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a team's library is served; `read_server` is the read API's base URL if it is another one."""

    server: str
    team_id: str
    auth: httpx.Auth
    read_server: str | None = None

    def commands_url(self) -> str:
        """Where commands go."""
        return f"{self.server.rstrip('/')}/api/v1/teams/{self.team_id}/commands"

    def changes_url(self) -> str:
        """Where changes come from."""
        return f"{self._read_api()}/teams/{self.team_id}/changes"

    def audit_url(self, of: str) -> str:
        """Where something of the audit comes from."""
        return f"{self._read_api()}/teams/{self.team_id}/audit/{of}"

    def keys_url(self) -> str:
        """Where the service's keys are."""
        return f"{self._read_api()}/audit/keys"

    def _read_api(self) -> str:
        return f"{(self.read_server or self.server).rstrip('/')}/api/v1"


# Reading them takes longer than many a request.
_certificates = cache(httpx.create_ssl_context)


def http_client(
    auth: httpx.Auth | None, network: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """A client of the server for whoever `auth` stands for; the caller closes it."""
    headers = {"Accept": "application/json"}
    return httpx.AsyncClient(
        auth=auth, headers=headers, timeout=_TIMEOUT, transport=network, verify=_certificates()
    )


@asynccontextmanager
async def http_transport(
    endpoint: Endpoint, network: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator["HttpTransport"]:
    """A transport whose connections are closed at the end."""
    async with http_client(endpoint.auth, network) as client:
        yield HttpTransport(client, endpoint)


class HttpTransport:
    """`Transport` by the published HTTP interface."""

    def __init__(self, client: httpx.AsyncClient, endpoint: Endpoint) -> None:
        self._client = client
        self._endpoint = endpoint

    async def send(self, commands: Sequence[dict[str, Json]]) -> list[Answer]:
        response = await self._request(
            "POST",
            self._endpoint.commands_url(),
            content=dump({"commands": list(commands)}),
            headers={"Content-Type": "application/json", "Prefer": f"wait={_WAIT_S}"},
        )
        if response.status_code in (200, 202):
            return read_outcomes(response.content)
        error = error_of(response)
        index = _index_of(response)
        if isinstance(error, RequestRefused) and (index is not None or error.code in _FOR_COMMANDS):
            raise BatchRefused(error.code, error.message, index)
        raise error

    async def look_up(self, command_id: str) -> Answer | None:
        response = await self._request("GET", f"{self._endpoint.commands_url()}/{command_id}")
        if response.status_code in (200, 202):
            return read_answer(response.content)
        error = error_of(response)
        if response.status_code == 404 and error.code == "unknown_command":
            return None
        raise error

    async def changes(self, cursor: str | None, *, at_least: str | None, limit: int) -> ChangesPage:
        given = {"cursor": cursor, "at_least": at_least, "limit": str(limit)}
        parameters = {name: value for name, value in given.items() if value is not None}
        response = await self._request("GET", self._endpoint.changes_url(), params=parameters)
        if response.status_code == 200:
            return read_page(response.content)
        raise error_of(response)

    async def tree_head(self) -> str | None:
        response = await self._get(self._endpoint.audit_url("tree-head"))
        return None if response is None else read_head(response.content)

    async def consistency(self, old: int, new: int) -> list[bytes] | None:
        url = self._endpoint.audit_url("proofs/consistency")
        response = await self._request("GET", url, params={"from": str(old), "to": str(new)})
        if response.status_code == 200:
            return read_path(response.content)
        error = error_of(response)
        if error.code == "proof_out_of_range":
            return None
        raise error

    async def server_keys(self) -> ServerKeys:
        response = await self._get(self._endpoint.keys_url())
        return ServerKeys() if response is None else read_keys(response.content)

    async def tree_heads(self, page: str | None) -> tuple[list[str], str | None]:
        """Signed heads from the smallest on, and where to go on; none from a server that knows of none."""
        given = {"limit": "1000"} if page is None else {"limit": "1000", "page": page}
        response = await self._get(self._endpoint.audit_url("tree-heads"), given)
        return ([], None) if response is None else read_heads_page(response.content)

    async def inclusion(self, sequence: int, size: int) -> dict[str, Json] | None:
        """The proof that an event is in the tree of a size."""
        given = {"sequence": str(sequence), "size": str(size)}
        response = await self._get(self._endpoint.audit_url("proofs/inclusion"), given)
        if response is None:
            return None
        return {"sequence": sequence, "size": size, "path": texts_of(read_path(response.content))}

    @asynccontextmanager
    async def stream(self, of: str, params: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """An answer of the audit that is read as it comes; raise a `TransportError` if it breaks off."""
        url = self._endpoint.audit_url(of)
        with explained(url):
            async with self._client.stream("GET", url, params=params) as response:
                if response.status_code != 200:
                    await response.aread()
                    raise error_of(response)
                yield response

    async def _get(self, url: str, params: Mapping[str, str] | None = None) -> httpx.Response | None:
        """What is there; None where nothing is, as on a server that does not know the route."""
        response = await self._request("GET", url, params=params)
        if response.status_code == 200:
            return response
        error = error_of(response)
        if response.status_code == 404 and isinstance(error, RequestRefused):
            return None
        raise error

    async def _request(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        with explained(url):
            return await self._client.request(method, url, content=content, headers=headers, params=params)


def _index_of(response: httpx.Response) -> int | None:
    """The command that a problem's pointer names: 3 for /commands/3/fields/name."""
    problem = read_problem(response.content)
    parts = (problem.pointer or "").split("/") if problem else []
    return (
        int(parts[2])
        if len(parts) > 2
        and parts[1] == "commands"
        and parts[2].isdecimal()
        and parts[2].isascii()
        and len(parts[2]) < 10
        else None
    )
