"""Invitations and settings, of teams and of organizations."""

import pytest

from command_api.decisions.people import MAX_INVITATIONS, MAX_SETTINGS, MAX_SETTINGS_BYTES
from command_api.decisions.refusals import Accepted, Refusal
from events.organization import OrganizationInvitationAccepted, OrganizationSettingsChanged
from events.roles import OrganizationRole, Role
from events.team import (
    Team,
    TeamInvitationAccepted,
    TeamInvitationRevoked,
    TeamSettingsChanged,
)
from tests.facts import team_created
from tests.people import (
    DAY_MS,
    INVITATION,
    NOW_MS,
    OTHER_INVITATION,
    PROOF,
    PROOF_HASH,
    accept,
    accept_organization,
    applied,
    by,
    change_settings,
    invite,
    invite_to_organization,
    opened,
    organization,
    organization_invited,
    organization_settings,
    revoke,
    team_invited,
    team_member,
)
from tests.specs import given

ACCEPTED = TeamInvitationAccepted(invitation_id=INVITATION, member="zoe", role=Role.DEVELOPER)


def test_who_knows_the_secret_joins() -> None:
    given(team_created(), team_invited()).when(accept(), by("zoe")).then(ACCEPTED)
    joined = OrganizationInvitationAccepted(
        invitation_id=INVITATION, member="zoe", role=OrganizationRole.MEMBER
    )
    given(organization(), organization_invited()).when(accept_organization(), by("zoe")).then(joined)


@pytest.mark.parametrize("proof", [PROOF_HASH, PROOF[::-1], "0" * 64])
def test_who_does_not_know_it_is_told_of_no_invitation(proof: str) -> None:
    given(team_created(), team_invited()).when(accept(proof), by("zoe")).then_refused(
        Refusal.UNKNOWN_INVITATION
    )
    given(organization(), organization_invited()).when(accept_organization(proof), by("zoe")).then_refused(
        Refusal.UNKNOWN_INVITATION
    )


def test_an_invitation_is_good_once() -> None:
    spec = given(team_created(), team_invited(), ACCEPTED)
    spec.when(accept(), by("eve")).then_refused(Refusal.UNKNOWN_INVITATION)
    revoked = TeamInvitationRevoked(invitation_id=INVITATION)
    given(team_created(), team_invited()).when(revoke()).then(revoked)
    given(team_created(), team_invited(), revoked).when(accept(), by("zoe")).then_refused(
        Refusal.UNKNOWN_INVITATION
    )
    given(team_created(), team_invited(), revoked).when(revoke()).then_refused(Refusal.UNKNOWN_INVITATION)


def test_a_member_keeps_the_role_that_they_have() -> None:
    spec = given(team_created(), team_member("zoe", Role.VIEWER), team_invited())
    spec.when(accept(), by("zoe")).then_refused(Refusal.MEMBER_EXISTS)


@pytest.mark.parametrize(("late_ms", "is_open"), [(-1, True), (0, False), (1, False), (DAY_MS, False)])
def test_an_invitation_ends_at_its_very_moment(late_ms: int, is_open: bool) -> None:
    at_ms = NOW_MS + DAY_MS + late_ms
    told = given(team_created(), team_invited()).when(accept(), by("zoe", at_ms=at_ms))
    if is_open:
        told.then(ACCEPTED)
    else:
        told.then_refused(Refusal.INVITATION_EXPIRED)


@pytest.mark.parametrize(
    "expires_at", ["2025-10-09T08:53:20.000Z", "2025-10-08T00:00:00Z", "2025-11-08T08:53:21Z"]
)
def test_an_invitation_lasts_into_the_future_and_not_for_ever(expires_at: str) -> None:
    given(team_created()).when(invite(expires_at=expires_at)).then_refused(Refusal.INVALID_EXPIRY)
    given(organization()).when(invite_to_organization(expires_at=expires_at)).then_refused(
        Refusal.INVALID_EXPIRY
    )


def test_an_invitation_lasts_for_a_moment_or_thirty_days() -> None:
    for expires_at in ("2025-10-09T08:53:20.001Z", "2025-11-08T08:53:20Z"):
        given(team_created()).when(invite(expires_at=expires_at)).then(team_invited(expires_at=expires_at))


def test_an_id_is_of_one_invitation() -> None:
    given(team_created(), team_invited()).when(invite()).then_refused(Refusal.INVITATION_EXISTS)


def test_what_has_expired_is_cleared_when_somebody_is_invited() -> None:
    later = by("ada", at_ms=NOW_MS + 2 * DAY_MS)
    expires_at = "2025-10-13T00:00:00Z"
    given(team_created(), team_invited()).when(invite(OTHER_INVITATION, expires_at), later).then(
        TeamInvitationRevoked(invitation_id=INVITATION), team_invited(OTHER_INVITATION, expires_at)
    )


def test_so_many_invitations_are_open_and_no_more() -> None:
    ids = [f"55555555-5555-4555-8555-{number:012}" for number in range(MAX_INVITATIONS)]
    full = given(team_created(), *(team_invited(one) for one in ids))
    full.when(invite()).then_refused(Refusal.TOO_LARGE)
    later = by("ada", at_ms=NOW_MS + DAY_MS)
    decided = full.when(invite(expires_at="2025-10-12T00:00:00Z"), later).decision
    assert isinstance(decided, Accepted)
    assert len(decided.events) == MAX_INVITATIONS + 1


# ---------------------------------------------------------------- settings


def test_a_team_chooses_settings_and_leaves_them() -> None:
    chosen = TeamSettingsChanged(set={"x": 1}, remove=[])
    given(team_created()).when(change_settings(x=1)).then(chosen)
    given(team_created(), chosen).when(change_settings("x")).then(TeamSettingsChanged(set={}, remove=["x"]))
    given(team_created()).when(change_settings("x")).then_refused(Refusal.UNKNOWN_SETTING, "x")


def test_a_team_overrides_a_default_and_nothing_that_is_enforced() -> None:
    chosen = TeamSettingsChanged(set={"x": 1, "y": 1}, remove=[])
    spec = given(opened(), chosen, applied(3, defaults={"x": 2, "y": 2, "z": 2}, enforced=("x",)))
    state = spec.library.states["team"]
    assert isinstance(state, Team)
    assert state.effective_settings == {"x": 2, "y": 1, "z": 2}
    for command in (change_settings(x=3), change_settings("x"), change_settings(x=3, y=3)):
        spec.when(command).then_refused(Refusal.SETTING_ENFORCED, "x")
    spec.when(change_settings(z=3)).then(TeamSettingsChanged(set={"z": 3}, remove=[]))


def test_what_is_released_is_the_teams_again() -> None:
    chosen = TeamSettingsChanged(set={"x": 1}, remove=[])
    enforced = applied(3, defaults={"x": 2}, enforced=("x",))
    state = given(opened(), chosen, enforced, applied(4, defaults={"x": 2})).library.states["team"]
    assert isinstance(state, Team)
    assert state.effective_settings == {"x": 1}


def test_an_organization_enforces_what_has_a_value() -> None:
    changed = OrganizationSettingsChanged(set={"x": 1}, remove=[], enforce=["x"], release=[])
    given(organization()).when(organization_settings("x", x=1)).then(changed)
    given(organization()).when(organization_settings("x")).then_refused(Refusal.UNKNOWN_SETTING, "x")
    spec = given(organization(), changed)
    spec.when(organization_settings(remove=("x",))).then_refused(Refusal.UNKNOWN_SETTING, "x")
    assert spec.when(organization_settings(remove=("x",), release=("x",))).status == "accepted"
    spec.when(organization_settings(remove=("never",))).then_refused(Refusal.UNKNOWN_SETTING, "never")


def test_there_are_so_many_settings_and_no_more() -> None:
    most = {f"x{number}": 1 for number in range(MAX_SETTINGS)}
    spec = given(team_created(), TeamSettingsChanged(set=most, remove=[]))
    spec.when(change_settings(more=1)).then_refused(Refusal.TOO_LARGE)
    spec.when(change_settings("x0", more=1)).then(TeamSettingsChanged(set={"more": 1}, remove=["x0"]))
    large = organization_settings(x="y" * MAX_SETTINGS_BYTES)
    given(organization()).when(large).then_refused(Refusal.TOO_LARGE)
