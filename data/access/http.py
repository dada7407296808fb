"""One file behind one URL: conditional, resumable, capped."""

import json
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import httpx

from data.access._request import Fetched, Request
from data.access._retry import Transient, check_status
from data.address import HttpAccess
from data.errors import PullError

TIMEOUT = httpx.Timeout(30.0, connect=15.0, read=60.0)
# Bytes as they lie on the server: their count can be checked and a broken download resumed.
HEADERS = {"User-Agent": "gridstead/0.1", "Accept-Encoding": "identity"}

_CHUNK = 256 * 1024


def open_client() -> httpx.Client:
    """Open a client with the project's timeouts and headers; redirects are followed."""
    return httpx.Client(timeout=TIMEOUT, headers=HEADERS, follow_redirects=True, max_redirects=5)


def fetch_http(access: HttpAccess, request: Request) -> Fetched | None:
    """Fetch a file; None says that the last good copy is still current (304).

    Raises
    ------
    PullError
        The server refuses, keeps failing, or sends more than the cap.
    """
    filename = access.filename or _filename(access.url)
    part = _Part(request.folder / f"{filename}.part")
    with open_client() as client:
        return request.retry.run(access.url, lambda: _attempt(client, access, request, part))


class _Part:
    """A download in progress: the bytes so far and the validators that they belong to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._note = path.with_name(path.name + ".json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self, url: str) -> str | None:
        """Return what a resumed download of the URL must match; None where it cannot resume."""
        if not self.size or not self._note.exists():
            return None
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except ValueError:
            return None
        return note.get("validator") if note.get("url") == url else None

    def begin(self, url: str, response: httpx.Response) -> None:
        """Start anew, remembering by what the rest can be asked for later."""
        etag = response.headers.get("ETag")
        # If-Range takes strong validators only; a weak tag may name different bytes.
        strong = etag if etag and not etag.startswith("W/") else None
        validator = strong or response.headers.get("Last-Modified")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._note.write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self, filename: str) -> Path:
        target = self.path.with_name(filename)
        self.path.replace(target)
        self._note.unlink(missing_ok=True)
        return target


def _attempt(
    client: httpx.Client, access: HttpAccess, request: Request, part: _Part
) -> Fetched | None:
    with client.stream("GET", access.url, headers=_headers(access, request, part)) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.discard()
            message = f"{access.url} has no such range any more"
            raise Transient(message)
        check_status(response, access.url)
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None
        total = _begin(response, access, part)
        _receive(response, access, request, part, total)
        return Fetched(
            path=part.finish(access.filename or _filename(access.url)),
            filename=access.filename or _filename(access.url),
            etag=response.headers.get("ETag"),
            last_modified=response.headers.get("Last-Modified"),
        )


def _headers(access: HttpAccess, request: Request, part: _Part) -> dict[str, str]:
    validator = part.validator(access.url)
    if validator:
        return {"Range": f"bytes={part.size}-", "If-Range": validator}
    headers = {"If-None-Match": request.etag, "If-Modified-Since": request.last_modified}
    return {name: value for name, value in headers.items() if value}


def _begin(response: httpx.Response, access: HttpAccess, part: _Part) -> int | None:
    """Place the write position; return the size of the whole file where the server says it."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        unit, _, span = response.headers.get("Content-Range", "").partition(" ")
        first, _, whole = span.partition("/")
        if unit != "bytes" or first.partition("-")[0] != str(part.size):
            part.discard()
            message = f"{access.url} sent another range than was asked for"
            raise Transient(message)
        return int(whole) if whole.isdigit() else None
    part.begin(access.url, response)
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and not _is_encoded(response) else None


def _receive(
    response: httpx.Response,
    access: HttpAccess,
    request: Request,
    part: _Part,
    total: int | None,
) -> None:
    cap = min(access.max_bytes, request.max_bytes)
    if total is not None and total > cap:
        part.discard()
        raise _too_large(access, cap)
    done = part.size
    request.report(done, total)
    chunks = response.iter_bytes(_CHUNK) if _is_encoded(response) else response.iter_raw(_CHUNK)
    with part.path.open("ab") as file:
        for chunk in chunks:
            done += len(chunk)
            if done > cap:
                break
            file.write(chunk)
            request.report(done, total)
    if done > cap:
        part.discard()
        raise _too_large(access, cap)
    if total is not None and done != total:
        if done > total:
            part.discard()
        message = f"{access.url} sent {done:,} bytes where it announced {total:,}"
        raise Transient(message)


def _is_encoded(response: httpx.Response) -> bool:
    return response.headers.get("Content-Encoding", "identity") != "identity"


def _too_large(access: HttpAccess, cap: int) -> PullError:
    message = f"{access.url} is larger than the {cap:,} bytes allowed."
    return PullError(message, "Raise max_bytes in the catalogue entry if that is right.")


def _filename(url: str) -> str:
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    return name if name not in {"", ".", ".."} and "\\" not in name else "download"
