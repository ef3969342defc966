"""The processes in the guardian's care."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from devstack.guardian import system

PATIENCE = 10.0  # seconds for a signal to take effect that can't be refused

Request = dict[str, Any]


class Services:
    """The main process of each service, and all it started."""

    def __init__(self) -> None:
        self._mains: dict[str, subprocess.Popen[bytes]] = {}
        self._seen: set[int] = set()

    def answer(self, request: Request) -> Request:
        """Do what is asked for; what was never started can be told anything. Raises OSError."""
        if request["op"] == "start":
            return self._start(request)
        main = self._mains.get(request["name"])
        if request["op"] == "status":
            return self._status(main)
        if main is not None:
            self._tell(main, request)
        return {}

    def _tell(self, main: subprocess.Popen[bytes], request: Request) -> None:
        match request["op"]:
            case "signal":
                main.send_signal(request["signal"])
            case "kill":
                self._kill_family(main)
            case "pause":
                self._pause(main)
            case "resume":
                self._resume(main)
            case unknown:
                raise OSError(f"{unknown} is nothing that can be asked for")

    def _start(self, request: Request) -> Request:
        """Start a service's main process in a session of its own, its output appended to the log."""
        self._bury_orphans()
        with Path(request["log"]).open("ab") as log, Path(request["stdin"]).open("rb") as stdin:
            main = subprocess.Popen(
                request["argv"],
                cwd=request["cwd"],
                env=request["env"],
                stdin=stdin,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=system.dying_with(os.getpid()),  # noqa: PLW1509 - the guardian has one thread
            )
        self._mains[request["name"]] = main
        self._seen.add(main.pid)
        return {"pid": main.pid}

    def _status(self, main: subprocess.Popen[bytes] | None) -> Request:
        """A service runs until all it left behind is gone too."""
        if main is None:
            return {"pid": None, "running": False, "exit": None}
        code = main.poll()
        return {"pid": main.pid, "running": code is None or self._bury_orphans(), "exit": code}

    def _kill_family(self, main: subprocess.Popen[bytes]) -> None:
        """Kill a service with all its processes, stopped or not; they are gone when this returns."""
        main.send_signal(signal.SIGSTOP)  # so that it starts nothing while its children are counted
        for pid in self._family(main):
            self._kill(pid)
        system.wait_until(lambda: main.poll() is not None, PATIENCE)
        system.wait_until(lambda: not self._bury_orphans(), PATIENCE)

    def _pause(self, main: subprocess.Popen[bytes]) -> None:
        """Stop every process of a service; all of them stand still when this returns."""
        main.send_signal(signal.SIGSTOP)
        system.wait_until(lambda: not self._stop_running(main), PATIENCE)

    def _resume(self, main: subprocess.Popen[bytes]) -> None:
        for pid in self._family(main):
            system.send(pid, signal.SIGCONT)

    def end(self) -> None:
        """Kill every descendant; none is left when this returns, nor shared memory of theirs."""
        while family := system.descendants_of(os.getpid()):
            for pid in family:
                self._kill(pid)
            self._bury_orphans()
            time.sleep(system.TICK)
        for segment, creator, owner in system.unattached_segments():
            if creator in self._seen:  # PostgreSQL keeps one as a lock
                system.remove_segment(segment, owner)

    def _family(self, main: subprocess.Popen[bytes]) -> set[int]:
        return set() if main.poll() is not None else system.descendants_of(main.pid) | {main.pid}

    def _stop_running(self, main: subprocess.Popen[bytes]) -> set[int]:
        stats = {pid: system.read_stat(pid) for pid in self._family(main)}
        running = {pid for pid, stat in stats.items() if stat is not None and not stat.stands_still}
        for pid in running:
            system.send(pid, signal.SIGSTOP)
        return running

    def _kill(self, pid: int) -> None:
        self._seen.add(pid)
        system.send(pid, signal.SIGKILL)

    def _bury_orphans(self) -> bool:
        """Kill and reap what services that are gone have left to us; True while there is some."""
        living = {main.pid for main in self._mains.values() if main.poll() is None}
        orphans = system.children_of({os.getpid()}) - living
        for pid in orphans:
            self._kill(pid)
            os.waitpid(pid, os.WNOHANG)
        return bool(orphans)
