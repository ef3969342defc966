"""Everything that can go wrong in the client, as types.

SyncError                 code, message, exit code of the command line
 ├─ TransportError        the server gave no answer that settles anything; the outbox is untouched
 │   ├─ TryLater          no network, time-out, 408, 425, 429, 5xx: the same request may be sent again
 │   ├─ NeedsSignIn       401: a token is missing, wrong or revoked, or the session is over
 │   ├─ Forbidden         403: whoever the token stands for may not do this, or not any more
 │   ├─ RequestRefused    another 4xx with a code: wrong team, wrong cursor
 │   ├─ BatchRefused      400, 413, 422 with a code, for a whole batch: one command of it is to blame
 │   ├─ LogChanged        410: the cursor is of another log, the replica must be rebuilt
 │   └─ UnexpectedAnswer  not the published shape: another server, a proxy's page
 ├─ CommandRefused        the outcome of a command that waits in no outbox
 ├─ CredentialsError      the file of credentials cannot be used, or others can read it
 ├─ LocalRefusal          a local edit that the library refuses, before anything is kept
 ├─ BadPatternFile        a file that is no pattern file
 ├─ BadAuditFile          a file that is no export, heads or keys
 ├─ ProofFailed           the server's log is not the one that was seen before
 ├─ WorkspaceError        no workspace here, or one already
 └─ ReplicaError          the database cannot be used: damaged, full, of a newer version
     └─ ReplicaLocked     another process is writing
"""

CONFLICTS, USAGE, TRY_LATER, SIGN_IN, SERVER, REPLICA, EVIDENCE = 1, 2, 3, 4, 5, 6, 7
"""The command line's exit codes beside 0; docs/sync-client.md explains each."""


class SyncError(Exception):
    """An expected failure: one line for people, a stable code for programs."""

    exit_code = CONFLICTS

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class TransportError(SyncError):
    """No outcome came back. It never says anything about a command."""

    exit_code = SERVER


class TryLater(TransportError):
    """The same request may succeed later; `retry_after` is the server's wish in seconds."""

    exit_code = TRY_LATER

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class NeedsSignIn(TransportError):
    """The server does not take the token."""

    exit_code = SIGN_IN


class Forbidden(TransportError):
    """The server knows who asks, and they have no right to this; what is here is kept."""


class RequestRefused(TransportError):
    """The server understood the request and will not serve it, whatever commands it holds."""


class BatchRefused(TransportError):
    """Nothing of the batch was taken; `index` is the command to blame, if the server says."""

    def __init__(self, code: str, message: str, index: int | None = None) -> None:
        super().__init__(code, message)
        self.index = index


class LogChanged(TransportError):
    """The server's log is another one than the cursor's."""


class UnexpectedAnswer(TransportError):
    """An answer without the published shape; nothing of it is used."""

    def __init__(self, message: str) -> None:
        super().__init__("unexpected_answer", message)


class CommandRefused(SyncError):
    """The team or organization refuses a command that was sent at once."""


class CredentialsError(SyncError):
    """The file of credentials is damaged, or not its user's alone."""

    exit_code = SIGN_IN


class LocalRefusal(SyncError):
    """The library, as this client sees it, refuses the edit; nothing was kept."""


class BadPatternFile(SyncError):
    """The file cannot be read as patterns; nothing of it was imported."""

    exit_code = USAGE

    def __init__(self, message: str) -> None:
        super().__init__("bad_pattern_file", message)


class WorkspaceError(SyncError):
    """The folder holds no workspace, or holds one already."""

    exit_code = USAGE


class ReplicaError(SyncError):
    """The replica's database cannot be used."""

    exit_code = REPLICA


class ReplicaLocked(ReplicaError):
    """Another process has the replica open for writing."""

    exit_code = TRY_LATER

    def __init__(self, pid: str) -> None:
        super().__init__("replica_locked", f"process {pid} is writing here; try again when it is done")
        self.pid = pid
