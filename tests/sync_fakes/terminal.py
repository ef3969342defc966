"""The command line, run in the process of a test."""

import io
import sys

import pytest

from sync_client import command_line


class Terminal:
    """Runs `patternlog` in this process."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._capsys = capsys
        self.errors = ""

    def run(self, *arguments: str, expect: int = 0, typed: str | None = None) -> str:
        """What it prints to stdout; `errors` keeps the rest."""
        self._patch.setattr(sys, "argv", ["patternlog", *arguments])
        if typed is not None:
            self._patch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        output, self.errors = self._capsys.readouterr()
        assert (ended.value.code or 0) == expect, output + self.errors
        return output
