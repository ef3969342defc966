"""Somebody at a terminal: runs `patternlog` in a folder of their own, and shows what it prints."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.deployment import client_environment

PASSWORD = "seven unlikely words, none of them yours"  # noqa: S105 - of people in a story
PATTERNLOG = str(Path(sys.executable).with_name("patternlog"))


class ClientFailed(Exception):
    """A command ended with an exit code that the story does not expect."""


@dataclass(frozen=True, kw_only=True)
class Developer:
    """Someone with a replica."""

    name: str
    folder: Path

    @property
    def credentials(self) -> Path:
        """Where their machine keeps who is signed in."""
        return self.folder / ".config" / "credentials.json"

    def registration(self, server: str) -> tuple[str, ...]:
        """The command that gives them an account; the password is typed."""
        account = ("--username", self.name, "--email", f"{self.name}@example.org", "--password-stdin")
        return ("register", "--server", server, *account)

    def run(self, *arguments: str, expect: int = 0, typed: str = "") -> str:
        """Run `patternlog` and return its answer; raise `ClientFailed` on another exit code."""
        done = subprocess.run(
            [PATTERNLOG, *arguments],
            cwd=self.folder,
            input=typed,
            env=client_environment(self.credentials),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != expect:
            command = " ".join(arguments)
            raise ClientFailed(
                f"`patternlog {command}` ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self.run(*arguments, "--json"))
