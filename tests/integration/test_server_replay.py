"""`patternlog replay` and `patternlog repair`, from the command line."""

import json
import signal
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from events.cursor import Cursor
from events.pattern import PatternRecorded
from projectors.schema.generations import tables_of
from runtime.settings import Settings
from tests.databases import variables_of
from tests.processes import running
from tests.projecting import TopicLog, caught_up, events_log, fetch, fresh_log, projecting
from tests.scribe import RECORDED_AT, edited
from tests.services import Services


@dataclass
class Told:
    """A team with one pattern of two versions."""

    settings: Settings
    log: TopicLog
    team: str
    pattern: str

    async def run(self, folder: Path, *arguments: str, **other: object) -> tuple[int, str, str]:
        """The exit code of a command, and what it says on stdout and stderr."""
        variables = {**variables_of(self.settings), **other}
        async with running(["-m", "server", *arguments], folder, variables) as process:
            code, errors = await process.end()
        return code, "".join(process.lines), errors


@pytest.fixture(scope="module")
async def told(services: Services) -> AsyncIterator[Told]:
    async with fresh_log(services, log_partitions=1) as settings:
        log = await events_log(settings)
        team = log.scribe.team("Ours")
        pattern = log.scribe.pattern(team, PatternRecorded(fields={"name": "n"}))
        log.scribe.pattern(team, edited(1, name="m"), pattern)
        end = await log.publish()
        async with projecting(settings):
            await caught_up(settings, end)
        yield Told(settings, log, team, pattern)


async def test_a_report_tells_what_the_log_holds_without_a_database(told: Told, tmp_path: Path) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    code, said, _ = await told.run(tmp_path, "replay", postgres_dsn=nowhere)
    assert code == 0
    assert "Folded 3 events of 1 teams and 2 streams" in said
    assert f"Team {told.team} 'Ours', up to sequence 3" in said
    code, said, _ = await told.run(tmp_path, "replay", "--json", "--until", RECORDED_AT)
    report = json.loads(said)
    assert (code, report["events"], report["patterns"]) == (0, 3, {"live": 1, "archived": 0, "deleted": 0})
    assert report["teams"][0]["cursor"] == str(
        Cursor(log_id=told.log.scribe.log_id, team_id=told.team, sequence=3)
    )


async def test_a_library_is_written_as_it_was_at_a_point(told: Told, tmp_path: Path) -> None:
    cursor = str(Cursor(log_id=told.log.scribe.log_id, team_id=told.team, sequence=2))
    file, lines = tmp_path / "library.json", tmp_path / "library.ndjson"
    code, _, _ = await told.run(tmp_path, "replay", "--until", cursor, "--library", str(file))
    assert (code, json.loads(file.read_text())) == (0, {"patterns": [{"name": "n"}]})
    code, _, _ = await told.run(tmp_path, "replay", "--team", told.team, "--library", str(lines))
    assert (code, lines.read_text()) == (0, '{"name":"m"}\n')


async def test_a_read_model_is_filled_as_it_was_at_a_point_or_not_at_all(told: Told, tmp_path: Path) -> None:
    at = ("--team", told.team, "--until", "2")
    code, said, _ = await told.run(tmp_path, "replay", *at, "--schema", "as_it_was")
    assert code == 0
    assert "up to sequence 2" in said
    assert await fetch(told.settings, "SELECT name, version FROM as_it_was.patterns") == [("n", 1)]
    for table, count in {"heads": 2, "names": 1, "history": 1, "audit": 2, "changes": 1}.items():
        assert await fetch(told.settings, f"SELECT count(*) FROM as_it_was.{table}") == [(count,)]
    code, _, errors = await told.run(tmp_path, "replay", "--schema", "as_it_was")
    assert (code, "is there already" in errors) == (2, True)
    code, _, _ = await told.run(tmp_path, "replay", "--team", told.team, "--until", "9", "--schema", "later")
    assert code == 2
    assert await fetch(told.settings, "SELECT to_regnamespace('later') IS NULL") == [(True,)]
    for name in ("public", "Big", "pg_x", "a;b"):
        assert (await told.run(tmp_path, "replay", "--schema", name))[0] == 2


async def test_all_of_the_log_in_fresh_tables_is_what_was_projected(told: Told, tmp_path: Path) -> None:
    assert (await told.run(tmp_path, "replay", "--schema", "all_of_it"))[0] == 0
    for table in tables_of("library"):
        if table.name != "checkpoints":
            fresh, live = (f"SELECT t::text FROM {of}.{table.name} AS t" for of in ("all_of_it", "public"))
            assert sorted(await fetch(told.settings, fresh)) == sorted(await fetch(told.settings, live))


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_one_that_is_stopped_leaves_the_old_library_as_it_was(
    told: Told, tmp_path: Path, by: signal.Signals
) -> None:
    file = tmp_path / "library.json"
    file.write_text("old")
    arguments = ["-m", "server", "replay", "--team", told.team, "--library", str(file)]
    async with running(arguments, tmp_path, variables_of(told.settings)) as process:
        code, _ = await process.end(by=by)
    assert code != 0
    assert file.read_text() == "old"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--team", "ours"], "--team must be a UUID"),
        (["--team", str(uuid.UUID(int=7))], "the log has no team"),
        (["--until", "yesterday"], "--until is no cursor, recorded time (RFC 3339) or sequence"),
        (["--until", "2026-02-30T00:00:00Z"], "--until is no cursor"),
        (["--until", "3"], "--until with a sequence needs --team"),
        (["--team", "{team}", "--until", "4"], "ends at sequence 3"),
        (["--team", "{team}", "--until", "9" * 30], "too large"),
        (["--until", "{foreign}"], "--until is a cursor of the log"),
        (["--team", str(uuid.UUID(int=7)), "--until", "{cursor}"], "--until is a cursor of team"),
        (["--library", "x.json"], "--library needs --team"),
        (["--team", "{team}", "--library", "/nowhere/x.json"], "--library /nowhere/x.json: No such file"),
    ],
)
async def test_arguments_that_name_nothing_are_one_line(
    told: Told, tmp_path: Path, arguments: list[str], said: str
) -> None:
    cursor = Cursor(log_id=told.log.scribe.log_id, team_id=told.team, sequence=2)
    foreign = Cursor(log_id=str(uuid.UUID(int=9)), team_id=told.team, sequence=2)
    given = [one.format(team=told.team, cursor=cursor, foreign=foreign) for one in arguments]
    code, _, errors = await told.run(tmp_path, "replay", *given)
    assert code == 2
    assert said in errors
    assert errors.count("patternlog: ") == 1


async def test_verify_names_a_stream_that_repair_puts_right(told: Told, tmp_path: Path) -> None:
    await fetch(told.settings, "UPDATE patterns SET name = 'forged'")
    code, said, _ = await told.run(tmp_path, "verify", "--rows", "none")
    assert (code, "No rows were compared" in said) == (0, True)
    code, said, _ = await told.run(tmp_path, "verify", "--rows", "sample", "--share", "1", "--seed", "s")
    assert (code, "100.00% of the streams were compared, chosen by the seed s" in said) == (3, True)
    repair = next(line for line in said.splitlines() if line.startswith("To repair: patternlog "))
    code, said, _ = await told.run(tmp_path, *repair.removeprefix("To repair: patternlog ").split())
    assert (code, f"patterns changed: {told.team} {told.pattern}" in said) == (0, True)
    code, said, _ = await told.run(tmp_path, "verify")
    assert (code, "All rows were compared." in said) == (0, True)


@pytest.mark.parametrize(
    ("team", "stream", "said"),
    [("ours", "team", "TEAM must be"), (str(uuid.UUID(int=7)), "patterns/x", "STREAM must be")],
)
async def test_what_names_no_stream_is_not_repaired(
    told: Told, tmp_path: Path, team: str, stream: str, said: str
) -> None:
    code, _, errors = await told.run(tmp_path, "repair", team, stream)
    assert (code, said in errors) == (2, True)
