"""Submitting and looking up without services: the log, the feed and Postgres are scripted."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from command_api import service
from command_api.command_log import CommandLog, Sender
from command_api.lookup import Found
from command_api.outcome_feed import OutcomeFeed
from command_api.recent import CommandPlace, RecentOutcomes
from command_api.service import CommandService
from command_api.submission import Submission
from events.outcome import Outcome, OutcomeStatus, encode
from events.record import Record
from runtime.health import Health
from runtime.problems import Problem
from runtime.settings import Settings

TEAM = "0198c0de-0000-7000-8000-00000000000a"
LOG = "0198c0de-0000-7000-8000-000000000001"
COMMAND = "01890a5d-ac96-774b-bcce-b302099a8057"
SENDER = Sender(team_id=TEAM, actor="ann", request_id="r")
TWICE = Submission([COMMAND, COMMAND], [b"{}", b"{}"], is_many=True, count=2)
ONCE = Submission([COMMAND], [b"{}"], is_many=False, count=1)


def outcome(status: OutcomeStatus = "accepted", *, repeat: bool = False, **answer: Any) -> Outcome:
    return Outcome(
        log_id=LOG,
        team_id=TEAM,
        command_id=COMMAND,
        command_hash="h",
        recorded_at="2026-01-01T00:00:00.000Z",
        status=status,
        answer=answer,
        repeat=repeat,
    )


REUSED = outcome("rejected", repeat=True, code="command_id_reused", detail="another command")


def record_of(answer: Outcome, offset: int) -> Record:
    encoded = encode(answer, command_offset=offset, events_end=1)
    return Record(
        partition=0,
        offset=offset,
        timestamp_ms=0,
        key=encoded.key,
        value=encoded.value,
        headers=encoded.headers,
    )


class Log:
    """Appends at the next offsets of partition 0."""

    def __init__(self) -> None:
        self.end = 0

    async def append(self, _: Sender, commands: Sequence[bytes]) -> list[CommandPlace]:
        base, self.end = self.end, self.end + len(commands)
        return [(0, offset) for offset in range(base, self.end)]


class Bench:
    """A service whose outcomes and rows a test decides."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: Outcome | Exception | None = None
        self.owner = SENDER.actor
        self.is_member = False
        monkeypatch.setattr(service, "find_outcome", self._find)
        monkeypatch.setattr(service, "may_read", self._may_read)
        settings = Settings(_env_file=None)
        monkeypatch.setattr("command_api.outcome_feed.create_reader", lambda *_: None)
        self.health = Health()
        self.feed = OutcomeFeed(settings, self.health, 1)
        log = cast(CommandLog, Log())
        self.service = CommandService(log, self.feed, cast(AsyncEngine, None))

    async def _find(self, *_: object) -> Found | None:
        if isinstance(self.rows, Exception):
            raise self.rows
        return None if self.rows is None else Found(outcome=self.rows, actor=self.owner)

    async def _may_read(self, *_: object) -> bool:
        return self.is_member

    def comes(self, answer: Outcome, offset: int) -> None:
        """An outcome that counts arrives."""
        self.feed._deliver(record_of(answer, offset))

    def waiting(self) -> int:
        return len(self.feed._waiting)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


async def test_an_outcome_that_comes_before_the_acknowledgement_is_not_missed(bench: Bench) -> None:
    bench.comes(outcome(version=1), 0)
    (body,) = await bench.service.submit(SENDER, ONCE, 5.0)
    assert body["status"] == "accepted"


async def test_an_outcome_that_comes_while_a_request_waits_answers_it(bench: Bench) -> None:
    submitted = asyncio.create_task(bench.service.submit(SENDER, TWICE, 30.0))
    while not bench.waiting():  # noqa: ASYNC110 - the condition is another task's
        await asyncio.sleep(0)
    bench.comes(outcome(version=1), 0)
    bench.comes(outcome(version=1, repeat=True), 1)
    first, second = await submitted
    assert (first["status"], first["repeat"], second["repeat"]) == ("accepted", False, True)


async def test_requests_that_have_ended_hold_nothing_however_often_they_come(bench: Bench) -> None:
    for _ in range(50):
        (body,) = await bench.service.submit(SENDER, ONCE, 0.0)
        assert body["status"] == "pending"
    assert bench.waiting() == 0


async def test_a_cancelled_request_holds_nothing(bench: Bench) -> None:
    submitted = asyncio.create_task(bench.service.submit(SENDER, ONCE, 30.0))
    while not bench.waiting():  # noqa: ASYNC110 - the condition is another task's
        await asyncio.sleep(0)
    submitted.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submitted
    assert bench.waiting() == 0


async def test_an_outcome_that_comes_after_the_wait_is_looked_up(bench: Bench) -> None:
    await bench.service.submit(SENDER, ONCE, 0.0)
    assert (await bench.service.look_up(SENDER, COMMAND))["status"] == "pending"
    bench.comes(outcome(version=1), 0)
    assert (await bench.service.look_up(SENDER, COMMAND))["status"] == "accepted"


async def test_an_outcome_that_the_feed_missed_is_found_in_postgres(bench: Bench) -> None:
    await bench.service.submit(SENDER, ONCE, 0.0)
    bench.rows = outcome(version=1)
    assert (await bench.service.look_up(SENDER, COMMAND))["status"] == "accepted"


async def test_another_body_under_an_id_does_not_hide_the_first_outcome(bench: Bench) -> None:
    await bench.service.submit(SENDER, ONCE, 0.0)
    bench.comes(REUSED, 0)
    bench.rows = outcome(version=1)
    assert (await bench.service.look_up(SENDER, COMMAND))["status"] == "accepted"


async def test_a_repeat_is_looked_up_as_the_first_outcome(bench: Bench) -> None:
    await bench.service.submit(SENDER, ONCE, 0.0)
    bench.comes(outcome(version=1, repeat=True), 0)
    assert (await bench.service.look_up(SENDER, COMMAND))["repeat"] is False


async def test_without_postgres_what_was_sent_is_pending_and_what_was_not_is_unavailable(
    bench: Bench,
) -> None:
    bench.rows = OSError("away")
    with pytest.raises(Problem) as caught:
        await bench.service.look_up(SENDER, COMMAND)
    assert caught.value.code == "database_unavailable"
    await bench.service.submit(SENDER, ONCE, 0.0)
    assert (await bench.service.look_up(SENDER, COMMAND))["status"] == "pending"


async def test_an_unknown_command_is_no_outcome(bench: Bench) -> None:
    with pytest.raises(Problem) as caught:
        await bench.service.look_up(SENDER, COMMAND)
    assert (caught.value.code, caught.value.status) == ("unknown_command", 404)


async def test_an_outcome_that_cannot_be_read_is_an_alarm_and_answers_nobody(bench: Bench) -> None:
    record = record_of(outcome(version=1), 0)
    bench.feed._deliver(
        Record(partition=0, offset=0, timestamp_ms=0, key=b"k", value=b"{", headers=record.headers)
    )
    (body,) = await bench.service.submit(SENDER, ONCE, 0.0)
    assert body["status"] == "pending"
    assert "outcomes" in bench.health.ready()


def test_recent_outcomes_take_bounded_memory_whatever_their_size() -> None:
    recent = RecentOutcomes(most_bytes=100_000)
    fields = ["f" * 255] * 100
    for offset in range(20):
        recent.add((0, offset), record_of(outcome("conflict", conflict={"fields": fields}), offset))
    kept = [offset for offset in range(20) if recent.get((0, offset)) is not None]
    assert kept == [17, 18, 19]


@pytest.mark.parametrize("is_member", [True, False])
async def test_an_outcome_of_somebody_else_is_for_members_alone(bench: Bench, is_member: bool) -> None:
    bench.rows, bench.owner, bench.is_member = outcome(version=1), "ben", is_member
    if is_member:
        assert (await bench.service.look_up(SENDER, COMMAND))["status"] == "accepted"
        return
    with pytest.raises(Problem) as caught:
        await bench.service.look_up(SENDER, COMMAND)
    assert caught.value.code == "unknown_command"


async def test_what_somebody_else_has_sent_from_here_is_not_told_without_postgres(bench: Bench) -> None:
    await bench.service.submit(SENDER, ONCE, 0.0)
    bench.comes(outcome(version=1), 0)
    with pytest.raises(Problem) as caught:
        await bench.service.look_up(replace(SENDER, actor="mallory"), COMMAND)
    assert caught.value.code == "unknown_command"
