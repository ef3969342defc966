"""Where settings come from besides the environment and `.env`: mounted files, Vault, AWS Secrets Manager.

A source that is not named is not asked, and what it needs is not imported. docs/secrets.md has the order.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from runtime.secrets import aws, files, vault

Known = Callable[[str], str]
"""The value of a setting as the sources before this one have it, else its default; as text."""
Read = Callable[[Known], Mapping[str, str]]

NOT_FROM_AFAR = ("secrets_dir", "vault_", "aws_")
"""How settings begin that say where secrets are; what is found there cannot say it."""


def named_sources(settings: type[BaseSettings]) -> tuple[PydanticBaseSettingsSource, ...]:
    """The sources after the environment and `.env`, the one that wins first."""
    return tuple(_NamedSource(settings, read) for read in (files.read, vault.read, aws.read))


class _NamedSource(EnvSettingsSource):
    """Values under the variables' names, read when it is known what the sources before this one say."""

    def __init__(self, settings: type[BaseSettings], read: Read) -> None:
        super().__init__(settings)
        self._read = read

    def __call__(self) -> dict[str, Any]:
        found = {self._variable(name): text for name, text in self._read(self._known).items()}
        if self._read is not files.read:
            found = {name: text for name, text in found.items() if not self._says_where(name)}
        self.env_vars = found
        return super().__call__()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._read.__module__})"

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {}

    def _variable(self, name: str) -> str:
        prefix = self.env_prefix.lower()
        return prefix + name.lower().removeprefix(prefix)

    def _says_where(self, variable: str) -> bool:
        return variable.removeprefix(self.env_prefix.lower()).startswith(NOT_FROM_AFAR)

    def _known(self, name: str) -> str:
        value = self.current_state.get(name, self.settings_cls.model_fields[name].default)
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
