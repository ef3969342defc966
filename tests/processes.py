"""Processes that tests start, talk to and end."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

WITHIN_S = 60.0
"""What a process may take to start or to end on a busy machine."""
ROOT = Path(__file__).parents[1]


@dataclass(kw_only=True)
class Running:
    """A process, and the lines that it has written to stdout."""

    process: Process
    port_file: Path
    lines: list[str] = field(default_factory=list)

    async def url(self) -> str:
        """Where it listens, once it does."""
        await until(lambda: self.port_file.exists() or self.process.returncode is not None)
        return f"http://127.0.0.1:{self.port_file.read_text().strip()}"

    async def next_line(self) -> str:
        """The next line that it writes."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            line = (await self.process.stdout.readline()).decode()
        assert line, f"it ended after {''.join(self.lines)}"
        self.lines.append(line)
        return line

    async def line_with(self, text: str) -> str:
        """The first line that it has written, or will write, with the text in it."""
        for line in self.lines:
            if text in line:
                return line
        while text not in (line := await self.next_line()):
            pass
        return line

    async def end(self, by: signal.Signals | None = None) -> tuple[int, str]:
        """The exit code and everything on stderr, after the signal if one is given."""
        if by is not None:
            self.process.send_signal(by)
        async with asyncio.timeout(WITHIN_S):
            output, errors = await self.process.communicate()
        self.lines += output.decode().splitlines(keepends=True)
        assert self.process.returncode is not None
        return self.process.returncode, errors.decode()

    def events(self) -> list[dict[str, Any]]:
        """The lines that are JSON."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]


@asynccontextmanager
async def running(
    arguments: list[str], folder: Path, settings: Mapping[str, object] | None = None
) -> AsyncIterator[Running]:
    """Run `python ...` in development on a free port; it is killed at the end if it still runs."""
    port_file = folder / "port"
    chosen = {"environment": "development", "port": 0, "port_file": port_file, **(settings or {})}
    environment = {f"PATTERNLOG_{name.upper()}": str(value) for name, value in chosen.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={**os.environ, **environment}, stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    try:
        yield Running(process=process, port_file=port_file)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def until_ready(process: Running) -> str:
    """Wait until every part of the process works; where it listens."""
    url = await process.url()
    async with httpx.AsyncClient(base_url=url) as client, asyncio.timeout(WITHIN_S):
        while not (await client.get("/health/ready")).is_success:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)
    return url


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the condition; fail when it takes too long."""
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.02)
