"""The driver: keeps one replica in step with its server."""

from sync_client.head_store import HeadStore
from sync_client.outbox import Outbox
from sync_client.pull import Puller, PullReport
from sync_client.push import Pusher
from sync_client.replica import Replica
from sync_client.retrying import RetryingTransport
from sync_client.settlement import PushReport
from sync_client.surroundings import Surroundings
from sync_client.transport import Transport


class SyncClient:
    """Push and pull. Both may be interrupted anywhere, and go on where they were."""

    def __init__(self, replica: Replica, transport: Transport, surroundings: Surroundings) -> None:
        patient = RetryingTransport(transport, surroundings.patience)
        self._outbox = Outbox(replica.connection)
        self._head_store = HeadStore(replica)
        self._puller = Puller(replica, patient, surroundings)
        self._pusher = Pusher(replica, patient, surroundings)

    async def pull(self) -> PullReport:
        """Catch up with the server; raise `ProofFailed` while there is evidence that nobody acknowledged."""
        self._check_settled()
        return await self._puller.pull()

    async def push(self) -> PushReport:
        """Send what waits. Edits behind a merged one need to see the merge first: then it pulls, too."""
        self._check_settled()
        await self._pusher.push()
        while self._outbox.awaiting_pull():
            await self._puller.pull()
            answered = self.pushed.answered
            await self._pusher.push()
            if self.pushed.answered == answered:
                break
        return self.pushed

    def _check_settled(self) -> None:
        unsettled = self._head_store.unsettled()
        if unsettled is not None:
            raise unsettled

    @property
    def pushed(self) -> PushReport:
        """What was pushed so far, also when a push ends in an error."""
        return self._pusher.report
