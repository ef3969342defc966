"""Look for secrets in the files of the repository: whatever is not in `.secrets.baseline` is told.

`python -m tools.scan_secrets --update` writes the baseline anew; look at what it adds before you commit it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings, get_settings, transient_settings

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / ".secrets.baseline"
NOT_READ = {
    "requirements/lock.txt": "hashes of packages",
    "events/golden/": "hashes of events",
    "docs/asyncapi.json": "hashes of events, as examples",
    "devstack/kafka-jars.sha256": "hashes of packages",
    ".secrets.baseline": "hashes of what is known",
}
"""Where everything that looks like a secret is something else."""
REASONS = {
    "tests/": "made up for a test: keys, hashes and passwords of nothing",
    "docs/": "an example, made up or of a test",
    "docker-compose.yml": "the password of a database that is made on the spot, in development",
    "read_api/documents.py": "an example of a hash, for the API's description",
    "read_api/examples.py": "examples of hashes and signatures, for the API's description",
    "command_api/examples.py": "examples of hashes, for the API's description",
    "identity/account_bodies.py": "an example of a password, for the API's description",
    "identity/examples.py": "examples of tokens and keys, for the API's description",
    "identity/mail/texts.py": "a kind of mail, named after passwords",
    "identity/one_time_tokens.py": "a purpose of tokens, named after passwords",
    "demo/client.py": "the password of people in a story, whose accounts end with it",
    "runtime/secrets/": "names of settings, and forms of URLs",
}
"""Why what the baseline has in a place is no secret; a place without a reason is not taken into it."""


_SLOW_OR_LOUD = frozenset(
    {"IPPublicDetector", "SoftlayerDetector", "IbmCosHmacDetector", "IbmCloudIamDetector", "CloudantDetector"}
    | {"ArtifactoryDetector", "TwilioKeyDetector", "MailchimpDetector", "SquareOAuthDetector"}
)
"""Detectors of keys to services that are not used here, or of what is no secret."""


def files() -> list[str]:
    """The files that are, or would be, committed and are read."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    named = sorted(set(listed.splitlines()))
    return [name for name in named if not name.startswith(tuple(NOT_READ)) and (ROOT / name).is_file()]


def scan(names: list[str]) -> SecretsCollection:
    """What looks like a secret in these files; by what, is written in the baseline."""
    found = SecretsCollection(root=str(ROOT))
    known = json.loads(BASELINE.read_text()) if BASELINE.exists() else _everything()
    with transient_settings({key: known[key] for key in ("plugins_used", "filters_used")}):
        found.scan_files(*names)
    return found


def without_reason(found: SecretsCollection) -> Iterator[str]:
    """The files for whose finds there is no reason."""
    yield from sorted(name for name in found.files if not name.startswith(tuple(REASONS)))


def news(found: SecretsCollection) -> Iterator[str]:
    """What the baseline does not have, by file and line: never the secret itself."""
    results = json.loads(BASELINE.read_text())["results"]
    known = {(name, one["type"], one["hashed_secret"]) for name, of in results.items() for one in of}
    for name, secret in found:
        if (name, secret.type, secret.secret_hash) not in known:
            yield f"{name}:{secret.line_number}: {secret.type}"


def update(found: SecretsCollection) -> None:
    """Take what was found as known."""
    known = json.loads(BASELINE.read_text()) if BASELINE.exists() else _everything()
    results = {
        name: [{"type": one["type"], "hashed_secret": one["hashed_secret"]} for one in secrets]
        for name, secrets in found.json().items()
    }
    # Without times and line numbers: it changes when a find does, and not when a line moves.
    BASELINE.write_text(json.dumps({**known, "results": results}, indent=2) + "\n")


def _everything() -> dict[str, Any]:
    """How the first baseline looks for secrets."""
    with default_settings():
        chosen = get_settings().json()
    return {
        "version": "1.5.0",
        "plugins_used": [one for one in chosen["plugins_used"] if one["name"] not in _SLOW_OR_LOUD],
        # To verify a find, a service is asked over the network: no scan of ours does.
        "filters_used": [one for one in chosen["filters_used"] if "verification" not in one["path"]],
    }


def main(arguments: list[str]) -> int:
    """0 when nothing is new."""
    found = scan(files())
    if unexplained := list(without_reason(found)):
        sys.stderr.write(f"looks like a secret, in {', '.join(unexplained)}\n")
    if "--update" in arguments:
        if not unexplained:
            update(found)
        return int(bool(unexplained))
    told = list(news(found))
    sys.stderr.writelines(f"{line}: new, and looks like a secret\n" for line in told)
    return int(bool(told or unexplained))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
