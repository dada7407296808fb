"""Wheels that pip accepts, and an index of them (PEP 503)."""

import hashlib
import html
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.upstream.server import Answer, Request, Response


class PackageIndex:
    """An index of the wheels in a folder, for `PIP_INDEX_URL=<root>/simple`; read anew each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def routes(self) -> dict[str, Answer]:
        return {"/simple/*": self.listing, "/wheels/*": self.wheel}

    def listing(self, request: Request) -> Response:
        """Answer the page of one package."""
        name = request.path.strip("/").rpartition("/")[2]
        found = [
            path
            for path in sorted(self.folder.glob("*.whl"))
            if parse_wheel_filename(path.name)[0] == canonicalize_name(name)
        ]
        if not found:
            return Response(status=404)
        links = "".join(
            f'<a href="/wheels/{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">'
            f"{html.escape(path.name)}</a>"
            for path in found
        )
        page = f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
        return Response(page, headers={"Content-Type": "text/html"})

    def wheel(self, request: Request) -> Response:
        path = self.folder / Path(request.path).name
        if not path.is_file():
            return Response(status=404)
        return Response(path.read_bytes(), headers={"Content-Type": "application/octet-stream"})


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
