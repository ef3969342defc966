"""A witness (C2SP tlog-witness) that listens, in a thread of the test."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from evidence.errors import BadSignature
from evidence.merkle import is_consistent
from evidence.notes import TIMESTAMPED, Key, SigningKey, parse_note
from evidence.tree_heads import open_head

TIME_S = 1_800_000_000


@dataclass
class WitnessFake:
    """What it trusts, the last head that it has seen of each log, and how it misbehaves."""

    trusted: list[Key]
    key: SigningKey = field(default_factory=lambda: SigningKey("witness.example/w", bytes(range(9, 41))))
    signs_as: SigningKey | None = None
    seen: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    canned: list[tuple[int, bytes]] = field(default_factory=list)
    hold: threading.Event | None = None
    asked: int = 0
    url: str = ""

    @property
    def setting(self) -> str:
        return f"{self.url} {self.key.key(TIMESTAMPED).vkey}"

    def answer(self, body: str) -> tuple[int, bytes]:
        self.asked += 1
        if self.hold is not None:
            self.hold.wait(30)
        if self.canned:
            return self.canned.pop(0)
        lines, _, note = body.partition("\n\n")
        first, *proof = lines.split("\n")
        try:
            head = open_head(note, self.trusted).head
        except BadSignature:
            return 403, b""
        old = int(first.removeprefix("old "))
        size, root = self.seen.get(head.origin, (0, b""))
        if old > head.size:
            return 400, b""
        if old != size:
            return 409, f"{size}\n".encode()
        path = [base64.b64decode(one) for one in proof]
        if old == 0 and path:
            return 422, b""
        if old and not is_consistent(old=old, new=head.size, old_root=root, new_root=head.root, path=path):
            return (409, f"{size}\n".encode()) if old == head.size else (422, b"")
        self.seen[head.origin] = (head.size, head.root)
        signer = self.signs_as or self.key
        return 200, str(signer.sign_at(parse_note(note).text, TIME_S)).encode()


@contextmanager
def witnessing(fake: WitnessFake) -> Iterator[WitnessFake]:
    """Serve it on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/add-checkpoint"
            status, body = fake.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 409:
                self.send_header("Content-Type", "text/x.tlog.size")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
