"""Trying again: which failures deserve it, and how long to wait."""

import datetime as dt
import random
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
    """How often and how patiently a request is repeated."""

    attempts: int = 5
    base_s: float = 1.0
    max_s: float = 60.0
    max_retry_after_s: float = 120.0
    sleep: Callable[[float], None] = time.sleep

    def run(self, what: str, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it succeeds, fails for good, or has failed `attempts` times.

        Network errors, 5xx and 429 are tried again; anything else is not.

        Raises
        ------
        PullError
            Every attempt failed; the message names the last failure.
        """
        last: Exception | None = None
        for number in range(self.attempts):
            try:
                return attempt()
            except Transient as error:
                last, wait = error, error.retry_after_s
            except httpx.TransportError as error:
                last, wait = error, None
            except (httpx.RequestError, httpx.InvalidURL) as error:
                message = f"{what} cannot be read: {error}."
                raise PullError(message, "Check the address in the catalogue entry.") from error
            if number + 1 < self.attempts:
                self.sleep(self._pause(number, wait))
        message = f"{what} failed {self.attempts} times: {str(last) or type(last).__name__}."
        raise PassingPullError(message, "The server may be down: try again later.") from last

    def _pause(self, number: int, retry_after_s: float | None) -> float:
        if retry_after_s is not None:
            return min(max(retry_after_s, 0.0), self.max_retry_after_s)
        # Full jitter keeps many clients that failed together from coming back together.
        return random.uniform(0.5, 1.0) * min(self.max_s, self.base_s * 2**number)  # noqa: S311


class Transient(Exception):  # noqa: N818
    """A failure that may pass: worth another attempt, after the pause the server asks for."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


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
