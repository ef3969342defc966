"""A log that deciders wrote, with all that an export can meet; and clients beside it."""

import asyncio
import gzip
import json
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import TopicPartition

from devstack.services import Services as ServiceProcesses
from events import envelope
from events.envelope import Envelope, record_hash
from events.json_text import Json
from events.readers_rule import NO_ONE, Standing, Verdict, judge, stamps
from events.record import COMMAND_OFFSET, KIND, NewRecord, Record
from runtime.settings import Settings
from runtime.topics import Topics, partition_of
from server.backup.export import SEGMENT_BYTES, export_log
from server.backup.manifest import MANIFEST, load_complete, save
from server.backup.segments import sum_of
from server.setup import set_up
from sync_client.audit_wire import ServerKeys
from sync_client.errors import TryLater
from sync_client.http_transport import Endpoint, HttpTransport, http_transport
from sync_client.replica import writable_replica
from sync_client.session_auth import BearerToken
from sync_client.surroundings import Surroundings, utc_now
from sync_client.transport import Transport
from sync_client.wire import Answer, ChangesPage
from tests.command_client import Team, record_pattern
from tests.databases import fresh_database, settings_for, variables_of
from tests.faults.history import History, read_all, read_history
from tests.projecting import append
from tests.services import Services
from tests.sync_fakes.clients import PATIENT, Client
from tests.tokens import bearer, token_of


@contextmanager
def serving(settings: Settings, *kinds: str) -> Iterator[ServiceProcesses]:
    """Processes on a log that is there; a gateway, a decider and a projector if none are named."""
    given = {f"PATTERNLOG_{name.upper()}": str(value) for name, value in variables_of(settings).items()}
    with ServiceProcesses(given) as started:
        started.start(*(kinds or ("gateway", "decider", "projector")))
        yield started


@asynccontextmanager
async def client_at(url: str, team_id: str, folder: Path, *, deaf: bool = False) -> AsyncIterator[Client]:
    """A sync client with its replica in a folder; a deaf one sends, and does not hear the answers."""
    endpoint = Endpoint(server=url, team_id=team_id, auth=BearerToken(token_of("ada")))
    async with http_transport(endpoint) as transport:
        with writable_replica(made(folder)) as replica:
            with replica.transaction():
                replica.put("team_id", team_id)
            client = Client(replica, Deaf(transport) if deaf else transport, "seed", PATIENT)
            client.now = utc_now()
            patience = replace(PATIENT, attempts=1) if deaf else PATIENT
            client.surroundings = Surroundings(patience=patience)
            yield client


def made(folder: Path) -> Path:
    """A folder that is there."""
    folder.mkdir(exist_ok=True)
    return folder


class Deaf(Transport):
    """A transport whose commands arrive, and whose answers are lost."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    async def send(self, commands: Sequence[dict[str, Json]]) -> list[Answer]:
        await self._transport.send(commands)
        raise TryLater("no_network", "the answer was lost")

    async def look_up(self, command_id: str) -> Answer | None:
        raise TryLater("no_network", "the answer was lost")

    async def changes(self, cursor: str | None, *, at_least: str | None, limit: int) -> ChangesPage:
        return await self._transport.changes(cursor, at_least=at_least, limit=limit)

    async def tree_head(self) -> str | None:
        return await self._transport.tree_head()

    async def consistency(self, old: int, new: int) -> list[bytes] | None:
        return await self._transport.consistency(old, new)

    async def server_keys(self) -> ServerKeys:
        return await self._transport.server_keys()


@asynccontextmanager
async def team_at(url: str, team_id: str) -> AsyncIterator[Team]:
    """A team, spoken to by plain HTTP."""
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": bearer("ada")}, timeout=60) as http:
        team = Team(http)
        team.url = f"/api/v1/teams/{team_id}/commands"
        yield team


async def changes_at(url: str, team_id: str, at_least: str | None = None) -> dict[str, Any]:
    """All that a library holds."""
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": bearer("ada")}, timeout=60) as http:
        parameters = {} if at_least is None else {"at_least": at_least, "timeout": "30"}
        answer = await http.get(f"/api/v1/teams/{team_id}/changes", params=parameters)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def counting_records(settings: Settings, topic: str, partition: int) -> tuple[list[Record], Standing]:
    """What counts in a partition, and who may write at its end."""
    standing, counting = NO_ONE, []
    for record in await read_all(settings, TopicPartition(topic, partition)):
        verdict, standing = judge(standing, record)
        if verdict is Verdict.COUNTS:
            counting.append(record)
    return counting, standing


async def write_void(settings: Settings, team_id: str) -> None:
    """Let a late record of a decider that was replaced land in [events]."""
    topic, partition = Topics(settings.topic_prefix).events, partition_of(team_id, settings.log_partitions)
    records, standing = await counting_records(settings, topic, partition)
    late = stamps(replace(standing, writer="replaced"))
    again = NewRecord(key=records[-1].key, value=records[-1].value, headers={**records[-1].headers, **late})
    await append(settings, topic, partition, [again])


async def write_nothing(settings: Settings, count: int) -> None:
    """Append records that are void to every partition, so that offsets that meant nothing mean something."""
    topics = Topics(settings.topic_prefix)
    for topic in (topics.events, topics.outcomes):
        for partition in range(settings.log_partitions):
            await append(settings, topic, partition, [NewRecord(key=None, value=None, headers={})] * count)


async def send_undecided(team: Team, count: int) -> list[dict[str, Any]]:
    """Send commands that no decider answers; what was sent."""
    commands = [record_pattern() for _ in range(count)]
    for command in commands:
        assert (await team.send(command, "respond-async")).status_code == 202
    return commands


async def answer_half(settings: Settings, team_id: str, command: dict[str, Any]) -> None:
    """Append the event of a command, and no outcome: its decider died between the two."""
    topics, partition = Topics(settings.topic_prefix), partition_of(team_id, settings.log_partitions)
    events, standing = await counting_records(settings, topics.events, partition)
    last = next(record for record in reversed(events) if record.key == team_id.encode())
    sent = await read_all(settings, TopicPartition(topics.commands, partition))
    at = next(
        one for one in sent if json.loads(one.value or b"{}").get("command_id") == command["command_id"]
    )
    before = envelope.decode(last)
    event = Envelope(
        log_id=before.log_id,
        team_id=team_id,
        stream=f"patterns/{command['pattern_id']}",
        sequence=before.sequence + 1,
        version=1,
        type="pattern.recorded.v1",
        command_id=command["command_id"],
        command_hash=before.command_hash,
        command_index=0,
        command_count=1,
        actor=before.actor,
        request_id="half",
        occurred_at=before.occurred_at,
        recorded_at=before.recorded_at,
        previous_hash=record_hash(last),
        data=json.dumps({"fields": command["fields"]}).encode(),
    )
    bookkeeping = {KIND: b"event", COMMAND_OFFSET: b"%d" % at.offset, **stamps(standing)}
    await append(settings, topics.events, partition, [envelope.encode(event).with_headers(bookkeeping)])


async def restart(processes: ServiceProcesses, kind: str) -> None:
    """Kill a process and start it again."""
    await asyncio.to_thread(processes.process(kind).kill)
    await asyncio.to_thread(processes.process(kind).start)


def elsewhere(settings: Settings, **other: Any) -> Settings:
    """The same services with a log that is not there yet."""
    return settings.model_copy(update={"topic_prefix": f"test-{uuid.uuid4().hex}", **other})


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a cluster was left with: a pattern, a command with an event alone, and one with nothing."""

    team_id: str
    pattern_id: str
    owed: dict[str, Any]
    undecided: dict[str, Any]


async def use_and_leave(settings: Settings, folder: Path) -> Left:
    """Let a client and deciders write, and all of them end in the middle of something."""
    team_id = str(uuid.uuid4())
    with serving(settings) as processes:
        url = processes.url("gateway")
        async with client_at(url, team_id, folder) as client:
            client.create_team("ours")
            pattern_id = client.record(name="a")
            await client.restarted().push()
            await client.restarted().pull()
            await write_void(settings, team_id)
            await restart(processes, "decider")
            client.edit(pattern_id, severity="low")
            await client.sync()
        await push_without_hearing(url, team_id, folder, pattern_id)
        processes.process("decider").kill()
        async with team_at(url, team_id) as team:
            owed, undecided = await send_undecided(team, 2)
    await answer_half(settings, team_id, owed)
    return Left(team_id=team_id, pattern_id=pattern_id, owed=owed, undecided=undecided)


async def push_without_hearing(url: str, team_id: str, folder: Path, pattern_id: str) -> None:
    """Let a client send an edit that is accepted, and lose the answer."""
    async with client_at(url, team_id, folder, deaf=True) as client:
        client.edit(pattern_id, severity="high")
        with pytest.raises(TryLater, match="the answer was lost"):
            await client.restarted().push()


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A log that was used, and its final export."""

    settings: Settings
    folder: Path
    history: History

    def copy(self, to: Path) -> Path:
        """The export, to be damaged."""
        return Path(shutil.copytree(self.folder, to))


@asynccontextmanager
async def exported_log(
    services: Services, folder: Path, segment_bytes: int = SEGMENT_BYTES
) -> AsyncIterator[Exported]:
    """A log of its own, used and exported."""
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        await use_and_leave(settings, folder / "client")
        export = folder / "export"
        await export_log(settings, export, final=True, segment_bytes=segment_bytes)
        yield Exported(settings=settings, folder=export, history=await read_history(settings))


def rewrite(folder: Path, topic: str, change: Callable[[list[dict[str, Any]]], None]) -> str:
    """Change the lines of a segment of a topic, and put its sums right; the file."""
    manifest = load_complete(folder)
    segment = next(one for one in manifest.segments if one.topic == topic and one.records > 1)
    path = folder / segment.file
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    change(lines)
    path.write_bytes(gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines)))
    altered = replace(segment, sha256=sum_of(path), records=len(lines))
    segments = tuple(altered if one == segment else one for one in manifest.segments)
    save(folder, replace(manifest, segments=segments), MANIFEST)
    return segment.file
