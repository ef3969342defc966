"""Commands told shortly: on one pattern, under one id, unless a test says otherwise."""

import secrets
import time
from typing import Literal

from command_api.decisions.commands import (
    AbandonConflict,
    ArchivePattern,
    DeletePattern,
    EditPattern,
    RecordPattern,
    ResolveConflict,
    RestorePattern,
)
from command_api.decisions.team_commands import CreateTeam, SetMerging
from events.identifiers import uuid7
from events.json_text import Json
from events.merge_rules import Policy, Rule

PATTERN = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
COMMAND = uuid7(1_700_000_000_000, bytes(range(10)))
EARLIER = uuid7(1_699_999_999_999, bytes(range(10)))
"""A command of the same sender's, before that one."""
CONFLICT = uuid7(1_699_999_999_000, bytes(range(10)))
"""The edit that is in conflict."""


def command_id() -> str:
    """A new command's id, made now."""
    return uuid7(time.time_ns() // 1_000_000, secrets.token_bytes(10))


def create_team(name: str = "Compilers") -> CreateTeam:
    return CreateTeam(command_id=COMMAND, name=name)


def set_merging(policy: Policy | None = None, **rules: Rule | None) -> SetMerging:
    return SetMerging(command_id=COMMAND, policy=policy, rules=rules)


def record(pattern_id: str = PATTERN, /, **fields: Json) -> RecordPattern:
    return RecordPattern(command_id=COMMAND, pattern_id=pattern_id, fields={"name": "Race", **fields})


def edit(
    base: int | str,
    *removed: str,
    of: str = PATTERN,
    under: Policy | None = None,
    seen: int | None = None,
    **fields: Json,
) -> EditPattern:
    """An edit, based on a version or on an earlier command's id (and then also what was `seen` since)."""
    return EditPattern(
        command_id=COMMAND,
        pattern_id=of,
        base_version=base if isinstance(base, int) else seen,
        base_command=base if isinstance(base, str) else None,
        policy=under,
        set=fields,
        remove=list(removed),
    )


def resolve(
    *removed: str,
    of: str = CONFLICT,
    at: int | None = None,
    rest: Literal["mine", "theirs"] | None = None,
    take: dict[str, Literal["mine", "theirs"]] | None = None,
    **fields: Json,
) -> ResolveConflict:
    """A decision on the usual pattern's conflict, as seen `at` a version."""
    return ResolveConflict(
        command_id=COMMAND,
        pattern_id=PATTERN,
        conflict_id=of,
        base_version=at,
        take=take or {},
        rest=rest,
        set=fields,
        remove=list(removed),
    )


def abandon(conflict_id: str = CONFLICT) -> AbandonConflict:
    return AbandonConflict(command_id=COMMAND, pattern_id=PATTERN, conflict_id=conflict_id)


def archive(
    pattern_id: str = PATTERN, *, base_version: int | None = None, base_command: str | None = None
) -> ArchivePattern:
    return ArchivePattern(
        command_id=COMMAND, pattern_id=pattern_id, base_version=base_version, base_command=base_command
    )


def restore(
    pattern_id: str = PATTERN, *, base_version: int | None = None, base_command: str | None = None
) -> RestorePattern:
    return RestorePattern(
        command_id=COMMAND, pattern_id=pattern_id, base_version=base_version, base_command=base_command
    )


def delete(
    pattern_id: str = PATTERN, *, base_version: int | None = None, base_command: str | None = None
) -> DeletePattern:
    return DeletePattern(
        command_id=COMMAND, pattern_id=pattern_id, base_version=base_version, base_command=base_command
    )
