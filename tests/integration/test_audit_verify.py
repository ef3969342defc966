"""Rows of the audit that somebody changes in Postgres are found by who downloads and verifies the log."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from runtime.settings import Settings
from server.setup import set_up
from sync_client.errors import EVIDENCE
from tests.contracts.test_sync_audit import head_of
from tests.databases import fresh_database, settings_for
from tests.everything import everything
from tests.notarizing import KEY, SIGNING
from tests.services import Services
from tests.sync_fakes.http_server import TOKEN
from tests.sync_fakes.teams import Team, team_at

SIZE = 9
"""Events of each team's log, all below its last head."""
MOVE = "UPDATE audit SET sequence = sequence + {by} WHERE team_id = '{team}' AND sequence {which}"
DELETE = "DELETE FROM audit WHERE team_id = '{team}' AND sequence = 4"
COPY = """
INSERT INTO audit SELECT (jsonb_populate_record(a, '{{"sequence": 4}}')).* FROM audit AS a
 WHERE team_id = '{team}' AND sequence = 3
"""


@dataclass
class Audited:
    """A server with a notary, and the database behind it."""

    url: str
    settings: Settings

    async def tamper(self, team: Team, *statements: str) -> None:
        """Change rows of the audit of a team."""
        connection = await asyncpg.connect(self.settings.postgres_dsn.get_secret_value())
        try:
            for statement in statements:
                await connection.execute(statement.format(team=team.team_id, by="{by}", which="{which}"))
        finally:
            await connection.close()


def moved(by: int, which: str) -> str:
    return MOVE.format(by=by, which=which, team="{team}")


@pytest.fixture(scope="module")
async def server(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Audited]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn).model_copy(update=SIGNING)
        await set_up(settings)
        async with everything(settings, tmp_path_factory.mktemp("server")) as all_:
            yield Audited(str(all_.client.base_url), settings)


@pytest.fixture
async def team(server: Audited) -> AsyncIterator[Team]:
    """A team whose log is signed to its end."""
    async with team_at(server.url) as team:
        for number in range(SIZE - 1):
            _, answer = await team.record(name=f"n{number}")
            await head_of(team, answer.sequence)
        yield team


async def patternlog(*arguments: str, expect: int = 0) -> str:
    """What the command line prints, as its user sees it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sync_client.command_line", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == expect, output + errors
    return output.decode()


def at(team: Team) -> tuple[str, ...]:
    return ("--server", team.url, "--team", team.team_id, "--token", TOKEN)


async def verified(team: Team, expect: int = 0) -> dict[str, Any]:
    """The report on what the server shows now."""
    told = await patternlog("audit", "verify", *at(team), "--key", KEY.key().vkey, "--json", expect=expect)
    report: dict[str, Any] = json.loads(told)
    return report


async def test_a_log_as_the_server_wrote_it_is_whole(team: Team) -> None:
    report = await verified(team)
    assert (report["is_whole"], report["events"], report["signed_to"]) == (True, SIZE, SIZE)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE audit SET actor = 'eve' WHERE team_id = '{team}' AND sequence = 4"], ("altered", 4, 4)),
        (["UPDATE audit SET data = replace(data, 'n2', 'x2') WHERE team_id = '{team}'"], ("altered", 4, 4)),
        ([DELETE], ("cut", 4, SIZE)),
        ([DELETE, moved(1000, "> 4"), moved(-1001, "> 1000")], ("dropped", 4, 4)),
        ([moved(1000, ">= 4"), moved(-999, "> 1000"), COPY], ("inserted", 3, 3)),
        ([moved(1000, "= 4"), moved(-1, "= 5"), moved(-999, "= 1004")], ("swapped", 4, 5)),
        (["DELETE FROM audit WHERE team_id = '{team}' AND sequence > 6"], ("cut", 7, SIZE)),
    ],
    ids=["altered", "altered data", "dropped", "dropped, numbered anew", "inserted", "swapped", "truncated"],
)
async def test_a_row_that_somebody_touched_is_found_and_located(
    server: Audited, team: Team, statements: list[str], expected: tuple[str, int, int]
) -> None:
    await server.tamper(team, *statements)
    report = await verified(team, expect=EVIDENCE)
    found = [(one["kind"], one["first"], one["last"]) for one in report["findings"]]
    assert expected in found


async def test_a_record_that_somebody_changed_in_an_exported_file_is_found_and_located(
    team: Team, tmp_path: Path
) -> None:
    await patternlog("audit", "export", str(tmp_path), *at(team))
    log, heads = tmp_path / "log.ndjson", tmp_path / "heads.ndjson"
    command = ("audit", "verify", str(log), "--heads", str(heads), "--key", KEY.key().vkey)
    assert "whole: 9 events" in await patternlog(*command)
    log.write_bytes(log.read_bytes().replace(b"n2", b"x2"))
    assert "altered: sequence 4: " in await patternlog(*command, expect=EVIDENCE)
