"""Waiting for a condition, never for a time."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(condition: Callable[[], Awaitable[bool]], within: float = 30.0) -> None:
    """Return once the condition holds; raise TimeoutError when it does not within so many seconds."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.05)
