"""A server with the edge's protocol, and what a client that keeps to no rule sends it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI, Request

from runtime.edge.protocol import protocol_of
from runtime.settings import Settings
from runtime.web import build_app
from tests.waiting import eventually

ROUTES = APIRouter()


@ROUTES.post("/size")
async def size(request: Request) -> int:
    """How much came."""
    return len(await request.body())


@ROUTES.get("/api/v1/client")
async def client_and_scheme(request: Request) -> list[str]:
    """For whom it is asked."""
    return [request.client.host if request.client else "", request.url.scheme]


@ROUTES.get("/api/v1/broken")
async def broken() -> None:
    """A bug."""
    raise RuntimeError("out of order")


@asynccontextmanager
async def served(settings: Settings, app: FastAPI | None = None) -> AsyncIterator[int]:
    """The port of a server of these routes."""
    app = app or build_app("t", settings, [ROUTES], [])
    config = uvicorn.Config(
        app,
        port=0,
        http=protocol_of(settings),
        ws="none",
        lifespan="off",
        log_config=None,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    async with app.router.lifespan_context(app):
        serving = asyncio.create_task(server._serve())

        async def started() -> bool:
            return server.started

        await eventually(started)
        try:
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            server.should_exit = True
            await serving


class Wire:
    """A connection on which anything may be sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> "Wire":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        """The next answer: its status, headers and JSON; 0 where the connection ends instead."""
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, {}, None
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await self._reader.readexactly(int(headers["content-length"]))
        return int(first.split()[1]), headers, json.loads(body)

    async def status(self) -> int:
        """That of the next answer that is not `100 Continue`."""
        line = await self._reader.readline()
        while line.startswith((b"HTTP/1.1 100", b"\r\n")):
            line = await self._reader.readline()
        return int(line.split()[1])

    async def is_closed(self) -> bool:
        """Whether nothing more comes."""
        try:
            return await self._reader.read() == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """A connection that is closed in the end."""
    wire = await Wire.to(port)
    try:
        yield wire
    finally:
        wire.close()
