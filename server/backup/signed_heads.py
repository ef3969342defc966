"""The signed tree heads of an export, held against the trees of its events."""

from dataclasses import dataclass

from evidence.errors import EvidenceError
from evidence.merkle import Frontier
from projectors.notary.heads_log import HeadRecord, read_record
from server.backup.errors import Damaged
from server.backup.lines import Kept
from server.backup.manifest import Segment


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a head says of a tree, and where it stands."""

    root: bytes
    file: str
    offset: int


class SignedHeads:
    """The heads of a partition, each forgotten when the events have come to its size."""

    def __init__(self, log_ids: tuple[str, ...]) -> None:
        self._log_ids = log_ids
        self._claims: dict[bytes, dict[int, _Claim]] = {}

    def add(self, segment: Segment, kept: Kept) -> None:
        """Take in a record; raise `Damaged` for one that is no note, or contradicts another one."""
        claim = _Claim(b"", segment.file, kept.offset)
        try:
            record = read_record(kept.record.key, kept.record.value)
        except EvidenceError as error:
            raise _wrong(claim, str(error)) from None
        if not isinstance(record, HeadRecord):
            return
        if record.log_id not in self._log_ids:
            raise _wrong(claim, f"it is of the log {record.log_id}")
        claim = _Claim(record.head.root, segment.file, kept.offset)
        before = self._claims.setdefault(record.team_id.encode(), {}).setdefault(record.head.size, claim)
        if before.root != claim.root:
            raise _wrong(
                claim, f"its root is not that of {before.file}, offset {before.offset}, of the same size"
            )

    def compare(self, team: bytes, tree: Frontier) -> None:
        """Hold a team's head of the tree's size, if there is one, against it; raise `Damaged`."""
        claim = self._claims.get(team, {}).pop(tree.size, None)
        if claim is not None and claim.root != tree.root():
            raise _wrong(claim, f"its root is not that of the first {tree.size} events of {team.decode()}")

    def check_none_left(self) -> None:
        """Raise `Damaged` for a head of more events than there are."""
        for team, claims in self._claims.items():
            for size, claim in claims.items():
                raise _wrong(claim, f"it is of {size} events of {team.decode()}, which are not all there")


def _wrong(claim: _Claim, reason: str) -> Damaged:
    return Damaged(f"{claim.file}: offset {claim.offset}: {reason}")
