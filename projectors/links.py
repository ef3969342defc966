"""The chains of a partition's teams, checked over the records as written, before any data is read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from events.envelope import FIRST_PREVIOUS_HASH, SEQUENCE_DIGITS
from events.errors import MalformedRecord
from events.identifiers import is_uuid
from events.record import TERM, Record, integer_of
from projectors.chain import TeamLog
from projectors.entries import Hashes, hashes_of
from projectors.errors import Broken

_FIRST_LINK = FIRST_PREVIOUS_HASH.encode()


class Link(NamedTuple):
    """A record that counts, where it stands in its team's chain."""

    record: Record
    team_id: str
    sequence: int
    hashes: Hashes


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Where the log cannot be followed: a team's from `sequence` on, or a partition's from `offset` on."""

    partition: int
    offset: int
    reason: str
    team_id: str | None = None
    sequence: int | None = None

    def __str__(self) -> str:
        return f"partition {self.partition}, offset {self.offset}: {self.reason}"


class _Chain:
    """One team's, as far as it holds."""

    __slots__ = ("broken", "hash", "sequence", "team_id")

    def __init__(self, team_id: str) -> None:
        self.team_id = team_id
        self.sequence = 0
        self.hash = _FIRST_LINK
        self.broken = False


class Links:
    """What a partition's counting records amount to, team by team; one team's fault is no other's."""

    def __init__(self, partition: int, log_ids: Sequence[str]) -> None:
        self.faults: list[Fault] = []
        self._partition = partition
        self._log_ids = {log_id.encode() for log_id in log_ids}
        self._chains: dict[bytes | None, _Chain] = {}
        self._open: tuple[bytes | None, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the last command's events are all there."""
        return self._open is None

    @property
    def broken_teams(self) -> set[str]:
        """The teams whose logs cannot be followed to their end."""
        return {chain.team_id for chain in self._chains.values() if chain.broken}

    def logs(self) -> dict[str, TeamLog]:
        """Each team's log, as far as it can be followed."""
        return {
            chain.team_id: TeamLog(
                last_sequence=chain.sequence, event_count=chain.sequence, last_hash=chain.hash.decode()
            )
            for chain in self._chains.values()
        }

    def take(self, records: Iterable[Record]) -> list[Link]:
        """The next records that count: those of them that continue their team's chain.

        Raise `Broken` at one whose team cannot be told.
        """
        links = []
        for record in records:
            chain = self._chains.get(record.key) or self._begun(record)
            if chain.broken:
                continue
            wrong = self._wrong(record, chain)
            if wrong is not None:
                self.fail(record, chain.team_id, *wrong)
                continue
            hashes = hashes_of(record)
            chain.sequence, chain.hash = chain.sequence + 1, hashes.link.encode()
            links.append(Link(record, chain.team_id, chain.sequence, hashes))
        return links

    def is_broken(self, record: Record) -> bool:
        """Whether the log of the record's team is followed no further."""
        return self._chains[record.key].broken

    def fail(self, record: Record, team_id: str, sequence: int, reason: str) -> None:
        """Follow a team's log no further."""
        self._chains[record.key].broken = True
        self._open = None
        self.faults.append(
            Fault(
                partition=self._partition,
                offset=record.offset,
                reason=reason,
                team_id=team_id,
                sequence=sequence,
            )
        )

    def _begun(self, record: Record) -> _Chain:
        team_id = (record.key or b"").decode("utf-8", "replace")
        if not is_uuid(team_id):
            raise Broken(record.offset, "the key is no team's id")
        chain = self._chains[record.key] = _Chain(team_id)
        return chain

    def _wrong(self, record: Record, chain: _Chain) -> tuple[int, str] | None:
        """The first sequence that is wrong and why, or None."""
        headers, follows = record.headers, chain.sequence + 1
        if headers.get("ce_sequence") != b"%0*d" % (SEQUENCE_DIGITS, follows):
            found = headers.get("ce_sequence", b"").decode("ascii", "replace").lstrip("0")
            return follows, f"sequence {found or 'none'} stands where {follows} should"
        if headers.get("ce_previoushash") != chain.hash:
            # Which of the two was altered the chain alone does not tell.
            return max(chain.sequence, 1), f"sequence {follows} does not name the hash of the one before"
        if headers.get("ce_logid") not in self._log_ids:
            return follows, "it belongs to another log"
        if not self._continues_command(record):
            return follows, "it cuts through the events of a command"
        return None

    def _continues_command(self, record: Record) -> bool:
        """Whether commands are whole: their events follow one another, under one fence."""
        headers = record.headers
        index, count = headers.get("ce_commandindex", b""), headers.get("ce_commandcount", b"")
        if self._open is None and (index, count) == (b"0", b"1"):
            return True
        of_command = (record.key, headers.get("ce_commandid"), headers.get(TERM), count)
        if (self._open or (b"0", *of_command)) != (index, *of_command):
            return False
        try:
            done, whole = integer_of(headers, "ce_commandindex") + 1, integer_of(headers, "ce_commandcount")
        except MalformedRecord:
            return False
        self._open = (b"%d" % done, *of_command) if done < whole else None
        return True
