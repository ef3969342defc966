"""The notary signs a head of each log that has grown, if the tree still begins with what it signed before.

    tables ─► which logs are due ─► consistent with the last head? ─► sign ─► witnesses ─► topic ─► tables
                                               └─► no: alarm, and that log is signed no more

At most one is at work: it holds an advisory lock on the very session that it reads by. Should two be, because
one was paused, they sign the same trees, and two records of one head are harmless.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from asyncpg import Connection

from evidence.key_notes import key_note, keys_of
from evidence.merkle import is_consistent
from evidence.notes import Note, SigningKey, parse_note
from evidence.tiles import MissingHash
from evidence.tree_heads import TreeHead, origin_of, parse_head
from projectors.generations import live
from projectors.library import NAME
from projectors.notary.alarms import alarms, raise_alarm
from projectors.notary.heads_log import KEYS, HeadsLog
from projectors.notary.schedule import Schedule
from projectors.notary.stored_tree import Grown, grown_logs, root_and_proof
from projectors.notary.witnesses import Witness, cosigned
from projectors.schema.generations import search_path
from runtime.health import Health
from runtime.settings import Settings

_log = structlog.get_logger(__name__)

_NEWEST_KEYS = 'SELECT note FROM tree_keys ORDER BY "offset" DESC LIMIT 1'
_MOST = 200
"""Heads of one round; the others are due in the next one."""
_LATE_AGAIN_S = 10.0


def _is_of(grown: Grown) -> bool:
    """Whether size and root of the last head are those of its note."""
    said = parse_head(parse_note(grown.note).text)
    return (said.size, said.root) == (grown.size, grown.root)


@dataclass(frozen=True, slots=True)
class _Signed:
    grown: Grown
    note: Note


class Notary:
    """What one turn at signing knows; everything that has to last is in the topic and the tables."""

    def __init__(
        self,
        settings: Settings,
        keys: Sequence[SigningKey],
        witnesses: Sequence[Witness],
        health: Health,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._witnesses = witnesses
        self._health = health
        self._clock = clock
        self._late: dict[str, _Signed] = {}
        self._late_at = 0.0
        self._pause = min(1.0, settings.tree_head_s / 4)
        self._schedule = Schedule(
            events=settings.tree_head_events,
            # A round takes its time too: what is looked at last must not be late.
            patience_s=settings.tree_head_s - settings.witness_timeout_s - 2 * self._pause,
        )

    async def work(self, pg: Connection, heads: HeadsLog, *, until: Callable[[], bool]) -> None:
        """Sign until something fails or `until` holds. The session holds the lock; all is done on it."""
        await self.begin(pg, heads)
        while not until():
            await self.round(pg, heads)
            self._health.set("notary", None)
            await asyncio.sleep(self._pause)

    async def round(self, pg: Connection, heads: HeadsLog) -> int:
        """Sign what is due; the number of heads."""
        await heads.catch_up(pg)
        await pg.execute(f"SET search_path TO {search_path([(await live(pg, NAME)).schema])}")
        due = self._schedule.due(await grown_logs(pg), time.monotonic())[:_MOST]
        made = [await self._sign(pg, one) for one in due]
        signed = [one for one in made if one is not None]
        for one in await self._witnessed(pg, signed):
            await heads.publish(one.grown.team_id, one.note)
        if signed:
            await heads.catch_up(pg)
        for team_id, _, reason, _ in await alarms(pg):
            self._health.alarm(f"tree:{team_id}", reason)
        return len(signed)

    async def begin(self, pg: Connection, heads: HeadsLog) -> None:
        """Tell verifiers of the keys, unless the topic's last note of keys does."""
        # The topic is believed, not what became of its copy while nobody compared the two.
        await pg.execute("DELETE FROM public.tree_head_positions")
        await heads.catch_up(pg)
        newest = await pg.fetchval(_NEWEST_KEYS)
        if newest is None or keys_of(parse_note(newest)) != [key.key() for key in self._keys]:
            await heads.publish(KEYS, key_note(self._keys))
            await heads.catch_up(pg)

    async def _sign(self, pg: Connection, grown: Grown) -> _Signed | None:
        origin = origin_of(self._settings.tree_head_name, grown.log_id, grown.team_id)
        try:
            root, path = await root_and_proof(pg, grown.team_id, grown.size, grown.tree_size)
        except MissingHash as error:
            await self._refuse(pg, grown, str(error), "")
            return None
        if grown.note and not _is_of(grown):
            await self._refuse(pg, grown, "the last head is not the one that was signed", "")
            return None
        head = TreeHead(origin=origin, size=grown.tree_size, root=root)
        if not is_consistent(
            old=grown.size, new=grown.tree_size, old_root=grown.root, new_root=root, path=path
        ):
            proof = "\n".join(one.hex() for one in path)
            await self._refuse(pg, grown, "it does not begin with that of its last head", head.text + proof)
            return None
        self._schedule.signed(grown.team_id)
        # A log's times never go back, whatever the clock does.
        return _Signed(grown, head.signed(self._keys, max(int(self._clock()), grown.time_s)))

    async def _refuse(self, pg: Connection, grown: Grown, reason: str, evidence: str) -> None:
        told = f"the tree of size {grown.tree_size} is not signed: {reason}"
        await raise_alarm(pg, grown.team_id, grown.log_id, told, f"{grown.note}\n{evidence}")
        _log.error("tree head refused", team=grown.team_id, reason=told, last_size=grown.size)

    def ask_late_ones(self) -> None:
        """Ask witnesses in the next round for what they still owe."""
        self._late_at = 0.0

    async def _witnessed(self, pg: Connection, signed: Sequence[_Signed]) -> list[_Signed]:
        """The new heads with what witnesses add in time, and earlier ones that get it now."""
        if not self._witnesses:
            return list(signed)
        late = [] if time.monotonic() < self._late_at else list(self._late.values())
        fresh = {one.grown.team_id for one in signed}
        asked = [*signed, *(one for one in late if one.grown.team_id not in fresh)]
        if late:
            self._late_at = time.monotonic() + _LATE_AGAIN_S
        lock, deadline = asyncio.Lock(), self._settings.witness_timeout_s
        answers = await asyncio.gather(*(self._ask(pg, one, lock, deadline) for one in asked))
        self._tell(answers)
        return [one for one, before in zip((a[0] for a in answers), asked, strict=True)
                if one.grown.team_id in fresh or one.note != before.note]  # fmt: skip

    async def _ask(
        self, pg: Connection, signed: _Signed, lock: asyncio.Lock, timeout_s: float
    ) -> tuple[_Signed, dict[str, str]]:
        has = {(one.name, one.key_id) for one in signed.note.signatures}
        lacking = [one for one in self._witnesses if (one.key.name, one.key.id) not in has]
        size = parse_head(signed.note.text).size

        async def prove(old: int) -> list[bytes]:
            async with lock:
                return (await root_and_proof(pg, signed.grown.team_id, old, size))[1]

        note, failed = await cosigned(signed.note, lacking, prove, timeout_s)
        done = _Signed(signed.grown, note)
        self._late.pop(signed.grown.team_id, None)
        if failed:
            self._late[signed.grown.team_id] = done
        return done, failed

    def _tell(self, answers: Sequence[tuple[_Signed, dict[str, str]]]) -> None:
        failed = {name: reason for _, reasons in answers for name, reason in reasons.items()}
        for witness in self._witnesses:
            if answers:
                self._health.remark(f"witness:{witness.name}", failed.get(witness.name))
