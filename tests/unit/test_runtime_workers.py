import asyncio

from runtime.workers import Workers


async def for_ever() -> None:
    await asyncio.Event().wait()


async def cut_off() -> None:
    raise asyncio.CancelledError


async def done() -> None:
    pass


async def broken() -> None:
    raise RuntimeError


async def test_a_worker_that_is_stopped_has_not_failed() -> None:
    workers = Workers()
    task = workers.spawn(for_ever(), "one")
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    workers.spawn(for_ever(), "other")
    await workers.stop()
    assert not workers.failed.is_set()


async def test_a_worker_that_ends_for_any_other_reason_has_failed() -> None:
    for work in (cut_off, done, broken):
        workers = Workers()
        task = workers.spawn(work(), "one")
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.wait_for(workers.failed.wait(), 5)
