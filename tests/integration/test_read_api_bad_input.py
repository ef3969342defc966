"""Whatever a request says, it is answered by what it asked for or by a problem with a stable code."""

from collections.abc import AsyncIterator

import pytest

from events.cursor import parse_cursor
from read_api.paging import page_token
from tests.libraries import LibraryRows, ReadApi, client_of, running_read_api
from tests.services import Services
from tests.tokens import bearer

PATTERN = "5c9d4a52-9e3b-4f6e-8f0a-3d2b1c0e7a11"
AUDIT = ("audit", "audit/refusals", "audit/export", "audit/log")
ROUTES = [
    *(
        "patterns",
        "patterns/diff",
        "changes",
        f"patterns/{PATTERN}",
        f"patterns/{PATTERN}/history",
        f"patterns/{PATTERN}/blame",
    ),
    *("conflicts", f"conflicts/{PATTERN}", "merging", *AUDIT),
]
PRESENT = {"changes", "merging", f"patterns/{PATTERN}/blame", *AUDIT}
"""Those that show the present alone."""
LONG = "x" * 1025


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@pytest.fixture(scope="module")
async def library(api: ReadApi) -> LibraryRows:
    return await api.new_library()


async def refused(api: ReadApi, url: str, parameter: str) -> bool:
    answer = await api.client.get(url)
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    return (answer.status_code, body["code"], body["parameter"]) == (400, "invalid_parameter", parameter)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("timeout=-1", "timeout"),
        ("timeout=31", "timeout"),
        ("timeout=nan", "timeout"),
        ("timeout=inf", "timeout"),
        ("timeout=", "timeout"),
        ("timeout=soon", "timeout"),
        ("timeout=1&timeout=1", "timeout"),
        ("nonsense=1", "nonsense"),
        ("Timeout=1", "Timeout"),
        ("at_least=%FF", "at_least"),
        ("at_least=%ED%A0%80", "at_least"),
        ("%ED%A0%80=1", "???"),
        ("at_least=x&at_least=x", "at_least"),
        ("nonsense=%00", "nonsense"),
    ],
)
async def test_on_every_route_a_wrong_parameter_is_named(
    api: ReadApi, library: LibraryRows, route: str, query: str, parameter: str
) -> None:
    assert await refused(api, f"{library.url}/{route}?{query}", parameter)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        *((f"{name}=", name) for name in ("category", "tag", "name", "severity", "status", "sort", "limit")),
        *((f"{name}=%00", name) for name in ("category", "tag", "name", "severity", "status", "sort")),
        *((f"{name}=a%00b", name) for name in ("category", "tag", "name")),
        *((f"{name}=%ED%A0%80", name) for name in ("category", "tag", "name", "page")),
        *((f"{name}=%C3%28", name) for name in ("category", "tag", "name", "page")),
        *((f"{name}={LONG}", name) for name in ("category", "tag", "name")),
        *((f"{name}=a&{name}=b", name) for name in ("category", "tag", "name", "sort", "page", "limit")),
        ("severity=HIGH", "severity"),
        ("severity=2", "severity"),
        ("status=deleted", "status"),
        ("sort=sequence", "sort"),
        ("sort=name;DROP+TABLE+patterns", "sort"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1001", "limit"),
        ("limit=1.5", "limit"),
        ("limit=ten", "limit"),
        (f"limit={'9' * 400}", "limit"),
        (f"limit={'9' * 5000}", "limit"),
    ],
)
async def test_in_a_list_a_wrong_parameter_is_named(
    api: ReadApi, library: LibraryRows, query: str, parameter: str
) -> None:
    assert await refused(api, f"{library.url}/patterns?{query}", parameter)


@pytest.mark.parametrize("route", sorted(set(ROUTES) - PRESENT))
async def test_a_point_that_can_be_read_in_two_ways_is_named(
    api: ReadApi, library: LibraryRows, route: str
) -> None:
    name = "to" if route.endswith("diff") else "as_of"
    for query in (f"{name}=x&{name}=x", f"{name}=%FF", f"{name}=2026-03-03T00:00:00+01:00"):
        assert await refused(api, f"{library.url}/{route}?{query}", name)


@pytest.mark.parametrize("route", sorted(PRESENT))
async def test_what_does_not_look_back_says_so(api: ReadApi, library: LibraryRows, route: str) -> None:
    assert await refused(api, f"{library.url}/{route}?as_of=2026-03-03T00:00:00Z", "as_of")


@pytest.mark.parametrize("limit", ["0", "5001", "", "1e3"])
async def test_a_limit_of_changes_is_kept(api: ReadApi, library: LibraryRows, limit: str) -> None:
    assert await refused(api, f"{library.url}/changes?limit={limit}", "limit")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "as_of=x", "sort=name", "from_=x"])
async def test_in_a_diff_a_wrong_parameter_is_named(api: ReadApi, library: LibraryRows, query: str) -> None:
    assert await refused(api, f"{library.url}/patterns/diff?{query}", query.partition("=")[0])


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "order=up", "order="])
async def test_in_a_history_a_wrong_parameter_is_named(
    api: ReadApi, library: LibraryRows, query: str
) -> None:
    url = f"{library.url}/patterns/{PATTERN}/history?{query}"
    assert await refused(api, url, query.partition("=")[0])


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "status=closed", "status=", "status=open&status=any", "pattern_id="]
)
async def test_in_a_list_of_conflicts_a_wrong_parameter_is_named(
    api: ReadApi, library: LibraryRows, query: str
) -> None:
    assert await refused(api, f"{library.url}/conflicts?{query}", query.partition("=")[0])


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "%00",
        "%ED%A0%80",
        "1",
        PATTERN.upper(),
        "{" + PATTERN + "}",
        PATTERN.replace("-", ""),
        PATTERN + "0",
    ],
)
async def test_an_id_that_is_no_canonical_uuid_is_named(
    api: ReadApi, library: LibraryRows, text: str
) -> None:
    for path in ROUTES:
        assert await refused(api, f"/api/v1/teams/{text}/{path}", "team_id")
    for path in (text, f"{text}/history", f"{text}/blame"):
        assert await refused(api, f"{library.url}/patterns/{path}", "pattern_id")
    assert await refused(api, f"{library.url}/conflicts/{text}", "conflict_id")
    assert await refused(api, f"{library.url}/conflicts?pattern_id={text}", "pattern_id")


async def test_what_looks_dangerous_and_is_text_is_looked_for(api: ReadApi, library: LibraryRows) -> None:
    for number, text in enumerate(
        ["'; DROP TABLE patterns; --", "{a,b}", '{"', "\\", "%", "\u202e", "😀", "\x01"]
    ):
        made = await library.record(f"{number} {text}", category=text, tags=[text])
        for name, value in (("category", text), ("tag", text), ("name", made.fields["name"])):
            body = await api.get(f"{library.url}/patterns", **{name: value})
            assert body["patterns"] == [made.document]


async def test_a_page_of_another_question_is_refused(api: ReadApi, library: LibraryRows) -> None:
    for number in range(3):
        await library.record(f"page {number}", category="paged", tags=["paged"], severity="low")
    url, other = f"{library.url}/patterns", await api.new_library()
    page = (await api.get(url, category="paged", limit=1))["next_page"]
    assert (await api.get(url, category="paged", limit=2, page=page))["next_page"] is None
    for query in (
        {},
        {"category": "Paged"},
        {"tag": "paged"},
        {"category": "paged", "tag": "paged"},
        {"category": "paged", "severity": "low"},
        {"category": "paged", "name": "page 1"},
        {"category": "paged", "sort": "-name"},
        {"category": "paged", "sort": "updated"},
        {"category": "paged", "status": "any"},
    ):
        assert await api.problem(url, **query, page=page) == (400, "bad_page")
    assert await api.problem(f"{other.url}/patterns", category="paged", page=page) == (400, "bad_page")


async def test_a_damaged_page_is_refused(api: ReadApi, library: LibraryRows) -> None:
    for page in ("", "x", "====", "A" * 4000, "é", "\x00"):
        assert await api.problem(f"{library.url}/patterns", page=page) == (400, "bad_page")


@pytest.mark.parametrize("route", ROUTES)
async def test_nobody_reads_without_a_token(api: ReadApi, library: LibraryRows, route: str) -> None:
    async with client_of(api.app) as client:
        for authorization in (
            None,
            "",
            "Bearer",
            "Bearer dev-ada",
            bearer("ada")[7:],
            "Bearer " + "x" * 5000,
        ):
            client.headers = {} if authorization is None else {"Authorization": authorization}
            answer = await client.get(f"{library.url}/{route}?limit=nonsense")
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("route", ROUTES)
async def test_reading_routes_take_no_other_method(api: ReadApi, library: LibraryRows, route: str) -> None:
    answer = await api.client.post(f"{library.url}/{route}", json={})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_a_page_of_other_than_two_points_is_none(api: ReadApi, library: LibraryRows) -> None:
    point = parse_cursor(api.cursor(library, library.sequence))
    question = ["diff", library.team_id, None, None]
    for count in (1, 3):
        page = page_token(question, (1,), *[point] * count)
        assert await api.problem(f"{library.url}/patterns/diff", page=page) == (400, "bad_page")


async def test_it_is_said_what_is_wrong_with_an_id_and_with_a_time(
    api: ReadApi, library: LibraryRows
) -> None:
    bad_id = (await api.client.get(f"{library.url}/patterns/1")).json()
    assert bad_id["detail"] == "pattern_id: must be a UUID in canonical lower-case form"
    unescaped = (await api.client.get(f"{library.url}/patterns?as_of=2026-03-03T00:00:00+01:00")).json()
    assert unescaped["detail"].endswith("(RFC 3339; the + of an offset is %2B)")
