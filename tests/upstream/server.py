"""A small upstream on 127.0.0.1, scripted per path: what it answers, and what it was asked."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.upstream.local_server import Handler, LocalServer


@dataclass(frozen=True)
class Request:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Response:
    """`cut` sends only so many bytes of the body and then hangs up; None leaves no length."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    length: int | None = -1


Answer = Callable[[Request], Response]


class Upstream(LocalServer):
    """The server: `routes` maps a path to an answer or to a list of answers, given in turn."""

    def __init__(self) -> None:
        self.routes: dict[str, Answer | Response | list[Answer | Response]] = {}
        self.requests: list[Request] = []
        upstream = self

        class Answering(Handler):
            def do_GET(self) -> None:  # noqa: N802
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                request = Request(
                    parts.path, query, {k.lower(): v for k, v in self.headers.items()}
                )
                upstream.requests.append(request)
                self._send(upstream.answer(request))

            def _send(self, response: Response) -> None:
                length = len(response.body) if response.length == -1 else response.length
                body = response.body if response.cut is None else response.body[: response.cut]
                told = None if response.status == 304 else length
                self.send(response.status, body, response.headers, told)

        super().__init__(Answering)

    def answer(self, request: Request) -> Response:
        answer = self.routes.get(request.path, Response(status=404))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return answer if isinstance(answer, Response) else answer(request)

    def url(self, path: str) -> str:
        return f"{self.root}{path}"


@contextlib.contextmanager
def running() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


def conditional(body: bytes, etag: str = '"v1"') -> Answer:
    """Answer 304 to whoever has the tag, and honour ranges of whoever names it."""

    def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == etag:
            return Response(status=304, headers={"ETag": etag})
        wanted = request.headers.get("range", "")
        if wanted and request.headers.get("if-range") == etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            span = f"bytes {start}-{len(body) - 1}/{len(body)}"
            return Response(body[start:], 206, {"ETag": etag, "Content-Range": span})
        return Response(body, headers={"ETag": etag})

    return answer


def reply(content: Any) -> Response:
    return Response(json.dumps(content).encode(), headers={"Content-Type": "application/json"})
