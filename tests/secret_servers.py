"""Vault and AWS Secrets Manager as far as their protocols are spoken here: real servers, in threads."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=\w+/\d{8}/[\w-]+/secretsmanager/aws4_request, "
    r"SignedHeaders=[\w;-]*host[\w;-]*, Signature=[0-9a-f]{64}"
)
Answer = tuple[int, Any]
Fake = TypeVar("Fake", bound="FakeServer")


@dataclass
class Asked:
    """What a server was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class FakeServer:
    """What all fakes have: what they were asked, and an answer to be given instead of theirs."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    instead: tuple[int, bytes] | None = None

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


@dataclass
class FakeVault(FakeServer):
    """A KV engine of each version, and three ways to log in."""

    secrets: dict[str, Any] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {"hvs.static"})
    ttl: int = 3600
    renews: bool = True
    made: int = 0

    def answer(self, asked: Asked) -> Answer:
        path = asked.path.removeprefix("/v1/")
        if asked.method == "POST" and path.endswith("/login"):
            return self._login(path, asked.body)
        if asked.headers.get("X-Vault-Token") not in self.tokens:
            return 403, {"errors": ["permission denied"]}
        if path == "auth/token/lookup-self":
            return 200, {"data": {"ttl": self.ttl, "renewable": True}}
        if path == "auth/token/renew-self":
            return (200, self._auth("same")) if self.renews else (400, {"errors": ["lease is not renewable"]})
        return self._read(path)

    def _login(self, path: str, body: Any) -> Answer:
        good: dict[str, Any] = {
            "auth/approle/login": {"role_id": "role", "secret_id": "sesame"},
            "auth/kubernetes/login": {"role": "patternlog", "jwt": "a.service.account"},
        }
        if body != good.get(path):
            return 400, {"errors": ["invalid role or secret ID"]}
        self.made += 1
        token = f"hvs.made-{self.made}"
        self.tokens.add(token)
        return 200, self._auth(token)

    def _auth(self, token: str) -> Any:
        return {"auth": {"client_token": token, "lease_duration": self.ttl, "renewable": True}}

    def _read(self, path: str) -> Answer:
        mount, _, rest = path.partition("/")
        if mount == "secret" and rest.removeprefix("data/") in self.secrets:
            return 200, {"data": {"data": self.secrets[rest.removeprefix("data/")], "metadata": {}}}
        if mount == "kv" and rest in self.secrets:
            return 200, {"data": self.secrets[rest]}
        return 404, {"errors": []}


@dataclass
class FakeSecretsManager(FakeServer):
    """AWS JSON 1.1; a request has to look signed."""

    secrets: dict[str, str] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("X-Amz-Target") != "secretsmanager.GetSecretValue":
            return 400, {"__type": "UnknownOperationException"}
        if asked.headers.get("Content-Type") != "application/x-amz-json-1.1":
            return 400, {"__type": "SerializationException"}
        if not SIGNED.fullmatch(asked.headers.get("Authorization", "")):
            return 400, {"__type": "IncompleteSignatureException"}
        if "AKIAGOOD" not in asked.headers["Authorization"]:
            return 400, {"__type": "UnrecognizedClientException"}
        name = asked.body["SecretId"]
        if name not in self.secrets:
            return 400, {"__type": "ResourceNotFoundException"}
        return 200, {"Name": name, "SecretString": self.secrets[name]}


@contextmanager
def served(fake: Fake) -> Iterator[Fake]:
    """The fake at an address of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, dict(self.headers), json.loads(raw) if raw else None)
            fake.asked.append(asked)
            status, body = fake.instead or _encoded(fake.answer(asked))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the base's names

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        fake.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()


def _encoded(answer: Answer) -> tuple[int, bytes]:
    status, body = answer
    return status, json.dumps(body).encode()
