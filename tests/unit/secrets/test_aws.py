"""AWS Secrets Manager, and what it cannot or should not answer."""

import json

import pytest

from runtime.loading import load_settings
from runtime.startup_failures import Misconfigured, StartupFailure, Unreachable
from tests.secret_servers import FakeSecretsManager
from tests.unit.secrets.naming import aws_named, variables


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (None, "ResourceNotFoundException"),
        ("canary", "is no JSON object"),
        ('["canary"]', "is no JSON object"),
        ('{"postgres_dsn": {"canary": 1}}', "postgres_dsn: a text, number or boolean"),
        ('{"postgres_dsn": "canary"}', "PATTERNLOG_POSTGRES_DSN: .* postgresql:// is needed"),
    ],
)
def test_what_aws_has_and_is_not_good_is_one_line(
    monkeypatch: pytest.MonkeyPatch, amazon: FakeSecretsManager, secret: str | None, said: str
) -> None:
    aws_named(monkeypatch, amazon)
    if secret is not None:
        amazon.secrets["app"] = secret
    with pytest.raises(Misconfigured, match=said) as caught:
        load_settings()
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "UnrecognizedClientException", Misconfigured),
        (400, "AccessDeniedException", Misconfigured),
        (400, "ThrottlingException", Unreachable),
        (500, "InternalServiceError", Unreachable),
    ],
)
def test_what_aws_refuses_is_told_apart_from_what_passes(
    monkeypatch: pytest.MonkeyPatch,
    amazon: FakeSecretsManager,
    status: int,
    code: str,
    kind: type[StartupFailure],
) -> None:
    aws_named(monkeypatch, amazon)
    amazon.instead = status, json.dumps({"__type": code, "message": "canary"}).encode()
    with pytest.raises(kind, match=code) as caught:
        load_settings()
    assert "canary" not in str(caught.value)


def test_aws_that_does_not_answer_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    variables(monkeypatch, aws_secret_id="app", aws_endpoint_url="http://127.0.0.1:1")
    with pytest.raises(Unreachable, match="does not answer"):
        load_settings()


def test_without_credentials_for_aws_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, amazon: FakeSecretsManager
) -> None:
    aws_named(monkeypatch, amazon)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(Misconfigured, match="NoCredentialsError"):
        load_settings()
    assert amazon.asked == []
