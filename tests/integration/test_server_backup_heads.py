"""What was signed is in the backup, and what is signed after a restore does not contradict it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from pydantic import SecretStr

from events.pattern import PatternRecorded
from evidence.merkle import is_consistent
from evidence.tree_heads import origin_of, parse_head
from projectors.notary.stored_tree import root_and_proof
from projectors.verify import verify
from runtime.imported import IMPORTED, imported_of
from runtime.log_setup import LogNotUsable, check_log
from runtime.settings import Settings
from runtime.topics import Topics
from server.backup.checking import check_export
from server.backup.errors import Damaged
from server.backup.export import export_log
from server.backup.importing import import_log
from server.backup.manifest import MANIFEST, save
from tests.backups import elsewhere, rewrite
from tests.databases import fresh_database
from tests.faults.history import read_all
from tests.notarizing import Story, story, turn
from tests.projecting import append, caught_up, fetch, migrated, projecting
from tests.scribe import new_records
from tests.services import Services

pytestmark = pytest.mark.timeout(300)

Lines = list[dict[str, Any]]


@asynccontextmanager
async def signed_log(services: Services) -> AsyncIterator[Story]:
    """A log with a note of keys, and heads of 3 and 4 events."""
    async with story(services, log_partitions=1) as told:
        async with turn(told.settings) as notary:
            assert await notary.sign() == 1
            await told.grow()
            assert await notary.sign() == 1
        yield told


@asynccontextmanager
async def imported(services: Services, told: Story, folder: Path, *, same_log: bool) -> AsyncIterator[Story]:
    """The same log elsewhere, one event on, which nobody has signed yet."""
    async with fresh_database(services) as dsn:
        there = elsewhere(told.settings, postgres_dsn=SecretStr(dsn))
        await migrated(there)
        await import_log(there, folder, same_log=same_log)
        scribe, before = told.log.scribe, len(told.log.scribe.records)
        scribe.log_id = (await check_log(there)).log_id
        scribe.fence(term=3)
        scribe.pattern(told.team, PatternRecorded(fields={"name": "there"}))
        await append(there, Topics(there.topic_prefix).events, 0, new_records(scribe.records[before:]))
        async with projecting(there.model_copy(update={"tree_head_keys": SecretStr("")})):
            await caught_up(there, scribe.next_offset)
        yield replace(told, settings=there)


async def notes(settings: Settings) -> list[tuple[object, ...]]:
    """All that the topic of heads holds."""
    at = TopicPartition(Topics(settings.topic_prefix).tree_heads, 0)
    return [(one.key, one.value, one.headers) for one in await read_all(settings, at)]


@pytest.mark.parametrize("same_log", [True, False])
async def test_heads_stay_on_record_and_the_next_one_follows_them(
    services: Services, tmp_path: Path, same_log: bool
) -> None:
    async with signed_log(services) as told:
        await export_log(told.settings, tmp_path / "1", final=True)
        async with imported(services, told, tmp_path / "1", same_log=same_log) as there:
            assert await notes(there.settings) == await notes(told.settings)
            async with turn(there.settings) as notary:
                assert await notary.sign() == 1
                assert await notary.sign() == 0
                root, path = await root_and_proof(notary.pg, told.team, 4, 5)
            *old, new = (one.head for one in await there.heads())
            assert old == [one.head for one in await told.heads()]
            assert is_consistent(old=4, new=5, old_root=old[-1].root, new_root=root, path=path)
            log_id = (await check_log(there.settings)).log_id
            assert (new.root, new.origin) == (root, origin_of("patternlog", log_id, told.team))
            assert (new.origin == old[-1].origin) == same_log
            assert (await there.alarms(), (await verify(there.settings)).is_equal) == ([], True)
            assert len(await fetch(there.settings, "SELECT FROM tree_keys")) == 1
            await export_log(there.settings, tmp_path / "2")
        assert check_export(tmp_path / "2").contents[0].tree_heads == 4


async def test_no_head_is_ahead_of_the_events_that_are_exported(services: Services, tmp_path: Path) -> None:
    async with signed_log(services) as told:
        seen = set()

        async def grow_and_sign() -> None:
            await told.grow()
            async with turn(told.settings) as notary:
                assert await notary.sign() == 1

        def meanwhile(topic: str, *_: object) -> None:
            if topic not in seen:
                seen.add(topic)
                writer = threading.Thread(target=asyncio.run, args=(grow_and_sign(),))
                writer.start()
                writer.join()

        await export_log(told.settings, tmp_path, report=meanwhile)
        assert {"tree_heads", "events"} <= seen
        assert check_export(tmp_path).contents[0].tree_heads == 3
        await export_log(told.settings, tmp_path)
        assert check_export(tmp_path).contents[0].tree_heads == 3 + len(seen)


async def test_an_export_of_an_earlier_version_gets_the_heads_by_the_next_run(
    services: Services, tmp_path: Path
) -> None:
    async with signed_log(services) as told:
        whole = await export_log(told.settings, tmp_path)
        places = {topic: place for topic, place in whole.places.items() if topic != "tree_heads"}
        segments = tuple(one for one in whole.segments if one.topic != "tree_heads")
        save(tmp_path, replace(whole, places=places, segments=segments), MANIFEST)
        there = elsewhere(told.settings)
        await import_log(there, tmp_path)
        assert await notes(there) == []
        assert set((await export_log(told.settings, tmp_path)).segments) == set(whole.segments)
        assert check_export(tmp_path).contents[0].tree_heads == 3


def test_a_log_that_an_earlier_version_imported_is_whole_without_heads() -> None:
    earlier = imported_of({IMPORTED: b'{"writer":"w","export":"e","ancestors":[],"ends":{"events":[3]}}'})
    assert earlier is not None
    assert earlier.is_within({"events": (3,), "tree_heads": (0,)})


def no_note(lines: Lines) -> None:
    lines[-1]["value"] = "no note"


def of_another_team(lines: Lines) -> None:
    lines[-1]["key"] = "keys"


def of_another_log(lines: Lines) -> None:
    origin = parse_head(lines[-1]["value"].partition("\n\n")[0] + "\n").origin
    other = origin.replace(origin.split("/")[1], "0190a5d0-0000-7000-8000-000000000001")
    lines[-1]["value"] = lines[-1]["value"].replace(origin, other)


def of_more_events(lines: Lines) -> None:
    lines[-1]["value"] = lines[-1]["value"].replace("\n4\n", "\n5\n")


def of_another_tree(lines: Lines) -> None:
    lines[-1]["value"] = lines[-1]["value"].replace("\n4\n", "\n2\n")


def contradicted(lines: Lines) -> None:
    lines[-1]["value"] = lines[-1]["value"].replace("\n4\n", "\n3\n")


def with_a_gap(lines: Lines) -> None:
    del lines[1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (no_note, "a note is a text"),
        (of_another_team, "not a note of keys"),
        (of_another_log, "it is of the log 0190a5d0-"),
        (of_more_events, "it is of 5 events of .*, which are not all there"),
        (of_another_tree, "its root is not that of the first 2 events"),
        (contradicted, "its root is not that of tree_heads-.*, offset 1, of the same size"),
        (with_a_gap, "the record of offset 1 is missing"),
    ],
)
async def test_a_damaged_head_is_named_before_anything_is_written(
    services: Services, tmp_path: Path, change: Callable[[Lines], None], reason: str
) -> None:
    async with signed_log(services) as told:
        await export_log(told.settings, tmp_path)
        file = rewrite(tmp_path, "tree_heads", change)
        there = elsewhere(told.settings)
        with pytest.raises(Damaged, match=f"{file}: offset 2: {reason}"):
            await import_log(there, tmp_path)
        with pytest.raises(LogNotUsable, match="does not exist"):
            await check_log(there)


async def test_events_that_are_not_what_was_signed_are_found_by_the_heads(
    services: Services, tmp_path: Path
) -> None:
    """The last event has no other after it that names its hash: only its head tells."""
    async with signed_log(services) as told:
        await export_log(told.settings, tmp_path)

        def forge(lines: Lines) -> None:
            lines[-1]["data"] = lines[-1]["data"].replace('"name":"', '"name":"not ')

        rewrite(tmp_path, "events", forge)
        with pytest.raises(Damaged, match=r"tree_heads-.*: offset 2: .* the first 4 events of"):
            check_export(tmp_path)
