"""Invitations as texts: what is in them, and what of them a log can hold."""

import hashlib
import uuid

import pytest

from sync_client.invitations import BadInvitation, new_invitation, read_invitation

TEAM = "6f1c2a8e-0000-4000-8000-000000000000"


def test_an_invitation_is_read_as_it_was_written() -> None:
    made = new_invitation(TEAM)
    assert read_invitation(f" {made.text}\n") == made
    assert (made.log_id, len(made.secret)) == (TEAM, 43)
    assert made.secret not in repr(made)
    assert new_invitation(TEAM).secret != made.secret


def test_the_log_holds_a_hash_of_the_proof_and_the_proof_is_a_hash_of_the_secret() -> None:
    given = read_invitation(f"inv_{TEAM}.{uuid.uuid4()}.secret")
    assert given.proof == hashlib.sha256(b"secret").hexdigest()
    assert given.proof_hash == hashlib.sha256(given.proof.encode()).hexdigest()


@pytest.mark.parametrize(
    "text",
    ["", "inv_", f"{TEAM}.{TEAM}.x", f"inv_{TEAM}.{TEAM}", f"inv_{TEAM}.{TEAM}.", f"inv_x.{TEAM}.x"],
)
def test_what_is_not_a_whole_invitation_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(BadInvitation, match="not an invitation") as refused:
        read_invitation(text)
    assert TEAM not in refused.value.message
