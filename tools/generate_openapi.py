"""Make docs/openapi.json again from the routes of the gateway, which has all of them."""

import json
from pathlib import Path
from typing import Any

from runtime.settings import Environment, Settings
from server.apps import app_of
from server.process import Process

PAGE = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def document() -> dict[str, Any]:
    """The document, whatever the settings around are."""
    settings = Settings.model_construct(environment=Environment.DEVELOPMENT)
    return app_of(Process.GATEWAY, settings).openapi()


def text() -> str:
    """The page as it should be."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
