"""The import of an export into a cluster without a log; a second run goes on where a killed one was.

The first record that is written says where everything will end, so nobody takes a part of it for the log.
"""

import uuid
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from command_api.command_log import chunks_of
from runtime.kafka import append_batch, create_producer
from runtime.log_setup import LogIdentity, check_log, create_topics, read_ends, read_identity
from runtime.settings import Settings
from runtime.topics import Topics
from server.backup.checking import Checked, check_export
from server.backup.errors import Refused
from server.backup.translation import Translation

_ORDER = ("events", "tree_heads", "commands", "outcomes")

Report = Callable[[str, int, int, int], None]
"""Topic, partition, records written, and how many there will be."""


def _tell_no_one(_topic: str, _partition: int, _done: int, _all: int) -> None:
    """For callers that do not care."""


async def import_log(
    settings: Settings, folder: Path, *, same_log: bool = False, report: Report = _tell_no_one
) -> LogIdentity:
    """Check an export, then write all of it; return what the log is called now.

    `same_log` keeps the log's id, which only an export may that nothing came after: else cursors would name
    a future that is no more. Raise `Refused`, and have nothing written, for an export that is damaged or a
    cluster that holds something else; `Refused` also where somebody else writes there at the same time.
    """
    checked = check_export(folder)
    _check_kept(checked, same_log=same_log, settings=settings)
    await create_topics(settings)
    ends = await read_ends(settings)
    translation = await _translation(settings, folder, checked, ends, same_log=same_log)
    wanted = translation.imported.ends
    for topic in _ORDER:
        for partition in range(settings.log_partitions):
            there, all_ = ends[topic][partition], wanted[topic][partition]
            await _write(settings, translation, (topic, partition), there, all_, report)
    return await check_log(settings)


def _check_kept(checked: Checked, *, same_log: bool, settings: Settings) -> None:
    if checked.manifest.partitions != settings.log_partitions:
        raise Refused(
            f"the export has {checked.manifest.partitions} partitions, PATTERNLOG_LOG_PARTITIONS says "
            f"{settings.log_partitions}; a log's partitions never change"
        )
    if same_log and not checked.manifest.final:
        raise Refused("only a final export may keep the log's id: more may have been written after this one")


async def _translation(
    settings: Settings, folder: Path, checked: Checked, ends: dict[str, tuple[int, ...]], *, same_log: bool
) -> Translation:
    """The translation under a new id or the old one; of an import that was begun, under the one it has."""
    is_begun = ends["events"][0] > 0
    if not is_begun and any(map(any, ends.values())):
        raise Refused("the topics hold records already: import into a cluster, or under a prefix, without")
    log_id = checked.manifest.log_id if same_log else str(uuid.uuid4())
    writer = f"import-{uuid.uuid4()}"
    begun = await read_identity(settings) if is_begun else None
    if begun is not None:
        if begun.imported is None or begun.imported.export != checked.manifest.sha256:
            raise Refused(f"the topics hold the log {begun.log_id} already, which is none of this export")
        if same_log != (begun.log_id == checked.manifest.log_id):
            raise Refused("the import was begun with the other choice of --same-log")
        log_id, writer = begun.log_id, begun.imported.writer
    translation = Translation(folder, checked, log_id, writer)
    for topic, wanted in translation.imported.ends.items():
        _check_not_beyond(topic, ends[topic], wanted)
    return translation


def _check_not_beyond(topic: str, ends: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    for partition, (there, all_) in enumerate(zip(ends, wanted, strict=True)):
        if there > all_:
            raise Refused(
                f"{topic} partition {partition} has {there} records, the import has {all_}: the log is in "
                "use, or something else wrote there; to import, begin anew under another prefix"
            )


async def _write(
    settings: Settings,
    translation: Translation,
    place: tuple[str, int],
    there: int,
    all_: int,
    report: Report,
) -> None:
    """Write what a partition does not have yet; raise `Refused` if a record does not get its offset."""
    topic, partition = place
    name = Topics(settings.topic_prefix).by_role[topic]
    records = islice(translation.records(topic, partition), there, None)
    async with create_producer(settings, "patternlog-import") as producer:
        for chunk in chunks_of(records):
            base = await append_batch(producer, name, partition, chunk)
            if base != there:
                raise Refused(
                    f"{topic} partition {partition}: a record got offset {base}, not {there}: somebody else "
                    "writes there; delete the topics and begin anew"
                )
            there += len(chunk)
            report(topic, partition, there, all_)
    if there != all_:
        raise Refused(f"{topic} partition {partition} ends at {there}, not at {all_}")
