"""Appending commands to [commands]."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from command_api.offered import Collection
from events.record import CREDENTIAL, RIGHTS, Headers, NewRecord
from events.roles import Role
from runtime.kafka import MAX_BATCH_BYTES, append_batch, create_producer
from runtime.problems import Problem
from runtime.settings import Settings
from runtime.topics import Topics, partition_of

_MAX_CHUNK_BYTES = MAX_BATCH_BYTES * 3 // 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Whose commands they are, by which request they came, and from where (empty: not known).

    `team_id` is the key of the log, which may be an organization's. `at_most` bounds the sender's rights.
    """

    team_id: str
    actor: str
    request_id: str
    address: str = ""
    user_agent: str = ""
    at_most: Role | None = None
    credential: str = ""
    collection: Collection = Collection.TEAMS

    @property
    def headers(self) -> Headers:
        """What each of their records says of it. From where they came goes no further than [commands]."""
        known = {"actor": self.actor, "request_id": self.request_id}
        more = {
            RIGHTS: self.at_most,
            "address": self.address,
            "user_agent": self.user_agent,
            CREDENTIAL: self.credential,
        }
        told = known | {name: text for name, text in more.items() if text}
        return {name: text.encode() for name, text in told.items()}


class CommandLog:
    """The end of [commands] at which they are appended."""

    def __init__(self, settings: Settings, partitions: int) -> None:
        self._topic = Topics(settings.topic_prefix).commands
        self._partitions = partitions
        self._timeout_s = settings.append_timeout_s
        self._producer: AIOKafkaProducer = create_producer(settings, "patternlog-command-api")

    async def start(self) -> None:
        """Connect."""
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is under way and disconnect."""
        await self._producer.stop()

    async def append(self, sender: Sender, commands: Sequence[bytes]) -> list[tuple[int, int]]:
        """Append commands in order and return where each one lies (partition, offset).

        Raise `Problem` 503 `log_unavailable` when Kafka does not acknowledge in time; they may be in the log
        all the same, so the client sends them again under the same ids.
        """
        partition = partition_of(sender.team_id, self._partitions)
        headers = sender.headers
        try:
            async with asyncio.timeout(self._timeout_s):
                if len(commands) == 1:
                    offsets = [await self._append_one(partition, sender.team_id, headers, commands[0])]
                else:
                    offsets = await self._append_many(partition, sender.team_id, headers, commands)
        except (KafkaError, TimeoutError) as error:
            raise Problem(
                "log_unavailable",
                503,
                "the log did not acknowledge in time; send the same commands again under the same ids",
                headers={"Retry-After": "1"},
            ) from error
        return [(partition, offset) for offset in offsets]

    async def _append_one(self, partition: int, team_id: str, headers: Headers, command: bytes) -> int:
        # Concurrent requests share a batch this way.
        sent = await self._producer.send(
            self._topic, command, key=team_id.encode(), partition=partition, headers=list(headers.items())
        )
        return int((await sent).offset)

    async def _append_many(
        self, partition: int, team_id: str, headers: Headers, commands: Sequence[bytes]
    ) -> list[int]:
        offsets: list[int] = []
        records = [NewRecord(key=team_id.encode(), value=command, headers=headers) for command in commands]
        for chunk in chunks_of(records):
            base = await append_batch(self._producer, self._topic, partition, chunk)
            offsets += range(base, base + len(chunk))
        return offsets


def chunks_of(records: Iterable[NewRecord], most_bytes: int = _MAX_CHUNK_BYTES) -> Iterator[list[NewRecord]]:
    """Records in order, in parts that fit into one record batch each."""
    chunk: list[NewRecord] = []
    left = most_bytes
    for record in records:
        size = record.size
        if chunk and size > left:
            yield chunk
            chunk, left = [], most_bytes
        chunk.append(record)
        left -= size
    if chunk:
        yield chunk
