"""A decider whose rows turn out to be wrong, are switched away from, and are dropped before it looks."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from command_api.decider.owner import PartitionOwner
from projectors.rebuild import rebuilding
from projectors.verify import verify
from runtime.settings import Settings
from tests.integration.test_decider_owner import Bench, _bench, create_team, now_id, record_pattern
from tests.projecting import fetch, projecting, until
from tests.services import Services


@pytest.fixture
async def bench(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async def never(_: PartitionOwner) -> None:
        raise AssertionError("it was in trouble for a while")

    monkeypatch.setattr(PartitionOwner, "_pause", never)
    async with _bench(services) as made:
        yield made


def edit(pattern_id: str, base: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "edit_pattern",
        "command_id": now_id(),
        "pattern_id": pattern_id,
        "base_version": base,
        "set": fields,
    }


async def shown(settings: Settings, events: int) -> None:
    async def is_shown() -> bool:
        found = await fetch(settings, "SELECT last_sequence FROM projected_logs")
        return found == [(events,)] and not (await verify(settings)).behind

    await until(is_shown)


async def test_after_an_accepted_difference_a_decider_remembers_nothing_of_the_wrong_rows(
    bench: Bench,
) -> None:
    await bench.own()
    pattern = record_pattern("a")
    twice = edit(pattern["pattern_id"], 1, note=1)
    async with projecting(bench.settings):
        await bench.send(create_team(), pattern, twice)
        await bench.answered(3)
        await shown(bench.settings, 3)
        # As if the name had just been changed: who changes it on top of version 1 would be in conflict.
        wrong = """UPDATE heads SET state = replace(state, '"name":1', '"name":2') WHERE stream <> 'team'"""
        await fetch(bench.settings, wrong)
        await bench.send(edit(pattern["pattern_id"], 2, note=2))
        await bench.answered(4)
        for projection in ("library", "outcomes"):
            async with rebuilding(bench.settings, projection) as work:
                compared = await work.rebuild(None)
                assert compared.is_equal == (projection == "outcomes")
                await work.switch(compared, accept_difference=True)
                await work.drop(1)
        await bench.send(edit(pattern["pattern_id"], 1, name="b"), twice)
        history = await bench.answered(6)
    history.check({})
    answers = [answer for _, answer in history.outcomes]
    assert [answer.status for answer in answers[4:]] == ["merged", "accepted"]
    assert [answer.repeat for answer in answers] == [False] * 5 + [True]
    assert [event.version for _, event in history.events] == [1, 1, 2, 3, 4]
