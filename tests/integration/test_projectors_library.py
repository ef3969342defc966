"""The library's read models, from Kafka to Postgres."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from events.pattern import (
    PatternArchived,
    PatternConflictAbandoned,
    PatternDeleted,
    PatternEvent,
    PatternRecorded,
    PatternRestored,
)
from events.shapes import utc_text
from migrations.run import downgrade, upgrade
from projectors.verify import verify
from runtime.settings import Settings
from tests.projecting import caught_up, events_log, fetch, fresh_log, projecting
from tests.scribe import Scribe, detected, edited, resolved
from tests.services import Services


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_log(services) as settings:
        yield settings


KINDS = [
    "record",
    "edit",
    "edit",
    "archive",
    "restore",
    "delete",
    "conflict",
    "conflict",
    "resolve",
    "abandon",
]


def tell_a_story(log: Scribe, events: int, seed: int = 1) -> None:
    """Random events that a decider could have made: names are unique among live patterns.

    The clock goes on, and now and then goes back.
    """
    random, now = Random(seed), datetime(2026, 3, 1, tzinfo=UTC)
    team = log.team(f"team {seed}")
    versions: dict[str, int] = {}
    archived: set[str] = set()
    conflicts: dict[str, list[str]] = {}
    for number in range(events):
        now += timedelta(seconds=random.choice([0, 1, 1, 3, -2]))
        log.recorded_at = utc_text(now)
        live = sorted(set(versions) - archived)
        kind = random.choice(KINDS)
        if kind == "restore" and archived:
            pattern = random.choice(sorted(archived))
            log.pattern(team, PatternRestored(), pattern)
            archived.remove(pattern)
        elif kind == "record" or not live:
            pattern = log.pattern(team, PatternRecorded(fields=first_fields(number)))
            versions[pattern] = 0
        else:
            pattern = random.choice(live)
            event = change(kind, number, versions[pattern], conflicts.setdefault(pattern, []))
            log.pattern(team, event, pattern)
            if kind == "archive":
                archived.add(pattern)
            elif kind == "delete":
                del versions[pattern]
                continue
        versions[pattern] += 1


def first_fields(number: int) -> dict[str, object]:
    return {"name": f"pattern {number}", "tags": ['"a\\b'], "severity": "low", "own": {"n": [number]}}


def change(kind: str, number: int, base_version: int, conflicts: list[str]) -> PatternEvent:
    """An event of that kind; an edit where there is no conflict to end."""
    if kind == "archive":
        return PatternArchived()
    if kind == "delete":
        return PatternDeleted()
    if kind == "conflict":
        conflicts.append(f"0190a5d0-0000-7000-8000-{number:012}")
        return detected(conflicts[-1], category=f"c{number}")
    if kind == "resolve" and conflicts:
        return resolved(conflicts.pop(0), base_version, category=f"c{number}")
    if kind == "abandon" and conflicts:
        return PatternConflictAbandoned(conflict_id=conflicts.pop())
    fields = {"category": f"c{number}", "tags": [f"t{number}"]} if number % 2 else {"name": f"new {number}"}
    return edited(base_version, "own", **fields)


async def test_every_read_model_shows_what_happened(settings: Settings) -> None:
    log = await events_log(settings)
    team = log.scribe.team("Ada's")
    fields = {"name": "Näme", "tags": ["a", "b"], "severity": "critical", "own": {"x": 1.5}}
    pattern = log.scribe.pattern(team, PatternRecorded(fields=fields))
    gone = log.scribe.pattern(team, PatternRecorded(fields={"name": "gone"}))
    conflict = log.scribe.new_id()
    log.scribe.pattern(team, detected(conflict, severity="low"), pattern)
    end = await log.publish()
    async with projecting(settings):
        await caught_up(settings, end)
        log.scribe.pattern(team, resolved(conflict, 2, severity="low"), pattern)
        log.scribe.pattern(team, edited(3, "own", category="c"), pattern)
        log.scribe.pattern(team, PatternDeleted(), gone)
        await caught_up(settings, await log.publish())
    report = await verify(settings)
    assert (report.is_equal, report.events, report.behind) == (True, 7, 0)
    counts = {"heads": 3, "names": 1, "patterns": 1, "changes": 2, "history": 6, "audit": 7, "tree_edges": 1}
    assert report.rows.items() >= {**counts, "conflicts": 1, "projected_logs": 1}.items()
    ((category, severity, tags, facets),) = await fetch(
        settings, "SELECT category, severity, tags, cardinality(facets) FROM patterns"
    )
    assert (category, severity, tags, facets) == ("c", 1, ["a", "b"], 4)
    items = [
        json.loads(item) for (item,) in await fetch(settings, "SELECT item FROM changes ORDER BY sequence")
    ]
    assert [item["status"] for item in items] == ["live", "deleted"]
    assert items[0]["fields"] == {"name": "Näme", "tags": ["a", "b"], "severity": "low", "category": "c"}


async def test_a_long_story_in_both_partitions_is_shown_whole(settings: Settings) -> None:
    logs = [await events_log(settings, partition) for partition in (0, 1)]
    for seed, log in enumerate(logs * 2):
        tell_a_story(log.scribe, 700, seed)
    ends = [await log.publish() for log in logs]
    async with projecting(settings.model_copy(update={"projector_batch": 97})):
        for partition, end in enumerate(ends):
            await caught_up(settings, end, partition=partition)
    report = await verify(settings)
    assert report.differences == []
    assert report.events == sum(ends) - 4


async def test_what_a_migration_fills_in_is_what_a_projector_writes(settings: Settings) -> None:
    log = await events_log(settings)
    for seed in (1, 2):
        tell_a_story(log.scribe, 700, seed)
    end = await log.publish()
    async with projecting(settings):
        await caught_up(settings, end)
    before = await filled_in(settings)
    await downgrade(settings, "0002")
    await upgrade(settings, "0005")
    assert await filled_in(settings) == before
    await upgrade(settings)
    # The leaves of the tree are in no other table: for them the projection is made anew.
    async with projecting(settings):
        await caught_up(settings, end)
    assert (await verify(settings)).differences == []


async def filled_in(settings: Settings) -> list[str]:
    """The rows of what a migration can fill, whatever the order of their columns."""
    tables = ("heads", "names", "patterns", "changes", "history", "conflicts")
    rows = " UNION ALL ".join(f"SELECT to_jsonb({name})::text FROM {name}" for name in tables)
    return sorted(row[0] for row in await fetch(settings, rows))
