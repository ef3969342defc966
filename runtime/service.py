"""Running a process: bind, start its parts, serve, stop in order, with an exit code that says why."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from runtime import logs
from runtime.edge.protocol import protocol_of
from runtime.listening import bound_socket, port_of, write_port_file
from runtime.loading import load_settings
from runtime.secrets.masking import Masking
from runtime.secrets.reloading import SettingsSource
from runtime.settings import Settings
from runtime.startup import failure_of
from runtime.workers import Workers

_log = structlog.get_logger(__name__)

_COLLECT_AFTER = (20_000, 20, 20)
"""Objects made, and collections of the younger generation, before each generation is searched."""


def spawn(app: FastAPI, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Run a background worker of a part, which cancels it when it stops.

    A worker that ends otherwise is logged, and the process stops gracefully with exit code 1.
    """
    workers: Workers = app.state.workers
    return workers.spawn(work, name)


def run(app_factory: Callable[[Settings], FastAPI], settings: Settings, process: str) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code of the process.

    0: it was asked to stop. 1: a worker failed, something that it needs does not answer, or the stop took
    longer than `shutdown_s`. 2: a setting, the database or the log has to be put right first.
    Secrets are read anew meanwhile, and at SIGHUP.
    """
    source = SettingsSource(settings, load_settings)
    settings = source.current()
    try:
        logs.configure(settings, process)
        with bound_socket(settings) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            app = app_factory(settings)
            app.state.settings_source = source
            _spare_the_garbage_collector()
            return runner.run(_Process(app, settings, listener).run())
    except Exception as error:
        failure = failure_of(error, settings)
        if failure is None:
            _log.exception("process failed")
            return 1
        sys.stderr.write(f"patternlog {process}: {Masking(settings.latest).masked(str(failure))}\n")
        return failure.exit_code


def _spare_the_garbage_collector() -> None:
    """Take what the process consists of out of its search, which otherwise costs a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


class _Process:
    """One app between its start and its end."""

    def __init__(self, app: FastAPI, settings: Settings, listener: socket.socket) -> None:
        self._app = app
        self._settings = settings
        self._listener = listener
        self._server = _Server(_config(app, settings), self._announce)
        self._stopping = False

    async def run(self) -> int:
        """Start, serve and stop; the exit code."""
        working = asyncio.create_task(self._work())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop, working, number.name)
        source: SettingsSource = self._app.state.settings_source
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, source.want)
        try:
            return await working
        except asyncio.CancelledError:
            return 0

    async def _work(self) -> int:
        async with self._app.router.lifespan_context(self._app):
            workers: Workers = self._app.state.workers
            source: SettingsSource = self._app.state.settings_source
            watching = asyncio.create_task(self._stop_on_failure(workers))
            reloading = asyncio.create_task(source.run(self._app.state.health))
            try:
                await self._server.serve(sockets=[self._listener])
            finally:
                watching.cancel()
                reloading.cancel()
        return 1 if workers.failed.is_set() else 0

    async def _stop_on_failure(self, workers: Workers) -> None:
        await workers.failed.wait()
        self._stop(None, "a worker failed")

    def _stop(self, working: asyncio.Task[int] | None, reason: str) -> None:
        if self._stopping:
            return
        self._stopping = True
        _log.info("stopping", reason=reason)
        asyncio.get_running_loop().call_later(self._settings.shutdown_s, _give_up)
        self._server.should_exit = True
        if working is not None and not self._server.started:
            working.cancel()

    def _announce(self) -> None:
        port = port_of(self._listener)
        write_port_file(self._settings.port_file, port)
        _log.info("listening", host=self._settings.host, port=port, pid=os.getpid())


class _Server(uvicorn.Server):
    """Uvicorn's server, which leaves signals to the process and says when it accepts connections."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol_of(settings),
        ws="none",
        # The process runs the lifespan itself, so that it can explain why a part does not start.
        lifespan="off",
        log_config=None,
        access_log=False,
        # Proxies that may be trusted are believed in the app.
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_s,
        server_header=False,
        # Half of the time is for requests under way, the rest for the parts behind them.
        timeout_graceful_shutdown=max(1, int(settings.shutdown_s / 2)),
    )


def _give_up() -> None:
    _log.error("stopping took too long")
    logging.shutdown()
    # Whatever hangs would hang an ordinary exit too.
    os._exit(1)
