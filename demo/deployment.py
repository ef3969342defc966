"""What the demo runs on: a stack of its own, and every service as a process of its own."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from devstack.ports import HOST
from devstack.progress import Reporter
from devstack.services import EVERY_KIND, Services
from devstack.stack import DevStack, StackOptions
from identity.token_keys import new_seed as new_token_seed
from projectors.notary.keys import new_seed

PARTITIONS = "4"
SEED = "tree-head-key"
KEY_OF_TOKENS = "token-key"
MAILS = "mails"
TREE_HEAD_S = "5"
"""Short, for whoever tries the audit and does not want to wait for a head."""


@contextmanager
def deployment(reporter: Reporter) -> Iterator[Services]:
    """Kafka, PostgreSQL, Redis and the four services, thrown away at the end."""
    reporter.say("Starting real Kafka, PostgreSQL and Redis …")
    with DevStack(reporter=reporter) as stack, TemporaryDirectory(prefix="patternlog-demo-") as folder:
        reporter.say("Starting command API, decider, projector and read API, a process each …")
        settings = settings_for(stack, new_seed(), new_token_seed()) | mail_folder(Path(folder))
        with Services(settings) as services:
            services.set_up()
            services.start(*EVERY_KIND)
            yield services


@contextmanager
def kept_deployment(reporter: Reporter, data_dir: Path, port: int) -> Iterator[Services]:
    """The same with data that is kept, and both APIs on one port: this one, or any if others have it."""
    with (
        DevStack(StackOptions(data_dir=data_dir), reporter) as stack,
        Services(
            settings_for(stack, kept_seed(data_dir), kept_seed(data_dir, KEY_OF_TOKENS))
            | mail_folder(data_dir)
        ) as services,
    ):
        services.set_up()
        wanted = {"port": str(port)} if is_free(port) else {}
        services.start("gateway", **wanted)
        services.start("decider", "projector")
        yield services


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            # Beside a socket that listens, a bind may succeed, but never a second listener.
            probe.listen()
        except OSError:
            return False
    return True


def settings_for(stack: DevStack, seed: str, token_seed: str) -> dict[str, str]:
    """The settings of the services on a stack; tree heads and tokens are signed by the seeds' keys."""
    return stack.environment() | {
        "PATTERNLOG_LOG_PARTITIONS": PARTITIONS,
        "PATTERNLOG_TREE_HEAD_KEYS": seed,
        "PATTERNLOG_TREE_HEAD_S": TREE_HEAD_S,
        "PATTERNLOG_TOKEN_KEYS": token_seed,
    }


def mail_folder(folder: Path) -> dict[str, str]:
    """The settings by which mails are written to files, and none is sent."""
    return {"PATTERNLOG_MAIL_FOLDER": str((folder / MAILS).resolve())}


def kept_seed(data_dir: Path, name: str = SEED) -> str:
    """The seed of a development key that lies beside the data, made at the first start."""
    path = data_dir / name
    if not path.exists():
        written = path.with_suffix(".part")
        written.touch(mode=0o600)
        written.write_text(new_seed())
        written.rename(path)  # it is there at once and whole
    return path.read_text().strip()


def client_environment(credentials: Path) -> dict[str, str]:
    """The environment of a client's commands; the file of credentials stands for a machine of one's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PATTERNLOG_")}
    return kept | {"PATTERNLOG_CREDENTIALS": str(credentials)}
