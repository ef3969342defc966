"""What a team would write instead: FastAPI that validates, and FastAPI that inserts into Postgres.

Run as `python -m benchmarks.peers bare|insert PORT [DSN]`.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
import uvicorn
from fastapi import Body, FastAPI

from command_api.decisions.commands import Command, to_json
from events.json_text import dump

AnyCommand = Annotated[Command, Body(discriminator="type")]


def bare() -> FastAPI:
    """Validates a command and answers."""
    app = FastAPI()

    @app.post("/commands")
    async def submit(command: AnyCommand) -> dict[str, str]:
        return {"command_id": command.command_id, "status": "accepted"}

    @app.get("/health/ready")
    async def ready() -> str:
        return "ready"

    return app


def insert(dsn: str) -> FastAPI:
    """Validates a command, inserts it with a commit, and answers."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(dsn, min_size=4, max_size=16) as pool:
            await pool.execute(
                "CREATE TABLE IF NOT EXISTS commands (id uuid PRIMARY KEY, body text NOT NULL)"
            )
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/commands")
    async def submit(command: AnyCommand) -> dict[str, str]:
        body = dump(to_json(command)).decode()
        await app.state.pool.execute("INSERT INTO commands VALUES ($1, $2)", command.command_id, body)
        return {"command_id": command.command_id, "status": "accepted"}

    @app.get("/health/ready")
    async def ready() -> str:
        return "ready"

    return app


if __name__ == "__main__":
    kind, port, *dsn = sys.argv[1:]
    application = bare() if kind == "bare" else insert(dsn[0])
    uvicorn.run(
        application, port=int(port), log_level="warning", access_log=False, loop="uvloop", http="httptools"
    )
