"""Settings from AWS Secrets Manager: one secret, a JSON object whose keys are names of settings.

Credentials are found as boto3 always finds them. The source of pydantic-settings is not used: it has no
limits of time, and makes a client, which looks for credentials anew, at each reading.
"""

# ruff: noqa: PLC0415 - boto3 is there for who asks for it

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from runtime.secrets.remote import check_address, texts_of
from runtime.startup_failures import Misconfigured, StartupFailure, Unreachable

_PASSES = frozenset({"InternalServiceError", "InternalServiceErrorException", "ThrottlingException"})


def read(known: Callable[[str], str]) -> Mapping[str, str]:
    """The members of the secret `aws_secret_id`; nothing where none is named. Raise `StartupFailure`."""
    secret_id = known("aws_secret_id")
    if not secret_id:
        return {}
    where = f"AWS secret {secret_id}"
    try:
        client = _client(known("aws_region"), known("aws_endpoint_url"), float(known("secrets_timeout_s")))
        answer: dict[str, Any] = client.get_secret_value(SecretId=secret_id)
    except ImportError:
        raise Misconfigured("PATTERNLOG_AWS_SECRET_ID needs boto3: install `patternlog[aws]`") from None
    except StartupFailure:
        raise
    except Exception as error:
        failure = _failure(where, error)
        if failure is None:
            raise
        raise failure from None
    try:
        return texts_of(where, json.loads(answer["SecretString"]))
    except (KeyError, ValueError):
        raise Misconfigured(f"{where} is no JSON object") from None


# It is kept because it keeps the credentials that it found, and renews them.
@lru_cache(maxsize=1)
def _client(region: str, endpoint: str, timeout_s: float) -> Any:
    import boto3
    from botocore.config import Config

    if endpoint:
        check_address("PATTERNLOG_AWS_ENDPOINT_URL", endpoint)
    limits = Config(
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        retries={"total_max_attempts": 2, "mode": "standard"},
    )
    return boto3.Session().client(
        "secretsmanager", region_name=region or None, endpoint_url=endpoint or None, config=limits
    )


def _failure(where: str, error: Exception) -> StartupFailure | None:
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
    from botocore.exceptions import ConnectionError as NotConnected

    match error:
        case ClientError():
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            kind = Unreachable if code in _PASSES or status >= 500 else Misconfigured
            return kind(f"{where} cannot be read: {code}")
        case HTTPClientError() | NotConnected():
            return Unreachable(f"{where}: AWS Secrets Manager does not answer")
        case BotoCoreError():
            return Misconfigured(f"{where} cannot be read: {type(error).__name__}")
        case _:
            return None
