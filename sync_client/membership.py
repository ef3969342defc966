"""What can be done to who belongs to a team or an organization; both have the same commands."""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import httpx

from events.json_text import Json
from events.shapes import utc_text
from sync_client.api import Api
from sync_client.console import say, say_json, warn
from sync_client.errors import TransportError
from sync_client.invitations import Invitation, new_invitation
from sync_client.reaching import Place
from sync_client.surroundings import utc_now


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What has members, as it stands in paths, and its commands as they are called."""

    path: str
    noun: str
    invite: str
    accept: str
    revoke: str
    add: str
    change_role: str
    remove: str
    settings: str


TEAM = Kind(
    path="teams",
    noun="team",
    invite="invite_member",
    accept="accept_invitation",
    revoke="revoke_invitation",
    add="add_member",
    change_role="change_member_role",
    remove="remove_member",
    settings="change_settings",
)
ORGANIZATION = Kind(
    path="organizations",
    noun="organization",
    invite="invite_organization_member",
    accept="accept_organization_invitation",
    revoke="revoke_organization_invitation",
    add="add_organization_member",
    change_role="change_organization_role",
    remove="remove_organization_member",
    settings="change_organization_settings",
)


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A team or organization as somebody reaches it."""

    place: Place
    kind: Kind
    log_id: str
    token: str | None = None
    username: str | None = None

    @property
    def path(self) -> str:
        """Where it is, below the API's base."""
        return f"{self.kind.path}/{self.log_id}"

    def submit(self, command: Mapping[str, Json]) -> None:
        """Have a command applied; raise `CommandRefused`."""

        async def work(api: Api) -> None:
            await api.submit(self.path, command)

        self.place.ask_as(self.token, self.username, work)

    def enter(self, command: Mapping[str, Json]) -> None:
        """The same with a command that makes its sender a member; wait until that can be seen."""

        async def work(api: Api) -> None:
            accepted = await api.submit(self.path, command)
            query = httpx.QueryParams({"limit": "1", "at_least": accepted.cursor})
            # It was accepted, whatever becomes of the waiting.
            with suppress(TransportError):
                await api.read(f"{self.path}/members?{query}")

        self.place.ask_as(self.token, self.username, work)

    def read(self, what: str) -> dict[str, Json]:
        """Every page of what the read API tells of it."""

        async def work(api: Api) -> dict[str, Json]:
            items: list[Json] = []
            query = "limit=100"
            while True:
                page = await api.read(f"{self.path}/{what}?{query}")
                items += page.get(what) or []
                if page.get("next_page") is None:
                    return {what: items}
                query = str(httpx.QueryParams({"limit": "100", "page": page["next_page"]}))

        return self.place.ask_as(self.token, self.username, work)

    def invite(self, role: str, days: int) -> None:
        """Make an invitation, and print it, this once."""
        made = new_invitation(self.log_id)
        expires_at = utc_text(utc_now() + timedelta(days=days))
        self.submit(
            {
                "type": self.kind.invite,
                "invitation_id": made.invitation_id,
                "role": role,
                "proof_hash": made.proof_hash,
                "expires_at": expires_at,
            }
        )
        say(made.text)
        warn(f"hand it to the one it is for: whoever has it can join, once, until {expires_at}")

    def join(self, invitation: Invitation) -> None:
        """Accept an invitation to it."""
        self.enter(
            {
                "type": self.kind.accept,
                "invitation_id": invitation.invitation_id,
                "proof": invitation.proof,
            }
        )
        say(f"joined {self.kind.noun} {self.log_id}")

    def revoke(self, invitation_id: str) -> None:
        """Take an invitation back."""
        self.submit({"type": self.kind.revoke, "invitation_id": invitation_id})
        say(f"revoked {invitation_id}")

    def add(self, member: str, role: str) -> None:
        """Let somebody belong to it whose id is known."""
        self.submit({"type": self.kind.add, "member": member, "role": role})
        say(f"{member} is {role} now")

    def change_role(self, member: str, role: str) -> None:
        """Make a member something else."""
        self.submit({"type": self.kind.change_role, "member": member, "role": role})
        say(f"{member} is {role} now")

    def remove(self, member: str) -> None:
        """Remove a member."""
        self.submit({"type": self.kind.remove, "member": member})
        say(f"removed {member}")

    def change_settings(self, **changes: Json) -> None:
        """Change its settings, or show them where nothing is to be changed."""
        given = {name: value for name, value in changes.items() if value}
        if not given:
            say_json(self.read("settings"))
            return
        self.submit({"type": self.kind.settings, **given})
        say("changed the settings")

    def show_members(self, *, as_json: bool) -> None:
        """Who belongs to it, and as what."""
        found = self.read("members")
        if as_json:
            say_json(found)
            return
        for one in found.get("members") or []:
            say(f"{one.get('role'):<9}  {one.get('member')}")

    def show_invitations(self, *, as_json: bool) -> None:
        """Who may still join."""
        found = self.read("invitations")
        if as_json:
            say_json(found)
            return
        for one in found.get("invitations") or []:
            say(f"{one.get('role'):<9}  {one.get('invitation_id')}  until {one.get('expires_at')}")


def new_log_id() -> str:
    """The id of a team or organization that is to be created."""
    return str(uuid.uuid4())
