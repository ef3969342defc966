"""The commands of backup and restore, as the runbook has them."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from devstack.postgres_programs import postgres_program
from projectors.verify import verify
from runtime.settings import Settings
from tests.backups import Exported, elsewhere, exported_log
from tests.databases import fresh_database, variables_of
from tests.processes import ROOT, running
from tests.projecting import projecting, until
from tests.services import Services

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
async def exported(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exported]:
    async with exported_log(services, tmp_path_factory.mktemp("exported")) as exported:
        yield exported


def commands_of(heading: str) -> str:
    """The commands that docs/backup.md has below a heading."""
    section = (ROOT / "docs" / "backup.md").read_text().partition(f"\n## {heading}\n")[2]
    return section.partition("```sh\n")[2].partition("```")[0]


def typed(commands: str, folder: Path, settings: Settings) -> str:
    """What a shell prints that the commands are typed into."""
    variables = {f"PATTERNLOG_{name.upper()}": str(value) for name, value in variables_of(settings).items()}
    programs = (str(Path(sys.executable).parent), str(Path(postgres_program("pg_dump")).parent))
    path = os.pathsep.join((*programs, os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={**os.environ, **variables, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_the_commands_of_the_runbook_work_as_they_stand_there(
    exported: Exported, services: Services, tmp_path: Path
) -> None:
    assert "every chain without a gap" in typed(commands_of("Back up"), tmp_path, exported.settings)
    async with fresh_database(services) as dsn:
        there = elsewhere(exported.settings, postgres_dsn=SecretStr(dsn))
        said = typed(commands_of("Restore"), tmp_path, there)
        assert "clients start again, and keep their outbox" in said
        async with projecting(there):
            await until(lambda: is_projected(there))
        assert (await verify(there)).is_equal
        assert "The read models are what the log says" in typed(commands_of("Check"), tmp_path, there)


async def is_projected(settings: Settings) -> bool:
    """Whether the library is projected up to the log's end."""
    return (await verify(settings)).behind == 0


async def test_the_commands_say_what_they_did(exported: Exported, tmp_path: Path) -> None:
    there = variables_of(elsewhere(exported.settings))
    for arguments, said in (
        (["export", str(tmp_path / "export"), "--final"], "SHA-256 of the manifest: "),
        (["verify", str(tmp_path / "export")], "every chain without a gap"),
        (["import", str(tmp_path / "export"), "--same-log"], "is imported, with 2 partitions"),
    ):
        variables = there if arguments[0] == "import" else variables_of(exported.settings)
        async with running(["-m", "server", "log", *arguments], tmp_path, variables) as process:
            code, errors = await process.end()
            assert code == 0, errors
        assert said in "".join(process.lines)
    async with running(["-m", "server", "log", "verify", str(tmp_path)], tmp_path, there) as process:
        code, errors = await process.end()
    assert code == 2
    assert "no export, or one that has not ended" in errors
