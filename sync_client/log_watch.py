"""Watching the log: each tree head that the server shows must go on from the last one that was seen here."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NoReturn

from evidence.errors import BadSignature, MalformedNote
from evidence.following import FailedProof, Reason, compare, sizes_to_prove
from evidence.key_notes import keys_trusted
from evidence.notes import Key
from evidence.tree_heads import SignedTreeHead, open_head
from sync_client.errors import TryLater, UnexpectedAnswer
from sync_client.head_store import Because, HeadStore
from sync_client.replica import Replica
from sync_client.transport import Transport

_NOT_PROVEN = "not_proven"


class LogWatch:
    """Watches one replica's log. A head is stored when it has been proven, with the keys that it needed."""

    def __init__(self, replica: Replica, transport: Transport, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._store = HeadStore(replica)
        self._transport = transport
        self._now = now

    async def check(self, log_id: str) -> None:
        """Demand that the log of this id is the one that was seen before; raise `ProofFailed`, with it kept.

        A server that shows no heads is believed as long as no keys are trusted here.
        """
        held = self._store.held(log_id)
        note = await self._transport.tree_head()
        if note is not None:
            await self._follow(log_id, held, note)
        elif held is not None or self._store.keys():
            raise TryLater(_NOT_PROVEN, "the server shows no tree head, and its keys are trusted here")

    async def _follow(self, log_id: str, held: SignedTreeHead | None, note: str) -> None:
        shown, keys, because = await self._open(log_id, held, note)
        if shown.head.origin.split("/")[-2:] != [log_id, self._replica.get("team_id")]:
            raise TryLater("head_of_another_log", "the tree head is of another log than the changes")
        path: list[bytes] | None = []
        sizes = None if held is None else sizes_to_prove(held.head, shown.head)
        if sizes is not None:
            path = await self._transport.consistency(*sizes)
        if path is None:
            raise TryLater(
                _NOT_PROVEN, "the server does not prove that its log is the one that was seen here"
            )
        failed = None if held is None else compare(held, shown, path)
        if failed is not None:
            self._fail(failed, log_id)
        with self._replica.transaction():
            self._store.trust(keys, because, self._now())
            if held is None or shown.head.size >= held.head.size:
                self._store.hold(log_id, shown, self._now())

    async def _open(
        self, log_id: str, held: SignedTreeHead | None, note: str
    ) -> tuple[SignedTreeHead, Iterable[Key], Because]:
        """The head, and the keys that are to be trusted with it: at first those that the server names."""
        trusted = self._store.keys()
        try:
            if trusted:
                return open_head(note, trusted), [], "given"
            keys = (await self._transport.server_keys()).keys
            return open_head(note, keys), keys, "first_use"
        except MalformedNote as error:
            raise UnexpectedAnswer(f"not a tree head: {error}") from None
        except BadSignature as error:
            if not trusted:
                raise UnexpectedAnswer(f"the tree head: {error}, of those that the server names") from None
        notes = (await self._transport.server_keys()).notes
        try:
            known = keys_trusted(notes, trusted)
            return open_head(note, known), known, "rotation"
        except MalformedNote as error:
            raise UnexpectedAnswer(f"the server's keys: {error}") from None
        except BadSignature:
            old = None if held is None else str(held.note)
            self._fail(FailedProof(reason=Reason.BAD_SIGNATURE, held=old, shown=note), log_id)

    def _fail(self, failed: FailedProof, log_id: str) -> NoReturn:
        with self._replica.transaction():
            error = self._store.keep(failed, log_id, self._now())
        raise error
