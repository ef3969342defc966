"""How far long work has come, for whoever wants to see it."""

from typing import Protocol


class Progress(Protocol):
    """Told after each step."""

    def step(self, doing: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: nobody knows) is behind us."""
        ...


class Silent:
    """Nobody looks."""

    def step(self, doing: str, done: int, total: int | None) -> None:
        pass
