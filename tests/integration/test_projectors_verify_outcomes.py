"""`verify` compares outcomes as far as their topic and the purge let it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from events.outcome import Outcome
from events.shapes import utc_text
from projectors import outcomes
from projectors.sample import Rows, Sample
from projectors.verify import Report, verify
from runtime.postgres import create_engine
from runtime.settings import Settings
from runtime.topics import Topics
from tests.logs import records_of
from tests.projecting import (
    OUTCOMES,
    TopicLog,
    answer,
    append,
    caught_up,
    copied_database,
    fetch,
    fresh_log,
    outcomes_log,
    projecting,
    trim,
)
from tests.services import Services

WHOLE = Sample(share=1.0, seed="s")
LEVELS = [(Rows.SAMPLE, WHOLE), (Rows.FULL, None)]


@dataclass
class Told:
    """Five answers under two fences, the first one a year old; it and the last one are refusals."""

    settings: Settings
    log: TopicLog
    answers: list[Outcome]

    async def after(self, statement: str, rows: Rows = Rows.FULL, sample: Sample | None = None) -> Report:
        await fetch(self.settings, statement)
        return await verify(self.settings, rows=rows, sample=sample)


async def tell(settings: Settings) -> Told:
    log, now = await outcomes_log(settings), datetime.now(UTC)
    ages = [timedelta(days=365), *(timedelta(minutes=minute) for minute in (4, 3, 2, 1))]
    answers = []
    for number, age in enumerate(ages):
        if number == 3:
            log.scribe.fence()
        refused = {"status": "rejected", "answer": {"code": "stale_edit", "detail": "d"}}
        other = refused if number in (0, 4) else {}
        answers.append(answer(log.scribe, recorded_at=utc_text(now - age), **other))
    end = await log.publish()
    async with projecting(settings):
        await caught_up(settings, end, OUTCOMES)
        await caught_up(settings, 2, OUTCOMES, partition=1)
    return Told(settings, log, answers)


@pytest.fixture(scope="module")
async def original(services: Services) -> AsyncIterator[Told]:
    async with fresh_log(services) as settings:
        yield await tell(settings)


@pytest.fixture
async def told(original: Told) -> AsyncIterator[Told]:
    async with copied_database(original.settings) as settings:
        yield replace(original, settings=settings)


def where(one: Outcome) -> str:
    return f"team_id = '{one.team_id}' AND command_id = '{one.command_id}'"


async def test_answers_that_are_what_their_topic_says_are_found_equal(told: Told) -> None:
    report = await verify(told.settings)
    assert (report.is_equal, report.answers, report.not_compared) == (True, 5, [])
    assert [report.rows[name] for name in ("outcomes", "refusals", "decider_positions")] == [5, 2, 2]


@pytest.mark.parametrize(("rows", "sample"), LEVELS)
@pytest.mark.parametrize(
    ("statement", "table", "kind"),
    [
        ("UPDATE outcomes SET answer = '{{}}' WHERE {where}", "outcomes", "altered"),
        ("UPDATE outcomes SET status = 'rejected' WHERE {where}", "outcomes", "altered"),
        ("UPDATE outcomes SET partition = 1 WHERE {where}", "outcomes", "altered"),
        ("DELETE FROM outcomes WHERE {where}", "outcomes", "missing"),
        (
            (
                "INSERT INTO outcomes SELECT team_id, gen_random_uuid(), partition, command_offset,"
                " command_hash, log_id, recorded_at, status, answer FROM outcomes WHERE {where}"
            ),
            "outcomes",
            "added",
        ),
        ("UPDATE refusals SET code = 'name_taken'", "refusals", "altered"),
        ("DELETE FROM refusals", "refusals", "missing"),
        (
            (
                "INSERT INTO refusals SELECT partition, command_offset + 1000, team_id, recorded_at, code,"
                " actor, item FROM refusals LIMIT 1"
            ),
            "refusals",
            "added",
        ),
        ("UPDATE decider_positions SET events_end = 0 WHERE partition = 0", "decider_positions", "altered"),
        (
            "UPDATE checkpoints SET term = 9 WHERE projection = 'outcomes' AND partition = 0",
            "checkpoints",
            "altered",
        ),
    ],
)
async def test_what_is_wrong_is_found(
    told: Told, statement: str, table: str, kind: str, rows: Rows, sample: Sample | None
) -> None:
    report = await told.after(statement.format(where=where(told.answers[2])), rows, sample)
    assert (table, kind) in {(one.table, one.kind) for one in report.differences}


async def test_an_answer_that_the_purge_took_is_no_difference(told: Told) -> None:
    engine = create_engine(told.settings, "test")
    # It was a refusal, too.
    assert await outcomes.purge(engine, datetime.now(UTC)) == 2
    await engine.dispose()
    report = await verify(told.settings)
    assert (report.is_equal, report.not_compared) == (True, ["outcomes: 1 records whose rows are purged"])


async def test_an_old_answer_that_is_still_there_must_be_right(told: Told) -> None:
    report = await told.after(f"UPDATE outcomes SET answer = '{{}}' WHERE {where(told.answers[0])}")
    assert [(one.table, one.kind) for one in report.differences] == [("outcomes", "altered")]


async def test_answers_that_retention_took_from_the_topic_are_not_compared(services: Services) -> None:
    async with fresh_log(services) as settings:
        told = await tell(settings)
        # Behind the first three answers lies a fence that the next ones lead to.
        await trim(settings, Topics(settings.topic_prefix).outcomes, before=6)
        report = await verify(settings)
        assert (report.is_equal, report.answers) == (True, 2)
        assert report.not_compared == ["outcomes: 3 rows whose records Kafka no longer holds"]
        wrong = f"UPDATE outcomes SET answer = '{{}}' WHERE {where(told.answers[4])}"
        assert [one.kind for one in (await told.after(wrong)).differences] == ["altered"]


async def test_a_topic_that_ends_before_the_checkpoint_is_a_fault(told: Told) -> None:
    report = await told.after("UPDATE checkpoints SET next_offset = 99 WHERE projection = 'outcomes'")
    assert len(report.faults) == 2
    assert not report.is_equal


async def test_a_record_that_is_no_outcome_is_a_fault(services: Services) -> None:
    async with fresh_log(services) as settings:
        told = await tell(settings)
        topic = Topics(settings.topic_prefix).outcomes
        forged = replace((await records_of(settings, topic, 0))[-1], value=b"nothing")
        await append(settings, topic, 0, [forged])
        end = told.log.scribe.next_offset + 1
        report = await told.after(
            f"UPDATE checkpoints SET next_offset = {end} WHERE projection = 'outcomes' AND partition = 0"
        )
        assert [fault.partition for fault in report.faults] == [0]
