"""Every answer bears the headers of an API's edge, whatever layer gave it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from runtime.edge.deprecations import Deprecation
from runtime.edge.security_headers import security_headers
from runtime.settings import Environment
from runtime.web import build_app
from tests.edge import ROUTES
from tests.limited import admitted, limited, limited_client
from tests.web import client_of, development

ORIGIN = "https://app.example.org"
OF_PAGE = {"Origin": ORIGIN}
GIVEN = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    settings = development(cors_origins=f"{ORIGIN}, https://b.example", max_body_bytes=100)
    async with client_of(build_app("t", settings, [ROUTES], [])) as client:
        yield client


async def every_answer(client: httpx.AsyncClient) -> list[httpx.Response]:
    """One of each layer: a route, none, a limit, a bug, a version, the version's header."""
    answers = [
        await client.get("/api/v1/client", headers=OF_PAGE),
        await client.get("/api/v1/nowhere", headers=OF_PAGE),
        await client.post("/size", content=bytes(200), headers=OF_PAGE),
        await client.get("/api/v1/broken", headers=OF_PAGE),
        await client.get("/api/v2/client", headers=OF_PAGE),
        await client.get("/api/v1/client", headers={**OF_PAGE, "API-Version": "7"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 413, 500, 404, 400]
    return answers


async def test_every_answer_tells_browsers_what_not_to_do(client: httpx.AsyncClient) -> None:
    for answer in await every_answer(client):
        assert {name: answer.headers[name] for name in GIVEN} == GIVEN
        assert "strict-transport-security" not in answer.headers
        assert "server" not in answer.headers
        assert len(answer.headers.get_list("x-request-id")) == 1


async def test_every_answer_may_be_read_by_a_page_that_is_allowed(client: httpx.AsyncClient) -> None:
    for answer in await every_answer(client):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        assert "RateLimit" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
        assert "Origin" in answer.headers["vary"]


async def test_so_may_the_refusal_of_a_rate_limit() -> None:
    async with limited_client(limited(cors_origins=ORIGIN, rate_anonymous=1)) as client:
        assert await admitted(client, 1) == 1
        refused = await client.get("/api/v1/things", headers=OF_PAGE)
    assert refused.status_code == 429
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    assert refused.headers["api-version"] == "1"


def test_over_https_browsers_stay_there_but_for_development() -> None:
    scope, message = {"path": "/api/v1/client"}, {"type": "http.response.start"}
    headers = dict(security_headers(Environment.PRODUCTION)(scope, message))
    assert headers[b"strict-transport-security"].startswith(b"max-age=63072000")


async def test_the_page_of_the_api_works_in_development(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    policy = page.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert "'unsafe-inline'" in policy[0]
    assert (await client.get("/redoc")).status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/auth/login", "/api/v1/auth/sessions"])
async def test_what_is_about_accounts_is_kept_nowhere(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).headers["cache-control"] == "no-store"
    assert "cache-control" not in (await client.get("/api/v1/client")).headers


async def test_every_answer_of_the_api_says_its_version(client: httpx.AsyncClient) -> None:
    for answer in await every_answer(client):
        is_api = answer.request.url.path.startswith("/api/")
        assert answer.headers.get("api-version") == ("1" if is_api else None)


@pytest.mark.parametrize("path", ["/api/v0/client", "/api/v2", "/api/v10/teams/x", "/api/v2/a%0Ab"])
async def test_a_version_that_is_not_there_is_told_from_a_path_that_is_not(
    client: httpx.AsyncClient, path: str
) -> None:
    body = (await client.get(path)).json()
    assert (body["status"], body["code"], body["supported"]) == (404, "unknown_version", ["1"])


@pytest.mark.parametrize("path", ["/api/vx/client", "/api/v1x/", "/api/", "/v2/"])
async def test_what_names_no_version_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).json()["code"] == "not_found"


@pytest.mark.parametrize("version", ["0", "2", "1.0", "v1", "", "1, 2", "\xe4"])
async def test_a_header_that_names_another_version_is_refused(
    client: httpx.AsyncClient, version: str
) -> None:
    answer = await client.get("/api/v1/client", headers={b"API-Version": version.encode("latin-1")})
    assert (answer.status_code, answer.json()["code"]) == (400, "unsupported_version")


async def test_a_header_that_names_this_version_is_taken(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/client", headers={"API-Version": "1"})).status_code == 200


async def test_a_route_that_will_go_says_so() -> None:
    going = Deprecation(
        method="GET",
        path="/api/v1/client",
        since=datetime(2026, 11, 1, tzinfo=UTC),
        sunset=datetime(2027, 11, 1, tzinfo=UTC),
        link="https://example.org/changes",
    )
    app = build_app("t", development(), [ROUTES], [], [going])
    async with client_of(app) as client:
        answer = await client.get("/api/v1/client")
        assert answer.headers["deprecation"] == "@1793491200"
        assert answer.headers["sunset"] == "Mon, 01 Nov 2027 00:00:00 GMT"
        assert answer.headers["link"] == (
            '<https://example.org/changes>; rel="deprecation"; type="text/html"'
        )
        assert "deprecation" not in (await client.get("/api/v1/nowhere")).headers
