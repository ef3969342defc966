"""Clients that edit, push and pull in any order: what must hold whatever happens in between."""

import os
from unittest import TestCase

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from tests.model.sync_network import NAMES, WHICH, WHO, Network

EXAMPLES = int(os.environ.get("PATTERNLOG_TEST_EXAMPLES", "0"))
"""How many random runs to make of each machine; by default the same few every time."""


class WholeLibrary(Network):
    """Everything that users can do with patterns and their names."""

    @rule(who=WHO, name=st.sampled_from(NAMES))
    def record(self, who: int, name: str) -> None:
        client = self._client(who)
        if self._tried(lambda: client.record(name=name)):
            self._note(client, "", {}, {"name": name})

    @rule(who=WHO, which=WHICH, name=st.sampled_from(NAMES))
    def rename(self, who: int, which: int, name: str) -> None:
        self._edit(who, which, lambda _: {"name": name})

    @rule(
        who=WHO,
        which=WHICH,
        command=st.sampled_from(["archive_pattern", "restore_pattern", "delete_pattern"]),
    )
    def change_status(self, who: int, which: int, command: str) -> None:
        if (pattern_id := self._choose(who, which)) is not None:
            client = self._client(who)
            before = client.fields(pattern_id)
            if self._tried(lambda: client.change_status(pattern_id, command)):
                self._note(client, pattern_id, before, {})


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
