"""Of all that could be sent as an access token, only a good one of ours is taken."""

import base64
import contextlib
import hashlib
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from events.roles import Tier
from identity.access_tokens import LONGEST_LIFE_S, MAX_LENGTH, Claims, TokenFormat
from identity.token_keys import key_ring, new_seed
from runtime.problems import Problem
from tests.tokens import claims_of, form, token_of
from tests.web import development

ALGORITHMS: list[Any] = ["none", "NONE", "nOnE", "HS256", "HS512", "RS256", "ES256", "", None, 5, []]
ORGANIZATION = "01890a5d-ac96-474b-bcce-b302099a8057"


def other_form(**changes: Any) -> TokenFormat:
    """That of another service."""
    ring = key_ring(development(token_keys=SecretStr(new_seed())))
    return TokenFormat(**{"ring": ring, "issuer": "patternlog", "audience": "patternlog", **changes})


def refusal(token: str) -> str:
    """The code with which a token is refused: 401 in any case."""
    with pytest.raises(Problem) as refused:
        form().read(token)
    assert refused.value.status == 401
    assert (refused.value.headers or {})["WWW-Authenticate"].startswith("Bearer")
    return refused.value.code


def signed(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token that our key signed, whatever it says."""
    said = jwt.decode(token_of("ada"), options={"verify_signature": False}) | claims
    given = {name: value for name, value in said.items() if value is not ...}
    key = form().ring.signing
    return jwt.encode(given, key.private, algorithm="EdDSA", headers={"kid": key.kid, **(header or {})})


def parts(token: str) -> list[dict[str, Any]]:
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def segment(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_what_is_signed_is_read() -> None:
    claims = claims_of("ada.b_c-d@e", org=ORGANIZATION, tier=Tier.TEAM)
    assert form().read(form().sign(claims)) == claims


def test_a_token_names_its_key_and_says_what_it_has_to() -> None:
    header, said = parts(token_of("ada"))
    assert (header["alg"], header["kid"]) == ("EdDSA", form().ring.signing.kid)
    assert set(said) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "tier"}


def test_the_kid_is_the_thumbprint_of_the_public_key() -> None:
    jwk = form().ring.signing.jwk
    members = json.dumps({name: jwk[name] for name in ("crv", "kty", "x")}, separators=(",", ":"))
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()
    assert jwk["kid"] == thumbprint
    assert jwt.PyJWK(jwk).key.public_bytes_raw() == form().ring.signing.public.public_bytes_raw()


def test_an_expired_token_is_told_from_one_that_is_not_ours() -> None:
    now = int(time.time())
    assert refusal(token_of("ada", iat=now - 20, exp=now - 10)) == "token_expired"
    assert refusal(other_form().sign(claims_of("ada", iat=now - 20, exp=now - 10))) == "unauthenticated"


def test_the_clocks_of_two_machines_may_differ_a_little() -> None:
    now = int(time.time())
    assert form().read(token_of("ada", iat=now + 3, exp=now + 60))
    assert form().read(token_of("ada", iat=now - 60, exp=now - 3))
    assert refusal(token_of("ada", iat=now + 30, exp=now + 60)) == "unauthenticated"


@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "sid", "jti", "iss", "aud"])
def test_no_claim_may_be_missing(claim: str) -> None:
    assert refusal(signed(None, **{claim: ...})) == "unauthenticated"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"},
        {"aud": "somebody"},
        {"aud": ["patternlog", "somebody"]},
        {"sub": "system:organizations"},
        {"sub": ""},
        {"sub": "a" * 65},
        {"sub": 5},
        {"sub": "ada\n"},
        {"sid": None},
        {"jti": ["x"]},
        {"org": "not a uuid"},
        {"org": 5},
        {"tier": "gold"},
        {"exp": "soon"},
        {"exp": 1e300},
        {"exp": None},
        {"iat": 0},
        {"nbf": 2**40},
        {"exp": int(time.time()) + 10 * LONGEST_LIFE_S},
    ],
)
def test_a_claim_that_cannot_be_ours_is_refused_although_our_key_signed_it(claims: dict[str, Any]) -> None:
    assert refusal(signed(**claims)) == "unauthenticated"


def test_a_token_of_another_key_is_refused_even_under_the_name_of_ours() -> None:
    other, claims = other_form(), claims_of("ada")
    assert refusal(other.sign(claims)) == "unauthenticated"
    said = jwt.decode(other.sign(claims), options={"verify_signature": False})
    kid = form().ring.signing.kid
    forged = jwt.encode(said, other.ring.signing.private, algorithm="EdDSA", headers={"kid": kid})
    assert refusal(forged) == "unauthenticated"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("signature", ["", "AA", "kept"])
def test_the_header_does_not_choose_the_algorithm(algorithm: Any, signature: str) -> None:
    _, said, kept = token_of("ada").split(".")
    header = segment({"alg": algorithm, "typ": "JWT", "kid": form().ring.signing.kid})
    assert refusal(f"{header}.{said}.{kept if signature == 'kept' else signature}") == "unauthenticated"


def test_the_public_key_is_no_secret_to_sign_with() -> None:
    public, kid = form().ring.signing.public, form().ring.signing.kid
    said = jwt.decode(token_of("ada"), options={"verify_signature": False})
    secrets = [
        public.public_bytes_raw(),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        form().ring.signing.jwk["x"].encode(),
    ]
    for secret in secrets:
        forged = jwt.api_jws.PyJWS().encode(
            json.dumps(said).encode(), secret.ljust(64, b"\0"), algorithm="HS256", headers={"kid": kid}
        )
        assert refusal(forged) == "unauthenticated"


@pytest.mark.parametrize(
    "kid", ["", "x", "../../../dev/null", "/etc/passwd", "' OR 1=1 --", "http://127.0.0.1/k", None, 5, [], {}]
)
def test_a_kid_that_is_none_of_ours_leads_nowhere(kid: Any) -> None:
    _, said, kept = token_of("ada").split(".")
    header = segment({"alg": "EdDSA", "typ": "JWT", "kid": kid, "jku": "http://127.0.0.1/", "jwk": {}})
    assert refusal(f"{header}.{said}.{kept}") == "unauthenticated"


def test_segments_of_two_tokens_make_no_third() -> None:
    one, two = token_of("ada").split("."), token_of("bob").split(".")
    for mixed in ([one[0], two[1], one[2]], [two[0], two[1], one[2]], [one[1], one[0], one[2]]):
        assert refusal(".".join(mixed)) == "unauthenticated"


def test_a_signature_has_one_spelling() -> None:
    token = token_of("ada")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for last in alphabet:
        if last != token[-1]:
            assert refusal(token[:-1] + last) == "unauthenticated"
    assert refusal(token + "=") == "unauthenticated"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "\u00e9.\u00e9.\u00e9",
        "\x00",
        "\ud800",
        "x" * (MAX_LENGTH + 1),
        segment(b"[" * 2000) + ".e30.AA",
        segment([]) + ".e30.AA",
        segment(b"\xff\xfe") + ".e30.AA",
        segment(b'{"alg":"EdDSA","kid":1e999}') + ".e30.AA",
    ],
)
def test_text_that_is_no_token_is_refused(text: str) -> None:
    assert refusal(text) == "unauthenticated"


def test_a_good_token_that_is_too_long_is_not_looked_at() -> None:
    assert refusal(signed(more="x" * MAX_LENGTH)) == "unauthenticated"
    assert refusal(signed({"more": "x" * MAX_LENGTH})) == "unauthenticated"


def test_a_header_that_asks_for_more_than_we_know_is_refused() -> None:
    assert refusal(signed({"crit": ["exp"]})) == "unauthenticated"
    assert refusal(signed({"b64": False, "crit": ["b64"]})) == "unauthenticated"


@given(st.data())
def test_no_change_to_a_token_makes_another_that_is_taken(data: st.DataObject) -> None:
    token = token_of("ada")
    at = data.draw(st.integers(0, len(token) - 1))
    length = data.draw(st.integers(0, 8))
    put = data.draw(st.one_of(st.text(max_size=8), st.sampled_from([".", "=", "A", "\n", " "])))
    changed = token[:at] + put + token[at + length :]
    if changed != token:
        assert refusal(changed) == "unauthenticated"


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    assert refusal(text) == "unauthenticated"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "b64", "crit", "jwk", "zip"]), _JSON))
def test_no_header_makes_a_forged_token_good(header: dict[str, Any]) -> None:
    _, said, kept = token_of("ada").split(".")
    assert refusal(f"{segment({'alg': 'EdDSA', **header})}.{said}.{kept}") == "unauthenticated"


_CLAIMS = st.sampled_from(["exp", "iat", "nbf", "sub", "sid", "jti", "org", "tier", "aud"])


@given(st.dictionaries(_CLAIMS, _JSON))
def test_nothing_that_our_key_signed_breaks_the_reader(claims: dict[str, Any]) -> None:
    found: Claims | None = None
    with contextlib.suppress(Problem):
        found = form().read(signed(**claims))
    assert found is None or found.sub
