"""When API keys were last used: noted in memory, and written once a minute."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from identity.api_keys import ApiKeys
from runtime.problems import Problem

_log = structlog.get_logger(__name__)

WRITE_S = 60.0
_MOST = 10_000


class KeyUses:
    """The last use of each key since the last write."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._uses: dict[str, float] = {}

    def note(self, key_id: str) -> None:
        """A key was used now."""
        if key_id in self._uses or len(self._uses) < _MOST:
            self._uses[key_id] = self._clock()

    async def write(self, keys: ApiKeys) -> None:
        """Write what was noted; what cannot be written waits for the next time."""
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            await keys.note_uses({key: datetime.fromtimestamp(at, UTC) for key, at in uses.items()})
        except Problem as problem:
            _log.warning("the uses of API keys are not written", reason=str(problem))
            self._uses = {**uses, **self._uses}

    async def run(self, keys: ApiKeys) -> None:
        """Write for ever."""
        while True:
            await asyncio.sleep(WRITE_S)
            await self.write(keys)
