"""The command API over HTTP, with a real decider and projector behind it."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from devstack.services import Services as ServiceProcesses
from runtime.settings import Settings
from tests.command_client import Team, answering, batch, create_team, created_team, edit, record_pattern
from tests.databases import fresh_database, settings_for
from tests.services import Services
from tests.waiting import eventually

DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture(scope="module")
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        yield settings_for(services, dsn)


@pytest.fixture(scope="module")
def processes(settings: Settings) -> Iterator[ServiceProcesses]:
    with answering(settings) as started:
        yield started


@pytest.fixture
async def team(processes: ServiceProcesses) -> AsyncIterator[Team]:
    async with created_team(processes) as created:
        yield created


async def test_an_accepted_command_tells_its_version_and_cursor(team: Team) -> None:
    response = await team.send(record_pattern())
    body = response.json()
    assert (response.status_code, body["status"], body["version"], body["sequence"]) == (
        *(200, "accepted"),
        *(1, 2),
    )
    assert body["cursor"]


async def test_a_command_sent_again_gets_its_outcome_and_is_applied_once(team: Team) -> None:
    command = record_pattern()
    first, again = (await team.send(command)).json(), (await team.send(command)).json()
    assert again == {**first, "repeat": True}
    assert (await team.look_up(command)).json() == first


async def test_another_body_under_an_id_is_refused_and_the_first_outcome_stands(team: Team) -> None:
    command = record_pattern()
    first = (await team.send(command)).json()
    reused = await team.send({**command, "fields": {"name": "other"}})
    assert (reused.status_code, reused.json()["code"]) == (409, "command_id_reused")

    async def stands() -> bool:
        found = await team.look_up(command)
        assert found.status_code in (200, 202)
        return found.status_code == 200 and found.json() == first

    await eventually(stands)


async def test_many_commands_have_an_outcome_each_in_order(team: Team) -> None:
    one = record_pattern(name="one")
    outcomes = await team.send_many(
        one,
        one,
        {**one, "fields": {"name": "other"}},
        record_pattern(name="one"),
        edit(one, 1, x=1),
        edit(one, 1, x=2),
        edit(one, 1, y=1),
    )
    assert [(each["status"], each.get("code"), each["repeat"]) for each in outcomes] == [
        ("accepted", None, False),
        ("accepted", None, True),
        ("rejected", "command_id_reused", True),
        ("rejected", "name_taken", False),
        ("accepted", None, False),
        ("conflict", "edit_conflict", False),
        ("merged", None, False),
    ]
    conflict_id = outcomes[5]["command_id"]
    assert outcomes[5]["conflict"] == {"conflict_id": conflict_id, "current_version": 2, "fields": ["x"]}


async def test_500_commands_are_accepted_at_once(team: Team) -> None:
    outcomes = await team.send_many(*(record_pattern() for _ in range(500)))
    assert [each["sequence"] for each in outcomes] == list(range(2, 502))


async def test_large_patterns_and_their_conflicts_are_answered(team: Team) -> None:
    many = {f"{number:03}".ljust(255, "x"): number for number in range(900)}
    pattern = record_pattern(text="x" * 500_000, **many)
    edits = [edit(pattern, 1, **dict.fromkeys(many, number)) for number in range(1000, 1020)]
    outcomes = await team.send_many(pattern, *edits)
    assert [each["status"] for each in outcomes] == ["accepted", "accepted"] + ["conflict"] * 19
    assert len(outcomes[-1]["conflict"]["fields"]) == 900
    refused = await team.send_many(*map(batch, edits[1:]))
    assert [each["code"] for each in refused] == ["batch_refused"] * 19
    assert len(refused[-1]["failed"]["conflict"]["fields"]) == 900


async def test_nothing_of_a_request_with_a_malformed_command_is_accepted(team: Team) -> None:
    good = record_pattern()
    response = await team.send({"commands": [good, record_pattern(name=" ")]})
    assert (response.status_code, response.json()["pointer"]) == (400, "/commands/1/fields/name")
    assert (await team.look_up(good)).status_code == 404


@pytest.mark.parametrize("prefer", ["respond-async", "wait=0", ["return=minimal", "respond-async"]])
async def test_who_does_not_wait_is_told_where_the_outcome_will_be(
    team: Team, prefer: str | list[str]
) -> None:
    command = record_pattern()
    response = await team.send(command, prefer)
    assert (response.status_code, response.json()["status"]) == (202, "pending")
    assert response.headers["Location"] == response.json()["url"]
    assert response.headers["Retry-After"] == "1"

    async def is_known() -> bool:
        found = await team.http.get(response.headers["Location"])
        assert found.status_code in (200, 202)
        return found.status_code == 200

    await eventually(is_known)


@pytest.mark.parametrize(
    ("command", "status", "code"),
    [
        (create_team(), 409, "team_exists"),
        (create_team(-31 * DAY_MS), 422, "too_old"),
        (create_team(DAY_MS), 422, "in_future"),
        (edit(record_pattern(), 1, x=1), 404, "unknown_pattern"),
        (record_pattern(text="x" * 1_100_000), 413, "too_large"),
        (record_pattern(deep=json.loads("[" * 31 + "]" * 31)), 400, "too_deep"),
        ({"commands": [create_team() for _ in range(501)]}, 413, "too_many_commands"),
        ({"commands": []}, 400, "malformed_command"),
        (b"{", 400, "malformed_json"),
        (b" " * 9_000_000, 413, "body_too_large"),
    ],
)
async def test_a_refusal_is_a_problem_with_its_code(team: Team, command: Any, status: int, code: str) -> None:
    response = await team.send(command)
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_a_base_version_that_never_existed_is_refused(team: Team) -> None:
    pattern = record_pattern()
    await team.send(pattern)
    response = await team.send(edit(pattern, 9, x=1))
    assert (response.status_code, response.json()["code"]) == (422, "unknown_base_version")
    assert response.json()["outcome"]["status"] == "rejected"


async def test_a_team_that_nobody_created_has_no_patterns(team: Team) -> None:
    team.url = f"/api/v1/teams/{uuid.uuid4()}/commands"
    response = await team.send(record_pattern())
    assert (response.status_code, response.json()["code"]) == (404, "unknown_team")


async def test_a_lookup_is_of_one_team_and_of_a_command_id(team: Team) -> None:
    command = record_pattern()
    await team.send(command)
    other = Team(team.http)
    assert (await other.look_up(command)).json()["code"] == "unknown_command"
    assert (await team.look_up({"command_id": "x"})).json()["code"] == "invalid_parameter"


async def test_without_a_decider_commands_wait_and_are_answered_when_it_is_back(
    team: Team, processes: ServiceProcesses
) -> None:
    decider = processes.process("decider")
    await asyncio.to_thread(decider.kill)
    command = record_pattern()
    assert (await team.send(command, "wait=1")).status_code == 202
    assert (await team.look_up(command)).status_code == 202
    await asyncio.to_thread(decider.start)
    answered = await team.send(command)
    assert (answered.status_code, answered.json()["repeat"]) == (200, True)


async def test_a_restarted_api_finds_the_outcome_in_postgres(team: Team, processes: ServiceProcesses) -> None:
    command = record_pattern()
    first = (await team.send(command)).json()
    api = processes.process("command-api")
    await asyncio.to_thread(api.stop)
    await asyncio.to_thread(api.start)

    async def is_found() -> bool:
        found = await team.look_up(command)
        return found.status_code == 200 and found.json() == first

    await eventually(is_found)


async def test_connections_to_postgres_that_die_cost_no_command(team: Team, settings: Settings) -> None:
    pg = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    try:
        for _ in range(3):
            await pg.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert (await team.send(record_pattern())).status_code == 200
    finally:
        await pg.close()
