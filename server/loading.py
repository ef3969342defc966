"""The settings of a process, or one line for each that is wrong."""

from pydantic import ValidationError

from runtime.settings import Settings
from runtime.startup_failures import Misconfigured


def load_settings() -> Settings:
    """Read the settings; raise `Misconfigured` naming the variables, never their values: some are secrets."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = (f"{_variable(problem['loc'])}: {problem['msg']}" for problem in error.errors())
        raise Misconfigured("; ".join(wrong)) from None


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{Settings.model_config['env_prefix']}{location[0]}".upper()
