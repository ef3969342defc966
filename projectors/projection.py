"""What a projection is to the loop that feeds it."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from asyncpg import Connection

from events.record import Record


class Work(Protocol):
    """What a projection makes of records that count."""

    @property
    def held_back(self) -> int | None:
        """The offset from which on the last command is not whole yet; None when it is."""

    async def write(self, pg: Connection) -> None:
        """Write the rows in the caller's transaction, which holds the checkpoint.

        Raise `Broken` at a record that cannot be applied. It may be called again after a failure.
        """


W = TypeVar("W", bound=Work)
W_co = TypeVar("W_co", bound=Work, covariant=True)


class Projection(Protocol[W_co]):
    """Read models that share one checkpoint."""

    @property
    def name(self) -> str:
        """The name that its checkpoints bear."""

    @property
    def topic(self) -> str:
        """The topic it reads."""

    @property
    def may_be_trimmed(self) -> bool:
        """Whether retention may remove the beginning of the topic."""

    @property
    def is_fenced(self) -> bool:
        """Whether the reader's rule says what counts in the topic; where it does not, every record does."""

    def take(self, partition: int, log_id: str, counting: Sequence[Record]) -> W_co:
        """Decode records that count; pure. Raise `Broken` at the first that is not of this topic and log."""
