"""A stand-in for an Overpass API on 127.0.0.1: recorded answers, and the ways in which the real one fails.

It understands as much of the query language as osmnx speaks: unions of `node`, `way` and `relation` with tags
(`['power'='substation']`, `["highway"~"..."]`, `["access"!~"private"]`) in a polygon, each with what it consists of.
"""

import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.upstream.local_server import Handler, LocalServer

RECORDED = Path(__file__).parent / "osm"
FREE = """Connected as: 1234567890
Current time: 2026-11-20T06:10:00Z
Announced endpoint: none
Rate limit: 2
2 slots available now.
Currently running queries (pid, space limit, time limit, start time):
"""
WAITING = FREE.replace(
    "2 slots available now.\n",
    "Slot available after: 2026-11-20T06:10:42Z, in 42 seconds.\n"
    "Slot available after: 2026-11-20T06:10:07Z, in 7 seconds.\n",
)
BUSY = FREE.replace("2 slots available now.\n", "")
PAGE = """<?xml version="1.0" encoding="UTF-8"?><html><head><title>OSM3S Response</title></head><body>
<p>The data included in this document is from www.openstreetmap.org.</p>
<p><strong style="color:#FF0000">Error</strong>: {error} </p></body></html>"""
TIMED_OUT = 'runtime error: Query timed out in "query" at line 1 after 180 seconds.'
OUT_OF_MEMORY = (
    'runtime error: Query run out of memory in "query" at line 1 using about 512 MB: out of memory'
)


@dataclass(frozen=True)
class Failure:
    """What is answered in the place of a recorded answer; `cut` leaves out the end of a good one."""

    status: int = 200
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    remark: str | None = None
    cut: int | None = None
    hang_up: bool = False


def recorded(name: str) -> dict[str, Any]:
    """Return a recorded answer."""
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


class Overpass(LocalServer):
    """The server: answers from elements; `failures` come first, each once."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.failures: list[Failure] = []
        self.status = FREE
        self.queries: list[str] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        overpass = self

        class Answering(Handler):
            def do_GET(self) -> None:  # noqa: N802
                status = overpass.status.encode()
                self.send(200, status, {}, len(status))

            def do_POST(self) -> None:  # noqa: N802
                length = int(self.headers["Content-Length"])
                query = parse_qs(self.rfile.read(length).decode())["data"][0]
                with overpass.counted():
                    overpass.queries.append(query)
                    failure = overpass.failures.pop(0) if overpass.failures else Failure()
                    if failure.hang_up:
                        self.close_connection = True
                        return
                    body = overpass.body(query, failure)
                    self.send(failure.status, body, failure.headers, len(body))

        super().__init__(Answering)

    @property
    def url(self) -> str:
        return f"{self.root}/api"

    def body(self, query: str, failure: Failure) -> bytes:
        if failure.body is not None:
            return failure.body.encode()
        elements = [] if failure.remark else select(self.answer["elements"], query)
        answer = self.answer | {"elements": elements}
        if failure.remark:
            answer["remark"] = failure.remark
        return json.dumps(answer).encode()[: failure.cut]

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        yield
        with self._lock:
            self._now -= 1


def select(elements: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    """Elements that a query asks for, and what they consist of, in recorded order."""
    held = {(element["type"], element["id"]): element for element in elements}
    chosen: dict[tuple[str, int], None] = {}
    for kind, filters in re.findall(r"(node|way|relation)((?:\[[^\]]*\])+)\(poly:", query):
        for key, element in held.items():
            if key[0] == kind and _passes(element.get("tags", {}), filters):
                chosen |= dict.fromkeys(_with_parts(key, held))
    return [element for key, element in held.items() if key in chosen]


def _passes(tags: dict[str, str], filters: str) -> bool:
    for text in re.findall(r"\[([^\]]*)\]", filters):
        key, operator, value = re.fullmatch(
            r"""["']([^"']+)["'](?:(=|~|!~)["'](.*)["'])?""", text
        ).groups()
        if operator == "=":
            passes = tags.get(key) == value
        elif operator == "~":
            passes = re.search(value, tags.get(key, "\0")) is not None
        elif operator == "!~":
            passes = re.search(value, tags.get(key, "\0")) is None
        else:
            passes = key in tags
        if not passes:
            return False
    return True


def _with_parts(
    key: tuple[str, int], held: dict[tuple[str, int], dict[str, Any]]
) -> Iterable[tuple[str, int]]:
    yield key
    element = held[key]
    for number in element.get("nodes", []):
        yield "node", number
    for member in element.get("members", []):
        yield from _with_parts((member["type"], member["ref"]), held)


@contextmanager
def running(name: str = "features") -> Iterator[Overpass]:
    """Run the stand-in on a recorded answer."""
    with Overpass(recorded(name)) as overpass:
        yield overpass
