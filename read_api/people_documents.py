"""The shapes of answers about people and settings, for OpenAPI alone."""

from typing import Annotated, Any, Literal

from pydantic import Field

from events.roles import OrganizationRole, Role, Tier
from read_api.documents import Document

NextPage = Annotated[str | None, Field(description="For `page`; null on the last page")]
At = Annotated[str, Field(description="Where the log stood: for `at_least`")]


class ToldDocument(Document):
    """How it came to be so."""

    sequence: Annotated[int, Field(description="Of the event that made it what it is, in the log")]
    since: Annotated[str, Field(description="When it came to be there, RFC 3339")]


class MemberDocument(ToldDocument):
    """Somebody in a team."""

    member: Annotated[str, Field(description="The actor's id")]
    role: Role
    source: Annotated[
        Literal["team", "organization"],
        Field(description="By whose word: the team's, or its organization's, whose admin this is"),
    ]


class MembersPage(Document):
    """A page of a team's members, by id."""

    members: list[MemberDocument]
    next_page: NextPage
    cursor: At


class OrganizationMemberDocument(ToldDocument):
    """Somebody in an organization."""

    member: Annotated[str, Field(description="The actor's id")]
    role: OrganizationRole


class OrganizationMembersPage(Document):
    """A page of an organization's members, by id."""

    members: list[OrganizationMemberDocument]
    next_page: NextPage
    cursor: At


class InvitationDocument(ToldDocument):
    """An invitation that was neither accepted nor taken back."""

    invitation_id: str
    role: str
    expires_at: Annotated[str, Field(description="After this time nobody can accept it")]


class InvitationsPage(Document):
    """A page of open invitations, by id."""

    invitations: list[InvitationDocument]
    next_page: NextPage
    cursor: At


class SettingDocument(ToldDocument):
    """A setting as it holds in a team."""

    name: str
    value: Any
    source: Annotated[
        Literal["enforced", "team", "default"],
        Field(description="What the organization enforces, what the team has chosen, or the default"),
    ]


class SettingsPage(Document):
    """A page of a team's settings, by name."""

    settings: list[SettingDocument]
    next_page: NextPage
    cursor: At


class OrganizationSettingDocument(ToldDocument):
    """A setting of an organization, for all its teams."""

    name: str
    value: Any
    enforced: Annotated[bool, Field(description="Whether no team can choose another value")]


class OrganizationSettingsPage(Document):
    """A page of an organization's settings, by name."""

    settings: list[OrganizationSettingDocument]
    next_page: NextPage
    cursor: At


class SettingsChangeDocument(Document):
    """An event that changed settings."""

    version: int
    sequence: int
    type: str
    actor: str
    command_id: str
    recorded_at: str
    data: Annotated[dict[str, Any], Field(description="What the event says")]
    before: Annotated[dict[str, Any] | None, Field(description="What was there before it, by name")]


class SettingsHistoryPage(Document):
    """A page of what changed settings, oldest first."""

    changes: list[SettingsChangeDocument]
    next_page: NextPage
    cursor: At


class OrganizationTeamDocument(ToldDocument):
    """A team of an organization."""

    team_id: str
    name: str


class OrganizationTeamsPage(Document):
    """A page of an organization's teams, by id."""

    teams: list[OrganizationTeamDocument]
    next_page: NextPage
    cursor: At


class MyTeamDocument(Document):
    """A team to which the sender belongs."""

    team_id: str
    name: str
    role: Annotated[Role, Field(description="What the sender is in it")]
    organization_id: str | None


class MyTeamsPage(Document):
    """A page of the sender's teams, by id."""

    teams: list[MyTeamDocument]
    next_page: NextPage


class MyOrganizationDocument(Document):
    """An organization to which the sender belongs."""

    organization_id: str
    name: str
    role: Annotated[OrganizationRole, Field(description="What the sender is in it")]
    tier: Tier


class MyOrganizationsPage(Document):
    """A page of the sender's organizations, by id."""

    organizations: list[MyOrganizationDocument]
    next_page: NextPage


class OrganizationDocument(ToldDocument):
    """An organization."""

    organization_id: str
    name: str
    tier: Tier
    version: Annotated[int, Field(description="Of the organization, from 1 and without gaps")]
    cursor: At
