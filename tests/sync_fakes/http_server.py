"""The fake server over HTTP, in a thread of the test: what the client uses of the published interface."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from events.json_text import Json
from events.team import NoTeam
from tests.sync_fakes.accounts import FakeAccounts
from tests.sync_fakes.server import FakeServer, Refused
from tests.tokens import token_of

TOKEN = token_of("tester")
"""A machine's, which is good for ever."""


def _nothing(_method: str) -> None:
    """Do nothing."""


@dataclass
class ServedFake:
    """A fake server that listens. The hooks are called in its thread, with the request's method."""

    server: FakeServer
    url: str = ""
    before: Callable[[str], None] = _nothing
    """Called before a request is looked at."""
    after: Callable[[str], None] = _nothing
    """Called when it has had its effect, before the answer."""
    canned: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    """Answers to give instead, before the request has any effect."""
    cuts: list[int] = field(default_factory=list)
    """After how many bytes the next logs break off."""
    lacks: int | None = None
    """A sequence that the server cannot tell."""
    accounts: FakeAccounts = field(default_factory=FakeAccounts)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fake: ServedFake) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake
        self.lock = threading.Lock()


@contextmanager
def served(server: FakeServer) -> Iterator[ServedFake]:
    """Serve on a free port of this machine."""
    fake = ServedFake(server)
    listener = _Listener(fake)
    fake.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise headers and body go out as two packets, and the second waits for an acknowledgement.
    wbufsize = -1
    server: _Listener

    def do_GET(self) -> None:
        self._serve(b"")

    def do_DELETE(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        pass

    def _serve(self, body: bytes) -> None:
        fake = self.server.fake
        fake.before(self.command)
        with self.server.lock:
            status, headers, answer = fake.canned.pop(0) if fake.canned else self._answer(body)
        fake.after(self.command)
        try:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            if "Patternlog-Cursor" in headers and fake.cuts:
                answer, self.close_connection = answer[: fake.cuts.pop(0)], True
            self.wfile.write(answer)
            self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        try:
            fake, path = self.server.fake, urlsplit(self.path).path
            token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
            if path.startswith("/api/v1/auth/"):
                return fake.accounts.answer(self.command, path.removeprefix("/api/v1/auth/"), token, body)
            fake.server.actor = "tester" if token == TOKEN else fake.accounts.actor_of(token)
            if path.endswith("/audit/log"):
                return self._log()
            return 200, {}, json.dumps(self._route(body)).encode()
        except Refused as refused:
            members = {"detail": refused.code, **refused.members}
            problem = {"status": refused.status, "code": refused.code, **members}
            content = {"Content-Type": "application/problem+json"}
            return refused.status, content, json.dumps(problem).encode()

    def _log(self) -> tuple[int, dict[str, str], bytes]:
        fake, server = self.server.fake, self.server.fake.server
        (first,) = parse_qs(urlsplit(self.path).query)["from"]
        if fake.lacks is not None:
            if int(first) >= fake.lacks:
                raise Refused(503, "log_incomplete")
            fake.cuts.append(len(server.log.lines(int(first), fake.lacks - 1)))
        last = len(server.log.records)
        headers = {"Patternlog-Cursor": server.cursor(last), "Patternlog-Last-Sequence": str(last)}
        return 200, headers, server.log.lines(int(first), last)

    def _route(self, body: bytes) -> Json:
        server, address = self.server.fake.server, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/api/v1/audit/keys":
            return server.log.keys()
        if address.path == "/api/v1/teams":
            return {"teams": teams_of(server)}
        if isinstance(server.team, NoTeam):
            # Whoever comes first creates the team under the id that it chose.
            server.team_id = address.path.split("/")[4]
        base = f"/api/v1/teams/{server.team_id}"
        if address.path == f"{base}/commands" and self.command == "POST":
            return {"outcomes": server.submit(json.loads(body)["commands"])}
        if address.path.startswith(f"{base}/commands/"):
            return server.look_up(address.path.rsplit("/", 1)[1])
        if address.path == f"{base}/members":
            return {"members": members_of(server)}
        if address.path == f"{base}/changes":
            return server.pull(query.get("cursor"), query.get("at_least"), int(query["limit"]))
        return _audit(server, address.path.removeprefix(base), query)


def members_of(server: FakeServer) -> list[dict[str, Json]]:
    """The team's members, for one of them."""
    people = {} if isinstance(server.team, NoTeam) else server.team.people.members
    if server.actor not in people:
        raise Refused(404, "unknown_team")
    return [{"member": member, "role": role} for member, role in people.items()]


def teams_of(server: FakeServer) -> list[dict[str, Json]]:
    """The teams that the actor is a member of."""
    people = {} if isinstance(server.team, NoTeam) else server.team.people.members
    role = people.get(server.actor)
    return [] if role is None else [{"team_id": server.team_id, "name": "Ours", "role": role}]


def _audit(server: FakeServer, path: str, query: dict[str, str]) -> Json:
    match path:
        case "/audit/tree-head":
            return server.tree_head(int(query["size"]) if "size" in query else None)
        case "/audit/tree-heads":
            # Two heads to a page.
            first = int(query.get("page", "1"))
            found = [server.log.head(server.log_id, server.team_id, size) for size in (first, first + 1)]
            heads = [head for head in found if head is not None]
            more = first + 2 <= server.log.size and bool(heads)
            return {"tree_heads": heads, "next_page": str(first + 2) if more else None}
        case "/audit/proofs/inclusion":
            return server.inclusion(int(query["sequence"]), int(query["size"]))
        case "/audit/proofs/consistency":
            return server.consistency(int(query["from"]), int(query["to"]))
        case _:
            raise Refused(404, "not_found")
