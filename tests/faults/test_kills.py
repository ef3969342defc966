"""A part is killed while clients write; when it is back, nothing is lost and nothing is doubled."""

import pytest

from tests.faults.conftest import Deploy

pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize("part", ["decider", "projector", "command-api"])
async def test_killing_a_service_in_mid_batch_loses_and_doubles_nothing(deploy: Deploy, part: str) -> None:
    async with deploy() as deployment:
        process = deployment.services.process(part)
        for _ in range(2):
            await deployment.workload.acknowledge_more(20)
            process.kill()
            process.start()
        await deployment.workload.acknowledge_more(20)
        await deployment.check()


async def test_a_broker_that_is_killed_and_restarted_loses_and_doubles_nothing(deploy: Deploy) -> None:
    async with deploy() as deployment:
        broker = deployment.stack.brokers[0]
        await deployment.workload.acknowledge_more(20)
        broker.kill()
        broker.start()
        await deployment.workload.acknowledge_more(40)
        await deployment.check()
