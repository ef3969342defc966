"""What an organization says reaches its teams, with every process behind it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from devstack.services import Services as ServiceProcesses
from runtime.settings import Settings
from tests.command_client import answering, new_id, record_pattern
from tests.databases import fresh_database, settings_for
from tests.organizations import People, coordinated, people_of
from tests.projecting import fetch
from tests.services import Services


@pytest.fixture(scope="module")
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        yield settings_for(services, dsn)


@pytest.fixture(scope="module")
def processes(settings: Settings) -> Iterator[ServiceProcesses]:
    with answering(settings) as started:
        yield started


@pytest.fixture
async def people(processes: ServiceProcesses) -> AsyncIterator[People]:
    async with people_of(processes.url("command-api")) as people:
        yield people


async def events_of(settings: Settings, team_id: str) -> list[tuple[Any, ...]]:
    statement = "SELECT type, actor FROM audit WHERE team_id = $1 ORDER BY sequence"
    return await fetch(settings, statement, team_id)


async def test_a_team_of_an_organization_comes_to_be_and_knows_it(people: People, settings: Settings) -> None:
    organization = await people.organization()
    team_id = await people.add_team(organization)
    await coordinated(settings, organization, 2)
    assert await events_of(settings, team_id) == [
        ("team.created.v2", "system:organizations"),
        ("team.organization_applied.v1", "system:organizations"),
    ]
    assert await people.can_write("ada", team_id)


async def test_admins_come_and_members_go_in_all_teams(people: People, settings: Settings) -> None:
    organization = await people.organization()
    teams = [await people.add_team(organization) for _ in range(3)]
    await coordinated(settings, organization, 4)
    await people.send("ada", organization, "add_organization_member", member="eve", role="admin")
    await coordinated(settings, organization, 5)
    assert all([await people.can_write("eve", team_id) for team_id in teams])
    for team_id in teams:
        added = await people.send("eve", f"teams/{team_id}", "add_member", member="ada", role="developer")
        assert added.json()["code"] == "member_exists"
    await people.send("eve", organization, "remove_organization_member", member="ada")
    await coordinated(settings, organization, 6)
    assert not any([await people.can_write("ada", team_id) for team_id in teams])


async def test_what_an_organization_enforces_no_team_can_choose(people: People, settings: Settings) -> None:
    organization = await people.organization()
    team_id = await people.add_team(organization)
    await people.send(
        "ada", organization, "change_organization_settings", set={"review_days": 7}, enforce=["review_days"]
    )
    await coordinated(settings, organization, 3)
    chosen = await people.send("ada", f"teams/{team_id}", "change_settings", set={"review_days": 9})
    assert (chosen.status_code, chosen.json()["code"]) == (409, "setting_enforced")


async def test_a_team_of_others_is_not_taken_and_hinders_nobody(people: People, settings: Settings) -> None:
    foreign = str(uuid.uuid4())
    await people.send("mallory", f"teams/{foreign}", "create_team", name="Mine")
    organization = await people.organization()
    await people.add_team(organization, team_id=foreign)
    own = await people.add_team(organization)
    await coordinated(settings, organization, 3)
    assert not await people.can_write("ada", foreign)
    assert await people.can_write("ada", own)
    assert [row[0] for row in await events_of(settings, foreign)] == ["team.created.v2"]
    statement = "SELECT team_id::text, code FROM coordination_refusals WHERE organization_id = $1"
    refused = await fetch(settings, statement, organization.split("/")[1])
    assert refused == [(foreign, "team_exists")]


async def test_a_team_id_that_is_an_organizations_is_given_up(people: People, settings: Settings) -> None:
    organization, other = await people.organization(), await people.organization()
    team_id = other.split("/")[1]
    await people.add_team(organization, team_id=team_id)
    await coordinated(settings, organization, 2)
    statement = "SELECT code FROM coordination_refusals WHERE team_id = $1"
    assert await fetch(settings, statement, team_id) == [("organization_exists",)]


async def test_a_killed_coordinator_is_followed_by_another_that_goes_on(
    people: People, settings: Settings, processes: ServiceProcesses
) -> None:
    organization = await people.organization()
    team_id = await people.add_team(organization)
    await coordinated(settings, organization, 2)
    projector = processes.process("projector")
    await asyncio.to_thread(projector.kill)
    await people.send("ada", organization, "add_organization_member", member="eve", role="admin")
    await asyncio.to_thread(projector.start)
    await coordinated(settings, organization, 3)
    assert await people.can_write("eve", team_id)


async def test_two_coordinators_let_each_team_know_once(
    people: People, settings: Settings, processes: ServiceProcesses
) -> None:
    await asyncio.to_thread(processes.start, "projector:other")
    try:
        organization = await people.organization()
        teams = [await people.add_team(organization) for _ in range(5)]
        await coordinated(settings, organization, 6)
        for team_id in teams:
            told = [row[0] for row in await events_of(settings, team_id)]
            assert told.count("team.created.v2") == 1
    finally:
        await asyncio.to_thread(processes.process("other").stop)


async def test_a_session_that_ends_costs_no_word(people: People, settings: Settings) -> None:
    organization = await people.organization()
    team_id = await people.add_team(organization)
    for number in range(3):
        await fetch(
            settings,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        member = f"eve{number}"
        await people.send("ada", organization, "add_organization_member", member=member, role="admin")
    await coordinated(settings, organization, 5)
    assert await people.can_write("eve2", team_id)


async def test_a_queued_command_of_a_removed_member_is_refused(
    people: People, processes: ServiceProcesses
) -> None:
    team_id = str(uuid.uuid4())
    path = f"teams/{team_id}"
    await people.send("ada", path, "create_team", name="Platform")
    await people.send("ada", path, "add_member", member="ben", role="developer")
    assert await people.can_write("ben", team_id)
    decider = processes.process("decider")
    decider.pause()
    try:
        removing = {"type": "remove_member", "command_id": new_id(), "member": "ben"}
        assert (await people.post("ada", f"{path}/commands", removing, "respond-async")).status_code == 202
        writing = record_pattern()
        assert (await people.post("ben", f"{path}/commands", writing, "respond-async")).status_code == 202
    finally:
        decider.resume()
    told = await people.post("ben", f"{path}/commands", writing)
    assert (told.status_code, told.json()["code"]) == (404, "unknown_team")
