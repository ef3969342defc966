"""A file of patterns becomes commands, and each row has its own result; the log is scripted."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from command_api.command_log import Sender
from command_api.decisions.commands import read_command
from command_api.imports.commands import Upload, ids_of
from command_api.imports.routes import router
from command_api.submission import Submission
from events.identifiers import is_uuid, is_uuid7, uuid7_ms
from runtime.problems import Problem
from runtime.web import build_app
from tests.tokens import bearer, signed_tokens_part
from tests.web import client_of, development

TEAM = "0198c0de-0000-7000-8000-00000000000a"
IMPORT = "01890a5d-ac96-774b-bcce-b302099a8057"
URL = f"/api/v1/teams/{TEAM}/imports"
ASKED = {"import_id": IMPORT}


class Commands:
    """Accepts every command but those whose name says what else becomes of them."""

    def __init__(self) -> None:
        self.sent: list[list[dict[str, Any]]] = []
        self.senders: list[Sender] = []
        self.waits: list[float] = []
        self.fails_after = 99

    async def submit(self, sender: Sender, submission: Submission, wait_s: float) -> list[dict[str, Any]]:
        if len(self.sent) >= self.fails_after:
            raise Problem("log_unavailable", 503, "away")
        for text in submission.texts:
            read_command(text)
        commands = [json.loads(text) for text in submission.texts]
        self.sent.append(commands)
        self.senders.append(sender)
        self.waits.append(wait_s)
        return [self._outcome(command) for command in commands]

    def _outcome(self, command: dict[str, Any]) -> dict[str, Any]:
        name, body = command["fields"]["name"], {"command_id": command["command_id"]}
        match name:
            case "taken":
                return {
                    **body,
                    "status": "rejected",
                    "code": "name_taken",
                    "detail": "taken",
                    "repeat": False,
                }
            case "slow":
                return {**body, "status": "pending", "url": f"/x/{command['command_id']}"}
            case _:
                return {**body, "status": "accepted", "version": 1, "sequence": 2, "cursor": "c"}


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def client(commands: Commands) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app("imports", development(max_batch=2, max_upload_rows=6), [router], [signed_tokens_part])
    app.state.command_api = commands
    async with client_of(app) as client:
        client.headers["Authorization"] = bearer("ada")
        yield client


def patterns(*names: str) -> bytes:
    return json.dumps([{"name": name} for name in names]).encode()


async def test_every_row_has_a_result_in_the_order_of_the_file(
    client: httpx.AsyncClient, commands: Commands
) -> None:
    rows = [{"name": "a"}, {"severity": "low"}, 5, {"name": "taken"}, {"name": "a"}, {"name": "b", "x": 1}]
    answer = await client.post(URL, params=ASKED, content=json.dumps({"patterns": rows}))
    body = answer.json()
    assert answer.status_code == 200
    assert (body["import_id"], body["dry_run"]) == (IMPORT, False)
    assert body["counts"] == {"accepted": 2, "invalid": 3, "rejected": 1}
    assert [row["index"] for row in body["rows"]] == list(range(6))
    assert [(row["status"], row.get("code"), row.get("pointer")) for row in body["rows"]] == [
        ("accepted", None, None),
        ("invalid", "invalid_field", "/patterns/1/name"),
        ("invalid", "malformed_command", "/patterns/2"),
        ("rejected", "name_taken", None),
        ("invalid", "name_taken", "/patterns/4/name"),
        ("accepted", None, None),
    ]
    assert [command["fields"] for part in commands.sent for command in part] == [rows[0], rows[3], rows[5]]
    assert {sender.actor for sender in commands.senders} == {"ada"}
    assert [row["command_id"] for row in body["rows"] if "command_id" in row] == [
        command["command_id"] for part in commands.sent for command in part
    ]


async def test_the_same_upload_makes_the_same_commands_in_whatever_form(
    client: httpx.AsyncClient, commands: Commands
) -> None:
    content = patterns("a", "b")
    await client.post(URL, params=ASKED, content=content)
    await client.post(URL, params=ASKED, files={"file": ("../../etc/x.json", content, "application/json")})
    packed = gzip.compress(content)
    await client.post(URL, params=ASKED, files={"file": ("x.json.gz", packed, "application/gzip")})
    await client.post(URL, params=ASKED, content=packed, headers={"Content-Encoding": "gzip"})
    assert len(commands.sent) == 4
    assert all(sent == commands.sent[0] for sent in commands.sent)


async def test_many_rows_go_in_parts_that_share_the_time_to_wait(
    client: httpx.AsyncClient, commands: Commands
) -> None:
    answer = await client.post(URL, params=ASKED, content=patterns(*"abcde"), headers={"Prefer": "wait=7"})
    assert answer.json()["counts"] == {"accepted": 5}
    assert [len(part) for part in commands.sent] == [2, 2, 1]
    assert commands.waits == sorted(commands.waits, reverse=True)
    assert commands.waits[0] <= 7


async def test_rows_whose_outcomes_are_not_known_in_time_are_pending(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, params=ASKED, content=patterns("a", "slow"))
    assert answer.status_code == 202
    pending = answer.json()["rows"][1]
    assert (pending["status"], pending["url"]) == ("pending", f"/x/{pending['command_id']}")


async def test_a_log_that_fails_in_between_leaves_the_results_of_what_was_sent(
    client: httpx.AsyncClient, commands: Commands
) -> None:
    commands.fails_after = 1
    answer = await client.post(URL, params=ASKED, content=patterns(*"abc"))
    assert answer.json()["counts"] == {"accepted": 2, "unknown": 1}
    assert answer.json()["rows"][2]["code"] == "log_unavailable"
    commands.fails_after = 0
    again = await client.post(URL, params=ASKED, content=patterns(*"abc"))
    assert (again.status_code, again.json()["code"]) == (503, "log_unavailable")


async def test_a_dry_run_says_which_rows_are_good_and_sends_nothing(
    client: httpx.AsyncClient, commands: Commands
) -> None:
    answer = await client.post(URL, params={**ASKED, "dry_run": True}, content=b'{"name":"a"}\n{"b":1}\n{')
    assert answer.json()["counts"] == {"valid": 1, "invalid": 2}
    assert answer.json()["rows"][2]["code"] == "malformed_json"
    assert commands.sent == []


@pytest.mark.parametrize(
    ("content", "headers", "code"),
    [
        (b"", {}, "malformed_upload"),
        (b"[{]", {}, "malformed_upload"),
        (b'{"name":"a"}', {"Content-Type": "text/csv"}, "unsupported_upload"),
        (b"[{}]", {"Content-Type": "application/json; charset=latin-1"}, "unsupported_upload"),
        (b"[{}]", {"Content-Type": "multipart/form-data"}, "malformed_upload"),
        (b"[{}]", {"Content-Type": "multipart/form-data; boundary=x"}, "malformed_upload"),
        (b"[{}]", {"Content-Type": "multipart/form-data; boundary=x", "Content-Encoding": "gzip"},
         "unsupported_upload"),
        (b"[{},{},{},{},{},{},{}]", {}, "too_many_rows"),
    ],
)  # fmt: skip
async def test_nothing_is_taken_of_a_file_that_is_no_good(
    client: httpx.AsyncClient, commands: Commands, content: bytes, headers: dict[str, str], code: str
) -> None:
    answer = await client.post(URL, params=ASKED, content=content, headers=headers)
    assert answer.json()["code"] == code
    assert answer.headers["content-type"] == "application/problem+json"
    assert commands.sent == []


async def test_a_form_holds_one_file_and_nothing_else(client: httpx.AsyncClient) -> None:
    one = ("file", ("a.json", patterns("a"), "application/json"))
    for extra in ({"files": [one, one]}, {"files": [one], "data": {"more": "1"}}):
        answer = await client.post(URL, params=ASKED, **extra)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_upload")


@pytest.mark.parametrize("import_id", ["", "x", TEAM.replace("7000", "4000"), IMPORT.upper()])
async def test_an_import_names_itself_with_a_uuid_of_version_7(
    client: httpx.AsyncClient, import_id: str
) -> None:
    answer = await client.post(URL, params={"import_id": import_id}, content=patterns("a"))
    assert (answer.json()["code"], answer.json()["parameter"]) == ("invalid_parameter", "import_id")


async def test_nobody_imports_without_a_token(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    answer = await client.post(URL, params=ASKED, content=patterns("a"))
    assert answer.status_code == 401


def test_ids_differ_by_team_import_content_and_row_and_have_the_time_of_the_import() -> None:
    other = "01890a5d-ac96-774b-bcce-b302099a8058"
    made = [
        ids_of(Upload(team_id=team, import_id=import_id, digest=digest), index)
        for team in (TEAM, other)
        for import_id in (IMPORT, other)
        for digest in (b"1" * 32, b"2" * 32)
        for index in (0, 1)
    ]
    assert len({one for pair in made for one in pair}) == 2 * len(made)
    for command_id, pattern_id in made:
        assert is_uuid7(command_id)
        assert is_uuid(pattern_id)
        assert uuid7_ms(command_id) == uuid7_ms(IMPORT)
