"""Checkpoints: how far a projection has come in a partition, moved only from where it was left."""

from dataclasses import dataclass

from asyncpg import Connection

from events.readers_rule import Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The place after the last record that was applied or passed over, and who may write there."""

    next_offset: int
    standing: Standing
    log_id: str
    void_records: int


_LOAD = """
SELECT next_offset, term, writer, fence_offset, log_id::text, void_records
  FROM checkpoints WHERE projection = $1 AND partition = $2
"""

_LOCK = _LOAD + " FOR UPDATE"

_REPAIRED = """
UPDATE checkpoints SET repairs = repairs + 1 WHERE projection = $1 AND partition = $2
"""

_OFFSETS = """
SELECT partition, next_offset FROM checkpoints WHERE projection = $1
"""

_CREATE = """
INSERT INTO checkpoints
       (projection, partition, next_offset, term, writer, fence_offset, log_id, void_records)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
"""

_ADVANCE = """
UPDATE checkpoints
   SET next_offset = $3, term = $4, writer = $5, fence_offset = $6, void_records = $7, updated_at = now()
 WHERE projection = $1 AND partition = $2
   AND next_offset = $8 AND term = $9 AND writer = $10 AND log_id = $11
RETURNING true
"""

_END_BLOCKER = """
SELECT pg_terminate_backend(l.pid)
  FROM checkpoints AS c
  JOIN pg_locks AS l ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = c.xmax
 WHERE c.projection = $1 AND c.partition = $2 AND l.pid <> pg_backend_pid()
"""


async def load(pg: Connection, projection: str, partition: int) -> Checkpoint | None:
    """The checkpoint; None when the projection never began here."""
    return await _read(pg, _LOAD, projection, partition)


async def lock(pg: Connection, projection: str, partition: int) -> Checkpoint | None:
    """The same, and until the transaction ends no projector moves it."""
    return await _read(pg, _LOCK, projection, partition)


async def count_repair(pg: Connection, projection: str, partition: int) -> None:
    """Let those who have built on the rows know that some were wrong."""
    await pg.execute(_REPAIRED, projection, partition)


async def _read(pg: Connection, statement: str, projection: str, partition: int) -> Checkpoint | None:
    row = await pg.fetchrow(statement, projection, partition)
    if row is None:
        return None
    next_offset, term, writer, fence_offset, log_id, void_records = row
    standing = Standing(term=term, writer=writer, fence_offset=fence_offset)
    return Checkpoint(next_offset=next_offset, standing=standing, log_id=log_id, void_records=void_records)


async def load_offsets(pg: Connection, projection: str) -> dict[int, int]:
    """Where the checkpoints are, by partition."""
    return {row[0]: row[1] for row in await pg.fetch(_OFFSETS, projection)}


async def create(pg: Connection, projection: str, partition: int, first: Checkpoint) -> None:
    """Write the first checkpoint, unless another projector was quicker."""
    place, who = first.next_offset, first.standing
    stamps = (place, who.term, who.writer, who.fence_offset, first.log_id, first.void_records)
    await pg.execute(_CREATE, projection, partition, *stamps)


async def advance(pg: Connection, projection: str, partition: int, old: Checkpoint, new: Checkpoint) -> bool:
    """Move the checkpoint from `old` to `new`; False, and nothing moved, when it is not at `old`.

    Until the transaction ends no other one can move it.
    """
    to, who = new.standing, old.standing
    moved = await pg.fetchval(
        _ADVANCE,
        *(projection, partition),
        *(new.next_offset, to.term, to.writer, to.fence_offset, new.void_records),
        *(old.next_offset, who.term, who.writer, old.log_id),
    )
    return moved is not None


async def end_blocker(pg: Connection, projection: str, partition: int) -> bool:
    """End the session whose transaction holds the checkpoint; False when none does.

    A projector that is paused within COPY would hold it for as long as it is paused: no time-out of
    Postgres ends a session that waits for its client there.
    """
    return bool(await pg.fetch(_END_BLOCKER, projection, partition))
