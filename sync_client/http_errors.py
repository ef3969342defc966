"""What an HTTP answer other than success means, and a network that fails."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from sync_client.errors import (
    Forbidden,
    LogChanged,
    NeedsSignIn,
    RequestRefused,
    TransportError,
    TryLater,
    UnexpectedAnswer,
)
from sync_client.wire import read_problem

_TRY_LATER = frozenset({408, 425, 429})


@contextmanager
def explained(url: str) -> Iterator[None]:
    """The network's errors as the client's own."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise TryLater(
            "timeout", f"{host_of(url)} did not answer in time ({type(error).__name__})"
        ) from error
    except httpx.UnsupportedProtocol as error:
        raise RequestRefused("bad_url", f"{url}: {error}") from error
    except httpx.TransportError as error:
        reason = str(error) or type(error).__name__
        raise TryLater("no_network", f"{host_of(url)} cannot be reached: {reason}") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnexpectedAnswer(f"{host_of(url)}: {error}") from error


def error_of(response: httpx.Response) -> TransportError:
    """What an answer other than success means. Only a problem document with a code can refuse anything."""
    status, problem = response.status_code, read_problem(response.content)
    code = problem.code if problem else f"http_{status}"
    detail = (problem.detail or code) if problem else f"{host_of(str(response.url))} answered {status}"
    if status == 401:
        return NeedsSignIn(code, detail)
    if status in _TRY_LATER or status >= 500:
        return TryLater(code, detail, _retry_after(response))
    if problem is None:
        return UnexpectedAnswer(f"{detail}, and not as Patternlog does")
    if status == 403:
        return Forbidden(code, detail)
    if status == 410 and code == "log_changed":
        return LogChanged(code, detail)
    return RequestRefused(code, detail)


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 8 else None


def host_of(url: str) -> str:
    """The host and port of a URL, to name a server by."""
    try:
        return httpx.URL(url).netloc.decode("ascii", "replace")
    except httpx.InvalidURL:
        return url
