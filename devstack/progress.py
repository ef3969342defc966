"""What the user is told while the devstack prepares itself: a bar on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Advance = Callable[[], None]


class Reporter:
    """Tells the user what is going on, on standard error."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def count(self, title: str, total: int) -> Iterator[Advance]:
        """Show how many of `total` things are done; call what it yields after each."""
        with (self._bar if self._console.is_terminal else self._lines)(title, total) as advance:
            yield advance

    @contextmanager
    def _bar(self, title: str, total: int) -> Iterator[Advance]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(title, total=total)
            yield lambda: progress.advance(task)

    @contextmanager
    def _lines(self, title: str, total: int) -> Iterator[Advance]:
        done = 0
        step = max(1, total // 4)
        self.say(f"{title}: 0 of {total}")

        def advance() -> None:
            nonlocal done
            done += 1
            if done % step == 0 or done == total:
                self.say(f"{title}: {done} of {total}")

        yield advance
