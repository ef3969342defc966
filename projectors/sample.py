"""How many rows a proof compares; a sample is chosen by a hash that the database computes too."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

_BYTES = 8
_MOST: int = 2 ** (8 * _BYTES) - 1


class Rows(StrEnum):
    """Which rows are compared: none but sums and checkpoints, those of a sample of streams, or all."""

    NONE = "none"
    SAMPLE = "sample"
    FULL = "full"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """`share` of the streams, from 0 to 1; the same seed chooses the same ones."""

    share: float
    seed: str

    def has(self, team_id: str, name: str) -> bool:
        """Whether a stream, or what else is chosen by a name, is among them."""
        digest = sha256(f"{self.seed} {team_id} {name}".encode()).digest()
        return digest[:_BYTES] <= self._limit()

    def condition(self, name: str, first: int, log: str = "team_id") -> tuple[str, list[object]]:
        """The same in SQL, with its arguments from `first` on; `name` and `log` are expressions."""
        hashed = f"sha256(convert_to(${first}::text || ' ' || {log}::text || ' ' || {name}, 'UTF8'))"
        return (
            f"substring({hashed} FROM 1 FOR {_BYTES}) <= ${first + 1}::bytea",
            [self.seed, self._limit()],
        )

    def _limit(self) -> bytes:
        return min(int(self.share * float(_MOST)), _MOST).to_bytes(_BYTES, "big")
