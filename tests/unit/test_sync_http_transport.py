"""What HTTP answers mean, and what is sent."""

import json
from collections.abc import Callable

import httpx
import pytest

from events.cursor import Cursor
from events.json_text import Json
from sync_client.errors import (
    BatchRefused,
    Forbidden,
    LogChanged,
    NeedsSignIn,
    RequestRefused,
    TransportError,
    TryLater,
    UnexpectedAnswer,
)
from sync_client.http_transport import Endpoint, HttpTransport, http_transport
from sync_client.retrying import Patience, RetryingTransport
from sync_client.session_auth import BearerToken
from sync_client.wire import Accepted, Conflicting, Rejected, Unanswered

TEAM = "6f1c2a8e-0000-4000-8000-000000000000"
COMMAND = "00000000-0000-7000-8000-000000000001"
ENDPOINT = Endpoint(
    server="http://commands/base/", team_id=TEAM, auth=BearerToken("dev-me"), read_server="http://reads"
)
CURSOR = str(Cursor(log_id=TEAM, team_id=TEAM, sequence=3))
ACCEPTED = {"command_id": COMMAND, "status": "accepted", "version": 1, "sequence": 2, "cursor": CURSOR}
PROXY_PAGE = b"<html>Sign in to the airport's network</html>"

Answering = Callable[[httpx.Request], httpx.Response]


def problem(status: int, code: str, **members: Json) -> httpx.Response:
    return httpx.Response(status, json={"status": status, "code": code, "detail": f"said {code}", **members})


async def send(answer: Answering | httpx.Response) -> object:
    return await with_transport(answer, lambda transport: transport.send([{"command_id": COMMAND}]))


async def changes(answer: Answering | httpx.Response, cursor: str | None = None) -> object:
    return await with_transport(answer, lambda transport: transport.changes(cursor, at_least=None, limit=5))


async def with_transport(answer: Answering | httpx.Response, call) -> object:  # type: ignore[no-untyped-def]
    def handle(request: httpx.Request) -> httpx.Response:
        return answer if isinstance(answer, httpx.Response) else answer(request)

    async with http_transport(ENDPOINT, httpx.MockTransport(handle)) as transport:
        return await call(transport)


# ---------------------------------------------------------------- what is sent


async def test_commands_are_posted_as_a_batch_that_waits_a_while() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"outcomes": [ACCEPTED]})

    await send(answer)
    (request,) = requests
    assert (request.method, str(request.url)) == (
        "POST",
        f"http://commands/base/api/v1/teams/{TEAM}/commands",
    )
    assert request.headers["authorization"] == "Bearer dev-me"
    assert request.headers["prefer"] == "wait=10"
    assert json.loads(request.content) == {"commands": [{"command_id": COMMAND}]}


async def test_changes_are_asked_of_the_read_server() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"changes": [], "cursor": CURSOR, "has_more": False})

    await changes(answer, "abc=")
    assert str(requests[0].url) == f"http://reads/api/v1/teams/{TEAM}/changes?cursor=abc%3D&limit=5"


# ---------------------------------------------------------------- what comes back


async def test_each_kind_of_outcome_is_read() -> None:
    about = {"conflict_id": COMMAND, "current_version": 4, "fields": ["a"]}
    conflict = {"code": "c", "detail": "d", "conflict": about, "cursor": CURSOR}
    outcomes = [
        {**ACCEPTED, "recorded_at": "now", "repeat": False, "new in a later version": 1},
        {"command_id": COMMAND, "status": "conflict", **conflict},
        {"command_id": COMMAND, "status": "rejected", "code": "a_newer_code", "detail": "d"},
        {"command_id": COMMAND, "status": "pending", "url": "/x"},
    ]
    answers = await send(httpx.Response(202, json={"outcomes": outcomes}))
    assert isinstance(answers, list)
    assert [type(answer) for answer in answers] == [Accepted, Conflicting, Rejected, Unanswered]


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (problem(401, "unauthenticated"), NeedsSignIn, "unauthenticated"),
        (problem(403, "forbidden"), Forbidden, "forbidden"),
        (problem(503, "auth_unavailable"), TryLater, "auth_unavailable"),
        (problem(429, "rate_limited"), TryLater, "rate_limited"),
        (httpx.Response(401, content=PROXY_PAGE), NeedsSignIn, "http_401"),
        (httpx.Response(403, content=PROXY_PAGE), UnexpectedAnswer, "unexpected_answer"),
        (problem(408, "request_timeout"), TryLater, "request_timeout"),
        (problem(429, "too_many_requests"), TryLater, "too_many_requests"),
        (problem(500, "internal_error"), TryLater, "internal_error"),
        (problem(503, "log_unavailable"), TryLater, "log_unavailable"),
        (httpx.Response(502, content=PROXY_PAGE), TryLater, "http_502"),
        (httpx.Response(407, content=PROXY_PAGE), UnexpectedAnswer, "unexpected_answer"),
        (httpx.Response(400, content=PROXY_PAGE), UnexpectedAnswer, "unexpected_answer"),
        (httpx.Response(404, content=PROXY_PAGE), UnexpectedAnswer, "unexpected_answer"),
        (httpx.Response(302, headers={"location": "http://portal"}), UnexpectedAnswer, "unexpected_answer"),
        (httpx.Response(200, content=PROXY_PAGE), UnexpectedAnswer, "unexpected_answer"),
        (httpx.Response(200, json={"outcomes": None}), UnexpectedAnswer, "unexpected_answer"),
        (httpx.Response(200, json={}), UnexpectedAnswer, "unexpected_answer"),
        (httpx.Response(200, json=[]), UnexpectedAnswer, "unexpected_answer"),
        (httpx.Response(204), UnexpectedAnswer, "unexpected_answer"),
        (problem(404, "not_found"), RequestRefused, "not_found"),
        (problem(400, "invalid_parameter"), RequestRefused, "invalid_parameter"),
        (problem(400, "malformed_json"), BatchRefused, "malformed_json"),
        (problem(413, "body_too_large"), BatchRefused, "body_too_large"),
        (problem(413, "too_many_commands"), BatchRefused, "too_many_commands"),
    ],
)
async def test_only_a_problem_of_patternlogs_own_refuses_anything(
    answer: httpx.Response, error: type[TransportError], code: str
) -> None:
    with pytest.raises(TransportError) as raised:
        await send(answer)
    assert (type(raised.value), raised.value.code) == (error, code)


async def test_the_command_that_a_problem_points_at_is_known() -> None:
    with pytest.raises(BatchRefused) as refused:
        await send(problem(400, "a_newer_code", pointer="/commands/3/fields/name"))
    assert refused.value.index == 3


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=PROXY_PAGE),
        httpx.Response(200, json={"changes": []}),
        httpx.Response(200, json={"changes": [], "cursor": "x", "has_more": False}),
        httpx.Response(200, json={"changes": [{"status": "live"}], "cursor": CURSOR, "has_more": False}),
        httpx.Response(200, json={"changes": [], "cursor": CURSOR, "has_more": "no"}),
        httpx.Response(200, json={"patterns": [], "cursor": CURSOR, "has_more": False}),
    ],
)
async def test_what_is_no_page_of_changes_is_no_empty_library(answer: httpx.Response) -> None:
    with pytest.raises(UnexpectedAnswer):
        await changes(answer)


async def test_another_log_is_told_apart_from_other_refusals() -> None:
    with pytest.raises(LogChanged):
        await changes(problem(410, "log_changed", bootstrap="/x"))


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (httpx.ConnectError("refused"), "no_network"),
        (httpx.ConnectTimeout(""), "timeout"),
        (httpx.ReadTimeout(""), "timeout"),
        (httpx.RemoteProtocolError("closed"), "no_network"),
        (httpx.ReadError(""), "no_network"),
    ],
)
async def test_a_network_that_fails_is_tried_later(failure: Exception, code: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(TryLater) as later:
        await send(answer)
    assert (later.value.code, later.value.message.startswith("commands ")) == (code, True)


async def test_an_address_that_is_none_is_not_tried_again() -> None:
    async with http_transport(Endpoint(server="ftp://x", team_id=TEAM, auth=BearerToken("t"))) as transport:
        with pytest.raises(RequestRefused, match="protocol"):
            await transport.look_up(COMMAND)


# ---------------------------------------------------------------- trying again


async def patient_send(answers: list[httpx.Response], patience: Patience) -> object:
    async def call(transport: HttpTransport) -> object:
        return await RetryingTransport(transport, patience).send([{"command_id": COMMAND}])

    return await with_transport(lambda _: answers.pop(0), call)


FAST = Patience(attempts=4, timeout=5.0, first_wait=0.0, longest_wait=2.0, jitter=0.0)


async def test_what_may_pass_is_tried_again_until_it_has() -> None:
    good = httpx.Response(200, json={"outcomes": [ACCEPTED]})
    answers = [problem(503, "log_unavailable"), httpx.Response(502), problem(429, "slow"), good]
    assert await patient_send(answers, FAST) == [
        Accepted(command_id=COMMAND, status="accepted", version=1, sequence=2, cursor=CURSOR)
    ]


async def test_patience_has_an_end() -> None:
    answers = [problem(503, "log_unavailable") for _ in range(10)]
    with pytest.raises(TryLater):
        await patient_send(answers, FAST)
    assert len(answers) == 6


async def test_a_wish_to_wait_longer_than_patience_ends_it_at_once() -> None:
    later = httpx.Response(429, headers={"retry-after": "3600"}, json={"code": "slow"})
    answers = [later, later]
    with pytest.raises(TryLater) as raised:
        await patient_send(answers, FAST)
    assert (raised.value.retry_after, len(answers)) == (3600.0, 1)


async def test_retry_after_is_waited_for() -> None:
    soon = httpx.Response(503, headers={"retry-after": "1"}, json={"code": "not_yet_visible"})
    good = httpx.Response(200, json={"outcomes": [ACCEPTED]})
    with pytest.MonkeyPatch.context() as patch:
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        patch.setattr("stamina._core._smart_sleep", sleep)
        await patient_send([soon, good], FAST)
    assert waits == [1.0]


@pytest.mark.parametrize("answer", [problem(401, "unauthenticated"), problem(400, "malformed_json")])
async def test_what_will_not_pass_is_not_tried_again(answer: httpx.Response) -> None:
    answers = [answer, answer]
    with pytest.raises(TransportError):
        await patient_send(answers, FAST)
    assert len(answers) == 1
