"""A process starts, says where it listens, and stops in good order: a real one, with real signals."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from tests.processes import Running, running


def one_process(how: str, folder: Path, **settings: object) -> AbstractAsyncContextManager[Running]:
    return running(["-m", "tests.one_process", how], folder, settings)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_gracefully(
    tmp_path: Path, client: httpx.AsyncClient, number: signal.Signals
) -> None:
    async with one_process("well", tmp_path) as process:
        assert (await client.get(f"{await process.url()}/health/live")).status_code == 200
        assert await process.end(by=number) == (0, "")
    assert "part stops\n" in process.lines
    assert [event["reason"] for event in process.events() if event["event"] == "stopping"] == [number.name]


async def test_it_writes_the_port_that_it_took_and_logs_it(tmp_path: Path) -> None:
    async with one_process("well", tmp_path) as process:
        port = int((await process.url()).rpartition(":")[2])
        await process.end(by=signal.SIGTERM)
    assert [event["port"] for event in process.events() if event["event"] == "listening"] == [port]
    assert names_in(tmp_path) == ["port"]


async def test_a_request_under_way_is_answered_before_the_parts_stop(
    tmp_path: Path, client: httpx.AsyncClient
) -> None:
    async with one_process("well", tmp_path) as process:
        request = asyncio.create_task(client.get(f"{await process.url()}/slow"))
        await process.line_with("slow begins")
        code, _ = await process.end(by=signal.SIGTERM)
        assert (await request).json() == "done"
    assert code == 0


async def test_no_request_holds_a_stop_up_for_longer_than_it_may_take(
    tmp_path: Path, client: httpx.AsyncClient
) -> None:
    async with one_process("endless request", tmp_path, shutdown_s=2) as process:
        request = asyncio.create_task(client.get(f"{await process.url()}/slow"))
        await process.line_with("slow begins")
        code, _ = await process.end(by=signal.SIGTERM)
        answer = await request
    assert code == 0
    assert (answer.status_code, answer.json()["code"]) == (503, "stopping")
    assert answer.headers["retry-after"] == "1"
    assert "part stops\n" in process.lines


async def test_a_stop_that_hangs_is_ended_by_force(tmp_path: Path) -> None:
    async with one_process("stop hangs", tmp_path, shutdown_s=1) as process:
        await process.url()
        code, _ = await process.end(by=signal.SIGTERM)
    assert code == 1
    assert "stopping took too long" in [event["event"] for event in process.events()]


async def test_it_can_be_stopped_while_it_starts(tmp_path: Path) -> None:
    async with one_process("slow start", tmp_path) as process:
        await process.line_with("starting")
        assert await process.end(by=signal.SIGTERM) == (0, "")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("how", "event"), [("worker fails", "worker failed"), ("worker ends", "worker ended")]
)
async def test_a_worker_that_ends_unasked_takes_the_process_with_it(
    tmp_path: Path, how: str, event: str
) -> None:
    async with one_process(how, tmp_path) as process:
        code, errors = await process.end()
    assert (code, errors) == (1, "")
    assert "part stops\n" in process.lines
    (reason,) = (found for found in process.events() if found["event"] == event)
    assert reason["worker"] == "the worker"
    assert ("out of order" in reason.get("exception", "")) == (how == "worker fails")


async def test_a_worker_that_no_part_stops_is_cancelled(tmp_path: Path) -> None:
    async with one_process("worker is left", tmp_path) as process:
        await process.url()
        assert await process.end(by=signal.SIGTERM) == (0, "")


async def test_what_is_not_there_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    async with one_process("unreachable", tmp_path) as process:
        assert await process.end() == (1, "patternlog one: nothing answers\n")
    assert process.lines == []


async def test_what_has_to_be_put_right_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    async with one_process("well", tmp_path, environment="production", cors_origins="*") as process:
        code, errors = await process.end()
    assert code == 2
    assert errors.startswith("patternlog one: PATTERNLOG_CORS_ORIGINS: ")
    assert errors.count("\n") == 1


async def test_a_port_that_is_taken_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with one_process("well", tmp_path, port=port) as process:
            expected = f"patternlog one: cannot listen on 127.0.0.1:{port}: Address already in use\n"
            assert await process.end() == (2, expected)


async def test_a_port_file_that_cannot_be_written_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    async with one_process("well", tmp_path, port_file=tmp_path / "missing" / "port") as process:
        code, errors = await process.end()
    assert code == 2
    assert errors.startswith("patternlog one: cannot write PATTERNLOG_PORT_FILE")
    assert errors.count("\n") == 1


async def test_a_bug_at_start_is_logged_with_its_traceback(tmp_path: Path) -> None:
    async with one_process("bug at start", tmp_path) as process:
        assert await process.end() == (1, "")
    (event,) = process.events()
    assert event["exception"].endswith("ValueError: a bug")
