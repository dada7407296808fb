"""One file behind one URL: conditional, resumable, capped, proved whole."""

import json
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import httpx

from data.access._client import asked, open_client
from data.access._request import Fetched, Request
from data.access._retry import Transient, check_status
from data.access._secrets import fill, mark
from data.access._whole import check_whole
from data.address import HttpAccess
from data.errors import IntegrityError, PullError

_CHUNK = 256 * 1024


def fetch_http(access: HttpAccess, request: Request) -> Fetched | None:
    """Fetch a file; None says that the last good copy is still current (304).

    Raises
    ------
    PullError
        The server refuses, keeps failing, sends more than the cap, a web page or a damaged file.
    """
    filename = access.filename or _filename(access.url)
    part = _Part(request.folder / f"{filename}.part")
    url = fill(access.url)
    secret = {name: fill(value) for name, value in access.headers.items()}

    def attempt() -> Fetched | None:
        headers = _headers(access, request, part)
        with asked(client, url, headers, secret) as response:
            return _receive_file(response, access, request, part, filename)

    with open_client(request.retry) as client:
        return request.retry.run(access.url, attempt)


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
        return note.get("validator") if note.get("url") == mark(url) else None

    def begin(self, url: str, response: httpx.Response) -> None:
        """Start anew, remembering by what the rest can be asked for later."""
        etag = response.headers.get("ETag")
        # If-Range takes strong validators only; a weak tag may name different bytes.
        strong = etag if etag and not etag.startswith("W/") else None
        validator = strong or response.headers.get("Last-Modified")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._note.write_text(
            json.dumps({"url": mark(url), "validator": validator}), encoding="utf-8"
        )

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self, filename: str) -> Path:
        target = self.path.with_name(filename)
        self.path.replace(target)
        self._note.unlink(missing_ok=True)
        return target


def _receive_file(
    response: httpx.Response, access: HttpAccess, request: Request, part: _Part, filename: str
) -> Fetched | None:
    if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.discard()
        message = f"{access.url} has no such range any more"
        raise Transient(message)
    check_status(response, access.url)
    if response.status_code == httpx.codes.NOT_MODIFIED:
        return None
    total = _begin(response, access, part)
    _receive(response, access, request, part, total)
    try:
        check_whole(access.url, part.path, filename, response.headers.get("Content-Type", ""))
    except (Transient, IntegrityError):
        # A part of a damaged file is no part of a whole one.
        part.discard()
        raise
    return Fetched(
        path=part.finish(filename),
        filename=filename,
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
        if _is_other(response, part.validator(access.url)):
            part.discard()
            message = f"{access.url} changed between two ranges"
            raise Transient(message)
        return int(whole) if whole.isdigit() else None
    part.begin(access.url, response)
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and not _is_encoded(response) else None


def _is_other(response: httpx.Response, validator: str | None) -> bool:
    """Whether a range says that it is of another file; servers that ignore If-Range exist."""
    if validator is None:
        return False
    said = response.headers.get("ETag" if validator.startswith('"') else "Last-Modified")
    return said is not None and said != validator


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
