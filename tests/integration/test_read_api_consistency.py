"""Reading one's writes, and not reading again what has not changed."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest

from events.cursor import Cursor
from events.merge_rules import Policy, Rule
from tests.libraries import LibraryRows, ReadApi, running_read_api
from tests.read_rows import PatternRow
from tests.services import Services


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@pytest.fixture
async def library(api: ReadApi) -> LibraryRows:
    return await api.new_library()


@pytest.fixture
async def pattern(library: LibraryRows) -> PatternRow:
    """A pattern with an edit in conflict."""
    pattern, _ = await library.conflict(await library.record("one", category="io"), category="net")
    return pattern


def urls(library: LibraryRows, pattern: PatternRow) -> list[str]:
    """The routes that show a pattern."""
    one = f"{library.url}/patterns/{pattern.pattern_id}"
    paths = (f"{library.url}/{path}" for path in ("patterns", "changes"))
    return [*paths, one, f"{one}/history", f"{library.url}/patterns/diff"]


def more_urls(library: LibraryRows, pattern: PatternRow) -> list[str]:
    """All others."""
    (conflict,) = library.conflicts
    return [
        *(f"{library.url}/{path}" for path in ("conflicts", f"conflicts/{conflict}", "merging")),
        f"{library.url}/patterns/{pattern.pattern_id}/blame",
    ]


async def ask(api: ReadApi, url: str, etag: str) -> httpx.Response:
    return await api.client.get(url, headers={"If-None-Match": etag})


async def test_every_route_waits_for_what_the_client_wrote(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    asked = {"at_least": api.cursor(library, library.sequence + 1), "timeout": "30"}
    every = [*urls(library, pattern), *more_urls(library, pattern)]
    waiting = [asyncio.create_task(api.client.get(url, params=asked)) for url in every]
    _, still = await asyncio.wait(waiting, timeout=0.3)
    assert still == set(waiting)
    await library.edit(pattern, description="written")
    answers = await asyncio.gather(*waiting)
    assert [answer.status_code for answer in answers] == [200] * len(every)
    assert ['"written"' in answer.text for answer in answers[:5]] == [True] * 5


async def test_every_route_says_that_it_is_not_visible_yet(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    asked = {"at_least": api.cursor(library, library.sequence + 1), "timeout": "0.05"}
    for url in [*urls(library, pattern), *more_urls(library, pattern)]:
        answer = await api.client.get(url, params=asked)
        assert (answer.status_code, answer.json()["code"]) == (503, "not_yet_visible")
        assert answer.headers["retry-after"] == "1"


async def test_a_team_that_is_not_visible_yet_is_waited_for(api: ReadApi) -> None:
    library = LibraryRows(pg=api.pg, team_id=str(uuid.uuid4()), log_id=api.log_id)
    url, asked = f"{library.url}/patterns", api.cursor(library, 1)
    assert await api.problem(url, at_least=asked, timeout=0.05) == (503, "not_yet_visible")
    waiting = asyncio.create_task(api.get(url, at_least=asked))
    await asyncio.wait([waiting], timeout=0.1)
    await library.create()
    assert (await waiting)["patterns"] == []


async def test_of_a_team_never_seen_a_cursor_of_another_log_is_told_so(api: ReadApi) -> None:
    team_id = str(uuid.uuid4())
    other = str(Cursor(log_id=str(uuid.uuid4()), team_id=team_id, sequence=1))
    found = await api.problem(f"/api/v1/teams/{team_id}/patterns", at_least=other)
    assert found == (410, "log_changed")


async def test_the_cursor_of_a_list_is_one_to_go_on_from(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    cursor = (await api.get(f"{library.url}/patterns"))["cursor"]
    later = await library.record("later")
    body = await api.get(
        f"{library.url}/changes", cursor=cursor, at_least=api.cursor(library, later.sequence)
    )
    assert body["changes"] == [later.document]


async def test_an_answer_that_is_current_is_not_sent_again(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    for url in [*urls(library, pattern)[:3], *more_urls(library, pattern)]:
        first = await api.client.get(url)
        etag = first.headers["etag"]
        again = await ask(api, url, f'"other", {etag}')
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"] == first.headers["cache-control"] == "private, no-cache"
        assert (await ask(api, url, '"other"')).content == first.content


async def test_after_a_change_the_answer_is_sent_again(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    before = [(url, (await api.client.get(url)).headers["etag"]) for url in urls(library, pattern)[:3]]
    await library.edit(pattern, description="new")
    for url, etag in before:
        answer = await ask(api, url, etag)
        assert answer.status_code == 200
        assert '"description":"new"' in answer.text


async def test_what_did_not_change_is_current_while_a_pattern_changes(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    asked = more_urls(library, pattern)
    before = [(url, (await api.client.get(url)).headers["etag"]) for url in asked]
    await library.edit(pattern, description="new")
    conflicts, conflict, merging, blame = [(await ask(api, *each)).status_code for each in before]
    assert (conflicts, conflict, merging, blame) == (200, 304, 304, 200)
    await library.set_merging(Policy.REJECT)
    assert (await ask(api, *before[2])).status_code == 200


async def test_a_blame_is_current_while_others_change_and_the_library_merges_alike(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    url = f"{library.url}/patterns/{pattern.pattern_id}/blame"
    etag = (await api.client.get(url)).headers["etag"]
    await library.record("another")
    assert (await ask(api, url, etag)).status_code == 304
    await library.set_merging(Policy.MERGE, category=Rule.TEXT)
    assert (await ask(api, url, etag)).status_code == 200


async def test_a_pattern_is_current_while_others_change(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    etag = f'"{api.log_id}.{pattern.pattern_id}.2"'
    url = f"{library.url}/patterns/{pattern.pattern_id}"
    assert (await api.client.get(url)).headers["etag"] == etag
    await library.record("another")
    assert (await ask(api, url, etag)).status_code == 304


async def test_a_client_that_holds_everything_is_still_told_of_another_log(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    url = f"{library.url}/changes"
    body = await api.client.get(url)
    library.log_id = str(uuid.uuid4())
    await library.advance(by=0)
    answer = await api.client.get(
        url, params={"cursor": body.json()["cursor"]}, headers={"If-None-Match": body.headers["etag"]}
    )
    assert (answer.status_code, answer.json()["code"]) == (410, "log_changed")
    assert (await ask(api, url, body.headers["etag"])).status_code == 200


async def test_the_tag_of_one_page_is_not_the_tag_of_the_next(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    another = await library.record("two", category="io")
    for path, follow in (("changes", "cursor"), ("patterns", "next_page")):
        first = await api.client.get(f"{library.url}/{path}", params={"limit": 1})
        then = {"limit": 1, "page" if path == "patterns" else "cursor": first.json()[follow]}
        second = await api.client.get(
            f"{library.url}/{path}", params=then, headers={"If-None-Match": first.headers["etag"]}
        )
        assert second.status_code == 200
        assert second.json()[path] == [another.document]


async def test_if_none_match_says_nothing_of_an_unknown_team(api: ReadApi) -> None:
    for path in ("patterns", "patterns/diff", "changes", "conflicts", "merging"):
        answer = await ask(api, f"/api/v1/teams/{uuid.uuid4()}/{path}", "*")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_team")
