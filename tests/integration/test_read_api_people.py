"""Who sees what of a team and an organization, and for how long."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from events.cursor import Cursor
from events.organization import STREAM as ORGANIZATION
from events.organization import (
    OrganizationCreated,
    OrganizationTierChanged,
)
from events.roles import Role, Tier
from events.team import (
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamMemberRoleChanged,
)
from identity.projected_affiliations import ProjectedAffiliations
from read_api.roles import KNOWN_S
from runtime.postgres import create_engine
from tests.libraries import ReadApi, running_read_api
from tests.projected_people import EXPIRES, ROLES, SECRET, People, new_people
from tests.services import Services

READ = (
    *("patterns", "patterns/diff?from=2026-01-01T00:00:00Z", "changes", "conflicts", "merging", "members"),
    *("settings", "settings/history", "audit/proofs/inclusion?sequence=1&size=1", "audit/tree-heads"),
)
AUDIT = ("audit", "audit/refusals", "audit/export", "audit/log")


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@pytest.fixture
async def people(api: ReadApi) -> People:
    return await new_people(api)


@pytest.mark.parametrize("who", [*ROLES, "olga"])
async def test_each_role_reads_what_its_rights_allow(people: People, who: str) -> None:
    role = ROLES.get(who, "admin")
    allowed = {"read": role is not None, "audit": role in ("admin", "auditor"), "manage": role == "admin"}
    paths = {"read": READ, "audit": AUDIT, "manage": ("invitations",)}
    for right, routes in paths.items():
        for path in routes:
            expected = "200" if allowed[right] else "403 forbidden" if role else "404 unknown_team"
            assert await people.code(who, f"{people.team}/{path}") == expected, path


async def test_a_stranger_is_answered_as_if_there_were_no_team(people: People) -> None:
    nowhere = f"/api/v1/teams/{uuid.uuid4()}"
    for path in (*READ, *AUDIT, "invitations", f"patterns/{uuid.uuid4()}", f"patterns/{uuid.uuid4()}/blame"):
        answers = [await people.ask("eve", f"{url}/{path}") for url in (people.team, nowhere)]
        for (status, body), url in zip(answers, (people.team, nowhere), strict=True):
            assert (status, body["code"]) == (404, "unknown_team")
            assert body["detail"] == f"no team has the id {url.rpartition('/')[2]}"


async def test_the_waiting_tells_a_stranger_nothing_and_ends(people: People) -> None:
    for team_id in (people.team_id, str(uuid.uuid4())):
        for sequence in (1, 3, 10_000):
            cursor = str(Cursor(log_id=people.api.log_id, team_id=team_id, sequence=sequence))
            began = time.monotonic()
            url = f"/api/v1/teams/{team_id}/patterns"
            assert await people.code("eve", url, at_least=cursor, timeout=0.2) == "503 not_yet_visible"
            assert time.monotonic() - began >= 0.2
            changes = f"/api/v1/teams/{team_id}/changes"
            assert await people.code("eve", changes, cursor=cursor) == "404 unknown_team"


async def test_of_one_stranger_few_requests_wait(people: People) -> None:
    cursor = str(Cursor(log_id=people.api.log_id, team_id=people.team_id, sequence=99))
    url = f"{people.team}/patterns"
    asking = [people.code("eve", url, at_least=cursor, timeout=3) for _ in range(40)]
    tasks = [asyncio.create_task(one) for one in asking]
    done, waiting = await asyncio.wait(tasks, timeout=2)
    assert (len(done), len(waiting)) == (24, 16)
    assert {await one for one in tasks} == {"503 not_yet_visible"}


async def test_who_has_just_joined_reads_on_with_the_cursor_of_that(people: People) -> None:
    cursor = str(Cursor(log_id=people.api.log_id, team_id=people.team_id, sequence=9))
    asked = asyncio.create_task(people.code("eve", f"{people.team}/patterns", at_least=cursor, timeout=5))
    await asyncio.wait([asked], timeout=0.2)
    assert not asked.done()
    assert await people.tell(TeamMemberAdded(member="eve", role=Role.VIEWER)) == cursor
    assert await asked == "200"


async def test_who_has_become_something_else_is_judged_by_that_with_its_cursor(people: People) -> None:
    url = f"{people.team}/audit"
    assert await people.code("vic", url) == "403 forbidden"
    cursor = str(Cursor(log_id=people.api.log_id, team_id=people.team_id, sequence=9))
    asked = asyncio.create_task(people.code("vic", url, at_least=cursor))
    await asyncio.wait([asked], timeout=0.2)
    await people.tell(TeamMemberRoleChanged(member="vic", role=Role.AUDITOR))
    assert await asked == "200"


async def test_who_is_removed_while_they_wait_does_not_see_what_came(people: People) -> None:
    cursor = str(Cursor(log_id=people.api.log_id, team_id=people.team_id, sequence=9))
    asked = asyncio.create_task(people.code("dev", f"{people.team}/patterns", at_least=cursor, timeout=10))
    await asyncio.wait([asked], timeout=KNOWN_S + 0.1)
    assert not asked.done()
    assert await people.tell(TeamMemberRemoved(member="dev")) == cursor
    assert await asked == "404 unknown_team"


async def test_reads_end_within_a_second_of_a_removal(people: People) -> None:
    url = f"{people.team}/patterns"
    assert await people.code("dev", url) == "200"
    await people.tell(TeamMemberRemoved(member="dev"))
    # What is remembered of somebody ages by this clock, so no machine is too busy for it.
    until = time.monotonic() + KNOWN_S
    while await people.code("dev", url) == "200" and time.monotonic() < until:  # noqa: ASYNC110 - a clock ages it
        await asyncio.sleep(0.01)
    assert await people.code("dev", url) == "404 unknown_team"
    assert KNOWN_S <= 0.5


async def test_who_was_removed_and_sends_the_cursor_of_a_write_is_told_so_at_once(people: People) -> None:
    url, cursor = f"{people.team}/patterns", ""
    for who in ("dev", "vic"):
        cursor = await people.tell(TeamMemberRemoved(member=who), by="dev")
    assert await people.code("dev", url, at_least=cursor) == "404 unknown_team"
    assert await people.code("vic", url, at_least=cursor, timeout=0.2) == "503 not_yet_visible"
    after = str(Cursor(log_id=people.api.log_id, team_id=people.team_id, sequence=12))
    assert await people.code("dev", url, at_least=after, timeout=0.2) == "503 not_yet_visible"


async def test_who_was_removed_and_is_taken_back_reads_on_with_the_cursor_of_that(people: People) -> None:
    await people.tell(TeamMemberRemoved(member="dev"), by="dev")
    cursor = str(Cursor(log_id=people.api.log_id, team_id=people.team_id, sequence=10))
    asked = asyncio.create_task(people.code("dev", f"{people.team}/patterns", at_least=cursor))
    await asyncio.wait([asked], timeout=0.2)
    assert not asked.done()
    await people.tell(TeamMemberAdded(member="dev", role=Role.VIEWER))
    assert await asked == "200"


async def test_no_lookup_is_made_for_what_was_looked_up_a_moment_ago(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{people.team}/patterns"
    assert await people.code("vic", url) == "200"
    statements: list[str] = []
    database = people.api.app.state.read_api.database
    rows = database.rows

    async def counted(statement: str, *arguments: object) -> Any:
        statements.append(statement)
        return await rows(statement, *arguments)

    monkeypatch.setattr(database, "rows", counted)
    assert await people.code("vic", url) == "200"
    assert await people.code("eve", url) == "404 unknown_team"
    assert await people.code("eve", url) == "404 unknown_team"
    assert sum("AS k (team_id, member)" in one for one in statements) == 2
    assert len(statements) == 3


async def test_the_lists_of_a_team_tell_its_people_and_settings(people: People) -> None:
    _, members = await people.ask("vic", f"{people.team}/members", limit=4)
    assert [(one["member"], one["role"], one["source"]) for one in members["members"]] == [
        ("ada", "admin", "team"),
        ("aud", "auditor", "team"),
        ("dev", "developer", "team"),
        ("olga", "admin", "organization"),
    ]
    _, rest = await people.ask("vic", f"{people.team}/members", limit=4, page=members["next_page"])
    assert ([one["member"] for one in rest["members"]], rest["next_page"]) == (["vic"], None)
    _, settings = await people.ask("vic", f"{people.team}/settings")
    assert [(one["name"], one["value"], one["source"]) for one in settings["settings"]] == [
        ("x", 1, "enforced"),
        ("y", [2], "default"),
        ("z", "own", "team"),
    ]
    _, history = await people.ask("vic", f"{people.team}/settings/history")
    assert [one["type"] for one in history["changes"]] == [
        "team.organization_applied.v1",
        "team.settings_changed.v1",
    ]
    assert history["changes"][1]["data"]["set"] == {"x": 9, "z": "own"}
    _, invitations = await people.ask("ada", f"{people.team}/invitations")
    (invitation,) = invitations["invitations"]
    assert (invitation["role"], invitation["expires_at"]) == ("viewer", EXPIRES)
    assert SECRET not in json.dumps(invitations)


async def test_an_organization_is_told_to_its_members_and_its_audit_to_its_admins(people: People) -> None:
    status, organization = await people.ask("ada", people.organization)
    told = {name: organization[name] for name in ("organization_id", "name", "tier", "version")}
    assert (status, told) == (
        200,
        {"organization_id": people.organization_id, "name": "Org", "tier": "team", "version": 6},
    )
    _, members = await people.ask("ada", f"{people.organization}/members")
    assert {one["member"]: one["role"] for one in members["members"]} == {"ada": "member", "olga": "admin"}
    _, teams = await people.ask("ada", f"{people.organization}/teams")
    assert [(one["team_id"], one["name"]) for one in teams["teams"]] == [(people.team_id, "Team")]
    _, settings = await people.ask("ada", f"{people.organization}/settings")
    assert [(one["name"], one["enforced"]) for one in settings["settings"]] == [("x", True), ("y", False)]
    _, history = await people.ask("ada", f"{people.organization}/settings/history")
    assert len(history["changes"]) == 1
    for path in ("invitations", *AUDIT, "audit/tree-heads", "audit/proofs/inclusion?sequence=1&size=1"):
        url = f"{people.organization}/{path}"
        expected = {"olga": "200", "ada": "403 forbidden", "eve": "404 unknown_organization"}
        assert {who: await people.code(who, url) for who in expected} == expected, path
    assert await people.code("eve", people.organization) == "404 unknown_organization"


async def test_everybody_finds_what_they_belong_to(people: People) -> None:
    _, teams = await people.ask("olga", "/api/v1/teams", limit=1000)
    mine = {
        "team_id": people.team_id,
        "name": "Team",
        "role": "admin",
        "organization_id": people.organization_id,
    }
    assert mine in teams["teams"]
    pages: list[str] = []
    asked: dict[str, Any] = {"limit": 1}
    while True:
        _, page = await people.ask("olga", "/api/v1/organizations", **asked)
        pages += [one["organization_id"] for one in page["organizations"]]
        if page["next_page"] is None:
            break
        asked["page"] = page["next_page"]
    assert people.organization_id in pages
    assert pages == sorted(pages)
    assert (await people.ask("nobody", "/api/v1/teams"))[1] == {"teams": [], "next_page": None}


async def test_a_user_s_affiliation_is_the_organization_that_they_joined_first(people: People) -> None:
    settings = people.api.app.state.settings
    engine = create_engine(settings, "test")
    log = people.log
    who, organization_id = f"u-{uuid.uuid4().hex[:8]}", ""
    for at, tier in (("2026-03-02T00:00:00Z", Tier.ENTERPRISE), ("2026-03-01T00:00:00Z", Tier.TEAM)):
        log.events.recorded_at = at
        organization_id = log.events.new_id()
        log.events.command(organization_id, (ORGANIZATION, OrganizationCreated(name="O", admin=who)))
        log.events.command(organization_id, (ORGANIZATION, OrganizationTierChanged(tier=tier)))
    await log.project()
    affiliations = ProjectedAffiliations(engine)
    found = await affiliations.of(who)
    assert (found.organization_id, found.role, found.tier) == (organization_id, "admin", Tier.TEAM)
    assert (await affiliations.of("nobody")).organization_id is None
    await engine.dispose()
