"""Settings from HashiCorp Vault: one secret of a KV engine, whose keys are names of settings."""

# ruff: noqa: PLC0415 - hvac is there for who asks for it

from collections.abc import Callable, Mapping
from functools import lru_cache

from runtime.secrets.remote import check_address, texts_of
from runtime.secrets.vault_session import Login, VaultAddress, VaultSession
from runtime.startup_failures import Misconfigured, StartupFailure, Unreachable


def read(known: Callable[[str], str]) -> Mapping[str, str]:
    """The members of the secret `vault_path`; nothing where no Vault is named. Raise `StartupFailure`."""
    url = known("vault_url")
    if not url:
        return {}
    check_address("PATTERNLOG_VAULT_URL", url)
    address = _address(url, known)
    where = f"Vault at {url}, {address.mount}/{address.path}"
    try:
        return texts_of(where, _session(address).secret())
    except ImportError:
        raise Misconfigured("PATTERNLOG_VAULT_URL needs hvac: install `patternlog[vault]`") from None
    except StartupFailure:
        raise
    except Exception as error:
        failure = _failure(where, error)
        if failure is None:
            raise
        raise failure from None


def _address(url: str, known: Callable[[str], str]) -> VaultAddress:
    try:
        login, version = Login(known("vault_auth")), int(known("vault_kv_version"))
    except ValueError:
        raise Misconfigured(
            "PATTERNLOG_VAULT_AUTH is token, kubernetes or approle; PATTERNLOG_VAULT_KV_VERSION 1 or 2"
        ) from None
    needs = {
        Login.TOKEN: ("vault_token",),
        Login.KUBERNETES: ("vault_role", "vault_jwt_file"),
        Login.APPROLE: ("vault_role_id", "vault_secret_id"),
    }[login]
    if lacking := [name for name in ("vault_path", *needs) if not known(name)]:
        named = ", ".join(f"PATTERNLOG_{name.upper()}" for name in lacking)
        raise Misconfigured(f"{named}: needed to read from Vault by {login.value}")
    return VaultAddress(
        url=url,
        namespace=known("vault_namespace"),
        mount=known("vault_mount"),
        path=known("vault_path"),
        version=version,
        login=login,
        login_mount=known("vault_auth_mount") or login.value,
        credentials=tuple(known(name) for name in needs),
        timeout_s=float(known("secrets_timeout_s")),
    )


# It is kept because it keeps its token: a login for each reading would leave Vault full of leases.
@lru_cache(maxsize=1)
def _session(address: VaultAddress) -> VaultSession:
    return VaultSession(address)


def _failure(where: str, error: Exception) -> StartupFailure | None:
    import hvac.exceptions as vault
    import requests

    match error:
        case vault.InvalidPath():
            return Misconfigured(f"{where}: there is no such secret")
        case vault.Forbidden() | vault.Unauthorized():
            return Misconfigured(f"{where}: permission denied: the token or the login is not good for it")
        case vault.InvalidRequest() | vault.ParamValidationError() | vault.UnsupportedOperation():
            return Misconfigured(f"{where}: the request or the login was refused")
        case vault.VaultError():
            return Unreachable(f"{where}: Vault cannot answer: {type(error).__name__}")
        case requests.exceptions.JSONDecodeError() | KeyError() | TypeError():
            return Misconfigured(f"{where}: the answer is not one of Vault's")
        case requests.RequestException():
            return Unreachable(f"{where}: Vault does not answer: {type(error).__name__}")
        case _:
            return None
