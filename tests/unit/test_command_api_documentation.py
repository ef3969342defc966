"""docs/command-api.md shows commands that are taken, and names every type with its members."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from command_api.decisions.commands import Command, command_from

PAGE = (Path(__file__).parents[2] / "docs" / "command-api.md").read_text("utf-8")
TYPES = {kind.type: kind for kind in get_args(Command)}
EVERYWHERE = {"type", "command_id", "occurred_at", "pattern_id"}


def test_every_command_that_is_shown_is_one() -> None:
    shown = [command_from(json.loads(text)) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    assert {"edit_pattern", "resolve_conflict", "batch"} <= {command.type for command in shown}


def test_every_type_is_told_with_its_members_and_no_other_is() -> None:
    told: dict[str, set[str]] = {}
    for line in PAGE.partition("| `type` |")[2].partition("\n\n")[0].splitlines()[2:]:
        types, members = (re.findall(r"`([a-z_]+)`", cell) for cell in line.split("|")[1:3])
        told |= {name: {*members} for name in types}
    assert told == {
        name: {member.name for member in fields(kind)} - EVERYWHERE for name, kind in TYPES.items()
    }
