import json
from typing import Any

import pytest

from command_api.answers import STATUS, outcome_body
from command_api.command_log import chunks_of
from command_api.decisions.refusals import Refusal
from command_api.prefer import wait_seconds
from command_api.submission import read_submission
from events.cursor import parse_cursor
from events.outcome import Outcome
from events.record import NewRecord
from runtime.problems import Problem
from runtime.settings import Settings

TEAM = "0198c0de-0000-7000-8000-00000000000a"
LOG = "0198c0de-0000-7000-8000-000000000001"
COMMAND: dict[str, Any] = {
    "type": "create_team",
    "command_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "name": "Team",
}
SETTINGS = Settings(_env_file=None)


def refused(body: Any, settings: Settings = SETTINGS) -> Problem:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Problem) as caught:
        read_submission(text, settings)
    return caught.value


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("", 10.0),
        ("wait=3", 3.0),
        ("wait = 3", 3.0),
        ('wait="3"', 3.0),
        ("wait=999", 30.0),
        ("wait=0", 0.0),
        ("respond-async", 0.0),
        ("respond-async, wait=2", 2.0),
        ("WAIT=4; x=y", 4.0),
        ("wait=-1", 10.0),
        ("wait=soon", 10.0),
        ("return=minimal", 10.0),
    ],
)
def test_prefer_says_how_long_to_wait(prefer: str, seconds: float) -> None:
    assert wait_seconds(prefer, default=10.0, most=30.0) == seconds


def test_every_refusal_has_a_status() -> None:
    assert set(STATUS) == set(Refusal)


def test_one_command_is_passed_on_as_it_came() -> None:
    body = b'  {"type":"create_team","command_id":"%s","name":"T"} ' % COMMAND["command_id"].encode()
    submission = read_submission(body, SETTINGS)
    assert submission.texts == [body]
    assert not submission.is_batch


def test_a_batch_keeps_its_order() -> None:
    other = {**COMMAND, "command_id": "01890a5d-ac96-774b-bcce-b302099a8058"}
    submission = read_submission(json.dumps({"commands": [COMMAND, other]}).encode(), SETTINGS)
    assert submission.command_ids == [COMMAND["command_id"], other["command_id"]]
    assert [json.loads(text) for text in submission.texts] == [COMMAND, other]


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"", "malformed_json", 400),
        (b"\xff", "malformed_json", 400),
        (b'{"a":1,"a":2}', "duplicate_key", 400),
        (b'{"a":9007199254740993}', "number_out_of_range", 400),
        (b'{"a":"\\u0000"}', "invalid_text", 400),
        (b'{"a":"\\ud800"}', "invalid_text", 400),
        (b"[" * 100 + b"]" * 100, "too_deep", 400),
        ([], "malformed_command", 400),
        ({}, "unknown_command_type", 400),
        ({"commands": []}, "malformed_command", 400),
        ({"commands": [COMMAND], "more": 1}, "malformed_command", 400),
        ({"commands": [COMMAND] * 501}, "too_many_commands", 413),
    ],
)
def test_a_bad_body_is_a_problem_with_a_code(body: Any, code: str, status: int) -> None:
    problem = refused(body)
    assert (problem.code, problem.status) == (code, status)


def test_a_problem_in_a_batch_points_to_its_place() -> None:
    wrong = {**COMMAND, "name": 5}
    assert refused({"commands": [COMMAND, wrong]}).members["pointer"] == "/commands/1/name"


def test_a_command_that_is_too_large_is_refused_before_it_is_sent() -> None:
    settings = SETTINGS.model_copy(update={"max_command_bytes": 100})
    problem = refused({**COMMAND, "name": "x" * 100}, settings)
    assert (problem.code, problem.status) == ("too_large", 413)


def test_an_accepted_outcome_carries_the_cursor_of_its_write() -> None:
    outcome = Outcome(
        log_id=LOG,
        team_id=TEAM,
        command_id=COMMAND["command_id"],
        command_hash="",
        recorded_at="2026-01-01T00:00:00.000Z",
        status="accepted",
        answer={"version": 1, "sequence": 7},
    )
    cursor = parse_cursor(outcome_body(outcome)["cursor"])
    assert (cursor.log_id, cursor.team_id, cursor.sequence) == (LOG, TEAM, 7)


@pytest.mark.parametrize(("levels", "fits"), [(32, True), (33, False), (34, False)])
@pytest.mark.parametrize("is_batch", [False, True])
def test_a_command_is_as_deep_alone_as_in_a_batch(levels: int, fits: bool, is_batch: bool) -> None:
    deep: Any = 1
    for _ in range(levels - 2):
        deep = [deep]
    command = {
        **COMMAND,
        "type": "record_pattern",
        "pattern_id": TEAM,
        "fields": {"name": "n", "deep": deep},
    }
    del command["name"]
    body = {"commands": [command]} if is_batch else command
    if fits:
        assert read_submission(json.dumps(body).encode(), SETTINGS).command_ids == [COMMAND["command_id"]]
    else:
        assert refused(body).code == "too_deep"


def test_a_batch_is_cut_into_parts_that_fit_and_loses_nothing() -> None:
    records = [NewRecord(key=b"k", value=b"x" * size, headers={}) for size in (10, 900, 10, 2000, 10, 10)]
    chunks = list(chunks_of(records, most_bytes=1100))
    assert [record for chunk in chunks for record in chunk] == records
    assert [len(chunk) for chunk in chunks] == [2, 1, 1, 2]
