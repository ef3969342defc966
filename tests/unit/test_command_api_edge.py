import json
from typing import Any

import pytest

from command_api.answers import STATUS, outcome_body, problem_of
from command_api.command_log import chunks_of
from command_api.decisions.refusals import Refusal
from command_api.prefer import wait_seconds
from command_api.submission import read_submission
from events.cursor import parse_cursor
from events.outcome import Outcome, OutcomeStatus
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
MEMBER = {"type": "create_team", "name": "Team"}
BATCH: dict[str, Any] = {"type": "batch", "command_id": COMMAND["command_id"], "commands": [MEMBER]}
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
    assert not submission.is_many


def test_many_commands_keep_their_order() -> None:
    other = {**COMMAND, "command_id": "01890a5d-ac96-774b-bcce-b302099a8058"}
    submission = read_submission(json.dumps({"commands": [COMMAND, other]}).encode(), SETTINGS)
    assert submission.command_ids == [COMMAND["command_id"], other["command_id"]]
    assert [json.loads(text) for text in submission.texts] == [COMMAND, other]
    assert submission.is_many


def test_a_batch_is_one_command_alone_and_among_others() -> None:
    body = json.dumps(BATCH).encode()
    submission = read_submission(body, SETTINGS)
    assert (submission.command_ids, submission.texts) == ([COMMAND["command_id"]], [body])
    assert not submission.is_many
    among_others = read_submission(json.dumps({"commands": [BATCH, COMMAND]}).encode(), SETTINGS)
    assert len(among_others.texts) == 2
    assert among_others.is_many


@pytest.mark.parametrize(
    "body",
    [
        {**BATCH, "commands": [MEMBER] * 5},
        {"commands": [COMMAND, {**BATCH, "commands": [MEMBER] * 3}, COMMAND]},
        {"commands": [{**BATCH, "commands": [MEMBER] * 2}, {**BATCH, "commands": [MEMBER] * 3}]},
    ],
)
def test_the_commands_of_batches_are_counted_with_the_others(body: Any) -> None:
    read_submission(json.dumps(body).encode(), SETTINGS.model_copy(update={"max_batch": 5}))
    assert refused(body, SETTINGS.model_copy(update={"max_batch": 4})).code == "too_many_commands"


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
        ({"commands": [COMMAND], "type": None}, "unknown_command_type", 400),
        ({"commands": [COMMAND], "type": "create_team"}, "malformed_command", 400),
        ({"commands": 1}, "malformed_command", 400),
        ({**BATCH, "commands": []}, "malformed_command", 400),
        ({**BATCH, "commands": [MEMBER] * 501}, "too_many_commands", 413),
        ({"commands": [COMMAND] * 501}, "too_many_commands", 413),
    ],
)
def test_a_bad_body_is_a_problem_with_a_code(body: Any, code: str, status: int) -> None:
    problem = refused(body)
    assert (problem.code, problem.status) == (code, status)


def test_a_problem_among_many_commands_points_to_its_place() -> None:
    wrong = {**COMMAND, "name": 5}
    assert refused({"commands": [COMMAND, wrong]}).members["pointer"] == "/commands/1/name"
    batch = {**BATCH, "commands": [MEMBER, {**MEMBER, "name": 5}]}
    assert refused(batch).members["pointer"] == "/commands/1/name"
    assert refused({"commands": [COMMAND, batch]}).members["pointer"] == "/commands/1/commands/1/name"


def test_a_command_that_is_too_large_is_refused_before_it_is_sent() -> None:
    settings = SETTINGS.model_copy(update={"max_command_bytes": 100})
    problem = refused({**COMMAND, "name": "x" * 100}, settings)
    assert (problem.code, problem.status) == ("too_large", 413)


def outcome(status: OutcomeStatus, **answer: Any) -> Outcome:
    return Outcome(
        log_id=LOG,
        team_id=TEAM,
        command_id=COMMAND["command_id"],
        command_hash="",
        recorded_at="2026-01-01T00:00:00.000Z",
        status=status,
        answer=answer,
    )


@pytest.mark.parametrize(
    "answered",
    [
        outcome("accepted", version=1, sequence=7),
        outcome("merged", sequence=7, outcomes=[]),
        outcome("conflict", code="edit_conflict", detail="changed", version=3, sequence=7),
    ],
)
def test_an_outcome_with_events_carries_the_cursor_of_what_it_wrote(answered: Outcome) -> None:
    cursor = parse_cursor(outcome_body(answered)["cursor"])
    assert (cursor.log_id, cursor.team_id, cursor.sequence) == (LOG, TEAM, 7)


def test_the_problem_of_a_conflict_has_its_outcome_with_the_cursor() -> None:
    conflict = {"conflict_id": COMMAND["command_id"], "current_version": 2, "fields": ["x"]}
    body = outcome_body(
        outcome("conflict", code="edit_conflict", detail="changed", sequence=7, conflict=conflict)
    )
    problem = problem_of(body)
    assert (problem.code, problem.status) == ("edit_conflict", 409)
    assert problem.members["outcome"] == body
    assert {"cursor", "conflict"} <= set(problem.members["outcome"])


def test_a_refusal_carries_no_cursor() -> None:
    assert "cursor" not in outcome_body(outcome("rejected", code="stale_edit", detail="changed"))


@pytest.mark.parametrize(("levels", "fits"), [(32, True), (33, False), (34, False)])
@pytest.mark.parametrize("is_many", [False, True])
def test_a_command_is_as_deep_alone_as_among_others(levels: int, fits: bool, is_many: bool) -> None:
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
    body = {"commands": [command]} if is_many else command
    if fits:
        assert read_submission(json.dumps(body).encode(), SETTINGS).command_ids == [COMMAND["command_id"]]
    else:
        assert refused(body).code == "too_deep"


@pytest.mark.parametrize("is_many", [False, True])
def test_a_batch_is_as_deep_as_any_command(is_many: bool) -> None:
    deep: Any = json.loads("[" * 28 + "]" * 28)
    fields = {"name": "n", "deep": deep}
    member = {"type": "record_pattern", "pattern_id": TEAM, "fields": fields}

    def body() -> bytes:
        batch = {**BATCH, "commands": [member]}
        return json.dumps({"commands": [batch]} if is_many else batch).encode()

    read_submission(body(), SETTINGS)
    fields["deep"] = [deep]
    assert refused(body()).code == "too_deep"


def test_many_commands_are_cut_into_parts_that_fit_and_none_is_lost() -> None:
    records = [NewRecord(key=b"k", value=b"x" * size, headers={}) for size in (10, 900, 10, 2000, 10, 10)]
    chunks = list(chunks_of(records, most_bytes=1100))
    assert [record for chunk in chunks for record in chunk] == records
    assert [len(chunk) for chunk in chunks] == [2, 1, 1, 2]
