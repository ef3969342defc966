"""What can be done to who belongs to a team or an organization; both have the same commands."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from events.json_text import Json
from events.shapes import utc_text
from sync_client.api import Api, Log
from sync_client.console import say, say_json, warn
from sync_client.invitations import new_invitation, read_invitation
from sync_client.reaching import Place
from sync_client.surroundings import utc_now


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A team or organization as somebody reaches it."""

    place: Place
    log: Log
    token: str | None = None
    username: str | None = None

    def submit(self, command: Mapping[str, Json]) -> None:
        """Have a command applied; raise `CommandRefused`."""

        async def work(api: Api) -> None:
            await api.submit(self.log, command)

        self.place.ask_as(self.token, self.username, work)

    def read(self, what: str) -> dict[str, Json]:
        """What the read API tells of it."""

        async def work(api: Api) -> dict[str, Json]:
            return await api.read(f"{self.log.path}/{what}")

        return self.place.ask_as(self.token, self.username, work)

    def invite(self, role: str, days: int) -> None:
        """Make an invitation, and print it, this once."""
        made = new_invitation(self.log.log_id)
        expires_at = utc_text(utc_now() + timedelta(days=days))
        self.submit(
            {
                "type": "invite_member",
                "invitation_id": made.invitation_id,
                "role": role,
                "proof_hash": made.proof_hash,
                "expires_at": expires_at,
            }
        )
        say(made.text)
        warn(f"hand it to the one it is for: whoever has it can join, once, until {expires_at}")

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

    def show_settings(self) -> None:
        """Its settings, with where each comes from."""
        say_json(self.read("settings"))


def accepting(text: str) -> tuple[str, dict[str, Json]]:
    """The id of what an invitation is to, and the command that accepts it; raise `BadInvitation`."""
    given = read_invitation(text)
    command = {
        "type": "accept_invitation",
        "invitation_id": given.invitation_id,
        "proof": given.proof,
    }
    return given.log_id, command


def new_log_id() -> str:
    """The id of a team or organization that is to be created."""
    return str(uuid.uuid4())
