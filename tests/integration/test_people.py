"""Invitations, lists of members, who is told of a command, what operators do: with every process behind."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.services import Services as ServiceProcesses
from runtime.settings import Settings
from tests.command_client import answering, new_id, record_pattern
from tests.databases import fresh_database, settings_for, variables_of
from tests.organizations import People, coordinated, people_of
from tests.processes import running
from tests.projecting import fetch
from tests.services import Services
from tests.waiting import eventually


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


@pytest.fixture
async def team(people: People) -> str:
    path = f"teams/{uuid.uuid4()}"
    assert (await people.send("ada", path, "create_team", name="Platform")).status_code == 200
    return path


async def test_whoever_is_given_the_token_joins_once(people: People, team: str, settings: Settings) -> None:
    invited = await people.post("ada", f"{team}/invitations", {"role": "developer"})
    assert invited.status_code == 201
    assert invited.headers["cache-control"] == "no-store"
    token = invited.json()["token"]
    accepted = await people.post("ben", "invitations/accept", {"token": token})
    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    assert await people.can_write("ben", team.split("/")[1])
    again = await people.post("eve", "invitations/accept", {"token": token})
    assert (again.status_code, again.json()["code"]) == (404, "unknown_invitation")
    secret = token.rsplit(".", 1)[1]
    found = await fetch(settings, "SELECT count(*) FROM audit WHERE strpos(data, $1) > 0", secret)
    assert found == [(0,)]


async def test_an_organization_invites_in_the_same_way(people: People) -> None:
    organization = await people.organization()
    invited = await people.post(
        "ada", f"{organization}/invitations", {"role": "admin", "expires_in_days": 30}
    )
    token = invited.json()["token"]
    joined = await people.post("ben", "invitations/accept", {"token": token, "command_id": new_id()})
    assert joined.status_code == 200
    assert (
        await people.send("ben", organization, "add_team", team_id=str(uuid.uuid4()), name="T")
    ).is_success


async def test_who_may_not_invite_does_not(people: People, team: str) -> None:
    await people.send("ada", team, "add_member", member="ben", role="developer")
    for who, code in (("ben", "forbidden"), ("mallory", "unknown_team")):
        refused = await people.post(who, f"{team}/invitations", {"role": "viewer"})
        assert refused.json()["code"] == code
        assert "token" not in refused.text.replace("unknown_token", "")


@pytest.mark.parametrize("token", ["", "inv_x", "inv_" + "a" * 150, "x" * 200])
async def test_what_is_no_token_is_refused_and_not_quoted(people: People, token: str) -> None:
    refused = await people.post("ben", "invitations/accept", {"token": token})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_invitation")
    assert not token or token not in refused.text


async def test_a_wrong_secret_is_an_unknown_invitation(people: People, team: str) -> None:
    token = (await people.post("ada", f"{team}/invitations", {"role": "viewer"})).json()["token"]
    wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
    refused = await people.post("ben", "invitations/accept", {"token": wrong})
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_invitation")


@pytest.mark.parametrize("kind", ["open_team", "apply_organization", "change_tier", "add_team"])
async def test_what_only_the_service_sends_is_unknown_at_a_teams_door(
    people: People, team: str, kind: str
) -> None:
    every: dict[str, dict[str, Any]] = {
        "open_team": {"name": "T", "organization_id": str(uuid.uuid4()), "admin": "ada"},
        "apply_organization": {
            "organization_id": str(uuid.uuid4()),
            "organization_version": 1,
            "admins": ["mallory"],
            "removed": [],
            "defaults": {},
            "enforced": [],
            "tier": "enterprise",
        },
        "change_tier": {"tier": "enterprise"},
        "add_team": {"team_id": str(uuid.uuid4()), "name": "T"},
    }
    members = every[kind]
    refused = await people.send("ada", team, kind, **members)
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_command_type")
    member = {"type": kind, **members}
    in_batch = await people.send("ada", team, "batch", commands=[member])
    assert (in_batch.status_code, in_batch.json()["pointer"]) == (400, "/commands/0/type")


async def test_an_outcome_is_for_its_sender_and_for_members(
    people: People, team: str, processes: ServiceProcesses
) -> None:
    await people.send("ada", team, "add_member", member="ben", role="viewer")
    command = record_pattern()
    assert (await people.post("ada", f"{team}/commands", command)).status_code == 200
    url = f"{team}/commands/{command['command_id']}"
    assert (await people.get("ada", url)).json()["status"] == "accepted"

    async def is_told_to_members() -> bool:
        return (await people.get("ben", url)).status_code == 200

    await eventually(is_told_to_members)
    assert (await people.get("mallory", url)).json()["code"] == "unknown_command"


async def test_a_refusal_is_told_to_the_stranger_who_got_it(people: People, team: str) -> None:
    command = record_pattern()
    assert (await people.post("mallory", f"{team}/commands", command)).status_code == 404
    url = f"{team}/commands/{command['command_id']}"
    assert (await people.get("mallory", url)).json()["code"] == "unknown_team"
    assert (await people.get("eve", url)).json()["code"] == "unknown_command"


async def test_a_list_of_members_has_a_result_for_each_row_and_is_applied_once(
    people: People, settings: Settings
) -> None:
    organization = await people.organization()
    team_id = await people.add_team(organization)
    await coordinated(settings, organization, 2)
    rows = [
        {"action": "add", "member": "ben", "role": "member", "team_id": team_id, "team_role": "developer"},
        {"action": "add", "member": "ben"},
        {"action": "set", "member": "eve", "role": "admin"},
        {"action": "add"},
        {"action": "add", "member": "zoe", "role": "admin"},
        {"action": "remove", "member": "ben", "team_id": team_id},
    ]
    path = f"{organization}/members/batch?batch_id={new_id()}"
    answer = await people.post("ada", path, {"rows": rows})
    assert answer.status_code == 200, answer.text
    told = [(row["status"], row.get("code")) for row in answer.json()["rows"]]
    assert told == [
        ("accepted", None),
        ("rejected", "member_exists"),
        ("rejected", "unknown_member"),
        ("invalid", "invalid_row"),
        ("accepted", None),
        ("accepted", None),
    ]
    again = await people.post("ada", path, {"rows": rows})
    assert [(row["status"], row.get("code")) for row in again.json()["rows"]] == told
    assert again.json()["rows"][0]["outcomes"][0]["repeat"]


async def test_a_list_of_somebody_without_the_right_changes_nothing(people: People) -> None:
    organization = await people.organization()
    path = f"{organization}/members/batch?batch_id={new_id()}"
    answer = await people.post("mallory", path, [{"action": "add", "member": "mallory", "role": "admin"}])
    assert [row["code"] for row in answer.json()["rows"]] == ["unknown_organization"]
    named = await people.post("mallory", path, [{"action": "add", "username": "ben"}])
    assert (named.status_code, named.json()["code"]) == (403, "forbidden")


async def test_an_operator_changes_a_tier_and_lets_people_in(
    people: People, settings: Settings, tmp_path: Path
) -> None:
    organization = await people.organization()
    organization_id = organization.split("/")[1]
    team_id = await people.add_team(organization)
    await coordinated(settings, organization, 2)
    for arguments in (
        ["organizations", "set-tier", organization_id, "enterprise"],
        ["members", "add", team_id, "zoe", "developer"],
    ):
        async with running(["-m", "server", *arguments], tmp_path, variables_of(settings)) as command:
            assert (await command.end())[0] == 0, command.lines
            assert command.lines[-1].startswith("done: version ")
    await coordinated(settings, organization, 3)
    assert await people.can_write("zoe", team_id)
    statement = "SELECT state::jsonb -> 'organization' ->> 'tier' FROM heads WHERE team_id = $1"
    # The team's own stream and no pattern's, of which the writing above made one.
    assert await fetch(settings, f"{statement} AND stream = 'team'", team_id) == [("enterprise",)]
    refused = ["-m", "server", "members", "add", str(uuid.uuid4()), "zoe", "viewer"]
    async with running(refused, tmp_path, variables_of(settings)) as command:
        code, errors = await command.end()
        assert code == 2
        assert "unknown_team" in errors
