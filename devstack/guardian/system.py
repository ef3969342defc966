"""What the guardian asks of Linux: prctl(2), shmctl(2), /proc."""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, IPC_RMID = 1, 36, 0
TICK = 0.005  # seconds between two looks at something

libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, kw_only=True)
class Stat:
    """What /proc/PID/stat says, see proc_pid_stat(5)."""

    state: str
    parent: int

    @property
    def stands_still(self) -> bool:
        return self.state in "TtZX"


def read_stat(pid: int) -> Stat | None:
    """The process's entry, or None if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = text.rpartition(")")[2].split()[:2]
    return Stat(state=state, parent=int(parent))


def children_of(pids: set[int]) -> set[int]:
    """The direct children of these processes."""
    everyone = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {pid for pid in everyone if (stat := read_stat(pid)) is not None and stat.parent in pids}


def descendants_of(pid: int) -> set[int]:
    """Children, their children and so on."""
    found: set[int] = set()
    newest = {pid}
    while newest := children_of(newest) - found:
        found |= newest
    return found


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that none can slip away."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def dying_with(guardian: int) -> Callable[[], None]:
    """What a child does before it becomes another program: be killed if the guardian is."""

    def in_the_child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != guardian:
            os._exit(1)

    return in_the_child


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Look at a condition until it holds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not done within {seconds:g} s")
        time.sleep(TICK)


def unattached_segments() -> Iterator[tuple[int, int, int]]:
    """Id, creator's process id and owner of each System V shared memory segment that no process uses."""
    table = Path("/proc/sysvipc/shm")
    for line in table.read_text(encoding="ascii").splitlines()[1:] if table.exists() else []:
        _key, segment, _mode, _size, creator, _last, attached, owner = line.split()[:8]
        if attached == "0":
            yield int(segment), int(creator), int(owner)


def remove_segment(segment: int, owner: int) -> None:
    """Remove a System V shared memory segment as its owner: root alone may not, without CAP_SYS_ADMIN."""
    own = os.geteuid()
    os.seteuid(owner)
    try:
        libc.shmctl(segment, IPC_RMID, None)
    finally:
        os.seteuid(own)
