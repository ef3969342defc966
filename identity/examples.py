"""An example of each body and answer of sessions and keys, for OpenAPI alone."""

from collections.abc import Mapping

from events.json_text import Json

_USER = "6f1c8a52-7a0e-4c63-9d0f-3a9a52f1c0de"
SESSION = "2b7d3f10-5c1e-4a8b-9e6d-0f1a2b3c4d5e"
KEY = "7c1d9f30-6a52-4b7e-8d15-0a9e3c2b4f61"
_TEAM = "019b76da-a800-7a11-9c0a-5a1d2e3f4a5b"
_ORGANIZATION = "019b76da-a800-7a11-9c0a-000000000a5b"
_AT = "2026-03-03T09:30:00Z"
_SIGNED = "<header>.<claims>.<signature>"
_TEXT = "x" * 43

_KEY = {
    "key_id": KEY,
    "name": "nightly build",
    "team_id": _TEAM,
    "right": "developer",
    "created_at": _AT,
    "expires_at": "2026-06-01T09:30:00Z",
    "last_used_at": None,
}
BODIES: Mapping[str, Json] = {
    "LoginBody": {"username": "ada", "password": "correct battery staple horse", "device": "laptop"},
    "RefreshBody": {"refresh_token": _TEXT},
    "TokenBody": {"token": _SIGNED},
    "KeyBody": {"name": "nightly build", "team_id": _TEAM, "right": "developer", "expires_in_days": 90},
}
"""By the name of the body's shape."""
ANSWERS: Mapping[str, Json] = {
    "TokensDocument": {
        "access_token": _SIGNED,
        "token_type": "bearer",
        "expires_in": 900,
        "refresh_token": _TEXT,
        "session_id": SESSION,
        "user_id": _USER,
        "username": "ada",
        "organization_id": _ORGANIZATION,
        "role": "admin",
        "known_device": _TEXT,
    },
    "SessionsDocument": {
        "sessions": [
            {
                "session_id": SESSION,
                "device": "laptop",
                "address": "203.0.113.7",
                "created_at": _AT,
                "last_used_at": _AT,
                "expires_at": "2026-06-01T09:30:00Z",
                "current": True,
            }
        ]
    },
    "NewKeyDocument": {**_KEY, "key": f"fl_{_TEXT}"},
    "KeysDocument": {"keys": [_KEY]},
    "KeySetDocument": {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
                "use": "sig",
                "alg": "EdDSA",
            }
        ]
    },
    "Registered": {"user_id": _USER, "username": "ada", "email_verified": False},
    "Me": {
        "user_id": _USER,
        "username": "ada",
        "email_verified": True,
        "email": "ada@example.org",
        "created_at": "2026-01-02T03:04:05.000000+00:00",
    },
}
"""By the name of the answer's shape."""
