"""The tables of people are what the events of teams and organizations fold to."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from events.organization import STREAM as ORGANIZATION
from events.roles import Role
from events.team import STREAM as TEAM
from events.team import Team
from projectors.rebuild import rebuilding
from projectors.repair import repair
from projectors.verify import verify
from runtime.settings import Settings
from tests.projecting import TopicLog, caught_up, events_log, fetch, fresh_log, projecting
from tests.services import Services
from tests.stories_of_people import PEOPLE, Told

TABLES = (
    *("teams", "members", "settings", "invitations"),
    *("organizations", "organization_members", "organization_teams", "organization_settings"),
)


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_log(services, log_partitions=1) as settings:
        yield settings


def tell(log: TopicLog, seed: int, length: int) -> tuple[str, Told, str]:
    """A team and an organization side by side; their ids."""
    scribe = log.scribe
    team_id, organization_id = scribe.new_id(), scribe.new_id()
    of_team, of_organization = Told(seed, scribe.new_id()), Told(seed + 1)
    for one, other in zip(of_team.of_team(length), of_organization.of_organization(length), strict=True):
        scribe.command(team_id, (TEAM, one))
        scribe.command(organization_id, (ORGANIZATION, other))
    scribe.command(team_id, (TEAM, of_team.invited()))
    scribe.command(organization_id, (ORGANIZATION, of_organization.organization_invited()))
    scribe.command(organization_id, (ORGANIZATION, of_organization.team_added()))
    return team_id, of_team, organization_id


def roles_of(team: Any) -> dict[str, str]:
    assert isinstance(team, Team)
    return {one: role.value for one in PEOPLE if (role := team.role_of(one)) is not None}


@pytest.mark.parametrize("seed", range(4))
async def test_members_are_what_the_events_fold_to_in_batches_of_any_size(
    settings: Settings, seed: int
) -> None:
    log = await events_log(settings)
    lives = [tell(log, 100 * seed + number, 60) for number in range(3)]
    small = settings.model_copy(update={"projector_batch": 8 + 31 * seed})
    async with projecting(small):
        await caught_up(settings, await log.publish())
    for team_id, told, _ in lives:
        rows = await fetch(settings, "SELECT member, role FROM members WHERE team_id = $1", team_id)
        assert dict(rows) == roles_of(told.team)
        rows = await fetch(settings, "SELECT name, value FROM settings WHERE team_id = $1", team_id)
        assert isinstance(told.team, Team)
        assert {name: json.loads(value) for name, value in rows} == told.team.effective_settings
    report = await verify(settings)
    assert report.differences == []
    assert all(report.rows[table] > 0 for table in TABLES if table != "organization_settings")


async def test_a_rebuilt_generation_has_the_same_people(settings: Settings) -> None:
    log = await events_log(settings)
    tell(log, 7, 60)
    async with projecting(settings):
        await caught_up(settings, await log.publish())
        async with rebuilding(settings, "library") as work:
            compared = await work.rebuild(None)
            assert compared.findings.differences == []
            await work.switch(compared, accept_difference=False)
        assert (await verify(settings)).is_equal
    for table in TABLES:
        rows = await fetch(settings, f"TABLE public.{table} EXCEPT TABLE library_2.{table}")
        assert rows == []


WRONG = [
    ("UPDATE members SET role = 'viewer', source = 'x' WHERE team_id = '{team}'", "members", TEAM),
    ("DELETE FROM members WHERE team_id = '{team}'", "members", TEAM),
    ("INSERT INTO members VALUES ('{team}', 'eve', 'admin', 'team', 1, now())", "members", TEAM),
    ("UPDATE teams SET since = now() WHERE team_id = '{team}'", "teams", TEAM),
    ("UPDATE settings SET source = 'x' WHERE team_id = '{team}'", "settings", TEAM),
    ("DELETE FROM invitations WHERE team_id = '{team}'", "invitations", TEAM),
    ("UPDATE organizations SET tier = 'x'", "organizations", ORGANIZATION),
    ("DELETE FROM organization_members", "organization_members", ORGANIZATION),
    ("UPDATE organization_teams SET name = 'x'", "organization_teams", ORGANIZATION),
    ("UPDATE organization_settings SET enforced = NOT enforced", "organization_settings", ORGANIZATION),
    ("UPDATE invitations SET role = 'x' WHERE stream = 'organization'", "invitations", ORGANIZATION),
]


async def test_what_is_wrong_is_found_and_put_right(settings: Settings) -> None:
    log = await events_log(settings)
    team, _, organization = tell(log, 11, 80)
    async with projecting(settings):
        await caught_up(settings, await log.publish())
    for statement, table, stream in WRONG:
        await fetch(settings, statement.format(team=team))
        report = await verify(settings)
        assert {one.table for one in report.differences} == {table}, statement
        where = team if stream == TEAM else organization
        repaired = await repair(settings, where, stream, lambda *_: None)
        assert {one.table for one in repaired} == {table}
        assert (await verify(settings)).differences == []


async def test_rows_of_a_team_that_is_in_no_log_are_found(settings: Settings) -> None:
    log = await events_log(settings)
    tell(log, 13, 5)
    async with projecting(settings):
        await caught_up(settings, await log.publish())
    stranger = "0190a5d0-0000-7000-8000-0000000000ff"
    values = f"('{stranger}', 'eve', '{Role.ADMIN}', 'team', 1, now())"
    await fetch(settings, f"INSERT INTO members VALUES {values}")
    (found,) = (await verify(settings)).differences
    assert (found.table, found.kind, found.team_id) == ("members", "added", stranger)
