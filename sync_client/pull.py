"""Pulling: the confirmed state follows the server's log; each page goes in with its cursor, or not at all.

Without a cursor, or when the server's log became another one, a new confirmed state is filled beside the
old one and takes its place when it is complete: a pull that fails leaves the library as it was.

Before the first changes of a pull are applied, their log must prove to be the one that was seen before.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

from events.cursor import Cursor, parse_cursor
from events.shapes import utc_text
from sync_client.confirmed import row_of, state_of
from sync_client.errors import LogChanged, UnexpectedAnswer
from sync_client.local_pattern import Pulled
from sync_client.local_store import LocalStore, Origin
from sync_client.log_watch import LogWatch
from sync_client.replica import Replica
from sync_client.surroundings import Surroundings
from sync_client.transport import Transport
from sync_client.wire import ChangesPage

PAGE = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class PullReport:
    """What a pull brought; `drafts` are commands that it made inapplicable."""

    changes: int = 0
    pages: int = 0
    drafts: int = 0
    rebuilt: bool = False


class Puller:
    """Pulls one replica's library."""

    def __init__(self, replica: Replica, transport: Transport, surroundings: Surroundings) -> None:
        self._replica = replica
        self._store = LocalStore(replica.connection)
        self._transport = transport
        self._surroundings = surroundings
        self._watch = LogWatch(replica, transport, surroundings.now)

    async def pull(self) -> PullReport:
        """Catch up with the server; when it fails, whole pages that came are kept, and the outbox always."""
        before = self._store.outbox.count_drafts()
        try:
            report = await self._catch_up()
        except LogChanged:
            with self._replica.transaction():
                self._replica.put("filling", None)
                self._replica.put("written", None)
            report = await self._fill()
        return replace(report, drafts=self._store.outbox.count_drafts() - before)

    async def _catch_up(self) -> PullReport:
        follows = self._replica.get("cursor") is not None and self._replica.get("filling") is None
        return await (self._follow() if follows else self._fill())

    # ---------------------------------------------------------------- following the log

    async def _follow(self) -> PullReport:
        report = PullReport()
        while True:
            page = await self._page(self._cursor("cursor"))
            await self._prove(page, report)
            with self._replica.transaction():
                self._apply(page)
                self._note(page.cursor, complete=not page.has_more)
            report = self._counted(report, page)
            if not page.has_more:
                return report

    def _apply(self, page: ChangesPage) -> None:
        rows = [row_of(change) for change in page.changes]
        outbox, confirmed = self._store.outbox, self._store.confirmed
        busy = set(outbox.patterns_with_commands())
        confirmed.advance(row for row in rows if row[0] not in busy)
        for change in page.changes:
            if change.pattern_id in busy:
                origin = Origin(sequence=change.sequence)
                self._store.merge(change.pattern_id, Pulled(confirmed=state_of(change)), origin)
        if busy:
            names = [row[5] for row in rows if row[5] is not None]
            for pattern_id in outbox.patterns_naming(names):
                self._store.refresh(pattern_id)

    # ---------------------------------------------------------------- filling from nothing

    async def _fill(self) -> PullReport:
        report = PullReport()
        if self._replica.get("filling") is None:
            with self._replica.transaction():
                self._store.confirmed.begin_filling()
                self._replica.put("filling", "")
        while True:
            page = await self._page(self._cursor("filling"))
            if report.pages == 0:
                # Also of a log that shows nothing: it takes the place of what is here.
                await self._watch.check(page.cursor.log_id)
            with self._replica.transaction():
                self._store.confirmed.fill([row_of(change) for change in page.changes])
                self._replica.put("filling", str(page.cursor))
                rebuilt = not page.has_more and self._put_in_place(page.cursor)
            report = self._counted(report, page)
            if not page.has_more:
                return replace(report, rebuilt=rebuilt)

    def _put_in_place(self, cursor: Cursor) -> bool:
        """The new confirmed state is complete; whether it is of another log than the old one."""
        known = self._replica.get("log_id")
        another_log = known is not None and known != cursor.log_id
        self._store.change_confirmed(another_log=another_log)
        self._replica.put("filling", None)
        self._note(cursor, complete=True)
        return another_log

    # ---------------------------------------------------------------- pages

    async def _page(self, since: Cursor | None) -> ChangesPage:
        page = await self._transport.changes(
            None if since is None else str(since), at_least=self._awaited(since), limit=PAGE
        )
        if since is not None and page.cursor.log_id != since.log_id:
            raise LogChanged("log_changed", "the server's log is another one")
        self._check(page, 0 if since is None else since.sequence)
        return page

    async def _prove(self, page: ChangesPage, before: PullReport) -> None:
        if page.changes and not before.changes:
            await self._watch.check(page.cursor.log_id)

    def _awaited(self, since: Cursor | None) -> str | None:
        """Our own last write, if it is not behind us: what was pushed must not vanish by a pull."""
        written = self._cursor("written")
        if written is None or (since is not None and written.sequence <= since.sequence):
            return None
        return str(written)

    def _check(self, page: ChangesPage, since: int) -> None:
        """Raise `UnexpectedAnswer` for a page that does not follow on what we have."""
        if page.cursor.team_id != self._replica.get("team_id"):
            raise UnexpectedAnswer("the changes are another team's")
        sequences = [since, *(change.sequence for change in page.changes)]
        ascending = all(one < other for one, other in pairwise(sequences))
        if not ascending or sequences[-1] > page.cursor.sequence:
            raise UnexpectedAnswer("the changes are out of order")
        if page.has_more and page.cursor.sequence == since:
            raise UnexpectedAnswer("there is more to come, but the cursor stands still")

    def _cursor(self, key: str) -> Cursor | None:
        text = self._replica.get(key)
        return parse_cursor(text) if text else None

    def _note(self, cursor: Cursor, *, complete: bool) -> None:
        self._replica.put("cursor", str(cursor))
        self._replica.put("log_id", cursor.log_id)
        if complete:
            self._replica.put("pulled_at", utc_text(self._surroundings.now()))

    def _counted(self, report: PullReport, page: ChangesPage) -> PullReport:
        report = replace(report, changes=report.changes + len(page.changes), pages=report.pages + 1)
        self._surroundings.progress.step("pulled", report.changes, None)
        return report
