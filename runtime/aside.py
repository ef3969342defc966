"""Work that keeps a core busy, in a process of its own, which ends with its parent however that ends.

    parent ── stdin: the work, then nothing until it ends ──► child
           ◄── stdout: what it reports, then its result or the error that it failed with

It is in a process group of its own, so that Ctrl-C reaches the parent alone, which then ends it.
"""

import asyncio
import os
import pickle
import struct
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar, cast

import uvloop

from runtime.collecting import seldom_collecting

T = TypeVar("T")
R = TypeVar("R")
A = TypeVar("A")

Job = Callable[[A, Callable[[R], None]], Coroutine[Any, Any, T]]
"""A function of a module, which is given something, and what to report to."""

_LENGTH = struct.Struct(">I")
_PROGRAM = "from runtime.aside import main; main()"
_CORES = os.cpu_count() or 1


class EndedEarly(Exception):
    """The process ended before its work was done."""


@dataclass(frozen=True, slots=True)
class _Reported:
    report: Any


@dataclass(frozen=True, slots=True)
class _Done:
    result: Any
    error: BaseException | None = None


def processes_for(shares: int) -> int:
    """How many processes to use for work that comes in so many shares: one for each core at the most."""
    return max(1, min(_CORES, shares))


async def run_shares(job: Job[A, R, T], shares: Sequence[A], report: Callable[[R], None]) -> list[T]:
    """Run a job for each share, the first one here and each other in a process of its own; their results.

    When one fails the others are given up, and its error is raised.
    """
    first, *others = shares
    running = [
        asyncio.ensure_future(job(first, report)),
        *(asyncio.ensure_future(run_aside(job, share, report)) for share in others),
    ]
    try:
        return await asyncio.gather(*running)
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def run_aside(job: Job[A, R, T], given: A, report: Callable[[R], None]) -> T:
    """Run a job in a process of its own and return its result, or raise what it raised.

    Raise `EndedEarly` when the process is killed. When this is cancelled, the process is.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", _PROGRAM),
        # It finds modules where this process does, and not in the current folder.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=PIPE,
        stdout=PIPE,
        process_group=0,
    )
    try:
        return cast(T, await _follow(process, pickle.dumps((job, given)), report))
    except (asyncio.IncompleteReadError, ConnectionError):
        raise EndedEarly(f"a process ended with {await process.wait()} before its work was done") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _follow(process: Process, work: bytes, report: Callable[[Any], None]) -> Any:
    if process.stdin is None or process.stdout is None:
        raise EndedEarly("a process has no pipes")
    process.stdin.write(work)
    await process.stdin.drain()
    while True:
        (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
        told = pickle.loads(await process.stdout.readexactly(length))  # noqa: S301 - our own child wrote it
        if isinstance(told, _Reported):
            report(told.report)
        elif told.error is not None:
            raise told.error
        else:
            return told.result


def main() -> None:
    """Do what stdin says, until it ends."""
    # Whatever prints must not stand between the messages.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    job, given = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own parent wrote it
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()
    with seldom_collecting(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            done = _Done(runner.run(job(given, lambda told: _send(answers, _Reported(told)))))
        except Exception as error:
            done = _Done(None, error)
    _send(answers, done)


def _send(answers: BinaryIO, message: _Reported | _Done) -> None:
    text = pickle.dumps(message)
    answers.write(_LENGTH.pack(len(text)) + text)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    # What is under way is in a transaction, or only read.
    os._exit(1)
