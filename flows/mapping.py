"""`gridstead map`: write the map page of a build, open it, serve it on this machine."""

import contextlib
import hashlib
import json
import shutil
import tempfile
import webbrowser
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from importlib.resources import as_file, files
from itertools import chain
from pathlib import Path
from typing import Any

from data import store
from data.errors import UsageError
from flows import keys, terms
from flows.exported import MANIFEST, sweep
from flows.map_about import FORMAT, about
from flows.map_build import Build
from flows.map_data import parcel_packs, place_packs, region_packs
from flows.map_tiles import archives
from flows.show import Shown
from geo.export.page import write_page

INDEX = "index.html"
FOLDER = "map"
# Where a page is made.
STAGED = ".map-"
LOCALHOST = "127.0.0.1"
MOST_PORT = 65_535


@dataclass(frozen=True)
class Page:
    """A page that was written.

    Attributes
    ----------
    folder
        Where it is.
    parts
        Bytes by part.
    is_reused
        Whether an equal one was there.
    is_restricted
        Whether it holds what may not be passed on.
    """

    folder: Path
    parts: dict[str, int]
    is_reused: bool
    is_restricted: bool

    @property
    def index(self) -> Path:
        """File to open."""
        return self.folder / INDEX

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(self.parts.values())


def write(build: Path, out: Path, *, with_restricted: bool = False) -> Page:
    """Write the map page of a build; the folder appears whole or stays as it was.

    Parameters
    ----------
    build
        Published build.
    out
        Folder of the page. When it already holds the page of an equal build it is left alone.
    with_restricted
        Include what may not be passed on; the page then says so.

    Raises
    ------
    UsageError
        The folder is a file, or holds something else than a page.
    """
    with store.open_build(build) as con:
        shown = Build(con, terms.withheld(con, with_restricted=with_restricted))
        is_restricted = shown.held.is_restricted
        key = _key(shown.run["inputs_sha256"], is_restricted=is_restricted)
        held = _manifest(out)
        if held and held["key"] == key and (out / INDEX).is_file():
            return Page(out, held["parts"], is_reused=True, is_restricted=is_restricted)
        out.parent.mkdir(parents=True, exist_ok=True)
        sweep(out.parent, f"{STAGED}*")
        staging = Path(tempfile.mkdtemp(prefix=STAGED, dir=out.parent))
        try:
            fresh = staging / "page"
            packs = chain(region_packs(shown), parcel_packs(shown), place_packs(shown))
            parts = write_page(fresh, partial(about, shown), packs, archives(shown))
            manifest = {"key": key, "run_id": shown.run["run_id"], "parts": parts}
            (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
            if out.exists():
                out.rename(staging / "old")
            fresh.rename(out)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Page(out, parts, is_reused=False, is_restricted=is_restricted)


def answer(
    build: Path,
    out: Path,
    *,
    with_restricted: bool = False,
    is_opened: bool = False,
    port: int | None = None,
) -> Shown:
    """Write the page, and open or serve it if asked to.

    Raises
    ------
    UsageError
        The port is none, or is in use.
    """
    if port is not None and not 0 <= port <= MOST_PORT:
        msg = f"--serve {port} is no port."
        raise UsageError(msg, f"Give one of 0 (any that is free) to {MOST_PORT}.")
    # Before the page is made: a port that is taken is known at once.
    server = None if port is None else _server(out, port)
    try:
        page = write(build, out, with_restricted=with_restricted)
        told = _shown(page)
        if server is None:
            if is_opened:
                webbrowser.open(page.index.as_uri())
            return told
        url = f"http://{LOCALHOST}:{server.server_port}/"
        print(f"{page.folder} is served at {url} until Ctrl-C.", flush=True)  # noqa: T201
        if is_opened:
            webbrowser.open(url)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
        return told
    finally:
        if server is not None:
            server.server_close()


def _shown(page: Page) -> Shown:
    rows = [{"part": part, "bytes": size} for part, size in page.parts.items()]
    notes = [
        f"Open {page.index} in a browser: it asks no server for anything."
        + (" It was there already." if page.is_reused else "")
    ]
    if page.is_restricted:
        notes.append(terms.RESTRICTED_SENTENCE)
    payload = {
        "page": str(page.index),
        "bytes": page.size,
        "parts": page.parts,
        "is_reused": page.is_reused,
        "is_restricted": page.is_restricted,
    }
    return Shown(f"Map page, {page.size / 1e6:.1f} MB", rows, notes=notes, payload=payload)


class _Handler(SimpleHTTPRequestHandler):
    """Files of the page, with types that do not depend on the machine's registry."""

    extensions_map = {  # noqa: RUF012
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".txt": "text/plain; charset=utf-8",
        ".json": "application/json",
        "": "application/octet-stream",
    }

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing of each request."""

    def list_directory(self, path: Any) -> None:  # noqa: ARG002
        """Show no folders."""
        self.send_error(404, "Not found")


class _Server(ThreadingHTTPServer):
    """On one port there is one server: no other may share it."""

    allow_reuse_address = True
    daemon_threads = True


def _server(folder: Path, port: int) -> ThreadingHTTPServer:
    try:
        return _Server((LOCALHOST, port), partial(_Handler, directory=str(folder)))
    except OSError as error:
        msg = f"Port {port} cannot be used: {error.strerror}."
        raise UsageError(msg, "Name another one, or 0 for any that is free.") from error


def _manifest(out: Path) -> dict[str, Any] | None:
    """Read what the folder says that it holds; None where there is no folder, or an empty one."""
    if not out.exists():
        return None
    if not out.is_dir():
        msg = f"{out} is not a folder."
        raise UsageError(msg, "Name a folder with --out; it is made when it is missing.")
    if not any(out.iterdir()):
        return None
    try:
        told = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        return {
            "key": str(told["key"]),
            "parts": {str(k): int(v) for k, v in told["parts"].items()},
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f"{out} holds something else than a map page."
        raise UsageError(
            msg, "Name another folder with --out: it is replaced as a whole."
        ) from error


def _key(inputs_sha256: str, *, is_restricted: bool) -> str:
    """Tell apart the pages of builds, and those that other versions of the page's files make of one build."""
    digest = hashlib.sha256()
    with as_file(files("geo.export.page")) as package:
        for folder in ("app", "vendor"):
            for path in sorted((package / folder).iterdir()):
                digest.update(f"{folder}/{path.name}\0".encode())
                digest.update(path.read_bytes())
    code = keys.code_key(keys.ALL_CODE)
    return keys.key_of(
        inputs_sha256, version("gridstead"), FORMAT, code, is_restricted, digest.hexdigest()
    )
