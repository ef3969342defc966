"""Witnesses (C2SP tlog-witness): they cosign a head if it follows the last one that they have seen."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence

import httpx
import stamina

from evidence.errors import EvidenceError
from evidence.notes import Note, Signature, parse_signatures, verify_note
from evidence.tree_heads import parse_head
from projectors.notary.keys import WitnessAddress

Prove = Callable[[int], Awaitable[list[bytes]]]
"""What proves that the head's tree begins with that of a size."""

_TRIES = 3


class WitnessFailed(Exception):
    """A witness that did not cosign, and why."""


class _Busy(Exception):
    """It may answer if it is asked again."""


class Witness:
    """One witness, and how far it is known to have come in each log."""

    def __init__(self, client: httpx.AsyncClient, address: WitnessAddress) -> None:
        self.name = address.key.name
        self.key = address.key
        self._url = f"{address.url}/add-checkpoint"
        self._client = client
        self._sizes: dict[str, int] = {}

    async def cosign(self, note: Note, prove: Prove) -> list[Signature]:
        """Its cosignatures of a head, verified; raise `WitnessFailed`."""
        head = parse_head(note.text)
        try:
            answer = await self._ask(note, self._sizes.get(head.origin, 0), prove)
            if answer.status_code == httpx.codes.CONFLICT:
                seen = _size_of(answer)
                self._sizes[head.origin] = seen
                answer = await self._ask(note, seen, prove)
            if answer.status_code != httpx.codes.OK:
                raise WitnessFailed(f"it answers {answer.status_code}")
            found = self._verified(note, answer.text)
        except (httpx.HTTPError, EvidenceError, _Busy) as error:
            raise WitnessFailed(f"{type(error).__name__}: {error}") from error
        self._sizes[head.origin] = head.size
        return found

    async def _ask(self, note: Note, old: int, prove: Prove) -> httpx.Response:
        if old > (size := parse_head(note.text).size):
            raise WitnessFailed(f"it has seen a tree of {old}, beyond {size}")
        proof = [base64.b64encode(one).decode() for one in (await prove(old))]
        body = "\n".join([f"old {old}", *proof, "", str(note)])
        async for attempt in stamina.retry_context(
            on=(httpx.TransportError, _Busy), attempts=_TRIES, wait_initial=0.05, wait_max=1.0
        ):
            with attempt:
                answer = await self._client.post(self._url, content=body.encode())
                if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                    raise _Busy(f"it answers {answer.status_code}")
                return answer
        raise AssertionError("it answers or raises")

    def _verified(self, note: Note, lines: str) -> list[Signature]:
        found = parse_signatures(lines)
        own = [one for one in found if (one.name, one.key_id) == (self.key.name, self.key.id)]
        if len(own) != 1:
            raise WitnessFailed(f"it gave {len(own)} cosignatures, not one")
        verify_note(Note(note.text, tuple(own)), [self.key])
        return own


def _size_of(answer: httpx.Response) -> int:
    text = answer.text.removesuffix("\n")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise WitnessFailed("it does not say which tree it has seen")
    return int(text)


async def cosigned(
    note: Note, witnesses: Sequence[Witness], prove: Prove, timeout_s: float
) -> tuple[Note, dict[str, str]]:
    """The note with what the witnesses add in time, and by name why the others did not."""
    asked = {asyncio.create_task(one.cosign(note, prove)): one.name for one in witnesses}
    if not asked:
        return note, {}
    failed = {}
    _, late = await asyncio.wait(asked, timeout=timeout_s)
    for task in late:
        task.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for name, answer in zip(asked.values(), answers, strict=True):
        match answer:
            case list():
                note = note.with_signatures(answer)
            case WitnessFailed():
                failed[name] = str(answer)
            case asyncio.CancelledError():
                failed[name] = f"no answer within {timeout_s:g} s"
            case _:
                raise answer
    return note, failed
