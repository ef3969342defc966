"""Where downloaded and prepared files are kept between runs, and how two processes share that place."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE_VARIABLE = "PATTERNLOG_CACHE_DIR"


def cache_dir() -> Path:
    """The user's cache folder for Patternlog; $PATTERNLOG_CACHE_DIR, then $XDG_CACHE_HOME, has the say."""
    if given := os.environ.get(CACHE_VARIABLE):
        return Path(given).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "patternlog"


@contextmanager
def exclusive(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Be alone in a folder until the block ends or the process dies; `waiting` is called if another is."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
