"""Several clients, one server, and a network that does its worst."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from events.identifiers import uuid7
from events.json_text import Json
from events.pattern import Pattern, PatternState
from sync_client.confirmed import Confirmed
from sync_client.errors import LocalRefusal, SyncError
from tests.sync_fakes.clients import IMPATIENT, Client, client_of
from tests.sync_fakes.ledger import Ledger, Made
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.transport import FakeTransport, Fault

FIELDS = ("description", "problem", "x-extra")
TEXT = "solution"
NOTHING_WRITTEN = "\n".join(f"line {number}" for number in range(7))
NAMES = tuple("abc")
WHO, WHICH = st.integers(0, 1), st.integers(0, 3)
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


class Network(RuleBasedStateMachine):
    """Clients that edit, push and pull in any order; what they must keep to is at the foot."""

    clients_count = 2
    patterns_at_start = 1

    @initialize()
    def start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.stack = ExitStack()
        root = Path(self.stack.enter_context(tempfile.TemporaryDirectory(dir=MEMORY)))
        self.server = FakeServer()
        self.transports = [FakeTransport(self.server) for _ in range(self.clients_count)]
        self.clients: list[Client] = [
            self.stack.enter_context(
                client_of(self.server, root / str(index), transport=transport, patience=IMPATIENT)
            )
            for index, transport in enumerate(self.transports)
        ]
        self.value = 0
        self.ledger = Ledger()
        self.restored = False
        for name in NAMES[: self.patterns_at_start]:
            self.clients[0].record(name=name)
        self.settle()

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.stack.close()
            self.loop.close()

    @rule(
        who=WHO,
        which=WHICH,
        fields=st.sets(st.sampled_from(FIELDS), min_size=1, max_size=2),
        times=st.integers(1, 2),
    )
    def edit(self, who: int, which: int, fields: set[str], times: int) -> None:
        for _ in range(times):
            self._edit(who, which, lambda _: {field: self._next_value() for field in sorted(fields)})

    @rule(who=WHO, which=WHICH, line=st.integers(0, 6), field=st.sampled_from([None, *FIELDS]))
    def rewrite_a_line(self, who: int, which: int, line: int, field: str | None) -> None:
        def rewritten(before: dict[str, Json]) -> dict[str, Json]:
            lines = str(before.get(TEXT, NOTHING_WRITTEN)).split("\n")
            lines[line] = self._next_value()
            more = {} if field is None else {field: self._next_value()}
            return {TEXT: "\n".join(lines), **more}

        self._edit(who, which, rewritten)

    @rule(who=WHO, which=WHICH)
    def count(self, who: int, which: int) -> None:
        """Count one, with a counter that tells who did."""

        def counted(before: dict[str, Json]) -> dict[str, Json]:
            counters = before.get("counters", {})
            return {"counters": {**counters, "n": counters.get("n", 0) + 1, f"by {self._next_value()}": 1}}

        self._edit(who, which, counted)

    @rule(who=WHO, which=WHICH, gone=st.integers(0, 3))
    def tag(self, who: int, which: int, gone: int) -> None:
        """Add a tag, and take one away if there is one at that place."""

        def tagged(before: dict[str, Json]) -> dict[str, Json]:
            tags = [tag for place, tag in enumerate(before.get("tags", [])) if place != gone]
            return {"tags": [*tags, self._next_value()]}

        self._edit(who, which, tagged)

    @rule(who=WHO, which=WHICH)
    def switch(self, who: int, which: int) -> None:
        """Set a field back to what it was, perhaps."""
        self._edit(who, which, lambda before: {"switch": 1 - before.get("switch", 0)})

    @rule(who=WHO, which=WHICH, how=st.sampled_from(["mine", "theirs", "new", "abandon", "drop"]))
    def deal_with_a_draft(self, who: int, which: int, how: str) -> None:
        client = self._client(who)
        drafts = client.drafts()
        if not drafts:
            return
        draft = drafts[which % len(drafts)]
        if how in ("abandon", "drop"):
            moment = client.command_at(draft.number)["occurred_at"]
            end = client.drop if how == "drop" else client.abandon
            if self._tried(lambda: end(draft.number)):
                self.ledger.dropped(moment)
            return
        seen = client.fields(draft.pattern_id)
        theirs = {name: value for name, value in seen.items() if name not in draft.mine} | draft.theirs
        new = {FIELDS[0]: self._next_value()} if how == "new" else {}
        if self._tried(lambda: client.resolve(draft.number, "mine" if how == "mine" else "theirs", **new)):
            self._note(client, draft.pattern_id, theirs, new)
            sides = {"mine": draft.mine, "theirs": theirs}
            take = client.command_at()["take"]
            result = {name: sides[side][name] for name, side in take.items() if name in sides[side]}
            self.ledger.resolved(draft, {**result, **new})

    @rule(which=WHICH, kind=st.sampled_from(["mine", "theirs", "abandon"]))
    def somebody_ends_a_conflict(self, which: int, kind: str) -> None:
        """Who has no replica does it on the server."""
        found = [
            (pattern_id, conflict_id)
            for pattern_id, state in self.server.patterns.items()
            if isinstance(state, Pattern)
            for conflict_id in state.conflicts
        ]
        if not found:
            return
        pattern_id, conflict_id = found[which % len(found)]
        version = self.server.patterns[pattern_id].version
        end = {"type": "resolve_conflict", "rest": kind, "base_version": version}
        self.value += 1
        body = {
            **(end if kind != "abandon" else {"type": "abandon_conflict"}),
            "command_id": uuid7(0, self.value.to_bytes(10, "big")),
            "pattern_id": pattern_id,
            "conflict_id": conflict_id,
        }
        self.server.submit([body])

    @rule(who=WHO, faults=st.lists(st.sampled_from(Fault), max_size=3))
    def push(self, who: int, faults: list[Fault]) -> None:
        self._transport(who).fail_next(*faults)
        self._run(self._client(who).restarted().push())

    @rule(who=WHO, faults=st.lists(st.sampled_from(Fault), max_size=2))
    def pull(self, who: int, faults: list[Fault]) -> None:
        self._transport(who).fail_next(*faults)
        self._run(self._client(who).restarted().pull())

    @rule()
    def settle(self) -> None:
        """With a network that works, everybody ends in the server's state, and nothing waits unseen."""
        for transport in self.transports:
            transport.calm_down()
        for client in self.clients * 2:
            self.loop.run_until_complete(client.sync())
        for client in self.clients:
            assert _library(client) == _library_of(self.server)
            assert _waiting(client) == []

    # ---------------------------------------------------------------- what always holds

    @invariant()
    def no_command_is_applied_twice(self) -> None:
        if hasattr(self, "server"):
            assert len(self.server.applied) == len(set(self.server.applied))

    @invariant()
    def what_was_sent_never_changes(self) -> None:
        if hasattr(self, "server"):
            assert not self.server.reused

    @invariant()
    def nobody_is_taken_to_have_seen_what_they_had_not(self) -> None:
        """So no edit overwrites what its author had not seen; nor is one merged with what they had."""
        if not hasattr(self, "server"):
            return
        while self.server.judged:
            self.ledger.judge(self.server.judged.pop(0))
        for pattern_id, state in self.server.patterns.items():
            if isinstance(state, Pattern) and not self.restored:
                self.ledger.check(pattern_id, state.fields)

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "server") and not self.restored:
            waiting = "".join(text for client in self.clients for text in client.waiting_texts())
            assert self.ledger.lost(waiting) == []

    @invariant()
    def a_done_command_is_in_the_log(self) -> None:
        if not hasattr(self, "server") or self.restored:
            return
        applied = set(self.server.applied)
        for client in self.clients:
            done = zip(client.states(), client.command_ids(), strict=True)
            assert all(command_id in applied for state, command_id in done if state == "done")

    # ---------------------------------------------------------------- helpers

    def _edit(self, who: int, which: int, made_of: Callable[[dict[str, Json]], dict[str, Json]]) -> None:
        client, pattern_id = self._client(who), self._choose(who, which)
        if pattern_id is not None:
            before = client.fields(pattern_id)
            given = made_of(before)
            if self._tried(lambda: client.edit(pattern_id, **given)):
                self._note(client, pattern_id, before, given)

    def _note(self, client: Client, pattern_id: str, before: dict[str, Json], given: dict[str, Json]) -> None:
        """What was just made; the next command of anybody is made a moment later."""
        made = Made(pattern_id=pattern_id, before=before, given=given)
        self.ledger.made[client.command_at()["occurred_at"]] = made
        for one in self.clients:
            one.now += timedelta(milliseconds=1)

    def _client(self, who: int) -> Client:
        return self.clients[who % self.clients_count]

    def _transport(self, who: int) -> FakeTransport:
        return self.transports[who % self.clients_count]

    def _next_value(self) -> str:
        self.value += 1
        return str(self.value)

    def _choose(self, who: int, which: int) -> str | None:
        visible = [
            pattern.pattern_id
            for status in ("live", "archived")
            for pattern in self._client(who).library.patterns(status)
        ]
        return visible[which % len(visible)] if visible else None

    def _tried(self, edit: Callable[[], object]) -> bool:
        try:
            edit()
        except LocalRefusal:
            return False
        return True

    def _run(self, work: Coroutine[None, None, object]) -> None:
        with suppress(SyncError):
            self.loop.run_until_complete(work)


def _library(client: Client) -> dict[str, object]:
    rows = client.replica.connection.execute("SELECT pattern_id FROM patterns").fetchall()
    assert client.replica.connection.execute("SELECT count(*) FROM overlay").fetchone() == (0,)
    confirmed = Confirmed(client.replica.connection)
    return {row[0]: _bare(confirmed.load(row[0])) for row in rows}


def _library_of(server: FakeServer) -> dict[str, object]:
    return {pattern_id: _bare(state) for pattern_id, state in server.patterns.items()}


def _bare(state: PatternState) -> PatternState:
    return replace(state, field_versions={}, conflicts={}) if isinstance(state, Pattern) else state


def _waiting(client: Client) -> list[int]:
    rows = client.replica.connection.execute(
        "SELECT position FROM outbox WHERE state IN ('pending', 'sent', 'accepted') AND position NOT IN held"
    )
    return [row[0] for row in rows]
