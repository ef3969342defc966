"""Members and invitations: the shapes and states that teams and organizations have in common."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked_dataclass

from events.errors import ImpossibleEvent
from events.json_text import Json
from events.shapes import Hash, Person, Time, Uuid

CLOSED = ConfigDict(extra="forbid", defer_build=True)

# ---------------------------------------------------------------- shapes of events


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class AboutMember:
    """What a fact about a member names."""

    member: Person


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class AboutInvitation:
    """What a fact about an invitation names."""

    invitation_id: Uuid


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class Invited(AboutInvitation):
    """Whoever shows that they know the secret may join.

    The secret's SHA-256 in hex is what they show, and `proof_hash` is the SHA-256 of that in hex: who reads
    the log can check what was shown, and show nothing themselves.
    """

    proof_hash: Hash
    expires_at: Time


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class SettingsChange:
    """Settings by name, with values of any kind."""

    set: dict[str, Json]
    remove: list[str]


def proof_of(secret: str) -> str:
    """What shows that somebody knows the secret of an invitation, and does not tell it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def proof_hash_of(proof: str) -> str:
    """What the log keeps to check a proof by; no proof can be made of it."""
    return hashlib.sha256(proof.encode()).hexdigest()


# ---------------------------------------------------------------- state

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation(Generic[R]):
    """An invitation that is open, if it has not expired."""

    role: R
    proof_hash: str
    expires_at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership(Generic[R]):
    """Who belongs to it as what, and who may come to."""

    members: Mapping[str, R] = field(default_factory=dict)
    invitations: Mapping[str, Invitation[R]] = field(default_factory=dict)

    def with_member(self, member: str, role: R) -> "Membership[R]":
        """With one more member; raise `ImpossibleEvent` for one who is there already."""
        if member in self.members:
            raise ImpossibleEvent("a member twice")
        return replace(self, members={**self.members, member: role})

    def with_role(self, member: str, role: R) -> "Membership[R]":
        """With another role for a member."""
        self._check(member)
        return replace(self, members={**self.members, member: role})

    def without_member(self, member: str) -> "Membership[R]":
        """Without a member."""
        self._check(member)
        return self.without_members({member})

    def without_members(self, gone: "set[str] | frozenset[str]") -> "Membership[R]":
        """Without those of its members."""
        return replace(self, members={name: role for name, role in self.members.items() if name not in gone})

    def with_invitation(self, invited: Invited, role: R) -> "Membership[R]":
        """With one more invitation."""
        if invited.invitation_id in self.invitations:
            raise ImpossibleEvent("an invitation twice")
        invitation = Invitation(role=role, proof_hash=invited.proof_hash, expires_at=invited.expires_at)
        return replace(self, invitations={**self.invitations, invited.invitation_id: invitation})

    def without_invitation(self, invitation_id: str) -> "Membership[R]":
        """Without an invitation that was taken up or taken back."""
        if invitation_id not in self.invitations:
            raise ImpossibleEvent("the end of an invitation that is not open")
        left = {key: open_one for key, open_one in self.invitations.items() if key != invitation_id}
        return replace(self, invitations=left)

    def _check(self, member: str) -> None:
        if member not in self.members:
            raise ImpossibleEvent("of nobody who is a member")


def changed_settings(settings: Mapping[str, Json], change: SettingsChange) -> Mapping[str, Json]:
    """Settings after some were set and removed."""
    return {name: value for name, value in {**settings, **change.set}.items() if name not in change.remove}
