"""The settings as documents: `.env.example`, and the table in docs/operations.md."""

from enum import Enum
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from runtime.settings import Settings

_HEAD = """\
# Every setting of Patternlog's services, with its default. Made by `patternlog env-example`.
# A service reads `.env` in the folder that it starts in; variables of its environment win.
"""


def variable_of(field: str) -> str:
    """The environment variable of a setting."""
    return f"{Settings.model_config['env_prefix']}{field}".upper()


def env_example() -> str:
    """The text of `.env.example`: each setting commented out, so that a copy changes nothing by itself."""
    settings = (
        f"\n# {field.description}\n# {variable_of(name)}={_default(field)}\n"
        for name, field in Settings.model_fields.items()
    )
    return _HEAD + "".join(settings)


def markdown_table() -> str:
    """The settings as a table in Markdown."""
    rows = (
        f"| `{variable_of(name)}` | {_in_code(_default(field))} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )
    return "| variable | default | what it is |\n| --- | --- | --- |\n" + "".join(rows)


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value.value if isinstance(value, Enum) else value)


def _in_code(text: str) -> str:
    return f"`{text}`" if text else ""
