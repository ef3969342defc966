"""One child process, started again whenever it ends unasked."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from subprocess import PIPE

import structlog

_log = structlog.get_logger(__name__)

MISCONFIGURED = 2
"""The exit code after which starting again changes nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What a child runs. Children of a lower `stage` are stopped first."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stage: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """Seconds between two starts: doubled each time, and short again after a run of `steady_s`."""

    first_s: float = 0.5
    longest_s: float = 30.0
    steady_s: float = 60.0


class Child:
    """A program that is kept running."""

    def __init__(self, program: Program, backoff: Backoff) -> None:
        self.program = program
        self._backoff = backoff
        self._process: asyncio.subprocess.Process | None = None

    async def keep_running(self) -> int:
        """Run the program until this is cancelled; return only when starting it again makes no sense."""
        loop = asyncio.get_running_loop()
        pause = self._backoff.first_s
        while True:
            started = loop.time()
            self._process = await self._start()
            code = await self._process.wait()
            if code == MISCONFIGURED:
                return code
            if loop.time() - started >= self._backoff.steady_s:
                pause = self._backoff.first_s
            _log.error("child ended", child=self.program.name, exit_code=code, start_again_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._backoff.longest_s)

    async def stop(self, within_s: float) -> bool:
        """End the process, by force after `within_s` seconds; whether it ended in good order."""
        process = self._process
        if process is None or process.returncode is not None:
            return True
        process.terminate()
        try:
            return await asyncio.wait_for(process.wait(), within_s) == 0
        except TimeoutError:
            _log.error("child killed", child=self.program.name, after_s=within_s)
            process.kill()
            await process.wait()
            return False

    def reload(self) -> None:
        """Have the process read its secrets anew."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)

    async def _start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *self.program.command,
            env={**os.environ, **self.program.environment},
            stdin=PIPE,
            # Ctrl-C goes to the supervisor alone, which then stops its children in their order.
            process_group=0,
        )
        _log.info("child started", child=self.program.name, pid=process.pid)
        return process
