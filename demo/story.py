"""The story of one library: recorded by Ada, joined by Ben, edited by both, audited by somebody else."""

import json
import shlex
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from demo.client import PASSWORD, Developer
from demo.deployment import deployment
from demo.rules import pattern_of, rule_book
from devstack.errors import DevStackError
from devstack.progress import Reporter
from devstack.services import Services

SUBJECT = "unused-import [F401]"
SIGNED_WITHIN_S = 30.0
POLL_S = 0.1
_SHOWN = 20
"""Of an invitation, which is a secret."""
MERGED = {"ada": ("category", "imports"), "ben": ("solution", "Delete the import, or list it in __all__.")}


def tell(reporter: Reporter) -> None:
    """Start everything, live through the story, stop everything."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="patternlog-demo-") as folder, deployment(reporter) as services:
        reporter.say(f"Ready after {time.monotonic() - began:.1f} s.")
        Story(reporter, services, Path(folder)).tell()
    reporter.say(f"\nEverything is stopped. The whole story took {time.monotonic() - began:.1f} s.")


class Story:
    """Its chapters, in order."""

    def __init__(self, reporter: Reporter, services: Services, folder: Path) -> None:
        self._say = reporter.say
        self._services = services
        self._folder = folder
        self._ada = self._developer("ada")
        self._ben = self._developer("ben")
        self._auditor = self._developer("auditor")
        self._names: dict[str, str] = {}
        self._key = ""
        self._chapter = 0

    def tell(self) -> None:
        """All chapters."""
        self._everybody_registers()
        team_id = self._ada_records_a_library()
        self._others_join(team_id)
        self._both_edit_other_fields()
        self._both_edit_the_same_field()
        self._the_conflict_is_resolved()
        self._what_happened(team_id)
        self._the_log_is_replayed()
        self._the_log_is_proven(team_id)
        self._where_to_look()

    def _everybody_registers(self) -> None:
        self._told("Three people register, each on a machine of their own, and are signed in")
        for developer in (self._ada, self._ben, self._auditor):
            self._run(developer, *developer.registration(self._commands()), typed=f"{PASSWORD}\n")
            user_id = developer.json("whoami")["user_id"]
            self._names[user_id] = developer.name

    def _ada_records_a_library(self) -> str:
        book = self._ada.folder / "rules.json"
        book.write_text(json.dumps({"patterns": [pattern_of(rule) for rule in rule_book()]}))
        self._told("Ada creates a team and imports ruff's rule book through the sync client")
        self._run(self._ada, "init", *self._servers(), "--create", "Rule keepers")
        self._run(self._ada, "import", book.name)
        self._run(self._ada, "sync")
        team_id: str = self._ada.json("status")["team_id"]
        return team_id

    def _others_join(self, team_id: str) -> None:
        self._told("She invites Ben and an auditor; Ben pulls the library from nothing")
        self._invited(self._ben, "developer")
        self._invited(self._auditor, "auditor")
        self._run(self._ben, "init", *self._servers(), "--team", team_id)
        self._run(self._ada, "team", "members")
        self._key = self._auditor.run("keys", "create", "the story", "--role", "auditor").strip()

    def _invited(self, developer: Developer, role: str) -> None:
        invite = ("team", "invite", "--role", role)
        invitation = self._ada.run(*invite)
        self._show(f"ada$ patternlog {shlex.join(invite)}")
        self._show(f"{invitation[:_SHOWN]}…  (handed over, and good once)")
        self._run(developer, "team", "join", "-", *self._servers(), typed=invitation)

    def _both_edit_other_fields(self) -> None:
        self._told("Both edit one pattern at once, each another field: that merges")
        for developer in (self._ada, self._ben):
            field, value = MERGED[developer.name]
            self._run(developer, "edit", SUBJECT, "--set", f"{field}={value}")
        for developer in (self._ada, self._ben):
            self._run(developer, "push")
        for developer in (self._ada, self._ben):
            self._run(developer, "pull")
        fields = self._ada.json("show", SUBJECT)["fields"]
        self._show("\n".join(f"{field} is now {fields[field]!r}" for field, _ in MERGED.values()))

    def _both_edit_the_same_field(self) -> None:
        self._told("Both edit its severity at once: a conflict, of which neither side is lost")
        self._run(self._ada, "edit", SUBJECT, "--set", "severity=high")
        self._run(self._ben, "edit", SUBJECT, "--set", "severity=low")
        self._run(self._ada, "push")
        self._run(self._ben, "push", expect=1)
        self._run(self._ben, "pull", expect=1)
        self._run(self._ben, "conflicts", expect=1)

    def _the_conflict_is_resolved(self) -> None:
        self._told("Ben decides on it, and Ada gets what he decided")
        (draft,) = json.loads(self._ben.run("conflicts", "--json", expect=1))
        self._run(self._ben, "resolve", str(draft["number"]), "--mine")
        self._run(self._ben, "sync")
        self._run(self._ada, "pull")
        self._show(f"severity is now {self._ada.json('show', SUBJECT)['fields']['severity']!r}")

    def _what_happened(self, team_id: str) -> None:
        self._told("The pattern's history, from the read API")
        pattern_id = self._ada.json("show", SUBJECT)["pattern_id"]
        answer = self._read(f"teams/{team_id}/patterns/{pattern_id}/history").raise_for_status()
        for version in answer.json()["versions"]:
            self._show(self._line(version))

    def _the_log_is_replayed(self) -> None:
        self._told("The operator replays the whole log and compares it with the read models, row by row")
        self._show(self._services.verify())

    def _the_log_is_proven(self, team_id: str) -> None:
        self._told("An auditor, from outside, downloads the log and holds it against its signed tree heads")
        self._until_signed(team_id)
        self._run(self._auditor, "init", *self._servers(), "--team", team_id)
        self._run(self._auditor, "audit", "verify")
        self._show("No event up to there was altered, dropped, inserted or moved since the head was signed.")
        self._show(
            "(The key is the one that the server named first; an auditor in earnest has it from a person.)"
        )

    def _until_signed(self, team_id: str) -> None:
        """Wait for a tree head of the whole log; heads are signed after the events that they commit to."""
        size = self._ada.json("status")["sequence"]
        deadline = time.monotonic() + SIGNED_WITHIN_S
        while self._read(f"teams/{team_id}/audit/tree-head?size={size}").status_code != httpx.codes.OK:
            if time.monotonic() > deadline:
                raise DevStackError(f"no tree head of size {size} was signed within {SIGNED_WITHIN_S:g} s")
            time.sleep(POLL_S)

    def _where_to_look(self) -> None:
        self._say("\nWhere to look next")
        self._say("  make up                     the same services, left running, with API docs at /docs")
        self._say("  docs/audit.md               what an auditor can prove, and what not")
        self._say("  docs/asyncapi.json          the event topics as an AsyncAPI document")
        self._say("  docs/conditional-append.md  how a write gets into the log exactly once")

    def _told(self, what: str) -> None:
        self._chapter += 1
        self._say(f"\n{self._chapter}. {what}")

    def _run(self, developer: Developer, *arguments: str, expect: int = 0, typed: str = "") -> None:
        self._show(f"{developer.name}$ patternlog {shlex.join(arguments)}")
        self._show(developer.run(*arguments, expect=expect, typed=typed))

    def _show(self, text: str) -> None:
        for line in filter(None, text.splitlines()):
            self._say(f"   {line}")

    def _read(self, path: str) -> httpx.Response:
        url = f"{self._services.url('read-api')}/api/v1/{path}"
        return httpx.get(url, headers={"Authorization": f"Bearer {self._key}"})

    def _servers(self) -> tuple[str, ...]:
        return "--server", self._commands(), "--read-server", self._services.url("read-api")

    def _commands(self) -> str:
        return self._services.url("command-api")

    def _developer(self, name: str) -> Developer:
        folder = self._folder / name
        folder.mkdir()
        return Developer(name=name, folder=folder)

    def _line(self, version: dict[str, Any]) -> str:
        touched = ", ".join(version["data"].get("set", ()))
        what = f"{version['type']}  {touched}".rstrip()
        who = self._names.get(version["actor"], version["actor"])
        return f"v{version['version']}  {version['recorded_at']}  {who:<4} {what}"
