"""Invitations: a text that one member gives another, whose secret no server sees before it is used.

The inviting client makes the secret, and sends the log a hash of a hash of it; who joins sends the hash. So
neither the log nor whoever reads it can join by what is there.
"""

import secrets
import uuid
from dataclasses import dataclass, field

from events.identifiers import is_uuid
from events.membership import proof_hash_of, proof_of
from sync_client.errors import SyncError

_PREFIX = "inv_"
_SECRET_BYTES = 32


class BadInvitation(SyncError):
    """The text is no invitation, or not the whole of it."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__("bad_invitation", "this is not an invitation, or not all of it")


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """What is written in an invitation: to which team or organization, and by what secret."""

    log_id: str
    invitation_id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The text to be handed over."""
        return f"{_PREFIX}{self.log_id}.{self.invitation_id}.{self.secret}"

    @property
    def proof(self) -> str:
        """What whoever joins sends."""
        return proof_of(self.secret)

    @property
    def proof_hash(self) -> str:
        """What whoever invites sends."""
        return proof_hash_of(self.proof)


def new_invitation(log_id: str) -> Invitation:
    """An invitation with a secret of its own."""
    return Invitation(
        log_id=log_id, invitation_id=str(uuid.uuid4()), secret=secrets.token_urlsafe(_SECRET_BYTES)
    )


def read_invitation(text: str) -> Invitation:
    """The invitation of a text; raise `BadInvitation`."""
    parts = text.strip().removeprefix(_PREFIX).split(".")
    if not text.strip().startswith(_PREFIX) or len(parts) != 3:
        raise BadInvitation
    log_id, invitation_id, secret = parts
    if not is_uuid(log_id) or not is_uuid(invitation_id) or not secret or not secret.isascii():
        raise BadInvitation
    return Invitation(log_id=log_id, invitation_id=invitation_id, secret=secret)
