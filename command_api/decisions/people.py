"""Decisions on members and invitations that teams and organizations have in common."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from command_api.decisions.refusals import Refusal, Rejected
from command_api.decisions.sender import Sender
from events.json_text import Json, dump
from events.membership import Invitation, Membership, proof_hash_of

R = TypeVar("R")

MAX_INVITATIONS = 200
"""Open invitations of a team or an organization."""
LONGEST_INVITATION = timedelta(days=30)
MAX_SETTINGS = 100
MAX_SETTINGS_BYTES = 16 * 1024


def member_exists() -> Rejected:
    """The refusal of somebody who is there already."""
    return Rejected(code=Refusal.MEMBER_EXISTS, detail="they are a member already")


def unknown_member() -> Rejected:
    """The refusal of a change to somebody who is not there."""
    return Rejected(code=Refusal.UNKNOWN_MEMBER, detail="they are no member")


def last_admin() -> Rejected:
    """The refusal to leave nobody who could let anybody in."""
    return Rejected(code=Refusal.LAST_ADMIN, detail="the last admin stays one until there is another")


def full(most: int) -> Rejected:
    """The refusal of one more than there can be."""
    return Rejected(code=Refusal.TOO_LARGE, detail=f"at most {most} can belong to it")


def is_last_admin(people: Membership[R], member: str, admin: R) -> bool:
    """Whether nobody would be an admin without this one."""
    return [name for name, role in people.members.items() if role == admin] == [member]


def bad_invitation(
    people: Membership[R], invitation_id: str, expires_at: str, sender: Sender
) -> Rejected | None:
    """The refusal of a new invitation that will not do."""
    if invitation_id in people.invitations:
        return Rejected(code=Refusal.INVITATION_EXISTS, detail="an invitation has this id")
    lasts = datetime.fromisoformat(expires_at).timestamp() - sender.at_ms / 1000
    if not 0 < lasts <= LONGEST_INVITATION.total_seconds():
        detail = f"an invitation expires in the future, within {LONGEST_INVITATION.days} days"
        return Rejected(code=Refusal.INVALID_EXPIRY, detail=detail)
    if len(people.invitations) - len(expired(people, sender)) >= MAX_INVITATIONS:
        return Rejected(code=Refusal.TOO_LARGE, detail=f"at most {MAX_INVITATIONS} invitations can be open")
    return None


def expired(people: Membership[R], sender: Sender) -> list[str]:
    """The invitations whose time is over."""
    return [key for key, one in people.invitations.items() if _is_over(one, sender)]


def taken_up(
    people: Membership[R], invitation_id: str, proof: str, sender: Sender
) -> Invitation[R] | Rejected:
    """The invitation that somebody proves to know the secret of; without the proof there is none."""
    invitation = people.invitations.get(invitation_id)
    if invitation is None or proof_hash_of(proof) != invitation.proof_hash:
        return Rejected(code=Refusal.UNKNOWN_INVITATION, detail="no open invitation has this id and secret")
    if _is_over(invitation, sender):
        return Rejected(code=Refusal.INVITATION_EXPIRED, detail="the invitation has expired")
    if sender.actor in people.members:
        return member_exists()
    return invitation


def unknown_invitation() -> Rejected:
    """The refusal to revoke what is not open."""
    return Rejected(code=Refusal.UNKNOWN_INVITATION, detail="no open invitation has this id")


def settings_too_large(settings: Mapping[str, Json]) -> Rejected | None:
    """The refusal of more settings than there can be."""
    if len(settings) > MAX_SETTINGS or len(dump(settings)) > MAX_SETTINGS_BYTES:
        detail = f"there are at most {MAX_SETTINGS} settings, of {MAX_SETTINGS_BYTES} bytes of JSON together"
        return Rejected(code=Refusal.TOO_LARGE, detail=detail)
    return None


def _is_over(invitation: Invitation[R], sender: Sender) -> bool:
    return datetime.fromisoformat(invitation.expires_at).timestamp() * 1000 <= sender.at_ms
