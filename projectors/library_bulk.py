"""Many batches of the library in one transaction: what only the last of them shows is written once."""

from asyncpg import Connection

from events.stream import StreamState
from projectors.audit import Audit
from projectors.chain import StreamKey, TeamLog, follow
from projectors.heads import load_states
from projectors.history import History
from projectors.library import NAME, LibraryWork, read_models, show
from projectors.team_logs import load_logs, save_logs

ONLY_ADD = (History, Audit)
"""Read models that only ever add rows, and need not wait for the end of the transaction to do so."""
_MOST_STATES = 50_000


class LibraryBulk:
    """One partition's rows, transaction by transaction; what it knows goes on with it."""

    def __init__(self, partition: int, log_id: str) -> None:
        self._partition = partition
        self._log_id = log_id
        self._logs: dict[str, TeamLog] = {}
        self._states: dict[StreamKey, StreamState] = {}
        self._known: set[StreamKey] = set()
        self._folded = [model for model in read_models() if not isinstance(model, ONLY_ADD)]

    async def add(self, pg: Connection, work: LibraryWork) -> None:
        """Take the next batch."""
        if not work.entries:
            return
        await self._load(pg, work)
        steps = follow(work.entries, self._logs, self._states)
        adding = [model for model in read_models() if isinstance(model, ONLY_ADD)]
        show(steps, [*self._folded, *adding])
        for model in adding:
            await model.write(pg)

    async def finish(self, pg: Connection) -> None:
        """Write the rest, before the transaction ends."""
        for model in self._folded:
            await model.write(pg)
        if self._logs:
            await save_logs(pg, NAME, self._partition, self._log_id, self._logs)
        self._folded = [model for model in read_models() if not isinstance(model, ONLY_ADD)]
        if len(self._known) > _MOST_STATES:
            self._states.clear()
            self._known.clear()

    async def _load(self, pg: Connection, work: LibraryWork) -> None:
        teams = {entry.envelope.team_id for entry in work.entries} - self._logs.keys()
        if teams:
            self._logs.update(await load_logs(pg, NAME, self._partition, teams))
        streams = {(entry.envelope.team_id, entry.envelope.stream) for entry in work.entries} - self._known
        # Only what began in an earlier transaction is in the tables.
        begun = {(e.envelope.team_id, e.envelope.stream) for e in work.entries if e.envelope.version == 1}
        if old := streams - begun:
            self._states.update(await load_states(pg, old))
        self._known |= streams
