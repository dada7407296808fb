"""What servers on 127.0.0.1 for tests have in common."""

import contextlib
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Handler(BaseHTTPRequestHandler):
    """Answers once a connection, and says nothing of it."""

    protocol_version = "HTTP/1.1"

    def send(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str],
        length: int | None,
        stall_s: float = 0.0,
    ) -> None:
        """Answer; `length` is what is said of the body, None for nothing; sleep half-way."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()
        half = len(body) // 2 if stall_s else 0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(body[:half])
            time.sleep(stall_s)
            self.wfile.write(body[half:])
        self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


class LocalServer:
    """A server that runs while its block does; port 0 takes a free one."""

    def __init__(self, handler: type[Handler], port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
