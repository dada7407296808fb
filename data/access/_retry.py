"""Trying again: which failures deserve it, and how long to wait."""

import datetime as dt
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

from data.errors import PassingPullError, PullError

TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500

T = TypeVar("T")


@dataclass(frozen=True)
class Retry:
    """How often and how patiently a request is repeated.

    `connect_s` and `read_s` are how long a connection and the next bytes of an answer are waited for.
    """

    attempts: int = 5
    base_s: float = 1.0
    max_s: float = 60.0
    max_retry_after_s: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    # None leaves each access kind its own patience.
    connect_s: float | None = None
    read_s: float | None = None

    def run(self, what: str, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it succeeds, fails for good, or has failed `attempts` times.

        Network errors, 5xx, 429 and damaged answers are tried again; anything else is not.

        Raises
        ------
        PullError
            Every attempt failed; the message names the last failure. It is a PassingPullError where
            the network or the server failed, not what the server sent.
        """
        last: Exception | None = None
        for number in range(self.attempts):
            try:
                return attempt()
            except Transient as error:
                last, wait = error, error.retry_after_s
            except httpx.TransportError as error:
                if refusal := tls_refusal(what, error):
                    raise refusal from error
                last, wait = error, None
            except (httpx.RequestError, httpx.InvalidURL) as error:
                message = f"{what} cannot be read: {error}."
                raise PullError(message, "Check the address in the catalogue entry.") from error
            if number + 1 < self.attempts:
                self.sleep(self._pause(number, wait))
        reason = str(last) or type(last).__name__
        if reason.startswith(f"{what} "):
            reason = f"it {reason.removeprefix(what).lstrip()}"
        message = f"{what} failed {self.attempts} times: {reason}."
        if isinstance(last, Transient) and last.hint:
            raise PullError(message, last.hint) from last
        raise PassingPullError(message, "The server may be down: try again later.") from last

    def _pause(self, number: int, retry_after_s: float | None) -> float:
        if retry_after_s is not None:
            return min(max(retry_after_s, 0.0), self.max_retry_after_s)
        # Full jitter keeps many clients that failed together from coming back together.
        return random.uniform(0.5, 1.0) * min(self.max_s, self.base_s * 2**number)  # noqa: S311


class Transient(Exception):  # noqa: N818
    """A failure that may pass: worth another attempt, after the pause the server asks for.

    A `hint` says what to do when it does not pass, and that it is no fault of the network.
    """

    def __init__(self, message: str, retry_after_s: float | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.hint = hint


def tls_refusal(what: str, error: BaseException) -> PullError | None:
    """Say why there is no safe connection; None where the failure has another reason.

    A server that hangs up in the middle of it may be back for the next attempt: that is no refusal.
    """
    cause = _tls_error(error)
    if cause is None or isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return None
    if isinstance(cause, ssl.SSLCertVerificationError):
        reason = cause.verify_message or "it cannot be verified"
        message = f"{what} shows a certificate that is not trusted: {reason.rstrip('.')}."
        hint = "Check the address; behind an inspecting proxy set SSL_CERT_FILE to its certificate."
        return PullError(message, hint)
    reason = (cause.reason or "no reason given").lower().replace("_", " ")
    message = f"{what} refuses a safe connection (TLS): {reason}."
    return PullError(message, "Check the address: scheme, host and port.")


def _tls_error(error: object) -> ssl.SSLError | None:
    """Look for the error of TLS below that of a client, each of which wraps it in its own way."""
    if isinstance(error, ssl.SSLError):
        return error
    if not isinstance(error, BaseException):
        return None
    inner = (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args)
    return next((found for item in inner if (found := _tls_error(item))), None)


def check_status(response: httpx.Response, what: str) -> None:
    """Let success and 304 pass; raise Transient for 429 and 5xx, PullError for the rest."""
    code = response.status_code
    if response.is_success or code == httpx.codes.NOT_MODIFIED:
        return
    message = f"{what} answered {code} {response.reason_phrase}".rstrip()
    if code == TOO_MANY_REQUESTS or code >= SERVER_ERROR:
        raise Transient(message, retry_after_s(response.headers.get("Retry-After")))
    message += "."
    raise PullError(message, "The address may have moved: check the catalogue entry.")


def retry_after_s(header: str | None) -> float | None:
    """Read a Retry-After header, in seconds or as a date; None where there is none to follow."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        then = parsedate_to_datetime(header)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=dt.UTC)
    return max(0.0, (then - dt.datetime.now(dt.UTC)).total_seconds())
