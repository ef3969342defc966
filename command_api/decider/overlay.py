"""What a decider knows that Postgres may not know yet."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Overlay(Generic[K, V]):
    """The newest value of each key, kept until a checkpoint has passed the offset it was set at."""

    def __init__(self) -> None:
        self._values: dict[K, tuple[V, int]] = {}
        self._order: deque[tuple[int, K]] = deque()

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, key: K) -> V:
        return self._values[key][0]

    def update(self, values: Iterable[tuple[K, V]], offset: int) -> None:
        """Keep values that were set at an offset, which is not before that of any earlier call."""
        for key, value in values:
            self._values[key] = (value, offset)
            self._order.append((offset, key))

    def forget(self, unless: Callable[[K, V], bool]) -> None:
        """Let go of all values but some, which Postgres may not have either."""
        self._values = {key: held for key, held in self._values.items() if unless(key, held[0])}
        self._order = deque((offset, key) for offset, key in self._order if key in self._values)

    def evict(self, checkpoint: int) -> None:
        """Let go of what was set before a checkpoint's next offset: Postgres has it."""
        while self._order and self._order[0][0] < checkpoint:
            offset, key = self._order.popleft()
            held = self._values.get(key)
            if held is not None and held[1] == offset:
                del self._values[key]
