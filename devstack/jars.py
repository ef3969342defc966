"""Kafka's jars: a folder that holds exactly what is pinned."""

import json
from pathlib import Path

from devstack.cache import exclusive
from devstack.jar_download import download
from devstack.jar_pins import Jar
from devstack.progress import Reporter

VERIFIED = "verified.json"
Fingerprint = dict[str, list[int | str]]


def provide_jars(folder: Path, jars: tuple[Jar, ...], reporter: Reporter) -> tuple[Path, ...]:
    """The jars' paths in a folder that holds them all, after downloading what is missing.

    Each file's content is checked once, and again when its size or times change. Raises JarError.
    """
    if not _is_verified(folder, jars):
        with exclusive(folder, lambda: reporter.say("Waiting for another process that downloads Kafka ...")):
            _fill(folder, jars, reporter)
    return tuple(folder / jar.file_name for jar in jars)


def _fill(folder: Path, jars: tuple[Jar, ...], reporter: Reporter) -> None:
    for jar in jars:
        if (folder / jar.file_name).exists():
            jar.check(folder / jar.file_name)
    missing = [jar for jar in jars if not (folder / jar.file_name).exists()]
    if missing:
        with reporter.count("Downloading Apache Kafka's jars (once)", len(missing)) as advance:
            download(folder, missing, advance)
    _remember(folder, jars)


def _fingerprint(folder: Path, jars: tuple[Jar, ...]) -> Fingerprint:
    stats = ((jar, (folder / jar.file_name).stat()) for jar in jars)
    return {jar.file_name: [jar.sha256, s.st_size, s.st_mtime_ns, s.st_ctime_ns] for jar, s in stats}


def _is_verified(folder: Path, jars: tuple[Jar, ...]) -> bool:
    try:
        remembered = json.loads((folder / VERIFIED).read_text(encoding="ascii"))
        return bool(remembered == _fingerprint(folder, jars))
    except (FileNotFoundError, ValueError):
        return False


def _remember(folder: Path, jars: tuple[Jar, ...]) -> None:
    unfinished = folder / f"{VERIFIED}.new"
    unfinished.write_text(json.dumps(_fingerprint(folder, jars)), encoding="ascii")
    unfinished.replace(folder / VERIFIED)
