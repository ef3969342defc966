"""A process stands still in the middle of its work, another takes over, and the first one goes on."""

import asyncio

import pytest

from tests.faults.conftest import Deploy

pytestmark = pytest.mark.timeout(400)

STANDS_STILL_S = 30.0


async def test_a_decider_and_a_projector_that_stood_still_for_long_change_nothing(deploy: Deploy) -> None:
    async with deploy("decider:decider-2", "projector:projector-2") as deployment:
        await deployment.workload.acknowledge_more(20)
        paused = [deployment.services.process(name) for name in ("decider", "projector")]
        for process in paused:
            process.pause()
        await asyncio.sleep(STANDS_STILL_S)  # how long they stand still
        await deployment.workload.acknowledge_more(20)
        for process in paused:
            process.resume()
        await deployment.workload.acknowledge_more(40)
        await deployment.check()
