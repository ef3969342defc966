"""What `verify` finds, and where, at each level: in the log as well as in the tables."""

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from events.pattern import PatternRecorded
from events.record import NewRecord
from projectors.sample import Rows, Sample
from projectors.verify import Report, verify
from runtime.settings import Settings
from tests.logs import tampered_log
from tests.projecting import caught_up, copied_database, events_log, fetch, fresh_log, projecting
from tests.scribe import edited
from tests.services import Services

PATTERNS = 12
FIRST = 2
"""Where the first event lies: behind two fences."""
WHOLE = Sample(share=1.0, seed="s")
LEVELS = [(Rows.NONE, None), (Rows.SAMPLE, WHOLE), (Rows.FULL, None)]


@dataclass
class Told:
    """A team with patterns of two versions each; the last event has the sequence 25."""

    settings: Settings
    team: str
    patterns: list[str]


@pytest.fixture(scope="module")
async def original(services: Services) -> AsyncIterator[Told]:
    async with fresh_log(services) as settings:
        log = await events_log(settings)
        team = log.scribe.team()
        patterns = [
            log.scribe.pattern(team, PatternRecorded(fields={"name": f"n{number}"}))
            for number in range(PATTERNS)
        ]
        for pattern in patterns:
            log.scribe.pattern(team, edited(1, category="c"), pattern)
        end = await log.publish()
        async with projecting(settings):
            await caught_up(settings, end)
            await caught_up(settings, 1, partition=1)
        yield Told(settings, team, patterns)


@pytest.fixture
async def told(original: Told) -> AsyncIterator[Told]:
    async with copied_database(original.settings) as settings:
        yield replace(original, settings=settings)


def dropped(at: int) -> Callable[[list[NewRecord]], list[NewRecord]]:
    return lambda records: [*records[:at], *records[at + 1 :]]


def doubled(at: int) -> Callable[[list[NewRecord]], list[NewRecord]]:
    return lambda records: [*records[: at + 1], *records[at:]]


def swapped(at: int) -> Callable[[list[NewRecord]], list[NewRecord]]:
    return lambda records: [*records[:at], records[at + 1], records[at], *records[at + 2 :]]


def altered(at: int) -> Callable[[list[NewRecord]], list[NewRecord]]:
    def alter(records: list[NewRecord]) -> list[NewRecord]:
        forged = replace(records[at], value=(records[at].value or b"").replace(b"n", b"m", 1))
        return [*records[:at], forged, *records[at + 1 :]]

    return alter


def cut(at: int) -> Callable[[list[NewRecord]], list[NewRecord]]:
    return lambda records: records[:at]


@pytest.mark.parametrize(("rows", "sample"), LEVELS)
@pytest.mark.parametrize(
    ("tamper", "first_bad"),
    [
        (dropped(FIRST + 9), 10),
        (doubled(FIRST + 9), 11),
        (swapped(FIRST + 9), 10),
        (altered(FIRST + 9), 10),
        (cut(FIRST + 9), 10),
        (cut(FIRST), 1),
    ],
    ids=["dropped", "doubled", "swapped", "altered", "cut", "all cut"],
)
async def test_what_was_done_to_the_log_is_found_where_it_was_done(
    told: Told,
    tamper: Callable[[list[NewRecord]], list[NewRecord]],
    first_bad: int,
    rows: Rows,
    sample: Sample | None,
) -> None:
    async with tampered_log(told.settings, f"test-{uuid.uuid4().hex}", tamper) as settings:
        report = await verify(settings, rows=rows, sample=sample)
    assert report.faults
    assert report.first_bad_sequences == {told.team: first_bad}


@pytest.mark.parametrize(("rows", "sample"), LEVELS)
async def test_the_last_event_altered_is_found_by_the_hash_that_was_projected(
    told: Told, rows: Rows, sample: Sample | None
) -> None:
    def forge(records: list[NewRecord]) -> list[NewRecord]:
        return [*records[:-1], replace(records[-1], headers={**records[-1].headers, "ce_actor": b"eve"})]

    async with tampered_log(told.settings, f"test-{uuid.uuid4().hex}", forge) as settings:
        report = await verify(settings, rows=rows, sample=sample)
    assert report.first_bad_sequences == {told.team: 2 * PATTERNS + 1}


@pytest.mark.parametrize(("rows", "sample"), LEVELS)
async def test_an_event_that_was_not_projected_is_found_by_count_and_hash(
    told: Told, rows: Rows, sample: Sample | None
) -> None:
    await fetch(told.settings, "UPDATE projected_logs SET event_count = event_count - 1, last_sequence = 24")
    report = await verify(told.settings, rows=rows, sample=sample)
    assert [(one.table, one.kind) for one in report.differences] == [("projected_logs", "altered")]
    assert report.first_bad_sequences == {told.team: 25}


async def test_without_rows_none_is_read_but_those_of_the_tree(told: Told) -> None:
    await fetch(told.settings, "UPDATE patterns SET name = 'forged'")
    report = await verify(told.settings, rows=Rows.NONE)
    assert report.is_equal
    assert report.events == 2 * PATTERNS + 1
    assert report.rows == {"tree_edges": 1, "projected_logs": 1}
    assert report.not_compared == ["outcomes: their records are in no chain of hashes"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE heads SET version = 9 WHERE stream = 'patterns/{pattern}'",
        "UPDATE names SET name_key = 'forged {pattern}' WHERE pattern_id = '{pattern}'",
        "UPDATE patterns SET name = 'forged' WHERE pattern_id = '{pattern}'",
        "UPDATE changes SET item = '{{}}' WHERE pattern_id = '{pattern}'",
        "UPDATE history SET item = '{{}}' WHERE pattern_id = '{pattern}' AND version = 1",
        "DELETE FROM heads WHERE stream = 'patterns/{pattern}'",
        "DELETE FROM names WHERE pattern_id = '{pattern}'",
        "DELETE FROM patterns WHERE pattern_id = '{pattern}'",
        "DELETE FROM changes WHERE pattern_id = '{pattern}'",
        "DELETE FROM history WHERE pattern_id = '{pattern}' AND version = 2",
        "INSERT INTO names VALUES ('{team}', 'more {pattern}', '{pattern}')",
        "INSERT INTO history VALUES ('{team}', '{pattern}', 3, 99, '{{}}', now(), NULL, NULL, '{{}}')",
        "INSERT INTO conflicts VALUES ('{team}', '{pattern}', '{pattern}', 99, 'open', '{{}}')",
    ],
)
async def test_a_sample_finds_what_is_wrong_with_its_streams_and_with_no_other(
    told: Told, statement: str
) -> None:
    sample = Sample(share=0.5, seed="seed")
    inside = next(one for one in told.patterns if sample.has(told.team, f"patterns/{one}"))
    outside = next(one for one in told.patterns if not sample.has(told.team, f"patterns/{one}"))
    await fetch(told.settings, statement.format(team=told.team, pattern=outside))
    report = await sampled(told.settings, sample)
    assert (report.is_equal, report.differences) == (True, [])
    await fetch(told.settings, statement.format(team=told.team, pattern=inside).replace("99", "98"))
    report = await sampled(told.settings, sample)
    assert {one.stream for one in report.differences} == {f"patterns/{inside}"}


async def sampled(settings: Settings, sample: Sample) -> Report:
    return await verify(settings, rows=Rows.SAMPLE, sample=sample)


async def test_a_sample_of_strangers_is_found_too(told: Told) -> None:
    rows = ", ".join(f"('{uuid.uuid4()}', 'team', 1, '{{}}')" for _ in range(100))
    await fetch(told.settings, f"INSERT INTO heads VALUES {rows}")
    report = await sampled(told.settings, Sample(share=0.5, seed="x"))
    assert {(one.table, one.kind) for one in report.differences} == {("heads", "added")}
    assert 20 < report.difference_count < 80


async def test_the_same_seed_compares_the_same_rows(told: Told) -> None:
    one = await sampled(told.settings, Sample(share=0.4, seed="x"))
    again = await sampled(told.settings, Sample(share=0.4, seed="x"))
    assert one.rows == again.rows
    assert 0 < one.rows["heads"] < PATTERNS
