"""Every event type that was ever published, and how its data is read and written."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from events.errors import MalformedRecord, UnknownEventType
from events.json_text import Json, dump
from events.organization import (
    OrganizationCreated,
    OrganizationEvent,
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
    PatternArchived,
    PatternConflictAbandoned,
    PatternConflictDetected,
    PatternConflictResolved,
    PatternDeleted,
    PatternEdited,
    PatternEvent,
    PatternRecorded,
    PatternRestored,
)
from events.team import (
    TeamCreated,
    TeamEvent,
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
from events.upcasters import UPCASTERS, Upcasters, upcast

Event = PatternEvent | TeamEvent | OrganizationEvent

TYPES: Mapping[str, type[Event]] = {
    "team.created.v2": TeamCreated,
    "team.merging_changed.v1": TeamMergingChanged,
    "team.member_added.v1": TeamMemberAdded,
    "team.member_role_changed.v1": TeamMemberRoleChanged,
    "team.member_removed.v1": TeamMemberRemoved,
    "team.member_invited.v1": TeamMemberInvited,
    "team.invitation_accepted.v1": TeamInvitationAccepted,
    "team.invitation_revoked.v1": TeamInvitationRevoked,
    "team.settings_changed.v1": TeamSettingsChanged,
    "team.organization_applied.v1": TeamOrganizationApplied,
    "organization.created.v1": OrganizationCreated,
    "organization.member_added.v1": OrganizationMemberAdded,
    "organization.member_role_changed.v1": OrganizationMemberRoleChanged,
    "organization.member_removed.v1": OrganizationMemberRemoved,
    "organization.member_invited.v1": OrganizationMemberInvited,
    "organization.invitation_accepted.v1": OrganizationInvitationAccepted,
    "organization.invitation_revoked.v1": OrganizationInvitationRevoked,
    "organization.team_added.v1": OrganizationTeamAdded,
    "organization.settings_changed.v1": OrganizationSettingsChanged,
    "organization.tier_changed.v1": OrganizationTierChanged,
    "pattern.recorded.v1": PatternRecorded,
    "pattern.edited.v3": PatternEdited,
    "pattern.conflict_detected.v1": PatternConflictDetected,
    "pattern.conflict_resolved.v1": PatternConflictResolved,
    "pattern.conflict_abandoned.v1": PatternConflictAbandoned,
    "pattern.archived.v1": PatternArchived,
    "pattern.restored.v1": PatternRestored,
    "pattern.deleted.v1": PatternDeleted,
}
"""The newest version of each type; older ones are read through `UPCASTERS`."""

_NAMES: Mapping[type[Event], str] = {event_class: name for name, event_class in TYPES.items()}
_READERS: Mapping[str, TypeAdapter[Any]] = {name: TypeAdapter(cls) for name, cls in TYPES.items()}
_OBJECT = TypeAdapter(dict[str, Any])


def type_of(event: Event) -> str:
    """The name, with version, under which an event is written."""
    return _NAMES[type(event)]


def write(event: Event) -> bytes:
    """An event's data as JSON text."""
    return dump({name: getattr(event, name) for name in type(event).__dataclass_fields__})


def read(event_type: str, data: bytes, upcasters: Upcasters = UPCASTERS) -> Event:
    """An event from its type and data, in its newest shape.

    Raise `UnknownEventType` for a type nobody published, `MalformedRecord` for data without the type's shape.
    """
    try:
        if event_type in upcasters:
            return from_shape(event_type, _OBJECT.validate_json(data), upcasters)
        return _reader(event_type).validate_json(data)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise _malformed(event_type, error) from None


def from_shape(event_type: str, shape: dict[str, Json], upcasters: Upcasters = UPCASTERS) -> Event:
    """The same from data that was parsed before."""
    try:
        newest, newest_shape = upcast(event_type, shape, upcasters)
        return _reader(newest).validate_python(newest_shape)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise _malformed(event_type, error) from None


def _malformed(event_type: str, error: ValidationError) -> MalformedRecord:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return MalformedRecord(f"{event_type}: {where or 'data'}: {first['msg']}")


def _reader(event_type: str) -> TypeAdapter[Any]:
    try:
        return _READERS[event_type]
    except KeyError:
        raise UnknownEventType(event_type) from None
