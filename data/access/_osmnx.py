"""osmnx with one request at a time, our own patience, and answers that are judged before it takes them.

Left alone, osmnx sleeps 55 s after a 429 or 504 and calls itself without an end, takes the remark of a
query that ran out of time for an answer without features, asks a public resolver for names, and keeps its
settings for the whole process. Here each answer goes through a hook of `requests` that raises what
`Retry` understands, and settings are put back afterwards.
"""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import requests

from data.access._client import HEADERS
from data.access._retry import (
    SERVER_ERROR,
    TOO_MANY_REQUESTS,
    Retry,
    Transient,
    retry_after_s,
    tls_refusal,
)
from data.errors import PullError

TIMEOUT_S = 180
STATUS_S = 30
# One query for a box of 316 km by 316 km; osmnx divides what is larger.
MAX_QUERY_AREA_M2 = 1e11
# Answers of a fetch that broke off are used again for so long: parts of one picture belong together.
MAX_CACHED_S = 6 * 3600
# When all slots are taken and none says when it will be free.
BUSY_S = 15.0

_CHUNK = 256 * 1024
# Keys that osmnx keeps beside the tags of an element; a tag of that name would take their place.
_OWN_KEYS = frozenset({"element", "id", "type", "nodes", "members", "geometry", "lat", "lon"})
# Before the key of such a tag.
RENAMED = "tag:"
# Settings are of the process, so whoever uses them waits for whoever does.
_SLOT = threading.Lock()

T = TypeVar("T")


def ask(
    url: str, folder: Path, max_bytes: int, retry: Retry, question: Callable[[ModuleType], T]
) -> T:
    """Put a question to an Overpass API through osmnx.

    Parameters
    ----------
    url
        URL of the API, without /interpreter.
    folder
        Where osmnx keeps answers, so that a question of several parts goes on where it broke off.
    max_bytes
        Most that one answer may hold.
    retry
        How often and how patiently a request is repeated, and how long a slot is waited for.
    question
        Called with osmnx, again after a failure that may pass.

    Raises
    ------
    PullError
        The server refuses or keeps failing, its answer is too large, or nothing is found.
    """
    from osmnx._errors import InsufficientResponseError

    judge = _Judge(url, max_bytes)
    timeout_s = retry.read_s or TIMEOUT_S

    def attempt() -> T:
        _wait_for_slot(url, retry)
        try:
            return question(osmnx)
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
            message = f"{url} cannot be read: {error}."
            raise PullError(message, "Check the address of the API.") from error
        except requests.RequestException as error:
            if refusal := tls_refusal(url, error):
                raise refusal from error
            raise Transient(_reason(error, timeout_s)) from error
        except json.JSONDecodeError as error:
            # A process that was killed leaves an answer cut short, which osmnx would trust for ever.
            _forget(folder)
            message = "an answer in the cache is damaged"
            raise Transient(message) from error
        except InsufficientResponseError as error:
            message = f"{url} knows nothing of these tags in that box."
            raise PullError(message, "Check tags and box: an empty answer is not used.") from error

    with _settings(url, folder, judge, timeout_s) as osmnx:
        _forget(folder, MAX_CACHED_S)
        return retry.run(url, attempt)


def as_of(folder: Path) -> str | None:
    """Return the date and time up to which the kept answers know edits, the earliest of them."""
    stamps = []
    for path in sorted(folder.glob("*.json")):
        answer = json.loads(path.read_text(encoding="utf-8"))
        stamps.append((answer.get("osm3s") or {}).get("timestamp_osm_base"))
    return min((stamp for stamp in stamps if isinstance(stamp, str)), default=None)


class _Judge:
    """Reads each answer before osmnx does, and raises where it is none."""

    def __init__(self, url: str, max_bytes: int) -> None:
        self._url = url
        self._cap = max_bytes

    def __call__(self, response: requests.Response, *_: Any, **__: Any) -> requests.Response:
        if response.is_redirect:
            return response
        content = self._read(response)
        if response.status_code != requests.codes.ok:
            raise self._refusal(response, content)
        try:
            answer = json.loads(content)
        except ValueError as error:
            raise self._no_json(content) from error
        if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
            message = f"{self._url} answered JSON without elements"
            raise Transient(message)
        if remark := answer.get("remark"):
            raise self._remark(str(remark))
        # What `iter_content` has read is kept where `response.content` looks for it.
        response._content = _without_own_keys(answer, content)  # noqa: SLF001
        return response

    def _read(self, response: requests.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for chunk in response.iter_content(_CHUNK):
            size += len(chunk)
            if size > self._cap:
                message = f"{self._url} answered more than the {self._cap:,} bytes allowed."
                hint = "Draw a smaller box, raise max_bytes, or take an .osm.pbf extract."
                raise PullError(message, hint)
            parts.append(chunk)
        return b"".join(parts)

    def _refusal(self, response: requests.Response, content: bytes) -> Exception:
        code = response.status_code
        message = f"{self._url} answered {code} {response.reason}".rstrip()
        if code == TOO_MANY_REQUESTS or code >= SERVER_ERROR:
            return Transient(message, retry_after_s(response.headers.get("Retry-After")))
        said = _words(content)
        hint = "Check url, tags and bbox."
        return PullError(f"{message}: {said}." if said else f"{message}.", hint)

    def _no_json(self, content: bytes) -> Exception:
        if content.lstrip()[:1] == b"<":
            return Transient(f"{self._url} answered a page: {_words(content) or 'without words'}")
        return Transient(f"{self._url} answered JSON that is cut short")

    def _remark(self, remark: str) -> Exception:
        message = f"{self._url} did not finish: {remark.strip().rstrip('.')}"
        if "out of memory" in remark:
            # It would run out of it again.
            hint = "Draw a smaller box, or take an .osm.pbf extract."
            return PullError(f"{message}.", hint)
        return Transient(message)


@contextmanager
def _settings(url: str, folder: Path, judge: _Judge, timeout_s: float) -> Generator[ModuleType]:
    """Lend out osmnx with our settings; what it changes in the process is put back."""
    # It takes half a second to import: only who asks pays for it.
    import osmnx

    ours = {
        "cache_folder": folder,
        "doh_url_template": None,
        "http_referer": "",
        "http_user_agent": HEADERS["User-Agent"],
        "max_query_area_size": MAX_QUERY_AREA_M2,
        # Its own waiting cannot be cut short: see `_wait_for_slot`.
        "overpass_rate_limit": False,
        "overpass_url": url,
        "requests_kwargs": {"hooks": {"response": judge}, "stream": True},
        "requests_timeout": timeout_s,
        "use_cache": True,
    }
    with _SLOT:
        before = {name: getattr(osmnx.settings, name) for name in ours}
        resolve = socket.getaddrinfo
        try:
            for name, value in ours.items():
                setattr(osmnx.settings, name, value)
            yield osmnx
        finally:
            for name, value in before.items():
                setattr(osmnx.settings, name, value)
            # It maps the server's name to one address for the rest of the process.
            socket.getaddrinfo = resolve


def _wait_for_slot(url: str, retry: Retry) -> None:
    """Wait until the server has a slot for us; one that does not say is asked at once."""
    wait_s = retry.read_s or STATUS_S
    try:
        response = requests.get(f"{url.rstrip('/')}/status", headers=HEADERS, timeout=wait_s)
    except requests.RequestException:
        return
    seconds = slot_wait_s(response.text) if response.ok else 0.0
    if seconds > 0:
        retry.sleep(min(seconds, retry.max_retry_after_s))


def slot_wait_s(status: str) -> float:
    """Read from the text of /status how many seconds the next slot is away; 0 where it is free."""
    free = re.search(r"^(\d+) slots? available now", status, re.MULTILINE)
    if re.search(r"^Rate limit: 0\s*$", status, re.MULTILINE) or (free and int(free[1])):
        return 0.0
    waits = re.findall(r"^Slot available after: .*?, in (-?\d+) seconds", status, re.MULTILINE)
    if waits:
        return max(0.0, min(float(wait) for wait in waits))
    return BUSY_S if re.search(r"^Rate limit: \d+", status, re.MULTILINE) else 0.0


def _forget(folder: Path, max_age_s: float = 0.0) -> None:
    for path in folder.glob("*.json"):
        if time.time() - path.stat().st_mtime >= max_age_s:
            path.unlink(missing_ok=True)


def _without_own_keys(answer: dict[str, Any], content: bytes) -> bytes:
    """Rename tags that osmnx would take for its own keys; almost no answer has any."""
    is_changed = False
    for element in answer["elements"]:
        tags = element.get("tags") or {}
        allowed = {"type"} if element.get("type") == "relation" else set()
        for key in _OWN_KEYS & set(tags) - allowed:
            tags[f"{RENAMED}{key}"] = tags.pop(key)
            is_changed = True
    return json.dumps(answer).encode() if is_changed else content


def _words(content: bytes) -> str:
    """Take the sentence out of an error page."""
    text = re.sub(
        r"<(head|style|script).*?</\1>", " ", content.decode("utf-8", "replace"), flags=re.DOTALL
    )
    text = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    error = re.search(r"Error\s*: .*", text)
    return (error[0] if error else text)[:200].rstrip(" .")


def _reason(error: requests.RequestException, timeout_s: float) -> str:
    if isinstance(error, requests.Timeout):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached or hung up"
    return f"{type(error).__name__}: {error}"
