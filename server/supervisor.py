"""Several processes as one: started together, kept running, stopped in order."""

import asyncio
import signal
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

import structlog

from server.child import Backoff, Child, Program

_log = structlog.get_logger(__name__)
_stage_of = attrgetter("program.stage")


async def supervise(programs: Sequence[Program], *, stop_s: float, backoff: Backoff | None = None) -> int:
    """Run the programs until SIGTERM or SIGINT; `stop_s` is what each may take to end.

    The exit code: 0 all ended in good order, 1 not all did, 2 one said that it is misconfigured.
    """
    children = [Child(program, backoff or Backoff()) for program in programs]
    running = [asyncio.create_task(child.keep_running()) for child in children]
    # Children are in groups of their own: what a terminal or an operator tells the supervisor, it passes on.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, children)
    stop_asked = asyncio.create_task(_signal())
    ended, _ = await asyncio.wait([stop_asked, *running], return_when=asyncio.FIRST_COMPLETED)
    for task in (stop_asked, *running):
        task.cancel()
    await asyncio.gather(stop_asked, *running, return_exceptions=True)
    orderly = await _stop_in_order(children, stop_s)
    fatal = [task.result() for task in running if task in ended]
    return fatal[0] if fatal else int(not orderly)


def _reload(children: Sequence[Child]) -> None:
    for child in children:
        child.reload()


async def _signal() -> None:
    received: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def receive(name: str) -> None:
        if not received.done():
            received.set_result(name)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, receive, number.name)
    _log.info("stopping", reason=await received)


async def _stop_in_order(children: Sequence[Child], stop_s: float) -> bool:
    orderly = True
    for _, stage in groupby(sorted(children, key=_stage_of), key=_stage_of):
        orderly &= all(await asyncio.gather(*(child.stop(stop_s) for child in stage)))
    return orderly
