"""A real Chromium without network, pages of small finished studies, and what a page may not do in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

# Needs no browser; it is imported first because it sets up where Prefect may write.
from tests.flows.conftest import _prefect_home  # noqa: F401

# isort: split
from flows import cli
from tests.browser import worlds
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.opened import Opened

# What Chromium says about itself and its software WebGL.
OF_CHROMIUM = ("[.WebGL-", "GPU stall due to ReadPixels", "WebGL: CONTEXT_LOST_WEBGL")
TIMEOUT_MS = 30_000


def missing(reason: str) -> None:
    """Skip, for want of a program; where everything has to be there, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home in which the study of 36 counties was run: not to be written to."""
    return worlds.make_board(tmp_path_factory.mktemp("board"))


@pytest.fixture(scope="session")
def hostile(board: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home with the same build, in which everything has a hostile name."""
    return worlds.make_hostile(board, tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def build(board: Path) -> Path:
    """Build that `page` shows."""
    return board / "gridstead.duckdb"


@pytest.fixture(scope="session")
def page(board: Path) -> Path:
    """Folder of the page of the 36 counties: not to be written to."""
    return made_page(board)


@pytest.fixture(scope="session")
def hostile_page(hostile: Path) -> Path:
    """Folder of the page with hostile names."""
    return made_page(hostile)


@pytest.fixture
def own_page(page: Path, tmp_path: Path) -> Path:
    """A copy of the page to change."""
    return Path(shutil.copytree(page, tmp_path / "page"))


def made_page(home: Path) -> Path:
    """Write the page of a home with the command that users type."""
    out = home.parent / "page"
    assert cli.main(["map", "--home", str(home), "--out", str(out), "--json"]) == 0
    return out


@pytest.fixture(scope="package")
def _playwright(page: Path, hostile_page: Path) -> Iterator[Any]:
    """Playwright, begun when all pages are made: while it runs no other event loop can in this thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def launch(_playwright: Any) -> Iterator[Callable[..., Any]]:
    """Start the machine's own Chromium, once for each list of further arguments."""
    path = find_chromium()
    if path is None:
        missing("there is no Chromium: apt-get install chromium, or set GRIDSTEAD_CHROMIUM")
    started: dict[tuple[str, ...], Any] = {}

    def command(*arguments: str) -> Any:
        if arguments not in started:
            started[arguments] = _playwright.chromium.launch(
                executable_path=path, args=[*ARGUMENTS, *arguments]
            )
        return started[arguments]

    yield command
    for browser in started.values():
        browser.close()


@pytest.fixture
def visit(launch: Callable[..., Any], page: Path) -> Iterator[Callable[..., Opened]]:
    """Open a page in a new context; whatever went wrong in it fails the test in the end."""
    contexts: list[tuple[Any, Opened]] = []

    def command(
        where: Path | str = page,
        words: str = "",
        *,
        width: int = 1280,
        height: int = 800,
        started: bool = True,
        arguments: tuple[str, ...] = (),
        script: str | None = None,
        **options: Any,
    ) -> Opened:
        url = where if isinstance(where, str) else (where / "index.html").as_uri()
        from_disk = url.startswith("file:")
        context = launch(*arguments).new_context(
            viewport={"width": width, "height": height},
            offline=from_disk,
            **{"reduced_motion": "reduce"} | options,
        )
        if script:
            context.add_init_script(script)
        opened = _watched(context, "" if from_disk else urlsplit(url).netloc)
        contexts.append((context, opened))
        opened.page.goto(f"{url}#{words}" if words else url)
        if started:
            opened.wait_started()
        return opened

    yield command
    problems = [problem for _, opened in contexts for problem in opened.found()]
    for context, _ in contexts:
        context.close()
    assert problems == []


def _watched(context: Any, host: str) -> Opened:
    """Open an empty page and write down what it should not do; `host` alone may be asked for files."""
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    opened = Opened(page)

    def said(message: Any) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(OF_CHROMIUM):
            opened.problems.append(f"console {message.type}: {message.text}")

    def asked(request: Any) -> None:
        parts = urlsplit(request.url)
        own = parts.scheme in {"file", "blob", "data"} or (host and parts.netloc == host)
        if not own:
            opened.problems.append(f"request: {request.url[:200]}")

    def dialog(message: Any) -> None:
        opened.problems.append(f"dialog: {message.message[:200]}")
        message.dismiss()

    context.on("request", asked)
    context.on("weberror", lambda error: opened.problems.append(f"error: {error.error}"))
    page.on("console", said)
    page.on("dialog", dialog)
    page.on("popup", lambda popup: opened.problems.append(f"popup: {popup.url}"))
    return opened
