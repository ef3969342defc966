"""Downloading jars from Maven's central repository, several at a time."""

import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event

from jgo.maven import MavenContext

from devstack.errors import JarDownloadFailed, JarError
from devstack.jar_pins import Jar

WORKERS = 8
ATTEMPTS = 3
BACKOFF_SECONDS = 1.0
STAGING = "unfinished"


def download(folder: Path, jars: Iterable[Jar], done: Callable[[], None]) -> None:
    """Bring jars into a folder that only we write to; a file appears there whole and checked, or not at all.

    Raises JarError.
    """
    staging = folder / STAGING
    shutil.rmtree(staging, ignore_errors=True)  # of a process that was killed
    cancelled = Event()
    with ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(_bring, staging, folder, jar, cancelled) for jar in jars]
        try:
            for future in as_completed(futures):
                future.result()
                done()
        finally:
            cancelled.set()
            pool.shutdown(cancel_futures=True)
    shutil.rmtree(staging)


def _bring(staging: Path, folder: Path, jar: Jar, cancelled: Event) -> None:
    if cancelled.is_set():
        return
    try:
        staged = _fetch(staging, jar, cancelled)
        jar.check(staged)
    except JarError:
        cancelled.set()  # at once, so that no other jar is begun
        raise
    with staged.open("rb") as file:
        os.fsync(file.fileno())
    staged.replace(folder / jar.file_name)


def _fetch(staging: Path, jar: Jar, cancelled: Event) -> Path:
    context = MavenContext(repo_cache=staging, local_repos=[])
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    attempt = 1
    while True:
        try:
            return artifact.resolve()
        except (OSError, RuntimeError) as error:  # what requests and jgo raise
            if attempt == ATTEMPTS or cancelled.wait(BACKOFF_SECONDS * attempt):
                raise JarDownloadFailed(jar.coordinates, str(error)) from error
        attempt += 1
        if artifact.cached_path is not None:
            artifact.cached_path.unlink(missing_ok=True)
