"""The accounts of a fake server: people who log in, and sessions that end."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass, field

from events.json_text import Json
from tests.sync_fakes.server import Refused

Answered = tuple[int, dict[str, str], bytes]
LIFETIME_S = 900


@dataclass
class _User:
    user_id: str
    username: str
    password: str


@dataclass
class _Session:
    session_id: str
    user: _User
    device: str
    tokens: list[str] = field(default_factory=list)
    """Refresh tokens; the last is the one that was not used."""
    ended: bool = False


@dataclass
class FakeAccounts:
    """Who has an account, and what was given out. Tests let time pass by `expire`."""

    users: dict[str, _User] = field(default_factory=dict)
    sessions: list[_Session] = field(default_factory=list)
    access: dict[str, _Session] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    """API keys: their ids and whose they are."""
    devices: list[str] = field(default_factory=list)
    """What each login's machine is known by."""
    grace: bool = False
    """Whether the last refresh token may come again."""
    refreshes: int = 0
    lifetime: float = LIFETIME_S

    def expire(self) -> None:
        """Let the time of every access token be over."""
        self.expired |= set(self.access)

    def end_all(self) -> None:
        """End every session."""
        for session in self.sessions:
            session.ended = True

    def actor_of(self, token: str) -> str:
        """Whom a token stands for."""
        if token in self.keys:
            return self.keys[token][1]
        return self._session_of(token).user.user_id

    def answer(self, method: str, path: str, token: str, body: bytes) -> Answered:
        """What the routes below `/api/v1/auth/` answer."""
        given = json.loads(body) if body else {}
        match (method, path.split("/")):
            case ("POST", ["register"]):
                return _said(self._register(given), 201)
            case ("POST", ["login"]):
                return _said(self._log_in(given))
            case ("POST", ["refresh"]):
                return _said(self._refresh(given["refresh_token"]))
            case ("POST", ["logout"]):
                self._session_of(token).ended = True
                return _said(None, 204)
            case ("GET", ["me"]):
                user = self._session_of(token).user
                return _said({"user_id": user.user_id, "username": user.username})
            case (_, ["keys", *rest]):
                return self._keys(method, rest, self._session_of(token).user, given)
            case (_, ["sessions", *rest]):
                return self._sessions(method, rest, self._session_of(token))
            case _:
                raise Refused(404, "not_found")

    # ---------------------------------------------------------------- sessions

    def _register(self, given: dict[str, Json]) -> Json:
        name = given["username"]
        if name in self.users:
            raise Refused(409, "username_taken")
        user = _User(user_id=str(uuid.uuid4()), username=name, password=given["password"])
        self.users[name] = user
        return {"user_id": user.user_id, "username": name, "email_verified": False}

    def _log_in(self, given: dict[str, Json]) -> Json:
        user = self.users.get(given["username"])
        if user is None or user.password != given["password"]:
            raise Refused(401, "invalid_credentials")
        session = _Session(session_id=str(uuid.uuid4()), user=user, device=given.get("device", ""))
        self.sessions.append(session)
        known = given.get("known_device") or f"device-{secrets.token_hex(16)}"
        self.devices.append(known)
        return {**self._issued(session), "known_device": known}

    def _refresh(self, token: str) -> Json:
        self.refreshes += 1
        session = next((one for one in self.sessions if token in one.tokens), None)
        if session is None:
            raise Refused(401, "unauthenticated")
        if session.ended:
            raise Refused(401, "token_revoked")
        fresh = session.tokens[-2 if self.grace else -1 :]
        if token not in fresh:
            session.ended = True
            raise Refused(401, "token_revoked")
        return self._issued(session)

    def _issued(self, session: _Session) -> dict[str, Json]:
        access, refresh = f"access-{secrets.token_hex(16)}", f"refresh-{secrets.token_hex(16)}"
        self.access[access] = session
        session.tokens.append(refresh)
        return {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": self.lifetime,
            "refresh_token": refresh,
            "user_id": session.user.user_id,
            "username": session.user.username,
            "organization_id": None,
            "role": None,
        }

    def _session_of(self, token: str) -> _Session:
        session = self.access.get(token)
        if session is None:
            raise Refused(401, "unauthenticated")
        if session.ended:
            raise Refused(401, "token_revoked")
        if token in self.expired:
            raise Refused(401, "token_expired")
        return session

    # ---------------------------------------------------------------- keys and devices

    def _keys(self, method: str, rest: list[str], user: _User, given: dict[str, Json]) -> Answered:
        match (method, rest):
            case ("POST", []):
                key, key_id = f"fl_{secrets.token_urlsafe(32)}", str(uuid.uuid4())
                self.keys[key] = (key_id, user.user_id)
                return _said(
                    {"key_id": key_id, "name": given["name"], "right": given["right"], "key": key}, 201
                )
            case ("GET", []):
                return _said({"keys": [{"key_id": key_id} for key_id, _ in self.keys.values()]})
            case ("DELETE", [key_id]):
                self.keys = {key: one for key, one in self.keys.items() if one[0] != key_id}
                return _said(None, 204)
            case _:
                raise Refused(405, "method_not_allowed")

    def _sessions(self, method: str, rest: list[str], session: _Session) -> Answered:
        own = [one for one in self.sessions if one.user is session.user and not one.ended]
        if method == "GET":
            return _said({"sessions": [{"session_id": one.session_id, "device": one.device} for one in own]})
        for one in own:
            one.ended = one.ended or not rest or one.session_id == rest[0]
        return _said(None, 204)


def _said(value: Json, status: int = 200) -> Answered:
    return status, {}, b"" if status == 204 else json.dumps(value).encode()
