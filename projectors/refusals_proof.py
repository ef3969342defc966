"""The table of refusals compared with [outcomes], as far as that reaches back; see `outcomes_proof`."""

from collections.abc import Sequence
from datetime import datetime

from projectors.comparison import PATIENCE_S, rows_at
from projectors.findings import Difference, Kind
from projectors.proof import Proof
from projectors.proven import Comparable
from projectors.rows import Row
from projectors.schema import outcomes as tables

_TABLE = Comparable(
    table=tables.refusals,
    columns=("partition", "command_offset", "team_id", "recorded_at", "code", "actor", "item"),
)
_OFFSET, _TEAM, _RECORDED_AT = _TABLE.places(["command_offset", "team_id", "recorded_at"])
_COUNT = "SELECT count(*) FROM refusals WHERE partition = $1 AND command_offset >= $2"


class RefusalsProof:
    """The refusals of one partition; rows recorded before `may_be_purged` need not be there."""

    def __init__(self, proof: Proof, partition: int, may_be_purged: datetime) -> None:
        self._proof = proof
        self._partition = partition
        self._may_be_purged = may_be_purged
        self._found = 0

    async def take(self, refusals: Sequence[Row]) -> None:
        """Compare the rows of the next records, without their partition."""
        expected = [(self._partition, *row) for row in refusals if self._proof.has(str(row[1]), str(row[0]))]
        rows = await rows_at(self._proof.pg, _TABLE, [_TABLE.key_of(row) for row in expected])
        self._found += len(rows)
        self._proof.findings.saw("refusals", len(rows))
        for row in expected:
            found = rows.get(_TABLE.key_of(row))
            if found is None and row[_RECORDED_AT] < self._may_be_purged:
                continue
            if found != row:
                self._add(row[_TEAM], f"offset {row[_OFFSET]}", "missing" if found is None else "altered")

    async def end(self, first: int) -> None:
        """Look for rows from a command on that no record tells of."""
        where, arguments = "true", list[object]()
        if self._proof.sample is not None:
            where, arguments = self._proof.sample.condition("command_offset::text", 3)
        count: int = await self._proof.pg.fetchval(
            f"{_COUNT} AND {where}", self._partition, first, *arguments, timeout=PATIENCE_S
        )
        if count > self._found:
            self._add("", f"{count - self._found} too many", "added")

    def _add(self, team_id: str, key: str, kind: Kind) -> None:
        place = f"{team_id} partition {self._partition} {key}".strip()
        self._proof.findings.add(Difference(table="refusals", key=place, kind=kind, team_id=team_id))
