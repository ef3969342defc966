"""`make demo`, as it looks from outside: what it tells, and what it leaves behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo.client import PASSWORD
from demo.rules import rule_book

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0

pytestmark = [pytest.mark.devstack, pytest.mark.timeout(600)]


class Demo:
    """A story in a process group of its own, as a terminal runs it, with every process it ever had."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self.text = ""
        self.seen: set[psutil.Process] = set()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo"],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def read_until(self, text: str | None) -> None:
        """Read on to the line with a text in it, or to the end."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.text += line
            if self.process.poll() is None:
                self.seen |= set(psutil.Process(self.process.pid).children(recursive=True))
            if text is not None and text in line:
                return
        assert text is None, self.text

    def wait(self) -> int:
        self.read_until(None)
        return self.process.wait(PATIENCE)

    def assert_that_nothing_is_left(self) -> None:
        names = {"java", "postgres", "redis-server"}
        assert len(self.seen) > len(names) + 4  # the services of Patternlog are processes, too
        assert psutil.wait_procs(self.seen, PATIENCE)[1] == []
        assert list(self.temporary.iterdir()) == []


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path)
    yield running
    running.process.kill()
    running.process.communicate()


def test_the_demo_tells_its_story_to_the_end_and_leaves_nothing_behind(demo: Demo) -> None:
    assert demo.wait() == 0, demo.text
    rules = len(rule_book())
    in_this_order = (
        "registered ada",
        "signed in on",
        f"{rules} recorded, 0 edited, 0 unchanged, 0 invalid",
        f"pushed {rules} commands",
        "ada$ patternlog team invite --role developer",
        "joined team",
        f"pulled {rules} changes",
        "auditor    ",
        "1 merged",
        "category is now 'imports'",
        "solution is now 'Delete the import",
        "pushed 1 command in 1 batch: 1 in conflict",
        'mine    "low"',
        'theirs  "high"',
        "severity is now 'low'",
        "v1  ",
        "pattern.conflict_detected.v1",
        "pattern.conflict_resolved.v1  severity",
        "The read models are what the log says",
        "auditor$ patternlog audit verify",
        "whole: ",
        "signed up to sequence ",
        "Everything is stopped",
    )
    assert PASSWORD not in demo.text
    assert re.search(".*".join(map(re.escape, in_this_order)), demo.text, re.DOTALL), demo.text
    demo.assert_that_nothing_is_left()


def test_ctrl_c_in_the_middle_of_the_demo_ends_everything(demo: Demo) -> None:
    demo.read_until("ada$ patternlog import")
    began = time.monotonic()
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.wait() == 130, demo.text
    assert time.monotonic() - began < PATIENCE
    assert demo.text.endswith("Stopped; nothing is left running.\n")
    assert "Traceback" not in demo.text
    demo.assert_that_nothing_is_left()
