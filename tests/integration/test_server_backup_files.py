"""Exports on disk: killed, continued, damaged; and what an import refuses before it writes anything."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from events.record import Record
from runtime.log_setup import LogNotUsable, check_log, create_log, read_ends, read_identity
from runtime.settings import Settings
from runtime.topics import Topics
from server.backup.checking import check_export
from server.backup.errors import Damaged, Refused
from server.backup.export import export_log
from server.backup.importing import import_log
from server.backup.manifest import MANIFEST, Manifest, load, load_complete, save
from tests.backups import Exported, elsewhere, exported_log, rewrite, write_nothing
from tests.faults.history import read_all, read_history
from tests.projecting import trim
from tests.services import Services

pytestmark = pytest.mark.timeout(300)
SMALL = 1_000
"""Bytes of a segment, so that there are many."""


@pytest.fixture(scope="module")
async def exported(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exported]:
    async with exported_log(services, tmp_path_factory.mktemp("exported"), SMALL) as exported:
        yield exported


def names_in(folder: Path) -> set[str]:
    """The files of a folder."""
    return {path.name for path in folder.iterdir()}


class Killed(BaseException):
    """The process ends here."""


def killed_at(step: int) -> Callable[..., None]:
    """A report that ends the process at a step."""
    steps = iter(range(step))

    def report(*_: object) -> None:
        if next(steps, None) is None:
            raise Killed

    return report


def contents(manifest: Manifest) -> list[tuple[str, int, int]]:
    """How many records are kept of each partition."""
    places = [(topic, partition) for topic in manifest.places for partition in manifest.places[topic]]
    return [(*at, sum(one.records for one in manifest.segments_of(*at))) for at in sorted(places)]


async def test_an_export_that_is_killed_anywhere_is_continued_and_is_the_same(
    exported: Exported, tmp_path: Path
) -> None:
    kills = 0
    while load(tmp_path) is None:
        try:
            await export_log(exported.settings, tmp_path, report=killed_at(kills), segment_bytes=SMALL)
        except Killed:
            kills += 1
    assert kills > 2
    assert contents(load_complete(tmp_path)) == contents(load_complete(exported.folder))
    assert names_in(tmp_path) == names_in(exported.folder)
    check_export(tmp_path)


async def test_another_run_adds_what_is_new_and_leaves_what_is_there(
    exported: Exported, tmp_path: Path
) -> None:
    folder = exported.copy(tmp_path / "export")
    before = load_complete(folder)
    assert (await export_log(exported.settings, folder)).segments == before.segments
    there = elsewhere(exported.settings)
    await import_log(there, folder)
    first = await export_log(there, tmp_path / "there")
    await write_nothing(there, 3)
    second = await export_log(there, tmp_path / "there")
    assert second.segments[: len(first.segments)] == first.segments
    assert (first.void, second.void) == (0, 3 * 2 * there.log_partitions)
    check_export(tmp_path / "there")


async def test_what_retention_has_removed_is_not_missed(exported: Exported, tmp_path: Path) -> None:
    there = elsewhere(exported.settings)
    await import_log(there, exported.folder)
    held = next(
        one for one in check_export(exported.folder).contents if one.commands_end > (one.next_command or 0)
    )
    topics, partition = Topics(there.topic_prefix), held.partition
    ends = {role: all_[partition] for role, all_ in (await read_ends(there)).items()}
    sent = await read_all(there, TopicPartition(topics.commands, partition))
    owed = [record.value for record in sent][(held.next_command or 0) - held.commands_end :]
    assert len(owed) == 2
    await trim(there, topics.commands, ends["commands"] - len(owed), partition)
    assert await commands_after(there, tmp_path / "1", partition) == sent_again(sent, len(owed))
    await trim(there, topics.outcomes, ends["outcomes"] - 2, partition)
    assert await commands_after(there, tmp_path / "2", partition) == [None, *owed]


def sent_again(sent: list[Record], owed: int) -> list[bytes | None]:
    """Commands without an outcome, behind as many fillers as there were others."""
    return [None] * (len(sent) - owed) + [record.value for record in sent[-owed:]]


async def commands_after(settings: Settings, folder: Path, partition: int) -> list[bytes | None]:
    """The commands of a partition after an export and an import of it."""
    await export_log(settings, folder)
    third = elsewhere(settings)
    await import_log(third, folder)
    name = Topics(third.topic_prefix).commands
    return [record.value for record in await read_all(third, TopicPartition(name, partition))]


async def test_a_folder_of_another_log_is_left_alone(exported: Exported, tmp_path: Path) -> None:
    folder = exported.copy(tmp_path / "export")
    there = elsewhere(exported.settings)
    await create_log(there)
    with pytest.raises(Refused, match="holds an export of the log"):
        await export_log(there, folder)


async def test_what_is_still_written_to_has_no_final_export(exported: Exported, tmp_path: Path) -> None:
    there = elsewhere(exported.settings)
    await import_log(there, exported.folder)

    def meanwhile(topic: str, *_: object) -> None:
        if topic == "commands":
            writer = threading.Thread(target=asyncio.run, args=(write_nothing(there, 1),))
            writer.start()
            writer.join()

    with pytest.raises(Refused, match="stop every process"):
        await export_log(there, tmp_path, final=True, report=meanwhile)
    assert not (tmp_path / MANIFEST).exists()


def alter(folder: Path, file: str) -> None:
    path = folder / file
    written = path.read_bytes()
    path.write_bytes(written[:-1] + bytes([written[-1] ^ 1]))


def remove(folder: Path, file: str) -> None:
    (folder / file).unlink()


def swap(folder: Path, file: str) -> None:
    other = next(one for one in sorted(folder.glob("events-*")) if one.name != file)
    (folder / file).rename(folder / "aside")
    other.rename(folder / file)
    (folder / "aside").rename(other)


@pytest.mark.parametrize("damage", [alter, remove, swap])
async def test_a_damaged_segment_is_named_before_anything_is_written(
    exported: Exported, tmp_path: Path, damage: Callable[[Path, str], None]
) -> None:
    folder = exported.copy(tmp_path / "export")
    file = next(one.file for one in load_complete(folder).segments if one.topic == "events" and one.records)
    damage(folder, file)
    there = elsewhere(exported.settings)
    with pytest.raises(Damaged, match=file):
        await import_log(there, folder)
    with pytest.raises(LogNotUsable, match="does not exist"):
        await check_log(there)


def test_a_manifest_that_was_altered_is_named(exported: Exported, tmp_path: Path) -> None:
    folder = exported.copy(tmp_path / "export")
    path = folder / MANIFEST
    path.write_text(path.read_text().replace('"final": true', '"final": false'))
    with pytest.raises(Damaged, match="SHA-256"):
        check_export(folder)


def forge(lines: list[dict[str, object]]) -> None:
    lines[0]["data"] = str(lines[0]["data"]).replace("ours", "mine").replace('"a"', '"b"')


def drop(lines: list[dict[str, object]]) -> None:
    del lines[0]


def turn(lines: list[dict[str, object]]) -> None:
    lines.reverse()


@pytest.mark.parametrize("change", [forge, drop, turn])
def test_events_that_were_changed_with_their_sums_break_the_chain(
    exported: Exported, tmp_path: Path, change: Callable[[list[dict[str, object]]], None]
) -> None:
    folder = exported.copy(tmp_path / "export")
    rewrite(folder, "events", change)
    with pytest.raises(Damaged, match=r"events-.*: offset \d+: "):
        check_export(folder)


async def test_an_import_that_is_killed_anywhere_is_no_log_until_it_has_ended(
    exported: Exported, tmp_path: Path
) -> None:
    there = elsewhere(exported.settings)
    kills = 0
    for step in range(100):
        try:
            await import_log(there, exported.folder, same_log=True, report=killed_at(step))
            break
        except Killed:
            kills += 1
        if await is_unfinished(there):
            with pytest.raises(LogNotUsable, match="import has not ended"):
                await check_log(there)
            with pytest.raises(LogNotUsable, match="import has not ended"):
                await create_log(there)
    assert kills > 2
    history = await read_history(there)
    assert [event for _, event in history.events] == [event for _, event in exported.history.events]
    assert [answer for _, answer in history.outcomes] == [one for _, one in exported.history.outcomes]
    assert history.void == 0
    await import_log(there, exported.folder, same_log=True)
    assert await read_history(there) == history


async def is_unfinished(there: Settings) -> bool:
    """Whether some of an import that was begun is not written yet."""
    imported = (await read_identity(there)).imported
    assert imported is not None
    return not imported.is_within(await read_ends(there))


async def test_a_cluster_that_holds_something_else_is_left_alone(exported: Exported, tmp_path: Path) -> None:
    folder = exported.copy(tmp_path / "export")
    with pytest.raises(Refused, match="already, which is none of this export"):
        await import_log(exported.settings, folder)
    there = elsewhere(exported.settings)
    with pytest.raises(Killed):
        await import_log(there, folder, report=killed_at(0))
    with pytest.raises(Refused, match="other choice of --same-log"):
        await import_log(there, folder, same_log=True)
    save(folder, replace(load_complete(folder), exported_at="later"), MANIFEST)
    with pytest.raises(Refused, match="none of this export"):
        await import_log(there, folder)


async def test_only_a_final_export_keeps_the_id_and_its_partitions_stay(
    exported: Exported, tmp_path: Path
) -> None:
    folder = exported.copy(tmp_path / "export")
    await export_log(exported.settings, folder)
    with pytest.raises(Refused, match="only a final export"):
        await import_log(elsewhere(exported.settings), folder, same_log=True)
    with pytest.raises(Refused, match="never change"):
        await import_log(elsewhere(exported.settings, log_partitions=3), folder)
