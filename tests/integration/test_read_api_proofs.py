"""What the read API proves holds against the heads that it shows, and what it cannot prove it says."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from evidence.merkle import EMPTY_ROOT, includes, is_consistent
from evidence.tree_heads import open_head
from read_api.part import read_api_part
from read_api.routes import router
from runtime.settings import Environment
from runtime.web import build_app
from tests.notarizing import KEY, Story, story, turn
from tests.projecting import fetch
from tests.services import Services
from tests.tokens import bearer, signed_tokens_part
from tests.web import client_of


@dataclass
class Api:
    """The read API on a story whose heads are of the sizes 3 and 603."""

    told: Story
    client: httpx.AsyncClient

    async def get(self, path: str, status: int = 200, **query: Any) -> dict[str, Any]:
        answer = await self.client.get(
            self.path(path), params=query, headers={"Authorization": bearer("ada")}
        )
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def path(self, path: str) -> str:
        return f"/api/v1/teams/{self.told.team}/audit/{path}"


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[Api]:
    async with story(services) as told:
        for more in (0, 600):
            await told.grow(more)
            async with turn(told.settings) as notary:
                assert await notary.sign() == 1
        settings = told.settings.model_copy(update={"environment": Environment.DEVELOPMENT})
        app = build_app("read", settings, [router], [signed_tokens_part, read_api_part])
        async with client_of(app) as client:
            yield Api(told, client)


def raw(hashes: list[str]) -> list[bytes]:
    return [base64.b64decode(one) for one in hashes]


async def test_heads_are_shown_as_they_were_signed(api: Api) -> None:
    latest = await api.get("tree-head")
    opened = open_head(latest["note"], [KEY.key()])
    assert (opened.head.origin, opened.head.size) == (latest["origin"], 603)
    assert raw([latest["root"]]) == [opened.head.root]
    assert latest["signed_at"] == "2023-11-14T22:13:20Z"
    assert (await api.get("tree-head", size=3))["size"] == 3
    first = await api.get("tree-heads", limit=1)
    second = await api.get("tree-heads", limit=1, page=first["next_page"])
    assert [first["tree_heads"][0]["size"], second["tree_heads"][0]["size"]] == [3, 603]
    assert second["next_page"] is None


async def test_a_head_is_given_as_its_note_alone(api: Api) -> None:
    answer = await api.client.get(
        api.path("tree-head"), headers={"Authorization": bearer("ada"), "Accept": "text/plain"}
    )
    assert answer.headers["content-type"].startswith("text/plain")
    assert open_head(answer.text, [KEY.key()]).head.size == 603


async def test_every_event_is_proven_in_every_signed_tree(api: Api) -> None:
    for size in (3, 603):
        root = raw([(await api.get("tree-head", size=size))["root"]])[0]
        for sequence in {1, 2, 3, 256, 257, 512, 513, 603} & set(range(1, size + 1)):
            proof = await api.get("proofs/inclusion", sequence=sequence, size=size)
            (leaf,), path = raw([proof["leaf"]]), raw(proof["path"])
            assert includes(leaf=leaf, index=sequence - 1, size=size, path=path, root=root)


async def test_every_tree_is_proven_to_begin_with_each_earlier_one(api: Api) -> None:
    for old, new in ((0, 0), (0, 603), (3, 603), (255, 257), (256, 600), (603, 603)):
        proof = await api.get("proofs/consistency", **{"from": old, "to": new})
        before, after = raw([proof["from_root"], proof["to_root"]])
        path = raw(proof["path"])
        assert is_consistent(old=old, new=new, old_root=before, new_root=after, path=path)
        assert old or before == EMPTY_ROOT


async def test_what_cannot_be_proven_is_refused_plainly(api: Api) -> None:
    for path, query in (
        ("proofs/inclusion", {"sequence": 604, "size": 604}),
        ("proofs/inclusion", {"sequence": 4, "size": 3}),
        ("proofs/consistency", {"from": 3, "to": 604}),
        ("proofs/consistency", {"from": 4, "to": 3}),
    ):
        problem = await api.get(path, 400, **query)
        assert (problem["code"], problem["tree_size"]) == ("proof_out_of_range", 603)
    assert (await api.get("tree-head", 404, size=4))["code"] == "no_tree_head"
    assert (await api.get("proofs/inclusion", 400, sequence=0, size=1))["code"] == "invalid_parameter"
    nobody = api.path("tree-head").replace(api.told.team, "01890a5d-ac96-774b-bcce-b302099a8057")
    answer = await api.client.get(nobody, headers={"Authorization": bearer("ada")})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_team")


async def test_the_keys_are_shown_with_the_notes_that_tell_of_them(api: Api) -> None:
    keys = (await api.client.get("/api/v1/audit/keys", headers={"Authorization": bearer("ada")})).json()
    assert (keys["name"], keys["keys"], len(keys["notes"])) == ("patternlog", [KEY.key().vkey], 1)
    assert (await api.client.get("/api/v1/audit/keys")).status_code == 401


async def test_a_tree_that_lacks_a_tile_says_that_it_is_damaged(api: Api) -> None:
    await fetch(api.told.settings, "UPDATE tiles SET index = 9 WHERE index = 1")
    problem = await api.get("proofs/inclusion", 500, sequence=257, size=603)
    await fetch(api.told.settings, "UPDATE tiles SET index = 1 WHERE index = 9")
    assert problem["code"] == "damaged_tree"
