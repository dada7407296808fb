"""A small upstream on 127.0.0.1, scripted per path: what it answers, and what it was asked."""

import contextlib
import json
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.upstream.local_server import Handler, LocalServer


@dataclass(frozen=True)
class Request:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """`cut` sends only so many bytes of the body and then hangs up; None leaves no length.

    `wait_s` is slept before the first byte, `stall_s` after half of the body.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    length: int | None = -1
    wait_s: float = 0.0
    stall_s: float = 0.0


Answer = Callable[[Request], Response]
Route = Answer | Response | list[Answer | Response]


class Upstream(LocalServer):
    """The server: `routes` maps a path to an answer or to a list of answers, given in turn.

    A path that ends in `/*` stands for all below it that have no route of their own.
    """

    def __init__(self, port: int = 0) -> None:
        self.routes: dict[str, Route] = {}
        self.requests: list[Request] = []
        upstream = self

        class Answering(Handler):
            def do_GET(self) -> None:  # noqa: N802
                parts = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                given = parse_qs(parts.query, keep_blank_values=True)
                if "form" in self.headers.get("Content-Type", ""):
                    given |= parse_qs(body.decode(), keep_blank_values=True)
                request = Request(
                    parts.path,
                    {name: values[-1] for name, values in given.items()},
                    {k.lower(): v for k, v in self.headers.items()},
                    self.command,
                    body,
                )
                upstream.requests.append(request)
                self._send(upstream.answer(request))

            do_HEAD = do_POST = do_GET  # noqa: N815

            def _send(self, response: Response) -> None:
                length = len(response.body) if response.length == -1 else response.length
                body = response.body if response.cut is None else response.body[: response.cut]
                told = None if response.status == 304 else length
                time.sleep(response.wait_s)
                body = b"" if self.command == "HEAD" else body
                self.send(response.status, body, response.headers, told, response.stall_s)

        super().__init__(Answering, port)

    def answer(self, request: Request) -> Response:
        answer = self.route(request.path)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return answer if isinstance(answer, Response) else answer(request)

    def route(self, path: str) -> Route:
        """Return the route of a path, or the one of the nearest folder above it."""
        if path in self.routes:
            return self.routes[path]
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if f"{folder}/*" in self.routes:
                return self.routes[f"{folder}/*"]
        return Response(status=404)

    def url(self, path: str) -> str:
        return f"{self.root}{path}"


@contextlib.contextmanager
def running(port: int = 0) -> Generator[Upstream]:
    with Upstream(port) as upstream:
        yield upstream


def conditional(
    body: bytes, etag: str | None = '"v1"', last_modified: str | None = None, **headers: str
) -> Answer:
    """Answer 304 to whoever has the tag or the date, and honour ranges of whoever names it."""
    about = {"ETag": etag, "Last-Modified": last_modified} | headers
    said = {name: value for name, value in about.items() if value}

    def answer(request: Request) -> Response:
        asked = request.headers
        if "if-none-match" in asked:
            is_same = asked["if-none-match"] == etag
        else:
            is_same = last_modified is not None and asked.get("if-modified-since") == last_modified
        if is_same:
            return Response(status=304, headers=said)
        wanted = asked.get("range", "")
        if wanted and asked.get("if-range") in {etag, last_modified} - {None}:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                return Response(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
            span = f"bytes {start}-{len(body) - 1}/{len(body)}"
            return Response(body[start:], 206, said | {"Content-Range": span})
        return Response(body, headers=said)

    return answer


def reply(content: Any) -> Response:
    return Response(json.dumps(content).encode(), headers={"Content-Type": "application/json"})
