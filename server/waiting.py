"""Waiting for what another process does."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_EACH_S = 0.2


async def until_known(look: Callable[[], Awaitable[T | None]], most_s: float) -> T | None:
    """What looking finds, as soon as it finds something; None when that takes longer than so many seconds."""
    end = time.monotonic() + most_s
    while (found := await look()) is None and time.monotonic() < end:  # noqa: ASYNC110 - of another process
        await asyncio.sleep(_EACH_S)
    return found
