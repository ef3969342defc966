"""The protocol keeps its promises in every state of every configuration, and no mutant of it does."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.model.config import Config
from tests.model.configurations import (
    BATCHES,
    CHECKED,
    DEPLOYMENT,
    GENESIS,
    ORPHANS,
    REPEATS,
    RESTORE,
    TAKEOVER,
)
from tests.model.invariants import Violation
from tests.model.mutants import Mutant
from tests.model.records import Log
from tests.model.search import search

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

PAGE = Path(__file__).parents[2] / "docs" / "conditional-append.md"

# Which promise each mutant breaks first, in a configuration that the protocol itself passes.
CAUGHT = [
    (Mutant.EQUAL_TERMS_COUNT, DEPLOYMENT, Violation.CONTRADICTED),
    (Mutant.READERS_IGNORE_RULE, TAKEOVER, Violation.DOUBLED),
    (Mutant.OUTCOMES_NOT_FENCED, TAKEOVER, Violation.ANSWERED_TWICE),
    (Mutant.BASE_OFFSET_NOT_CHECKED, TAKEOVER, Violation.LOST),
    (Mutant.UNKNOWN_FATE_RESENT_UNDER_SAME_TERM, TAKEOVER, Violation.DOUBLED),
    (Mutant.OUTCOME_BEFORE_EVENTS_COUNT, TAKEOVER, Violation.LOST),
    (Mutant.ANY_FENCE_BEGINS, TAKEOVER, Violation.DISAGREEMENT),
    (Mutant.RECOVER_FROM_HEADS_ALONE, ORPHANS, Violation.DOUBLED),
    (Mutant.READ_FROM_CHECKPOINT_ALONE, ORPHANS, Violation.CONTRADICTED),
    (Mutant.END_PASSES_ORPHANS, ORPHANS, Violation.CONTRADICTED),
    (Mutant.END_READ_AS_ITS_WRITERS, ORPHANS, Violation.CONTRADICTED),
    (Mutant.EVICT_WITHOUT_CHECKPOINT, RESTORE, Violation.EXCLUDED),
    (Mutant.IGNORE_LOWER_CHECKPOINT, RESTORE, Violation.EXCLUDED),
    (Mutant.IGNORE_LOWER_CHECKPOINT, REPEATS, Violation.ANSWERED_TWICE),
    (Mutant.REFUSED_DECIDED_ANEW, BATCHES, Violation.OUT_OF_ORDER),
    (Mutant.RESENT_COMMAND_DECIDED_ANEW, REPEATS, Violation.ANSWERED_TWICE),
    (Mutant.RETENTION_REMOVES_LAST_FENCE, REPEATS, Violation.STUCK),
    (Mutant.NO_POSITION_IS_POSITION_ZERO, REPEATS, Violation.ANSWERED_TWICE),
    (Mutant.CREATOR_TAKES_NEXT_TERM, GENESIS, Violation.ANSWERED_TWICE),
]


@pytest.mark.parametrize("config", CHECKED, ids=lambda config: config.name)
def test_every_reachable_state_keeps_every_promise(config: Config) -> None:
    result = search(config)
    row = f"| {config.name} | {result.states:,} | {result.steps:,} | {result.depth} |"
    sys.stdout.write(f"{row}\n")
    assert result.found is None, f"{result.found.kinds}\n{result.found.trace}"
    assert row in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("mutant", "config", "kind"), CAUGHT, ids=[f"{mutant} in {config.name}" for mutant, config, _ in CAUGHT]
)
def test_without_one_ingredient_a_promise_is_broken(mutant: Mutant, config: Config, kind: Violation) -> None:
    found = search(replace(config, mutant=mutant)).found
    assert found is not None, f"{mutant} was not caught"
    sys.stdout.write(f"{mutant}: {', '.join(found.kinds)}\n{found.trace}\n")
    assert kind in found.kinds


def test_every_mutant_is_tried_and_named_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert {mutant for mutant, _, _ in CAUGHT} == set(Mutant)
    assert [mutant for mutant in Mutant if f"`{mutant}`" not in page] == []


def test_acknowledgements_that_never_come_late_reach_the_same_logs() -> None:
    small = replace(BATCHES, commands=BATCHES.commands[:2])
    assert logs_of(small) == logs_of(replace(small, eager=True))


def logs_of(config: Config) -> set[tuple[Log, Log]]:
    """Every pair of logs that a configuration can reach."""
    logs: set[tuple[Log, Log]] = set()
    assert search(config, lambda state: logs.add((state.events, state.outcomes))).found is None
    return logs
