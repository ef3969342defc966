"""Organizations: what one is called and has subscribed to, its people, its teams, and its settings."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from events.organization import STREAM
from read_api.answers import OF_AN_ORGANIZATION, PAGED, answers
from read_api.etags import json_answer
from read_api.key_lists import BY_ID, BY_TEXT, TOLD, KeyList, ListQuery
from read_api.parameters import Reading
from read_api.people_documents import (
    InvitationsPage,
    OrganizationDocument,
    OrganizationMembersPage,
    OrganizationSettingsPage,
    OrganizationTeamsPage,
    SettingsHistoryPage,
)
from read_api.positions import LOG, position_of
from read_api.problems import unknown_organization
from read_api.reader import CurrentReader
from read_api.rights import OrganizationId
from read_api.team_people import invitations_of
from read_api.team_settings import settings_history

_ONE = """
SELECT log.*, json_build_object('organization_id', organization_id, 'name', name, 'tier', tier,
                                'version', version, {told})::text AS item
  FROM ({log} AND team_id = $1) AS log JOIN organizations ON organization_id = $1
"""
ONE = _ONE.format(log=LOG, told=TOLD)

MEMBERS = KeyList(
    name="members",
    rows="""
SELECT member, role, sequence, since, 256 AS size
  FROM organization_members WHERE organization_id = $1 AND member > $3
""",
    key="member",
    item="'member', member, 'role', role",
    shape=BY_TEXT,
)
TEAMS = KeyList(
    name="teams",
    rows="""
SELECT team_id AS id, name, sequence, since, octet_length(name) + 256 AS size
  FROM organization_teams WHERE organization_id = $1 AND team_id > $3
""",
    key="id",
    item="'team_id', id, 'name', name",
    shape=BY_ID,
)
SETTINGS = KeyList(
    name="settings",
    rows="""
SELECT name, value, enforced, sequence, since, octet_length(value) + 256 AS size
  FROM organization_settings WHERE organization_id = $1 AND name > $3
""",
    key="name",
    item="'name', name, 'value', value::json, 'enforced', enforced",
    shape=BY_TEXT,
)
INVITATIONS = invitations_of(STREAM)

router = APIRouter(prefix="/{organization_id}", tags=["organizations"])
invitations_router = APIRouter(prefix="/{organization_id}", tags=["organizations"])


@router.get(
    "",
    summary="An organization",
    responses=answers(OrganizationDocument, etag=False, always=OF_AN_ORGANIZATION),
)
async def get_organization(
    organization_id: OrganizationId, reading: Annotated[Reading, Query()], reader: CurrentReader
) -> Response:
    """What it is called, and what it has subscribed to."""
    await reader.wait(organization_id, reading)
    row = await reader.database.row(ONE, organization_id)
    if row is None:
        raise unknown_organization(organization_id)
    tail = b',"cursor":"%b"}' % position_of(row).cursor.encode()
    return json_answer(row["item"].removesuffix("}").rstrip().encode(), tail)


@router.get(
    "/members",
    summary="Who belongs to the organization",
    responses=answers(OrganizationMembersPage, *PAGED, etag=False, always=OF_AN_ORGANIZATION),
)
async def list_organization_members(
    organization_id: OrganizationId, query: Annotated[ListQuery, Query()], reader: CurrentReader
) -> Response:
    """Everybody in the organization; its admins are admins of its teams, too."""
    return await MEMBERS.answer(reader, organization_id, query)


@router.get(
    "/teams",
    summary="Its teams",
    responses=answers(OrganizationTeamsPage, *PAGED, etag=False, always=OF_AN_ORGANIZATION),
)
async def list_organization_teams(
    organization_id: OrganizationId, query: Annotated[ListQuery, Query()], reader: CurrentReader
) -> Response:
    """The teams that the organization has given itself."""
    return await TEAMS.answer(reader, organization_id, query)


@router.get(
    "/settings",
    summary="Its settings",
    responses=answers(OrganizationSettingsPage, *PAGED, etag=False, always=OF_AN_ORGANIZATION),
)
async def list_organization_settings(
    organization_id: OrganizationId, query: Annotated[ListQuery, Query()], reader: CurrentReader
) -> Response:
    """What it has set for all its teams, and what of that no team can change."""
    return await SETTINGS.answer(reader, organization_id, query)


@router.get(
    "/settings/history",
    summary="What changed them",
    responses=answers(SettingsHistoryPage, *PAGED, etag=False, always=OF_AN_ORGANIZATION),
)
async def list_organization_settings_history(
    organization_id: OrganizationId, query: Annotated[ListQuery, Query()], reader: CurrentReader
) -> Response:
    """The events that changed the organization's settings, oldest first."""
    return await settings_history(reader, organization_id, query, ("organization.settings_changed.v1",))


@invitations_router.get(
    "/invitations",
    summary="Who may join it",
    responses=answers(InvitationsPage, *PAGED, etag=False, always=OF_AN_ORGANIZATION),
)
async def list_organization_invitations(
    organization_id: OrganizationId, query: Annotated[ListQuery, Query()], reader: CurrentReader
) -> Response:
    """Invitations that were neither accepted nor taken back."""
    return await INVITATIONS.answer(reader, organization_id, query)
