"""Commands as JSON and back, and the hash that tells one body from another."""

from collections.abc import Mapping
from random import Random
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from command_api.decisions.commands import (
    AbandonConflict,
    ArchivePattern,
    Batch,
    Command,
    DeletePattern,
    EditPattern,
    RecordPattern,
    ResolveConflict,
    RestorePattern,
    command_from,
    command_hash,
    read_command,
    to_json,
)
from command_api.decisions.organization_commands import (
    AcceptOrganizationInvitation,
    AddOrganizationMember,
    AddTeam,
    ChangeOrganizationRole,
    ChangeOrganizationSettings,
    ChangeTier,
    CreateOrganization,
    InviteOrganizationMember,
    RemoveOrganizationMember,
    RevokeOrganizationInvitation,
)
from command_api.decisions.team_commands import (
    AcceptInvitation,
    AddMember,
    ApplyOrganization,
    ChangeMemberRole,
    ChangeSettings,
    CreateTeam,
    InviteMember,
    OpenTeam,
    RemoveMember,
    RevokeInvitation,
    SetMerging,
)
from events.identifiers import uuid7
from events.json_text import dump
from events.merge_rules import Policy, Rule
from events.roles import OrganizationRole, Role, Tier
from tests.commands import COMMAND, PATTERN, create_team
from tests.strategies import REPEATABLE, json_values, texts
from tests.unit.test_decisions_commands import CREATE, EDIT

ids = st.integers(0, 2**48 - 1).map(lambda ms: uuid7(ms, bytes(10)))
unknown = texts.filter(bool).map("x-{}".format)
values = st.dictionaries(unknown, json_values(3), max_size=3)
versions = st.integers(1, 2**53 - 1)
patterns = st.just(PATTERN)
common = {"command_id": ids, "occurred_at": st.none() | st.just("2026-01-01T00:00:00Z")}
names = texts.filter(str.strip)
people = st.sampled_from(["ada", "u-ben", "3d1b0c64-6a52-4c8e-9a2f-5b7f1e0c9d21"])
digests = st.sampled_from(["0" * 64, "ab" * 32])
settings = values.map(lambda chosen: {"y": 1, **chosen})
invitation = {
    "invitation_id": patterns,
    "proof_hash": digests,
    "expires_at": st.just("2026-01-08T00:00:00Z"),
}
changes = {
    "set": values.map(lambda fields: {"y": 1, **fields}),
    "remove": st.lists(unknown.map("z-{}".format), unique=True, max_size=2),
}
strategies: Mapping[type[Command], Mapping[str, st.SearchStrategy[Any]]] = {
    CreateTeam: {"name": names},
    SetMerging: {
        "policy": st.sampled_from(Policy),
        "rules": st.dictionaries(unknown, st.none() | st.sampled_from(Rule), max_size=2),
    },
    RecordPattern: {"pattern_id": patterns, "fields": values.map(lambda fields: {"name": "Race", **fields})},
    EditPattern: {
        "pattern_id": patterns,
        "base_version": versions,
        "base_command": st.none() | ids,
        "policy": st.none() | st.sampled_from(Policy),
        **changes,
    },
    ResolveConflict: {
        "pattern_id": patterns,
        "conflict_id": ids,
        "base_version": st.none() | versions,
        "take": st.dictionaries(unknown.map("t-{}".format), st.sampled_from(["mine", "theirs"]), max_size=2),
        "rest": st.sampled_from([None, "mine", "theirs"]),
        **changes,
    },
    AbandonConflict: {"pattern_id": patterns, "conflict_id": ids},
    ArchivePattern: {"pattern_id": patterns, "base_version": st.none() | versions},
    RestorePattern: {"pattern_id": patterns, "base_command": st.none() | ids},
    DeletePattern: {"pattern_id": patterns},
    AddMember: {"member": people, "role": st.sampled_from(Role)},
    ChangeMemberRole: {"member": people, "role": st.sampled_from(Role)},
    RemoveMember: {"member": people},
    InviteMember: {**invitation, "role": st.sampled_from(Role)},
    AcceptInvitation: {"invitation_id": patterns, "proof": digests},
    RevokeInvitation: {"invitation_id": patterns},
    ChangeSettings: {"set": settings, "remove": st.just([])},
    OpenTeam: {"name": names, "organization_id": patterns, "admin": people},
    ApplyOrganization: {
        "organization_id": patterns,
        "organization_version": versions,
        "admins": st.lists(people, max_size=2),
        "removed": st.lists(people, max_size=2),
        "defaults": settings,
        "enforced": st.just(["y"]),
        "tier": st.sampled_from(Tier),
    },
    CreateOrganization: {"name": names},
    AddOrganizationMember: {"member": people, "role": st.sampled_from(OrganizationRole)},
    ChangeOrganizationRole: {"member": people, "role": st.sampled_from(OrganizationRole)},
    RemoveOrganizationMember: {"member": people},
    InviteOrganizationMember: {**invitation, "role": st.sampled_from(OrganizationRole)},
    AcceptOrganizationInvitation: {"invitation_id": patterns, "proof": digests},
    RevokeOrganizationInvitation: {"invitation_id": patterns},
    AddTeam: {"team_id": patterns, "name": names},
    ChangeOrganizationSettings: {
        "set": settings,
        "remove": st.just([]),
        "enforce": st.just(["y"]),
        "release": st.just([]),
    },
    ChangeTier: {"tier": st.sampled_from(Tier)},
    Batch: {
        "commands": st.lists(
            st.just({"type": "delete_pattern", "pattern_id": PATTERN}), min_size=1, max_size=2
        )
    },
}
commands: st.SearchStrategy[Command] = st.one_of(
    [st.builds(kind, **common, type=st.just(kind.type), **members) for kind, members in strategies.items()]
)


@REPEATABLE
@given(commands)
def test_every_command_is_read_back_as_it_was_sent(command: Command) -> None:
    value = to_json(command)
    assert command_from(value) == command
    again, sent = read_command(dump(value))
    assert again == command
    assert sent == value


@REPEATABLE
@given(commands, st.randoms(use_true_random=False))
def test_the_hash_of_a_command_knows_no_order_of_keys(command: Command, random: Random) -> None:
    value = to_json(command)
    names = list(value)
    random.shuffle(names)
    assert command_hash({name: value[name] for name in names}) == command_hash(value)


def test_the_hash_of_a_command_is_known_and_tells_any_other_apart() -> None:
    # Kept in the log for ever beside the command's id: sha256 of the canonical text.
    assert command_hash({"b": [1, 1.0, "\u00e9"], "a": None}) == (
        "588ae6ca48bdaae78d7b557dd683e1a041a63bffcb18a0cccbb1fde57e341823"
    )
    others = [EDIT, {**EDIT, "set": {"x": 1.0}}, {**EDIT, "set": {"x": "1"}}, {**EDIT, "remove": []}]
    others += [{**EDIT, "command_id": uuid7(0, bytes(10))}, {**EDIT, "occurred_at": "2026-01-01T00:00:00Z"}]
    assert len({command_hash(value) for value in others}) == len(others)


def test_what_was_not_given_is_left_out() -> None:
    assert to_json(create_team()) == {"command_id": COMMAND, "type": "create_team", "name": "Compilers"}
    assert "occurred_at" in to_json(command_from({**CREATE, "occurred_at": "2026-01-01T00:00:00Z"}))


def test_every_kind_of_command_has_a_type_of_its_own() -> None:
    kinds = get_args(Command)
    assert len({kind.type for kind in kinds}) == len(kinds) == 29
    assert {*kinds} == {*strategies}
