"""Patternlog's services as processes beside the stack, to be started, killed, paused and restarted alike."""

import contextlib
import os
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from devstack.errors import GuardianGone
from devstack.guard import Guard
from devstack.ports import HOST, Ports
from devstack.process import ManagedProcess, Program, retry_on_taken_port, run_to_end
from devstack.together import all_at_once

READY_SECONDS = 2.0
SETTINGS_PREFIX = "PATTERNLOG_"
EVERY_KIND = ("command-api", "decider", "projector", "read-api")


class Services:
    """Processes of Patternlog with one environment, a context manager; they end with it in any case."""

    def __init__(self, settings: Mapping[str, str], module: str = "server") -> None:
        """`module` is what Python runs with the commands of `server`."""
        self._module = module
        kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_PREFIX)}
        self._environment = kept | {"PATTERNLOG_ENVIRONMENT": "development"} | dict(settings)
        self._guard = Guard(None)
        self._ports = Ports()
        self._urls: dict[str, str] = {}
        self._processes: dict[str, ManagedProcess] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop every process in good order; kill what does not."""
        try:
            # After a failed start the guardian is gone, and every process with it.
            with contextlib.suppress(GuardianGone):
                all_at_once([process.stop for process in self._processes.values()], self._guard.close)
        finally:
            self._guard.close()
            self._ports.release()

    def set_up(self) -> None:
        """Migrate the database and make the log. Raises ServiceStartFailed."""
        run_to_end(self._guard, self._program("setup", ["setup"], self._environment, ready=lambda: True))

    def verify(self) -> str:
        """Replay the log against the read models and return the report. Raises ServiceStartFailed."""
        program = self._program("verify", ["verify"], self._environment, ready=lambda: True)
        run_to_end(self._guard, program)
        return program.log.read_text()

    def start(self, *kinds: str, **settings: str) -> None:
        """Start processes by kind and wait until each is ready. `kind:name` names a second one of a kind.

        Further settings, without their prefix and in lower case, hold for these processes alone.
        Raises ServiceStartFailed.
        """
        added = {SETTINGS_PREFIX + name.upper(): value for name, value in settings.items()}
        actions = [lambda kind=kind: retry_on_taken_port(lambda: self._start(kind, added)) for kind in kinds]
        all_at_once(actions, self._guard.close)

    def process(self, name: str) -> ManagedProcess:
        """A process that was started, by its name; the kind, unless another was given."""
        return self._processes[name]

    def url(self, name: str) -> str:
        """Where a process listens, now and after a restart."""
        return self._urls[name]

    def _start(self, kind: str, settings: Mapping[str, str]) -> None:
        kind, _, given = kind.partition(":")
        name = given or kind
        port = settings.get("PATTERNLOG_PORT") or self._ports.reserve()
        self._urls[name] = f"http://{HOST}:{port}"
        environment = self._environment | dict(settings) | {"PATTERNLOG_PORT": str(port)}
        program = self._program(name, ["serve", kind], environment, ready=lambda: is_ready(self.url(name)))
        self._processes[name] = ManagedProcess(self._guard, program)
        self._processes[name].start()

    def _program(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], ready: Callable[[], bool]
    ) -> Program:
        folder = self._guard.folder / name
        folder.mkdir(exist_ok=True)
        return Program(
            name=name,
            # -P: a folder named like one of our packages, where the user happens to be, is not ours.
            argv=[sys.executable, "-P", "-m", self._module, *arguments],
            cwd=folder,
            env=environment,
            log=folder / "log",
            ready=lambda _: ready(),
        )


def is_ready(url: str) -> bool:
    """Whether a process says that each of its parts works."""
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=READY_SECONDS) as response:  # noqa: S310
            return bool(response.status == 200)
    except OSError:  # it does not listen yet, or says 503
        return False
