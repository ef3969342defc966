"""The body of a request: one command or many, checked before anything is accepted."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from command_api.answers import STATUS
from command_api.decisions.commands import InvalidCommand
from command_api.decisions.refusals import Refusal
from command_api.offered import Collection, offered_command
from events.errors import InvalidJson
from events.json_text import MAX_DEPTH, Json, check, parse
from runtime.problems import Problem
from runtime.settings import Settings

_MANY_DEPTH = 2
"""Levels of JSON around each of many commands."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Commands to append, as JSON text, with their ids."""

    command_ids: list[str]
    texts: list[bytes]
    is_many: bool
    count: int
    """Of its commands, those in batches included."""


def read_submission(body: bytes, settings: Settings, collection: Collection = Collection.TEAMS) -> Submission:
    """Read and check a body; raise `Problem` for the first thing wrong with any of its commands."""
    try:
        value = parse(body, max_depth=MAX_DEPTH + _MANY_DEPTH)
    except InvalidJson as error:
        raise _problem_of(error) from None
    if not (isinstance(value, dict) and "commands" in value and "type" not in value):
        _check_depth(body, value)
        count = _checked_count([value], settings)
        ids = [_check(value, body, "", settings, collection)]
        return Submission(ids, [body], is_many=False, count=count)
    commands = _many_of(value)
    count = _checked_count(commands, settings)
    texts = [orjson.dumps(command) for command in commands]
    ids = [
        _check(command, text, f"/commands/{index}", settings, collection)
        for index, (command, text) in enumerate(zip(commands, texts, strict=True))
    ]
    return Submission(ids, texts, is_many=True, count=count)


def _many_of(value: dict[str, Json]) -> list[Json]:
    commands = value["commands"]
    if set(value) != {"commands"} or not isinstance(commands, list) or not commands:
        raise Problem(
            Refusal.MALFORMED_COMMAND,
            400,
            'many commands are {"commands": [...]} with at least one',
            pointer="/commands",
        )
    return commands


def _checked_count(commands: Sequence[Json], settings: Settings) -> int:
    count = sum(map(_commands_in, commands))
    if count > settings.max_batch:
        raise Problem(
            "too_many_commands", 413, f"{count} commands; a request holds up to {settings.max_batch}"
        )
    return count


def _commands_in(command: Json) -> int:
    """How many commands it is: those of a batch count, one by one."""
    members = command.get("commands") if isinstance(command, dict) else None
    return max(1, len(members)) if isinstance(members, list) else 1


def _check_depth(body: bytes, value: Json) -> None:
    """A command alone has nothing around it, whose levels the parser allowed for."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        try:
            check(value)
        except InvalidJson as error:
            raise _problem_of(error) from None


def _problem_of(error: InvalidJson) -> Problem:
    code = Refusal(error.code)
    return Problem(code, STATUS[code], error.reason)


def _check(value: Json, text: bytes, pointer: str, settings: Settings, collection: Collection) -> str:
    if len(text) > settings.max_command_bytes:
        detail = f"a command has at most {settings.max_command_bytes} bytes of JSON"
        raise Problem(Refusal.TOO_LARGE, STATUS[Refusal.TOO_LARGE], detail, pointer=pointer)
    try:
        return offered_command(value, collection).command_id
    except InvalidCommand as error:
        raise Problem(error.code, STATUS[error.code], error.detail, pointer=pointer + error.pointer) from None
