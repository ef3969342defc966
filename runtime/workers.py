"""Background workers of a process: one that ends before the process does takes the process with it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


def was_asked_to_end(task: asyncio.Task[None]) -> bool:
    """Whether a task that has ended was cancelled by somebody.

    Libraries let a CancelledError of their own out of a call, by which a task ends as if it had been.
    """
    return task.cancelled() and task.cancelling() > 0


class Workers:
    """The tasks that run beside the routes; `failed` is set when one ends that should not have."""

    def __init__(self) -> None:
        self.failed = asyncio.Event()
        self.stopping = False
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a worker until it is cancelled; its end for any other reason is logged and is a failure."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancel the workers that no part has stopped, and wait for them."""
        self.stopping = True
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if was_asked_to_end(task):
            return
        error = asyncio.CancelledError("from within") if task.cancelled() else task.exception()
        if error is not None:
            _log.error("worker failed", worker=task.get_name(), exc_info=error)
        elif not self.stopping:
            _log.error("worker ended", worker=task.get_name())
        if error is not None or not self.stopping:
            self.failed.set()
