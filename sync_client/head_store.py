"""What a replica keeps of its log's tree: keys that it trusts, the last head, and what did not fit."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from events.json_text import Json
from events.shapes import utc_text
from evidence.following import FailedProof, Reason
from evidence.notes import Key, parse_key
from evidence.tree_heads import SignedTreeHead, open_head
from sync_client.errors import EVIDENCE, LocalRefusal, SyncError
from sync_client.replica import Replica

Because = Literal["given", "first_use", "rotation"]


class ProofFailed(SyncError):
    """The server's log is not the one that was seen before; nothing of it is applied meanwhile."""

    exit_code = EVIDENCE

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(
            "proof_failed",
            f"THE SERVER'S LOG IS NOT THE ONE THAT WAS SEEN HERE ({reason}): nothing is pulled or pushed, and"
            f" nothing here is lost. See patternlog audit evidence, number {number}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A proof that failed: both heads as signed notes, and the hashes that were given between them."""

    number: int
    found_at: str
    server: str
    reason: str
    held: str | None
    shown: str
    path: list[str]
    acknowledged_at: str | None


class HeadStore:
    """The replica's tables of it. Nothing here begins or commits a transaction."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._connection = replica.connection

    # ---------------------------------------------------------------- keys

    def keys(self) -> list[Key]:
        """The keys that are trusted."""
        return [parse_key(vkey) for (vkey,) in self._connection.execute("SELECT vkey FROM audit_keys")]

    def trust(self, keys: Iterable[Key], because: Because, now: datetime) -> None:
        """Trust keys from now on; those that are trusted already stay as they are."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO audit_keys (vkey, because, trusted_at) VALUES (?, ?, ?)",
            [(key.vkey, because, utc_text(now)) for key in keys],
        )

    # ---------------------------------------------------------------- heads

    def held(self, log_id: str) -> SignedTreeHead | None:
        """The last head that was seen of a log."""
        row = self._connection.execute("SELECT note FROM tree_heads WHERE log_id = ?", (log_id,)).fetchone()
        return None if row is None else open_head(row[0], self.keys())

    def hold(self, log_id: str, head: SignedTreeHead, now: datetime) -> None:
        """Keep a head in the place of the last one of its log; heads of other logs stay on record."""
        self._connection.execute(
            "REPLACE INTO tree_heads (log_id, note, seen_at) VALUES (?, ?, ?)",
            (log_id, str(head.note), utc_text(now)),
        )

    def heads(self) -> list[str]:
        """Every head that is kept, as a signed note, the last seen at the end."""
        rows = self._connection.execute("SELECT note FROM tree_heads ORDER BY seen_at")
        return [note for (note,) in rows]

    # ---------------------------------------------------------------- what did not fit

    def keep(self, failed: FailedProof, log_id: str, now: datetime) -> ProofFailed:
        """Keep a proof that failed; the error that tells of it."""
        texts = json.dumps([base64.b64encode(one).decode() for one in failed.path])
        number = self._connection.execute(
            "INSERT INTO failed_proofs (found_at, server, log_id, reason, held, shown, path)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                utc_text(now),
                self._replica.get("read_server") or self._replica.get("server") or "",
                log_id,
                failed.reason.value,
                failed.held,
                failed.shown,
                texts,
            ),
        ).lastrowid
        return ProofFailed(number or 0, failed.reason.value)

    def evidence(self) -> Iterator[Evidence]:
        """Every proof that failed."""
        rows = self._connection.execute(
            "SELECT number, found_at, server, reason, held, shown, path, acknowledged_at FROM failed_proofs"
            " ORDER BY number"
        )
        for number, found_at, server, reason, held, shown, path, acknowledged_at in rows:
            yield Evidence(
                number=number,
                found_at=found_at,
                server=server,
                reason=reason,
                held=held,
                shown=shown,
                path=json.loads(path),
                acknowledged_at=acknowledged_at,
            )

    def unsettled(self) -> ProofFailed | None:
        """The first proof that failed and that nobody has acknowledged."""
        row = self._connection.execute(
            "SELECT number, reason FROM failed_proofs WHERE acknowledged_at IS NULL ORDER BY number"
        ).fetchone()
        return None if row is None else ProofFailed(*row)

    def acknowledge(self, number: int, now: datetime) -> None:
        """Go on with the server's log: the next head of it is believed as a first one is.

        Raise `LocalRefusal` where there is nothing to acknowledge. The evidence stays.
        """
        row: tuple[Json, ...] | None = self._connection.execute(
            "UPDATE failed_proofs SET acknowledged_at = ? WHERE number = ? AND acknowledged_at IS NULL"
            " RETURNING log_id, reason",
            (utc_text(now), number),
        ).fetchone()
        if row is None:
            raise LocalRefusal("no_evidence", f"there is no unacknowledged evidence of number {number}")
        log_id, reason = row
        # A head that nobody has signed says nothing against the one that is held.
        if reason != Reason.BAD_SIGNATURE:
            self._connection.execute("DELETE FROM tree_heads WHERE log_id = ?", (log_id,))
