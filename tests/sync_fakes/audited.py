"""The tree of a fake server's log: its heads, and the proofs about it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

from events.json_text import Json
from events.record import NewRecord
from evidence.key_notes import key_note
from evidence.leaves import leaf_of
from evidence.merkle import Frontier, Subtree, consistency_parts, inclusion_parts, prove
from evidence.notes import SigningKey
from evidence.tree_heads import TreeHead, origin_of

SIGNER = SigningKey("log.example", bytes(range(32)))
OTHER_SIGNER = SigningKey("log.example", bytes(range(1, 33)))
SIGNED_AT = 1_700_000_000


@dataclass
class AuditedLog:
    """A log's records, and who signs the heads of their tree: nobody, on a server without keys."""

    records: list[NewRecord] = field(default_factory=list)
    signers: list[SigningKey] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hidden: int = 0
    """How many of the last records the tree does not show yet."""

    @property
    def size(self) -> int:
        return max(0, len(self.records) - self.hidden)

    def rotate(self, *signers: SigningKey) -> None:
        """Sign with these from now on; a note that all of old and new have signed names them."""
        self.notes.append(str(key_note([*self.signers, *signers])))
        self.signers = list(signers)

    def head(self, log_id: str, team_id: str, size: int | None = None) -> dict[str, Json] | None:
        size = self.size if size is None else size
        if not self.signers or not 0 < size <= self.size:
            return None
        tree = Frontier()
        for record in self.records[:size]:
            tree.add(leaf_of(record))
        head = TreeHead(origin=origin_of(SIGNER.key().name, log_id, team_id), size=size, root=tree.root())
        return {"origin": head.origin, "size": size, "note": str(head.signed(self.signers, SIGNED_AT))}

    def keys(self) -> dict[str, Json]:
        return {"name": "log.example", "keys": [one.key().vkey for one in self.signers], "notes": self.notes}

    def consistency(self, old: int, new: int) -> dict[str, Json] | None:
        if not 0 <= old <= new <= self.size:
            return None
        return {"from": old, "to": new, "path": _texts(prove(self, consistency_parts(old, new)))}

    def inclusion(self, sequence: int, size: int) -> dict[str, Json] | None:
        if not 0 < sequence <= size <= self.size:
            return None
        path = prove(self, inclusion_parts(sequence - 1, size))
        return {"sequence": sequence, "size": size, "path": _texts(path)}

    def lines(self, first: int, last: int) -> bytes:
        return b"".join(
            _line(sequence, record)
            for sequence, record in enumerate(self.records, 1)
            if first <= sequence <= last
        )

    def hash_of(self, subtree: Subtree) -> bytes:
        tree = Frontier()
        first = subtree.index << subtree.level
        for record in self.records[first : first + (1 << subtree.level)]:
            tree.add(leaf_of(record))
        return tree.root()


def _line(sequence: int, record: NewRecord) -> bytes:
    headers = {name: value.decode() for name, value in record.headers.items() if name.startswith("ce_")}
    line = {"sequence": sequence, "headers": headers, "data": (record.value or b"").decode()}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _texts(hashes: list[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]
