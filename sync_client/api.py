"""The service's routes besides those of a library: accounts, and who belongs to what."""

import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import httpx
from pydantic import ConfigDict, TypeAdapter

from events.identifiers import uuid7
from events.json_text import Json, dump
from sync_client.errors import CommandRefused, TryLater, UnexpectedAnswer
from sync_client.http_errors import error_of, explained
from sync_client.identity_wire import LoggedIn, moment, read_login
from sync_client.retrying import Patience, patiently
from sync_client.wire import Accepted, Answer, Unanswered, read_answer, read_outcomes, read_shape

_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(
    dict[str, Any], config=ConfigDict(hide_input_in_errors=True)
)


class Api:
    """One caller on one server; `read_server` is the read API's base URL."""

    def __init__(
        self, client: httpx.AsyncClient, server: str, read_server: str, patience: Patience | None = None
    ) -> None:
        self._client = client
        self._server = server
        self._read_server = read_server
        self._patience = patience or Patience()

    async def read(self, path: str) -> dict[str, Json]:
        """What the read API tells."""
        url = _url(self._read_server, path)
        return read_shape(_OBJECT, await patiently(self._patience, partial(self._ask, "GET", url)))

    async def get(self, path: str) -> dict[str, Json]:
        """What is known of accounts."""
        url = _url(self._server, path)
        return read_shape(_OBJECT, await patiently(self._patience, partial(self._ask, "GET", url)))

    async def delete(self, path: str) -> None:
        """Remove something, which may be done again."""
        await patiently(self._patience, partial(self._ask, "DELETE", _url(self._server, path)))

    async def post(self, path: str, body: Mapping[str, Json]) -> bytes:
        """Ask for something, once."""
        return await self._ask("POST", _url(self._server, path), body)

    async def log_in(self, username: str, password: str, device: str, known_device: str | None) -> LoggedIn:
        """A new session; raise `NeedsSignIn` for another password."""
        asked_at = moment()
        body = {"username": username, "password": password, "device": device}
        if known_device is not None:
            body["known_device"] = known_device
        return read_login(self._server, await self.post("auth/login", body), asked_at)

    async def submit(self, path: str, command: Mapping[str, Json]) -> Accepted:
        """Have a command applied, once, and wait for its outcome; raise `CommandRefused`."""
        command_id = uuid7(time.time_ns() // 1_000_000, os.urandom(10))
        body = {"commands": [{"command_id": command_id, **command}]}
        url = _url(self._server, f"{path}/commands")
        answer = await patiently(self._patience, partial(self._send, url, body))
        if answer.command_id != command_id:
            raise UnexpectedAnswer("the outcome is of another command than was sent")
        if isinstance(answer, Accepted):
            return answer
        if isinstance(answer, Unanswered):
            raise TryLater("no_outcome", "the server has not decided yet; look whether it is done later")
        raise CommandRefused(answer.code, answer.detail)

    async def _send(self, url: str, body: Mapping[str, Json]) -> Answer:
        """The answer to one command; asking again under its id is asking what became of it."""
        answers = read_outcomes(await self._ask("POST", url, body))
        if len(answers) != 1:
            raise UnexpectedAnswer("there is not one outcome of one command")
        if answers[0].status == "pending":
            return read_answer(await self._ask("GET", f"{url}/{answers[0].command_id}"))
        return answers[0]

    async def _ask(self, method: str, url: str, body: Mapping[str, Json] | None = None) -> bytes:
        content = None if body is None else dump(body)
        headers = {} if body is None else {"Content-Type": "application/json", "Prefer": "wait=10"}
        with explained(url):
            response = await self._client.request(method, url, content=content, headers=headers)
        if not response.is_success:
            raise error_of(response)
        return response.content


def _url(server: str, path: str) -> str:
    return f"{server.rstrip('/')}/api/v1/{path}"
