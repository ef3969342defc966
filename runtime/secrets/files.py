"""Settings from mounted files: each file of a folder is named like a variable and holds its value."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic_settings import NestedSecretsSettingsSource

from runtime.startup_failures import Misconfigured

_SWAPPED = "..data"
"""The link that Kubernetes points to another folder when a secret changes."""
_TRIES = 5


def read(known: Callable[[str], str]) -> Mapping[str, str]:
    """What the files of `secrets_dir` hold; nothing where none is named."""
    named = known("secrets_dir")
    return _contents(Path(named).expanduser()) if named else {}


def _contents(folder: Path) -> Mapping[str, str]:
    if not folder.is_dir():
        raise Misconfigured(f"PATTERNLOG_SECRETS_DIR: {folder} is no folder")
    for _ in range(_TRIES):
        # All from one state of the volume: half of an old secret and half of a new one is neither.
        state = _state(folder)
        try:
            found = NestedSecretsSettingsSource.load_secrets(state)
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"PATTERNLOG_SECRETS_DIR: {folder}: {_why(error)}") from None
        if state == _state(folder):
            return found
    raise Misconfigured(f"PATTERNLOG_SECRETS_DIR: {folder} changes faster than it can be read")


def _state(folder: Path) -> Path:
    swapped = folder / _SWAPPED
    return (swapped if swapped.is_dir() else folder).resolve()


def _why(error: OSError | UnicodeDecodeError) -> str:
    # The text of a UnicodeDecodeError has a byte of what was read.
    return str(error.strerror) if isinstance(error, OSError) else "a file is not text in UTF-8"
