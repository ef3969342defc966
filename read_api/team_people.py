"""People of a team: its members, and who is invited."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from events.team import STREAM
from read_api.answers import PAGED, answers
from read_api.key_lists import BY_ID, BY_TEXT, KeyList, ListQuery
from read_api.parameters import TeamId
from read_api.people_documents import InvitationsPage, MembersPage
from read_api.reader import CurrentReader

_INVITATIONS = """
SELECT invitation_id, role, expires_at, sequence, since, 256 AS size
  FROM invitations WHERE team_id = $1 AND stream = '{stream}' AND invitation_id > $3
"""

MEMBERS = KeyList(
    name="members",
    rows="""
SELECT member, role, source, sequence, since, 256 AS size
  FROM members WHERE team_id = $1 AND member > $3
""",
    key="member",
    item="'member', member, 'role', role, 'source', source",
    shape=BY_TEXT,
)


def invitations_of(stream: str) -> KeyList:
    """The open invitations of a stream; what proves that one knows the secret is not shown."""
    return KeyList(
        name="invitations",
        rows=_INVITATIONS.format(stream=stream),
        key="invitation_id",
        item="'invitation_id', invitation_id, 'role', role, 'expires_at', expires_at",
        shape=BY_ID,
    )


INVITATIONS = invitations_of(STREAM)

members_router = APIRouter(tags=["members"])
invitations_router = APIRouter(tags=["members"])


@members_router.get(
    "/members", summary="Who belongs to the team", responses=answers(MembersPage, *PAGED, etag=False)
)
async def list_members(
    team_id: TeamId, query: Annotated[ListQuery, Query()], reader: CurrentReader
) -> Response:
    """Everybody in the team, with their role; admins of its organization are admins here, too."""
    return await MEMBERS.answer(reader, team_id, query)


@invitations_router.get(
    "/invitations", summary="Who may join the team", responses=answers(InvitationsPage, *PAGED, etag=False)
)
async def list_invitations(
    team_id: TeamId, query: Annotated[ListQuery, Query()], reader: CurrentReader
) -> Response:
    """Invitations that were neither accepted nor taken back. Those that have expired stay until they are."""
    return await INVITATIONS.answer(reader, team_id, query)
