"""Where things are cached, and that two processes are not there at once."""

import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from devstack.cache import cache_dir, exclusive
from devstack.files import write_whole
from devstack.together import all_at_once

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from devstack.cache import exclusive
with exclusive(Path(sys.argv[1]), lambda: None):
    print("holding", flush=True)
    time.sleep(1000)
"""


def test_the_cache_follows_our_variable_then_xdg_then_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("PATTERNLOG_CACHE_DIR", raising=False)
    assert cache_dir() == Path("/home/ann/.cache/patternlog")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/ann")
    assert cache_dir() == Path("/var/ann/patternlog")
    monkeypatch.setenv("PATTERNLOG_CACHE_DIR", "/big/disk")
    assert cache_dir() == Path("/big/disk")


def test_who_comes_second_is_told_and_gets_in_when_the_first_is_killed(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with first:
        assert first.stdout is not None
        assert first.stdout.readline() == "holding\n"
        told = []

        def waiting() -> None:
            told.append("waiting")
            first.kill()

        with exclusive(tmp_path, waiting):
            assert told == ["waiting"]


def test_who_is_alone_is_not_told_anything(tmp_path: Path) -> None:
    with exclusive(tmp_path / "new", lambda: pytest.fail("no one else is there")):
        assert (tmp_path / "new").is_dir()


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b", b"first")
    write_whole(tmp_path / "a" / "b", b"second")
    assert (tmp_path / "a" / "b").read_bytes() == b"second"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_the_first_failure_ends_the_others_and_is_raised() -> None:
    ended = Event()

    def fail() -> None:
        raise LookupError("first")

    def work() -> None:
        assert ended.wait(20)
        raise ValueError("second")

    with pytest.raises(LookupError, match="first"):
        all_at_once([work, fail], ended.set)
