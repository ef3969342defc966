"""Several clients, one server, a network that does its worst: what must hold whatever the order of things."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from unittest import TestCase

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from command_api.decisions.commands import EditPattern
from command_api.decisions.refusals import Accepted
from events.json_text import Json
from events.pattern import Pattern, PatternEdited, PatternState
from sync_client.confirmed import Confirmed
from sync_client.errors import LocalRefusal, SyncError
from tests.sync_fakes.clients import IMPATIENT, Client, client_of
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.transport import FakeTransport, Fault

FIELDS = ("description", "problem", "x-extra")
TEXT = "solution"
NOTHING_WRITTEN = "\n".join(f"line {number}" for number in range(7))
NAMES = tuple("abc")
WHO, WHICH = st.integers(0, 1), st.integers(0, 3)
EXAMPLES = int(os.environ.get("PATTERNLOG_TEST_EXAMPLES", "0"))
"""How many random runs to make of each machine; by default the same few every time."""
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
_MISSING = object()


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
        self.seen: dict[tuple[str, str, str], object] = {}
        self.texts_seen: dict[tuple[str, str], str] = {}
        self.restored = False
        for name in NAMES[: self.patterns_at_start]:
            self.clients[0].record(name=name)
        self.settle()

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.stack.close()
            self.loop.close()

    @rule(who=WHO, which=WHICH, fields=st.sets(st.sampled_from(FIELDS), min_size=1, max_size=2))
    def edit(self, who: int, which: int, fields: set[str]) -> None:
        client, pattern_id = self._client(who), self._choose(who, which)
        if pattern_id is None:
            return
        given: dict[str, Json] = {field: self._next_value() for field in sorted(fields)}
        before = client.fields(pattern_id)
        if self._tried(lambda: client.edit(pattern_id, **given)):
            for field, value in given.items():
                # Every value is written once, so it tells which edit wrote it.
                self.seen[pattern_id, field, str(value)] = before.get(field, _MISSING)

    @rule(who=WHO, which=WHICH, line=st.integers(0, 6))
    def rewrite_a_line(self, who: int, which: int, line: int) -> None:
        client, pattern_id = self._client(who), self._choose(who, which)
        if pattern_id is None:
            return
        before = str(client.fields(pattern_id).get(TEXT, NOTHING_WRITTEN))
        lines = before.split("\n")
        lines[line] = self._next_value()
        after = "\n".join(lines)
        if self._tried(lambda: client.edit(pattern_id, **{TEXT: after})):
            self.texts_seen[pattern_id, after] = before

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
    def no_edit_overwrites_a_value_that_its_author_had_not_seen(self) -> None:
        if not hasattr(self, "server"):
            return
        while self.server.decided:
            command, state, decision = self.server.decided.pop()
            if isinstance(command, EditPattern) and isinstance(decision, Accepted):
                assert isinstance(state, Pattern)
                if TEXT in command.set:
                    self._check_text(command, state, decision)
                for field, value in command.set.items():
                    if field in FIELDS:
                        seen = self.seen[command.pattern_id, field, value]
                        assert seen == state.fields.get(field, _MISSING)

    def _check_text(self, command: EditPattern, state: Pattern, decision: Accepted) -> None:
        """A line that is gone was seen by who took it away, and every line that they wrote is there."""
        (event,) = decision.events
        assert isinstance(event, PatternEdited)
        seen = set(self.texts_seen[command.pattern_id, command.set[TEXT]].split("\n"))
        before, after = set(str(state.fields.get(TEXT, "")).split("\n")), set(event.set[TEXT].split("\n"))
        assert before - after - {""} <= seen
        assert set(command.set[TEXT].split("\n")) - seen <= after

    @invariant()
    def a_done_command_is_in_the_log(self) -> None:
        if not hasattr(self, "server") or self.restored:
            return
        applied = set(self.server.applied)
        for client in self.clients:
            done = zip(client.states(), client.command_ids(), strict=True)
            assert all(command_id in applied for state, command_id in done if state == "done")

    # ---------------------------------------------------------------- helpers

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


class WholeLibrary(Network):
    """Everything that users can do with patterns and their names."""

    @rule(who=WHO, name=st.sampled_from(NAMES))
    def record(self, who: int, name: str) -> None:
        self._tried(lambda: self._client(who).record(name=name))

    @rule(who=WHO, which=WHICH, name=st.sampled_from(NAMES))
    def rename(self, who: int, which: int, name: str) -> None:
        if (pattern_id := self._choose(who, which)) is not None:
            self._tried(lambda: self._client(who).edit(pattern_id, name=name))

    @rule(
        who=WHO,
        which=WHICH,
        command=st.sampled_from(["archive_pattern", "restore_pattern", "delete_pattern"]),
    )
    def change_status(self, who: int, which: int, command: str) -> None:
        if (pattern_id := self._choose(who, which)) is not None:
            self._tried(lambda: self._client(who).change_status(pattern_id, command))


class RestoredServer(WholeLibrary):
    """The server loses its newest events, and its log becomes another one."""

    @rule()
    def keep_backup(self) -> None:
        self.backup = self.server.backup()

    @precondition(lambda self: hasattr(self, "backup"))
    @rule()
    def restore_backup(self) -> None:
        """Base versions do not say of which log they are, so everybody hears of it before they push."""
        self.server.restore(self.backup)
        self.restored = True
        for transport, client in zip(self.transports, self.clients, strict=True):
            transport.calm_down()
            self.loop.run_until_complete(client.restarted().pull())


class Alone(Network):
    """Who works alone meets no conflict, whatever the network does and in whatever order things are sent."""

    clients_count = 1

    @invariant()
    def nothing_is_refused(self) -> None:
        if hasattr(self, "clients"):
            assert not {"conflict", "refused"} & set(self.clients[0].states())


class AloneWithNames(WholeLibrary, Alone):
    """The same, with names that move from pattern to pattern."""

    patterns_at_start = 3


def _library(client: Client) -> dict[str, object]:
    rows = client.replica.connection.execute("SELECT pattern_id FROM patterns").fetchall()
    assert client.replica.connection.execute("SELECT count(*) FROM overlay").fetchone() == (0,)
    confirmed = Confirmed(client.replica.connection)
    return {row[0]: _bare(confirmed.load(row[0])) for row in rows}


def _library_of(server: FakeServer) -> dict[str, object]:
    return {pattern_id: _bare(state) for pattern_id, state in server.patterns.items()}


def _bare(state: PatternState) -> PatternState:
    return replace(state, field_versions={}) if isinstance(state, Pattern) else state


def _waiting(client: Client) -> list[int]:
    rows = client.replica.connection.execute(
        "SELECT position FROM outbox WHERE state IN ('pending', 'sent', 'accepted') AND position NOT IN held"
    )
    return [row[0] for row in rows]


def _test_of(machine: type[Network]) -> type[TestCase]:
    test: type[TestCase] = machine.TestCase
    test.settings = settings(  # type: ignore[attr-defined]
        max_examples=EXAMPLES or 30,
        derandomize=not EXAMPLES,
        stateful_step_count=30,
        deadline=None,
        phases=set(Phase) - {Phase.explain},
        suppress_health_check=list(HealthCheck),
    )
    return test


TestEditsOfOnePattern = _test_of(Network)
TestAWholeLibrary = _test_of(WholeLibrary)
TestARestoredServer = _test_of(RestoredServer)
TestAClientAlone = _test_of(Alone)
TestNamesOfAClientAlone = _test_of(AloneWithNames)
