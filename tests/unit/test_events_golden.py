from collections.abc import Mapping

import pytest

from command_api.decisions.merging import ABSENT
from events.envelope import FIRST_PREVIOUS_HASH, Envelope, decode, encode, record_hash
from events.json_text import parse
from events.merge_rules import Policy, Rule
from events.organization import (
    OrganizationCreated,
    OrganizationInvitationAccepted,
    OrganizationInvitationRevoked,
    OrganizationMemberAdded,
    OrganizationMemberInvited,
    OrganizationMemberRemoved,
    OrganizationMemberRoleChanged,
    OrganizationSettingsChanged,
    OrganizationTeamAdded,
    OrganizationTierChanged,
)
from events.pattern import (
    MergedField,
    PatternArchived,
    PatternConflictAbandoned,
    PatternDeleted,
    PatternRecorded,
    PatternRestored,
)
from events.registry import TYPES, Event, read, type_of, write
from events.roles import OrganizationRole, Role, Tier
from events.stream import StreamState, evolve
from events.team import (
    TeamCreated,
    TeamInvitationAccepted,
    TeamInvitationRevoked,
    TeamMemberAdded,
    TeamMemberInvited,
    TeamMemberRemoved,
    TeamMemberRoleChanged,
    TeamMergingChanged,
    TeamOrganizationApplied,
    TeamSettingsChanged,
)
from events.upcasters import UPCASTERS
from tests.facts import detected, edited, resolved, sides
from tests.golden import Golden, all_golden, golden

# Written once, when a version is published, and never again: they are in logs that are kept for ever.
PUBLISHED: Mapping[str, str] = {
    "team.created.v1": "ca9d764d13c85291808686080a0e8724542ce3b50137f0e3687510e09b27b2ef",
    "pattern.recorded.v1": "f215145e646cdcb28451c7907e05aa5bfbf81aa3293ddebc4c4614c4945723a2",
    "pattern.edited.v1": "199707beda156c8cc221d9793e4b2cb4c986738bb3f297f4649185c54a628715",
    "pattern.edited.v2": "92837c1b1bcb233d2a307f02eaf118bb4e0e834f43d665cb8780f6489abe1b4d",
    "pattern.edited.v3": "1e450bc198036e892b38e4d2fea8c69ed908b2a21e68716b7ec01d7e506a1f3a",
    "pattern.conflict_detected.v1": "f3edecbaf442a127fcec7ceebd49d57222260cf3b6ad4ab4af27397b4ef518d1",
    "pattern.conflict_resolved.v1": "71262f88dad42362bb68f7fcce13b255dbe3a058d26b82372b1a9b01f26efdf2",
    "pattern.conflict_abandoned.v1": "deb246a32518c82d96a5ab72901b28cdf63c41a8fc45e40d104f486552a95f78",
    "pattern.archived.v1": "acf025e01457d497b77fc72b673eb4f2f900d47c0978e716b2b3e2afb900cfe5",
    "pattern.restored.v1": "916daeb97ba37167de0b3e4b3983bd1b0f831706f79cf17807f9470880f4ccb4",
    "pattern.deleted.v1": "7e912bf39ecce221399861130a871eb7ac758b42d75355287d4085cc7a40acca",
    "team.created.v2": "5b7a6068f881f9e03d75a08d5653cb4c75e3f8b43f89b2d9bb99d3b90656bd29",
    "team.organization_applied.v1": "4ba2793d5422218cedeb5a3f68a8d5a8c1d712f616f7e96a4a3407561e938293",
    "team.member_invited.v1": "7b2293029c72f1e9c51e7cb81ff589b956dde214d0cfb64fc7d01442e40c63a7",
    "team.invitation_revoked.v1": "6707f0b2d6d3d6dce5d35f9c6e3419ec5fe152deb48b6b62d9e6f33e2a13852c",
    "team.invitation_accepted.v1": "52bfc6bf8d4fc8e036f51e76183d4ea67f20d2b2f097a4cc7227f626a6c5c695",
    "team.member_role_changed.v1": "90f0ff3563b8b290266070f5eb3f2a0260315a0b456e29814dea164deb2e7664",
    "team.member_added.v1": "58870ab68b9784faec0cfa7d6d7fa700d236e5a116fe628db27a46bac73fffc4",
    "team.member_removed.v1": "c240b70678dde34923b6bcded5adab6564769906afc40341529415cd05081da2",
    "team.settings_changed.v1": "34e39dff0870564a3495719b905f5df0c541efdd5c67646761c412b07432aad4",
    "organization.created.v1": "b01995f18d38acaac29f955a21a0433b5a24a4907e6450a020c548e4864d8b01",
    "organization.member_invited.v1": "df9841adb173b926e57f25b93537df41c09dcf6f84429e64e059835a1520e308",
    "organization.invitation_revoked.v1": "dbaf0b2437844e647c3d4dc316b3553fd76df8d81f68f4ff45853c297dbe71ed",
    "organization.invitation_accepted.v1": "b17fe87f64beff504482e94609bb23f0c6156c2c2e3c38c7fec60daa3c80f62f",
    "organization.member_role_changed.v1": "ed77173518bbf174695bf8bd5f07a69f9f8a97d4a2fc8b771a0083727fdd44ab",
    "organization.member_added.v1": "69e4e21c86475bc184f0087479ae0c51a904f1d7b1740d18250712e0f5265c0d",
    "organization.member_removed.v1": "8022178b8b8e7695e6d60b9f4f256ea8315516661869eab816280b58b782c95f",
    "organization.team_added.v1": "1bb4f2095d4d7a5295f0168f8ab11386e6e2c9cf0925f28aa0f31d73539cbaaf",
    "organization.settings_changed.v1": "b5720b2b728c4af9182628f8cc03c3d97c24c7c3ed0bf023095bdc9623d966bc",
    "organization.tier_changed.v1": "d4b3af5a351052d89bacc2dabfffc4a6c10f59be7ad981260d1a7887a6737dcd",
    "team.merging_changed.v1": "94a8f3ad8bd85fb624f478aa929782c84c7d56dd6604e998ccac50c9285f5bac",
}

FIELDS = {
    "name": "Mutable default argument [B006] / r\u00e9f\u00e9rence",
    "description": "A default is made once, when the function is defined.",
    "bad_example": "def add(item, items=[]):\n    items.append(item)\n",
    "good_example": "def add(item, items=None):\n    items = [] if items is None else items\n",
    "category": "bugs",
    "severity": "high",
    "tags": ["python", "functions"],
    "counters": {"seen": 3},
    "x-origin": {
        "url": "https://example.org/rules/b006",
        "weight": 0.1,
        "z": None,
        "a": [1, 1.0, -0.0, 1e300],
    },
}

CONFLICT = "019b76de-5180-7b1c-9c0a-5a1d2e3f4a5b"
WRITTEN = MergedField(rule=Rule.TEXT, mine="A default is made once.\nIt is shared by all calls.\n")

EVENTS: Mapping[str, Event] = {
    "team.created.v2": TeamCreated(
        name="Linkers", admin="u-ada", organization_id="5e0c1f7a-2b64-4d3a-8c11-9f0e7d6c5b4a"
    ),
    "team.organization_applied.v1": TeamOrganizationApplied(
        organization_version=7,
        admins=["u-ada"],
        removed=[],
        defaults={"review": {"needed": 2}},
        enforced=["review"],
        tier=Tier.TEAM,
    ),
    "team.member_invited.v1": TeamMemberInvited(
        invitation_id="b8a4f2d6-1c3e-4f59-8a7b-6d5c4e3f2a10",
        proof_hash="1dbc6e9fc4cee6acc5f3acebaf126827625166d04aaf954ea32f308439ba693d",
        expires_at="2026-01-08T00:00:00Z",
        role=Role.VIEWER,
    ),
    "team.invitation_revoked.v1": TeamInvitationRevoked(invitation_id="b8a4f2d6-1c3e-4f59-8a7b-6d5c4e3f2a10"),
    "team.invitation_accepted.v1": TeamInvitationAccepted(
        invitation_id="b8a4f2d6-1c3e-4f59-8a7b-6d5c4e3f2a10", member="u-ben", role=Role.VIEWER
    ),
    "team.member_role_changed.v1": TeamMemberRoleChanged(member="u-ben", role=Role.DEVELOPER),
    "team.member_added.v1": TeamMemberAdded(member="u-cleo", role=Role.AUDITOR),
    "team.member_removed.v1": TeamMemberRemoved(member="u-cleo"),
    "team.settings_changed.v1": TeamSettingsChanged(set={"x-language": "python"}, remove=[]),
    "organization.created.v1": OrganizationCreated(name="Toolchains", admin="u-ada"),
    "organization.member_invited.v1": OrganizationMemberInvited(
        invitation_id="c1d2e3f4-5a6b-4c7d-8e9f-0a1b2c3d4e5f",
        proof_hash="1dbc6e9fc4cee6acc5f3acebaf126827625166d04aaf954ea32f308439ba693d",
        expires_at="2026-01-08T00:00:00Z",
        role=OrganizationRole.MEMBER,
    ),
    "organization.invitation_revoked.v1": OrganizationInvitationRevoked(
        invitation_id="c1d2e3f4-5a6b-4c7d-8e9f-0a1b2c3d4e5f"
    ),
    "organization.invitation_accepted.v1": OrganizationInvitationAccepted(
        invitation_id="c1d2e3f4-5a6b-4c7d-8e9f-0a1b2c3d4e5f", member="u-ben", role=OrganizationRole.MEMBER
    ),
    "organization.member_role_changed.v1": OrganizationMemberRoleChanged(
        member="u-ben", role=OrganizationRole.ADMIN
    ),
    "organization.member_added.v1": OrganizationMemberAdded(member="u-cleo", role=OrganizationRole.MEMBER),
    "organization.member_removed.v1": OrganizationMemberRemoved(member="u-cleo"),
    "organization.team_added.v1": OrganizationTeamAdded(
        team_id="2c9d7e10-4b5f-4a68-9e3d-1a2b3c4d5e6f", name="Linkers", admin="u-ada"
    ),
    "organization.settings_changed.v1": OrganizationSettingsChanged(
        set={"review": {"needed": 2}}, remove=[], enforce=["review"], release=[]
    ),
    "organization.tier_changed.v1": OrganizationTierChanged(tier=Tier.TEAM),
    "pattern.recorded.v1": PatternRecorded(fields=FIELDS),
    "pattern.edited.v3": edited(
        1,
        "x-origin",
        severity="critical",
        description=f"{FIELDS['description']}\nIt is shared by all calls.\n",
        merged={"description": WRITTEN},
        overwrote=["severity"],
    ),
    "pattern.conflict_detected.v1": detected(
        1,
        conflict_id=CONFLICT,
        severity=sides("high", "critical", "low"),
        category=sides("bugs", "bugs", ABSENT, clashes=False),
    ),
    "pattern.conflict_resolved.v1": resolved(
        3,
        {"severity": "new", "category": "merged"},
        "category",
        conflict_id=CONFLICT,
        severity="medium",
    ),
    "pattern.conflict_abandoned.v1": PatternConflictAbandoned(conflict_id=CONFLICT),
    "pattern.archived.v1": PatternArchived(),
    "pattern.restored.v1": PatternRestored(),
    "pattern.deleted.v1": PatternDeleted(),
    "team.merging_changed.v1": TeamMergingChanged(policy=Policy.REJECT, rules={"x-notes": Rule.TEXT}),
}


def data_of(published: Golden) -> bytes:
    assert published.record.value is not None
    return published.record.value


def test_every_version_of_every_type_has_its_golden_and_no_other_has() -> None:
    assert set(all_golden()) == set(PUBLISHED) == {*TYPES, *UPCASTERS}


@pytest.mark.parametrize("event_type", PUBLISHED)
def test_a_published_record_never_changes(event_type: str) -> None:
    published = golden(event_type)
    assert published.hash == PUBLISHED[event_type]
    assert record_hash(published.record) == PUBLISHED[event_type]


@pytest.mark.parametrize("event_type", PUBLISHED)
def test_a_published_record_is_written_as_it_was_byte_by_byte(event_type: str) -> None:
    published = golden(event_type).record
    again = encode(decode(published))
    assert again == published
    assert list(again.headers) == list(published.headers)


@pytest.mark.parametrize("event_type", TYPES)
def test_the_data_of_a_type_is_read_and_written_byte_by_byte(event_type: str) -> None:
    data = data_of(golden(event_type))
    event = read(event_type, data)
    assert event == EVENTS[event_type]
    assert type_of(event) == event_type
    assert write(event) == data


@pytest.mark.parametrize("event_type", PUBLISHED)
def test_the_data_of_every_published_version_is_still_read(event_type: str) -> None:
    published = golden(event_type)
    assert decode(published.record).type == event_type
    read(event_type, data_of(published))
    parse(data_of(published))


def test_the_published_envelope_says_what_it_always_said() -> None:
    assert decode(golden("pattern.edited.v1").record) == Envelope(
        log_id="0d9c9a52-3a3b-4c57-8f6e-2f1b8f1b7c11",
        team_id="7f3c2f0e-1f0a-4a53-9d55-0d6f6c1f7a01",
        stream="patterns/3d1b0c64-6a52-4c8e-9a2f-5b7f1e0c9d21",
        sequence=3,
        version=2,
        type="pattern.edited.v1",
        command_id="019b76dd-6720-7e07-8085-62bedb8b60ce",
        command_hash="6f5b39811e26ffeff61627f6b296a2310706c7a3735ca0ee7841c258611432dd",
        command_index=0,
        command_count=1,
        actor="u-ada",
        request_id="req-3",
        occurred_at="2026-01-01T00:03:00.000Z",
        recorded_at="2026-01-01T00:03:00.041Z",
        previous_hash=PUBLISHED["pattern.recorded.v1"],
        data=data_of(golden("pattern.edited.v1")),
    )


def test_every_published_record_follows_another_by_its_hash_and_can_happen_after_it() -> None:
    states: dict[str, dict[str, StreamState]] = {FIRST_PREVIOUS_HASH: {}}
    sequences = {FIRST_PREVIOUS_HASH: 0}
    for published in all_golden().values():
        event = decode(published.record)
        before = states[event.previous_hash]
        assert event.sequence == sequences[event.previous_hash] + 1
        after = evolve(before.get(event.stream), read(event.type, event.data))
        assert after.version == event.version
        states[published.hash] = {**before, event.stream: after}
        sequences[published.hash] = event.sequence
    assert set(states) == {FIRST_PREVIOUS_HASH, *PUBLISHED.values()}


def test_an_edit_of_an_older_version_tells_of_no_more_than_it_did() -> None:
    first = edited(1, "x-origin", severity="critical", counters={"seen": 4})
    assert read("pattern.edited.v1", data_of(golden("pattern.edited.v1"))) == first
    second = edited(
        1,
        "x-origin",
        severity="critical",
        description=f"{FIELDS['description']}\nIt is shared by all calls.\n",
        merged={"description": WRITTEN},
    )
    assert read("pattern.edited.v2", data_of(golden("pattern.edited.v2"))) == second
