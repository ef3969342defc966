"""A process with one part, for tests: `python -m tests.one_process HOW`, where HOW says what goes wrong."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from runtime.health import Health
from runtime.service import run, spawn
from runtime.settings import Settings
from runtime.startup_failures import Unreachable
from runtime.web import build_app

HOW = sys.argv[1]
FOR_EVER = 3600

router = APIRouter()


@router.get("/slow")
async def slow() -> str:
    say("slow begins")
    await asyncio.sleep(FOR_EVER if HOW == "endless request" else 0.5)
    return "done"


@asynccontextmanager
async def part(app: FastAPI, _settings: Settings, _health: Health) -> AsyncIterator[None]:
    match HOW:
        case "unreachable":
            raise Unreachable("nothing answers")
        case "bug at start":
            raise ValueError("a bug")
        case "slow start":
            say("starting")
            await asyncio.sleep(FOR_EVER)
        case "worker fails":
            spawn(app, failing(), "the worker")
        case "worker ends":
            spawn(app, asyncio.sleep(0), "the worker")
        case "worker is left":
            spawn(app, asyncio.sleep(FOR_EVER), "the worker")
        case _:
            pass
    yield
    say("part stops")
    if HOW == "stop hangs":
        await asyncio.sleep(FOR_EVER)


async def failing() -> None:
    raise ValueError("out of order")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    settings = Settings(_env_file=None)
    sys.exit(run(lambda settings: build_app("one", settings, [router], [part]), settings, "one"))
