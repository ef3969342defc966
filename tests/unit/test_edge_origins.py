"""Other origins, names and proxies are those that the settings name."""

import httpx
import pytest

from runtime.edge.cross_origin import allowed_origins
from runtime.edge.proxies import trusted_proxies
from runtime.settings import Environment
from runtime.startup_failures import Misconfigured
from runtime.web import build_app
from tests.edge import ROUTES, served
from tests.limited import limited, limited_app
from tests.web import client_of, development

ORIGIN = "https://app.example.org"
CLIENT = "/api/v1/client"


def preflight(origin: str = ORIGIN, method: str = "POST", headers: str = "authorization") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


async def asked(
    path: str = CLIENT, headers: dict[str, str] | None = None, **changes: object
) -> httpx.Response:
    async with client_of(build_app("t", development(**changes), [ROUTES], [])) as client:
        return await client.request(
            "OPTIONS" if path == "*" else "GET", path.replace("*", CLIENT), headers=headers
        )


async def test_a_page_that_is_allowed_may_ask() -> None:
    answer = await asked("*", preflight(headers="Authorization, Prefer, API-Version"), cors_origins=ORIGIN)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        preflight("https://evil.example"),
        preflight(method="TRACE"),
        preflight(headers="X-Other"),
        preflight("null"),
    ],
)
async def test_what_is_not_allowed_is_a_problem(headers: dict[str, str]) -> None:
    answer = await asked("*", headers, cors_origins=ORIGIN)
    assert (answer.status_code, answer.json()["code"]) == (400, "cross_origin_refused")
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://app.example.org", f"{ORIGIN}.evil.example", "null"]
)
async def test_another_origin_reads_nothing(origin: str) -> None:
    answer = await asked(headers={"Origin": origin}, cors_origins=ORIGIN)
    assert "access-control-allow-origin" not in answer.headers


async def test_without_the_setting_no_origin_is_allowed() -> None:
    assert "access-control-allow-origin" not in (await asked(headers={"Origin": ORIGIN})).headers


async def test_in_development_every_origin_may_be_allowed() -> None:
    answer = await asked(headers={"Origin": "http://localhost:3000"}, cors_origins="*")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("environment", [Environment.STAGING, Environment.PRODUCTION])
@pytest.mark.parametrize("origins", ["*", f"{ORIGIN}, *"])
def test_elsewhere_a_wildcard_is_refused(environment: Environment, origins: str) -> None:
    with pytest.raises(Misconfigured, match="name the origins"):
        allowed_origins(development(environment=environment, cors_origins=origins))


@pytest.mark.parametrize(
    "origin", ["app.example.org", f"{ORIGIN}/", "https://*.example.org", "null", "ftp://a"]
)
def test_what_is_no_origin_is_refused_at_start(origin: str) -> None:
    with pytest.raises(Misconfigured, match="is no origin"):
        build_app("t", development(cors_origins=origin), [], [])


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.1/8", "10.0.0.0/8, all"])
def test_a_proxy_is_an_address_or_a_network(proxies: str) -> None:
    with pytest.raises(Misconfigured, match="PATTERNLOG_TRUSTED_PROXIES"):
        trusted_proxies(development(trusted_proxies=proxies))


@pytest.mark.parametrize(
    ("trusted", "forwarded", "client"),
    [
        ("", "203.0.113.9", "127.0.0.1"),
        ("10.0.0.0/8", "203.0.113.9", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.0/8", "203.0.113.9:4711", "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1, 10.0.0.0/8", "6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1", "[2001:db8::1]:99", "2001:db8::1"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
async def test_the_client_is_whom_the_trusted_proxies_saw(trusted: str, forwarded: str, client: str) -> None:
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
    async with served(development(trusted_proxies=trusted)) as port, httpx.AsyncClient() as asking:
        answer = await asking.get(f"http://127.0.0.1:{port}{CLIENT}", headers=headers)
    believed = trusted.startswith("127.")
    assert answer.json() == [client, "https" if believed else "http"]


async def test_an_address_that_is_made_up_gives_no_budget_of_its_own() -> None:
    spoofed = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(10)]
    for trusted, answered in (("", 5), ("127.0.0.1", 10)):
        settings = limited(trusted_proxies=trusted)
        async with client_of(limited_app(settings)) as client:
            statuses = [
                (await client.get("/api/v1/things", headers=headers)).status_code for headers in spoofed
            ]
        assert statuses.count(200) == answered


@pytest.mark.parametrize(
    ("host", "status"), [("a.example", 200), ("A.example:8080", 200), ("b.example", 421), ("", 421)]
)
async def test_only_hosts_that_are_named_are_served(host: str, status: int) -> None:
    answer = await asked(headers={"Host": host}, allowed_hosts="a.example, [::1]")
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["code"] == "unknown_host"
    assert (await asked("/health/live", {"Host": host}, allowed_hosts="a.example")).status_code == 200


async def test_any_host_is_served_where_none_is_named() -> None:
    assert (await asked(headers={"Host": "whatever"})).status_code == 200
