"""What an operator lets happen: commands of the service itself, and their outcomes."""

import secrets
import time
import uuid

from command_api.answers import outcome_body
from command_api.command_log import CommandLog, Sender
from command_api.decisions.commands import Command, to_json
from command_api.decisions.organization_commands import ChangeTier
from command_api.decisions.team_commands import AddMember
from command_api.lookup import find_outcome
from command_api.offered import Collection
from events.identifiers import is_uuid, uuid7
from events.json_text import dump
from events.roles import Role, Tier
from runtime.log_setup import check_log
from runtime.postgres import create_engine
from runtime.problems import Problem
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured
from server.waiting import until_known

ACTOR = "system:operator"


async def set_tier(settings: Settings, organization_id: str, tier: Tier) -> str:
    """Say what an organization has subscribed to; raise `Misconfigured` for a refusal."""
    command = ChangeTier(command_id=_new_id(), tier=tier)
    return await _send(settings, Collection.ORGANIZATIONS, organization_id, command)


async def add_member(settings: Settings, team_id: str, member: str, role: Role) -> str:
    """Let somebody belong to a team that nobody could let them into; raise `Misconfigured` for a refusal."""
    command = AddMember(command_id=_new_id(), member=member, role=role)
    return await _send(settings, Collection.TEAMS, team_id, command)


async def _send(settings: Settings, collection: Collection, key: str, command: Command) -> str:
    if not is_uuid(key):
        raise Misconfigured(f"{key} is no UUID in canonical form")
    identity = await check_log(settings)
    log = CommandLog(settings, identity.partitions)
    engine = create_engine(settings, "patternlog-operator")
    await log.start()
    try:
        sender = Sender(
            team_id=key, actor=ACTOR, request_id=f"operator:{uuid.uuid4()}", collection=collection
        )
        await log.append(sender, [dump(to_json(command))])
        found = await until_known(lambda: find_outcome(engine, key, command.command_id), settings.max_wait_s)
    except Problem as problem:
        raise Misconfigured(problem.detail) from None
    finally:
        await log.stop()
        await engine.dispose()
    if found is None:
        raise Misconfigured(f"the command {command.command_id} is in the log; nothing has answered it yet")
    body = outcome_body(found.outcome)
    if body["status"] == "rejected":
        raise Misconfigured(f"refused: {body['code']}: {body['detail']}")
    return f"done: version {body['version']} of {collection.removesuffix('s')} {key}"


def _new_id() -> str:
    return uuid7(time.time_ns() // 1_000_000, secrets.token_bytes(10))
