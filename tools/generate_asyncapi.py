"""Make docs/asyncapi.json again from the registry of event types and the commands."""

import json
from pathlib import Path

from command_api.decisions.commands import command_schemas
from events.asyncapi import document

PAGE = Path(__file__).resolve().parent.parent / "docs" / "asyncapi.json"


def text() -> str:
    """The page as it should be."""
    return json.dumps(document(command_schemas()), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
