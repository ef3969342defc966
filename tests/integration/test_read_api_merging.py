"""How a library merges, over HTTP."""

import uuid
from collections.abc import AsyncIterator

import pytest

from events.merge_rules import KNOWN_RULES, Policy, Rule
from read_api.documents import MergingDocument
from tests.libraries import LibraryRows, ReadApi, running_read_api
from tests.services import Services


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@pytest.fixture
async def library(api: ReadApi) -> LibraryRows:
    return await api.new_library()


async def test_a_library_that_chose_nothing_merges_by_the_known_rules(
    api: ReadApi, library: LibraryRows
) -> None:
    body = await api.get(f"{library.url}/merging")
    assert body == {
        "policy": "merge",
        "rules": {name: rule.value for name, rule in KNOWN_RULES.items()},
        "own": [],
        "default": "value",
        "cursor": api.cursor(library, 1),
    }
    MergingDocument.model_validate(body)


async def test_what_a_library_chose_is_told(api: ReadApi, library: LibraryRows) -> None:
    await library.set_merging(Policy.LAST_WRITER_WINS, notes=Rule.TEXT)
    await library.set_merging(Policy.REJECT, notes=Rule.TEXT, votes=Rule.COUNTERS)
    body = await api.get(f"{library.url}/merging")
    assert (body["policy"], body["own"]) == ("reject", ["notes", "votes"])
    assert body["rules"] == {**KNOWN_RULES, "notes": "text", "votes": "counters"}
    assert body["cursor"] == api.cursor(library, 3)


async def test_there_is_no_team_without_its_first_event(api: ReadApi) -> None:
    assert await api.problem(f"/api/v1/teams/{uuid.uuid4()}/merging") == (404, "unknown_team")
