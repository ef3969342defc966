"""Kafka's jars: pinned, downloaded whole or not at all, checked."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from rich.console import Console

from devstack import jar_download
from devstack.errors import JarChecksumMismatch, JarDownloadFailed
from devstack.jar_pins import Jar, read_pins
from devstack.jars import provide_jars
from devstack.progress import Reporter

Serve = Callable[[str], bytes]


def jar(name: str, content: bytes) -> Jar:
    return Jar(group="org.sample", artifact=name, version="1.0", sha256=hashlib.sha256(content).hexdigest())


ONE, TWO = jar("one", b"content of one"), jar("two", b"content of two")
CONTENT = {"one": b"content of one", "two": b"content of two"}


class FakeMaven:
    """In place of jgo's MavenContext: resolves artifacts from a function."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self.served: list[str] = []

    def __call__(self, *, repo_cache: Path, local_repos: list[Path]) -> "FakeMaven":
        self._folder = repo_cache
        return self

    def project(self, group: str, artifact: str) -> "FakeProject":
        return FakeProject(self, self._folder / group / f"{artifact}.jar", artifact)

    def content(self, artifact: str) -> bytes:
        self.served.append(artifact)
        return self._serve(artifact)


class FakeProject:
    """Project, component and artifact in one."""

    def __init__(self, maven: FakeMaven, path: Path, name: str) -> None:
        self._maven = maven
        self._name = name
        self.cached_path = path

    def at_version(self, version: str) -> "FakeProject":
        return self

    def artifact(self) -> "FakeProject":
        return self

    def resolve(self) -> Path:
        assert not self.cached_path.exists(), "jgo does not overwrite"
        self.cached_path.parent.mkdir(parents=True, exist_ok=True)
        self.cached_path.write_bytes(b"half of")
        self.cached_path.write_bytes(self._maven.content(self._name))
        return self.cached_path


@pytest.fixture
def serve_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Serve], FakeMaven]:
    monkeypatch.setattr(jar_download, "BACKOFF_SECONDS", 0)

    def use(serve: Serve) -> FakeMaven:
        maven = FakeMaven(serve)
        monkeypatch.setattr(jar_download, "MavenContext", maven)
        return maven

    return use


ServeBy = Callable[[Serve], FakeMaven]


@pytest.fixture
def reporter() -> Reporter:
    return Reporter(Console(record=True, quiet=True, force_terminal=False))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"lock", "verified.json"}


def test_the_pins_name_kafka_and_forty_more_jars_each_with_its_sum() -> None:
    pins = read_pins()
    assert "org.apache.kafka:kafka_2.13:4.4.0" in {pin.coordinates for pin in pins}
    assert len(pins) > 40
    assert len({pin.file_name for pin in pins}) == len(pins)
    assert all(len(bytes.fromhex(pin.sha256)) == 32 for pin in pins)


def test_missing_jars_are_downloaded_into_the_folder(
    tmp_path: Path, serve_by: ServeBy, reporter: Reporter
) -> None:
    serve_by(lambda name: CONTENT[name])
    paths = provide_jars(tmp_path, (ONE, TWO), reporter)
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    assert names_in(tmp_path) == {"one-1.0.jar", "two-1.0.jar"}


def test_jars_that_are_there_are_not_downloaded_again(
    tmp_path: Path, serve_by: ServeBy, reporter: Reporter
) -> None:
    maven = serve_by(lambda name: CONTENT[name])
    provide_jars(tmp_path, (ONE,), reporter)
    provide_jars(tmp_path, (ONE, TWO), reporter)
    assert maven.served == ["one", "two"]


def test_a_jar_with_a_wrong_sum_is_named_and_removed(
    tmp_path: Path, serve_by: ServeBy, reporter: Reporter
) -> None:
    serve_by(lambda _name: b"something else")
    with pytest.raises(JarChecksumMismatch, match=r"org\.sample:one:1\.0") as raised:
        provide_jars(tmp_path, (ONE,), reporter)
    assert raised.value.actual == hashlib.sha256(b"something else").hexdigest()
    assert not list(tmp_path.rglob("*.jar"))


def test_a_jar_that_was_changed_after_its_download_is_named_and_removed_and_fetched_anew(
    tmp_path: Path, serve_by: ServeBy, reporter: Reporter
) -> None:
    serve_by(lambda name: CONTENT[name])
    (path,) = provide_jars(tmp_path, (ONE,), reporter)
    path.write_bytes(b"CONTENT OF ONE")  # of the same length
    with pytest.raises(JarChecksumMismatch, match="one"):
        provide_jars(tmp_path, (ONE,), reporter)
    assert not path.exists()
    assert provide_jars(tmp_path, (ONE,), reporter)[0].read_bytes() == CONTENT["one"]


def test_a_new_pin_is_held_against_the_old_file(
    tmp_path: Path, serve_by: ServeBy, reporter: Reporter
) -> None:
    serve_by(lambda name: CONTENT[name])
    provide_jars(tmp_path, (ONE,), reporter)
    with pytest.raises(JarChecksumMismatch):
        provide_jars(tmp_path, (jar("one", b"newer"),), reporter)


def test_a_second_look_reads_no_jar(
    tmp_path: Path, serve_by: ServeBy, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_by(lambda name: CONTENT[name])
    provide_jars(tmp_path, (ONE, TWO), reporter)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    provide_jars(tmp_path, (ONE, TWO), reporter)


def test_a_download_that_fails_twice_is_tried_a_third_time(
    tmp_path: Path, serve_by: ServeBy, reporter: Reporter
) -> None:
    failures = [ConnectionError("reset"), RuntimeError("not found")]

    def serve(name: str) -> bytes:
        if failures:
            raise failures.pop()
        return CONTENT[name]

    serve_by(serve)
    assert provide_jars(tmp_path, (ONE,), reporter)[0].read_bytes() == CONTENT["one"]


def test_a_download_that_keeps_failing_names_the_jar_and_the_reason(
    tmp_path: Path, serve_by: ServeBy, reporter: Reporter
) -> None:
    def serve(_name: str) -> bytes:
        raise ConnectionError("no route")

    maven = serve_by(serve)
    with pytest.raises(JarDownloadFailed, match=r"org\.sample:one:1\.0.*no route"):
        provide_jars(tmp_path, (ONE,), reporter)
    assert len(maven.served) == jar_download.ATTEMPTS


def test_what_a_killed_download_left_is_not_used(
    tmp_path: Path, serve_by: ServeBy, reporter: Reporter
) -> None:
    left = tmp_path / jar_download.STAGING / "org.sample" / "one.jar"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half of")
    serve_by(lambda name: CONTENT[name])
    assert provide_jars(tmp_path, (ONE,), reporter)[0].read_bytes() == CONTENT["one"]
    assert names_in(tmp_path) == {"one-1.0.jar"}


def test_nothing_more_is_fetched_once_one_jar_has_failed(
    tmp_path: Path, serve_by: ServeBy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jar_download, "WORKERS", 1)

    def serve(_name: str) -> bytes:
        raise ConnectionError("no route")

    maven = serve_by(serve)
    many = [jar(f"jar{number}", b"") for number in range(20)]
    with pytest.raises(JarDownloadFailed, match="jar0"):
        jar_download.download(tmp_path, many, Event().set)
    assert set(maven.served) == {"jar0"}


def test_progress_is_told_in_plain_lines_when_there_is_no_terminal(tmp_path: Path, serve_by: ServeBy) -> None:
    console = Console(record=True, force_terminal=False, file=(tmp_path / "out").open("w"))
    serve_by(lambda name: CONTENT[name])
    provide_jars(tmp_path / "jars", (ONE, TWO), Reporter(console))
    told = console.export_text().splitlines()
    assert told == [f"Downloading Apache Kafka's jars (once): {done} of 2" for done in range(3)]
    console.file.close()


def test_progress_is_a_bar_on_a_terminal(tmp_path: Path, serve_by: ServeBy) -> None:
    console = Console(record=True, force_terminal=True, file=(tmp_path / "out").open("w"))
    serve_by(lambda name: CONTENT[name])
    provide_jars(tmp_path / "jars", (ONE, TWO), Reporter(console))
    assert "━" in console.export_text()
    console.file.close()
