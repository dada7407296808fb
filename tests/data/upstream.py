"""A small upstream on 127.0.0.1, scripted per path, and makers of the artefacts it serves."""

import contextlib
import hashlib
import json
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.data.local_server import Handler, LocalServer


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


class ArcgisLayer:
    """A layer with features at the given ids that answers at most `limit` of them at once."""

    def __init__(self, ids: list[int], *, limit: int = 3, **about: Any) -> None:
        self.ids = ids
        self.limit = limit
        self.about = {"maxRecordCount": limit, "supportedQueryFormats": "JSON, geoJSON"} | about
        self.count: int | None = None
        self.drop: set[int] = set()

    def routes(self, path: str) -> dict[str, Answer]:
        return {path: lambda _: reply(self.about), f"{path}/query": self.query}

    def query(self, request: Request) -> Response:
        query = request.query
        if "returnIdsOnly" in query:
            return reply({"objectIdFieldName": "OID", "objectIds": self.ids[::-1]})
        if "returnCountOnly" in query:
            return reply({"count": len(self.ids) if self.count is None else self.count})
        low, high = (int(part.split()[2]) for part in query["where"].split(" AND ")[-2:])
        wanted = [number for number in self.ids if low <= number <= high]
        given = [number for number in wanted[: self.limit] if number not in self.drop]
        answer: dict[str, Any] = {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "id": number,
                    "geometry": {"type": "Point", "coordinates": [-100 + number / 100, 40]},
                    "properties": {"OID": number, "NAME": f"line {number}"},
                }
                for number in given
            ],
        }
        if len(wanted) > self.limit:
            answer["properties"] = {"exceededTransferLimit": True}
        return reply(answer)


def reply(content: Any) -> Response:
    return Response(json.dumps(content).encode(), headers={"Content-Type": "application/json"})


def make_wheel(folder: Path, name: str, version: str, members: dict[str, bytes]) -> Path:
    """Write a wheel that pip accepts."""
    stem = f"{name}-{version}"
    info = f"{stem}.dist-info"
    files = members | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(body)},{len(body)}\n" for path, body in files.items())
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, body in (files | {f"{info}/RECORD": record.encode()}).items():
            archive.writestr(zipfile.ZipInfo(member), body)
    return path


def _digest(body: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
