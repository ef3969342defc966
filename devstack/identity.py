"""What a data folder was made for: Kafka's cluster id, and the number of its brokers, which can't change."""

import base64
import json
import secrets
from pathlib import Path

from devstack.errors import DataDirUnusable
from devstack.files import write_whole

IDENTITY = "stack.json"


def cluster_identity(folder: Path, brokers: int) -> str:
    """The folder's cluster id, a new one if the folder is new. Raises DataDirUnusable for other brokers."""
    file = folder / IDENTITY
    if not file.exists():
        write_whole(file, json.dumps({"brokers": brokers, "cluster_id": random_id()}).encode())
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        made_for, cluster_id = int(known["brokers"]), str(known["cluster_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataDirUnusable(folder, f"{IDENTITY} in it can't be read: {error!r}") from error
    if made_for != brokers:
        raise DataDirUnusable(folder, f"it was made for brokers={made_for}, not {brokers}")
    return cluster_id


def random_id() -> str:
    """A random id as Kafka writes them: 16 bytes in URL-safe base 64, never beginning with a dash."""
    while (text := base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")).startswith("-"):
        pass
    return text
