"""The tables of people: who belongs to teams and organizations as what, and what is set there.

`sequence` is that of the event that made a row what it is, in the log that its first column names; `since` is
when what its key names came to be there.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from projectors.schema.columns import Exact, Id, Time, metadata


def _told() -> tuple[Column[Any], ...]:
    return (Column("sequence", BigInteger, nullable=False), Column("since", Time, nullable=False))


teams = Table(
    "teams",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("organization_id", Id),
    Column("tier", Exact, nullable=False, comment="Of its organization, as the team was told"),
    *_told(),
    comment="Every team",
)

members = Table(
    "members",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("member", Exact, primary_key=True),
    Column("role", Exact, nullable=False),
    Column("source", Exact, nullable=False, comment="team, or organization: as one of its admins"),
    *_told(),
    Index("ix_members_member", "member", "team_id"),
    comment="What everybody is in the teams that they belong to: the rights to read",
)

settings = Table(
    "settings",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("name", Exact, primary_key=True),
    Column("value", Text, nullable=False, comment="JSON text"),
    Column("source", Exact, nullable=False, comment="enforced, team or default"),
    *_told(),
    comment="What holds in each team, and who chose it",
)

invitations = Table(
    "invitations",
    metadata,
    Column("team_id", Id, primary_key=True, comment="Of the log: a team's id, or an organization's"),
    Column("stream", Exact, primary_key=True, comment="team or organization"),
    Column("invitation_id", Id, primary_key=True),
    Column("role", Exact, nullable=False),
    Column("expires_at", Text, nullable=False),
    *_told(),
    comment="Invitations that were neither accepted nor taken back",
)

organizations = Table(
    "organizations",
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("tier", Exact, nullable=False),
    *_told(),
    comment="Every organization",
)

organization_members = Table(
    "organization_members",
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("member", Exact, primary_key=True),
    Column("role", Exact, nullable=False),
    *_told(),
    Index("ix_organization_members_member", "member", "since", "organization_id"),
    comment="What everybody is in the organizations that they belong to",
)

organization_teams = Table(
    "organization_teams",
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("team_id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    *_told(),
    comment="The teams that each organization has given itself; their own logs may begin later",
)

organization_settings = Table(
    "organization_settings",
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("name", Exact, primary_key=True),
    Column("value", Text, nullable=False, comment="JSON text"),
    Column("enforced", Boolean, nullable=False, comment="Whether no team can choose another value"),
    *_told(),
    comment="What each organization has set for all its teams",
)

PEOPLE = (
    *(teams, members, settings, invitations),
    *(organizations, organization_members, organization_teams, organization_settings),
)
