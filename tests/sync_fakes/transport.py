"""The fake server behind the client's port, on a network that can be told to fail."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NoReturn

from events.json_text import Json, dump
from sync_client.audit_wire import ServerKeys, read_head, read_keys, read_path
from sync_client.errors import BatchRefused, LogChanged, NeedsSignIn, RequestRefused, TryLater
from sync_client.wire import Answer, ChangesPage, read_answer, read_outcomes, read_page
from tests.sync_fakes.server import FakeServer, Refused


class Fault(StrEnum):
    """What happens to one call."""

    NONE = "none"
    LOST_REQUEST = "lost_request"
    LOST_ANSWER = "lost_answer"
    UNAVAILABLE = "unavailable"
    SIGNED_OUT = "signed_out"
    DOUBLED = "doubled"
    REORDERED = "reordered"
    PENDING = "pending"
    """Taken, but the answer says that nothing is known yet."""


class FakeTransport:
    """`Transport` on a `FakeServer`. Faults come from `next_fault`, one per call."""

    def __init__(self, server: FakeServer, faults: Iterable[Fault] | Callable[[], Fault] = ()) -> None:
        self.server = server
        self._queue = deque(() if callable(faults) else faults)
        self._next = faults if callable(faults) else self._from_queue
        self.calls: list[str] = []

    def fail_next(self, *faults: Fault) -> None:
        self._queue.extend(faults)

    def calm_down(self) -> None:
        """Forget the faults that were to come."""
        self._queue.clear()

    async def send(self, commands: Sequence[dict[str, Json]]) -> list[Answer]:
        fault = self._begin("send")
        try:
            outcomes = self.server.submit(list(commands))
            if fault is Fault.DOUBLED:
                outcomes = self.server.submit(list(commands))
        except Refused as refused:
            _raise(refused)
        _end(fault)
        if fault is Fault.REORDERED:
            outcomes.reverse()
        if fault is Fault.PENDING:
            outcomes = [{"command_id": one["command_id"], "status": "pending"} for one in outcomes]
        return read_outcomes(dump({"outcomes": outcomes}))

    async def look_up(self, command_id: str) -> Answer | None:
        fault = self._begin("look_up")
        try:
            outcome = self.server.look_up(command_id)
        except Refused as refused:
            if refused.code == "unknown_command":
                return None
            _raise(refused)
        _end(fault)
        if fault is Fault.PENDING:
            outcome = {"command_id": command_id, "status": "pending"}
        return read_answer(dump(outcome))

    async def changes(self, cursor: str | None, *, at_least: str | None, limit: int) -> ChangesPage:
        fault = self._begin("changes")
        try:
            page = self.server.pull(cursor, at_least, limit)
        except Refused as refused:
            _raise(refused)
        _end(fault)
        return read_page(dump(page))

    async def tree_head(self) -> str | None:
        if not self.server.log.signers:
            return None
        fault = self._begin("tree_head")
        try:
            found = self.server.tree_head()
        except Refused:
            return None
        _end(fault)
        return read_head(dump(found))

    async def consistency(self, old: int, new: int) -> list[bytes] | None:
        fault = self._begin("consistency")
        try:
            found = self.server.consistency(old, new)
        except Refused:
            return None
        _end(fault)
        return read_path(dump(found))

    async def server_keys(self) -> ServerKeys:
        _end(self._begin("server_keys"))
        return read_keys(dump(self.server.log.keys()))

    def _from_queue(self) -> Fault:
        return self._queue.popleft() if self._queue else Fault.NONE

    def _begin(self, call: str) -> Fault:
        self.calls.append(call)
        fault = self._next()
        match fault:
            case Fault.LOST_REQUEST:
                raise TryLater("no_network", "cannot be reached")
            case Fault.UNAVAILABLE:
                raise TryLater("log_unavailable", "503", 0.0)
            case Fault.SIGNED_OUT:
                raise NeedsSignIn("unauthenticated", "no token")
            case _:
                return fault


def _end(fault: Fault) -> None:
    if fault is Fault.LOST_ANSWER:
        raise TryLater("timeout", "did not answer in time")


def _raise(refused: Refused) -> NoReturn:
    detail = str(refused.members.get("detail", refused.code))
    pointer = refused.members.get("pointer")
    if refused.code == "log_changed":
        raise LogChanged(refused.code, detail)
    if refused.status >= 500:
        raise TryLater(refused.code, detail, 0.0)
    if isinstance(pointer, str):
        raise BatchRefused(refused.code, detail, int(pointer.split("/")[2]))
    raise RequestRefused(refused.code, detail)
