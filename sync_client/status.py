"""Where a replica stands."""

from dataclasses import dataclass

from events.cursor import parse_cursor
from sync_client.head_store import HeadStore
from sync_client.library import Library
from sync_client.outbox import Outbox
from sync_client.replica import Replica
from sync_client.workspace import home_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """What `patternlog status` tells. `waiting` is what will be sent; `held` waits behind drafts."""

    server: str
    read_server: str | None
    team_id: str
    log_id: str | None
    sequence: int | None
    pulled_at: str | None
    patterns: int
    archived: int
    waiting: int
    unanswered: int
    held: int
    conflicts: int
    refused: int
    failed_proofs: int
    """Those that nobody has acknowledged."""


def status_of(replica: Replica) -> Status:
    """One consistent look at a replica."""
    with replica.snapshot():
        home = home_of(replica)
        cursor = replica.get("cursor")
        patterns = Library(replica.connection).counts()
        commands = Outbox(replica.connection).counts()
        return Status(
            server=home.server,
            read_server=home.read_server,
            team_id=home.team_id,
            log_id=replica.get("log_id"),
            sequence=None if cursor is None else parse_cursor(cursor).sequence,
            pulled_at=replica.get("pulled_at"),
            patterns=patterns["live"],
            archived=patterns["archived"],
            waiting=commands["pending"],
            unanswered=commands["sent"],
            held=commands["held"],
            conflicts=commands["conflict"],
            refused=commands["refused"],
            failed_proofs=sum(one.acknowledged_at is None for one in HeadStore(replica).evidence()),
        )
