"""The HTTP client: timeouts, headers, and redirects that are looked at before they are followed."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import httpx

from data.access._retry import Retry
from data.errors import PullError

CONNECT_S = 15.0
READ_S = 60.0
MAX_REDIRECTS = 5
# Bytes as they lie on the server: their count can be checked and a broken download resumed.
HEADERS = {"User-Agent": "gridstead/0.1", "Accept-Encoding": "identity"}

_HINT = "The address may have moved: check the catalogue entry."


def open_client(retry: Retry) -> httpx.Client:
    """Open a client with the project's headers and the patience of a retry."""
    read_s = retry.read_s or READ_S
    timeout = httpx.Timeout(read_s, connect=retry.connect_s or CONNECT_S)
    return httpx.Client(timeout=timeout, headers=HEADERS)


@contextmanager
def asked(
    client: httpx.Client,
    url: str,
    headers: Mapping[str, str],
    secret: Mapping[str, str] | None = None,
) -> Generator[httpx.Response]:
    """Ask for a URL, following redirects; the body is still to be read.

    Parameters
    ----------
    headers
        Sent to whoever answers.
    secret
        Headers for the server of the URL alone: whom it redirects to does not get them.

    Raises
    ------
    PullError
        Redirects lead in a circle, never end, or lead to where they are not followed.
    """
    here = first = httpx.URL(url)
    seen = {here}
    while True:
        own = secret or {} if _origin(here) == _origin(first) else {}
        try:
            with client.stream("GET", here, headers={**headers, **own}) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                here = _next(response, here, first)
        except httpx.RemoteProtocolError as error:
            if "location header" not in str(error):
                raise
            message = f"{first} redirects to something that is no address."
            raise PullError(message, _HINT) from error
        if here in seen:
            message = f"{first} redirects in a circle, through {here}."
            raise PullError(message, _HINT)
        seen.add(here)
        if len(seen) > MAX_REDIRECTS + 1:
            message = f"{first} redirects more than {MAX_REDIRECTS} times, last to {here}."
            raise PullError(message, _HINT)


def _next(response: httpx.Response, here: httpx.URL, first: httpx.URL) -> httpx.URL:
    there = here.join(response.headers["Location"])
    if there.scheme not in {"http", "https"} or not there.host:
        message = (
            f"{first} redirects to a {there.scheme or 'nameless'}: address, which is not followed."
        )
        raise PullError(message, _HINT)
    if here.scheme == "https" and there.scheme == "http":
        message = f"{first} redirects from https to http ({there}), which is not followed."
        raise PullError(message, _HINT)
    return there.copy_with(fragment=None)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
