"""The settings of a process, or one line for each that is wrong."""

from pydantic import ValidationError
from pydantic_settings import SettingsError

from runtime.settings import Settings
from runtime.startup_failures import Misconfigured


def load_settings() -> Settings:
    """Read the settings; raise `StartupFailure` that names variables, never their values."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = (f"{_variable(problem['loc'])}: {problem['msg']}" for problem in error.errors())
        raise Misconfigured("; ".join(wrong)) from None
    except (SettingsError, UnicodeDecodeError):
        # Their texts may quote what was read.
        raise Misconfigured("the settings cannot be read: .env or a file is not text in UTF-8") from None


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{Settings.model_config['env_prefix']}{location[0]}".upper()
