"""Clients that never give up: each command is sent under its id until it has an outcome."""

import asyncio
import json
import random
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from events.identifiers import uuid7
from tests.tokens import bearer

FINAL = {200, 404, 409, 410, 413, 422}
GIVE_UP_S = 90.0

CommandKey = tuple[str, str]


class NoOutcome(Exception):
    """A command was not answered though everything is up again."""


@dataclass
class Workload:
    """Some writers, each with a team of its own; `acknowledged` holds what they were told."""

    url: str
    seed: int
    writers: int = 4
    acknowledged: dict[CommandKey, dict[str, Any]] = field(default_factory=dict)
    sent: int = 0
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Create the teams, and go on writing in the background."""
        writers = [Writer(self, random.Random(f"{self.seed}-{number}")) for number in range(self.writers)]
        self._tasks = [asyncio.create_task(writer.run(self._stopping)) for writer in writers]
        await self.acknowledge_more(self.writers * 3)

    async def acknowledge_more(self, count: int) -> None:
        """Wait until that many more commands have their outcome; raise what a writer raised."""
        goal = len(self.acknowledged) + count
        deadline = time.monotonic() + GIVE_UP_S
        while len(self.acknowledged) < goal:
            for task in self._tasks:
                if task.done():
                    task.result()
            if time.monotonic() > deadline:
                raise NoOutcome(f"{len(self.acknowledged)} of {goal} commands acknowledged")
            await asyncio.sleep(0.02)

    async def finish(self) -> None:
        """Stop writing; every command that was sent gets its outcome first."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)


class Writer:
    """One client with a team of its own."""

    def __init__(self, workload: Workload, choose: random.Random) -> None:
        self._workload = workload
        self._choose = choose
        self._team = str(uuid.UUID(int=choose.getrandbits(128)))
        self._patterns: dict[str, int] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Write until told to stop."""
        async with httpx.AsyncClient(
            base_url=self._workload.url, headers={"Authorization": bearer("writer")}, timeout=5
        ) as client:
            await self._submit(client, {"type": "create_team", "name": "Team"})
            while not stopping.is_set():
                await self._submit(client, self._command())

    def _command(self) -> dict[str, Any]:
        if not self._patterns or self._choose.random() < 0.5:
            pattern_id = str(uuid.UUID(int=self._choose.getrandbits(128)))
            # Few names, so that some are taken and the refusal depends on the state.
            name = f"pattern {self._choose.randrange(300)}"
            return {"type": "record_pattern", "pattern_id": pattern_id, "fields": {"name": name}}
        pattern_id = self._choose.choice(sorted(self._patterns))
        value = self._choose.randrange(1000)
        return {
            "type": "edit_pattern",
            "pattern_id": pattern_id,
            "base_version": self._patterns[pattern_id],
            "set": {f"field {value % 5}": value},
        }

    async def _submit(self, client: httpx.AsyncClient, command: dict[str, Any]) -> None:
        command["command_id"] = uuid7(int(time.time() * 1000), secrets.token_bytes(10))
        self._workload.sent += 1
        outcome = await self._until_answered(client, json.dumps(command).encode())
        self._workload.acknowledged[(self._team, command["command_id"])] = outcome
        if outcome["status"] in ("accepted", "merged") and "pattern_id" in outcome:
            self._patterns[outcome["pattern_id"]] = outcome["version"]

    async def _until_answered(self, client: httpx.AsyncClient, body: bytes) -> dict[str, Any]:
        url = f"/api/v1/teams/{self._team}/commands"
        deadline = time.monotonic() + GIVE_UP_S
        last = "nothing"
        while time.monotonic() < deadline:
            try:
                response = await client.post(url, content=body, headers={"Prefer": "wait=2"})
            except httpx.TransportError as error:
                last = repr(error)
            else:
                last = f"{response.status_code} {response.text}"
                if response.status_code in FINAL:
                    answer: dict[str, Any] = response.json()
                    return answer if response.is_success else answer["outcome"]
            # Not a wait for a condition: a client's pause before it tries again.
            await asyncio.sleep(0.05)
        raise NoOutcome(f"after {GIVE_UP_S:g} s: {last}")
