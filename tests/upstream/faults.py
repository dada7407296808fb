"""Ways in which a server fails, each for any route: `upstream.routes[path] = once(route, too_many)`.

A fault gets the request and the good answer, and returns the bad one. What is wrong with the data
themselves (columns, members, rows) is in `tests.upstream.spoil`.
"""

import datetime as dt
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from email.utils import format_datetime

from tests.upstream.server import Answer, Request, Response, Route

Fault = Callable[[Request, Response], Response]

PAGE = b"""<!DOCTYPE html>
<html><head><title>Maintenance</title></head><body><h1>We will be back soon.</h1></body></html>
"""
# A server that hangs does so for longer than any patience of a test, yet ends on its own.
STALL_S = 1.5


def always(route: Route, fault: Fault, *, skip: int = 0) -> Answer:
    """Let a route fail from its `skip`-th request on."""
    return _wrapped(route, fault, skip, None)


def once(route: Route, fault: Fault, *, skip: int = 0) -> Answer:
    """Let one request of a route fail, the first one after `skip` good ones."""
    return _wrapped(route, fault, skip, 1)


def _wrapped(route: Route, fault: Fault, skip: int, times: int | None) -> Answer:
    lock = threading.Lock()
    asked = 0

    def answer(request: Request) -> Response:
        nonlocal asked
        good = _answer_of(route, request)
        with lock:
            asked += 1
            is_bad = asked > skip and (times is None or asked <= skip + times)
        return fault(request, good) if is_bad else good

    return answer


def _answer_of(route: Route, request: Request) -> Response:
    if isinstance(route, list):
        route = route.pop(0) if len(route) > 1 else route[0]
    return route if isinstance(route, Response) else route(request)


def too_many(_: Request, __: Response) -> Response:
    """429, with leave to come back at once."""
    return Response(b"slow down", 429, {"Retry-After": "0"})


def too_many_until(_: Request, __: Response) -> Response:
    """429, with the time at which to come back, a second from now."""
    then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    return Response(b"slow down", 429, {"Retry-After": format_datetime(then, usegmt=True)})


def server_error(_: Request, __: Response) -> Response:
    """500 without words."""
    return Response(b"", 500)


def forbidden(_: Request, __: Response) -> Response:
    """403."""
    return Response(b"no", 403)


def gone(_: Request, __: Response) -> Response:
    """404."""
    return Response(b"", 404)


def stall(_: Request, good: Response) -> Response:
    """Half of the body, then silence."""
    return Response(good.body, good.status, good.headers, stall_s=STALL_S)


def truncated(_: Request, good: Response) -> Response:
    """Half of the body of the announced length, then the connection is closed."""
    return Response(good.body, good.status, good.headers, cut=len(good.body) // 2)


def length_too_long(_: Request, good: Response) -> Response:
    """A whole body, announced as longer than it is."""
    return Response(good.body, good.status, good.headers, length=len(good.body) + 100)


def length_too_short(_: Request, good: Response) -> Response:
    """A whole body, announced as shorter than it is: a client takes only what is announced."""
    return Response(good.body, good.status, good.headers, length=max(0, len(good.body) - 100))


def html(_: Request, __: Response) -> Response:
    """A web page with status 200, as a portal or a proxy answers."""
    return Response(PAGE, headers={"Content-Type": "text/html; charset=utf-8"})


def empty(_: Request, good: Response) -> Response:
    """Nothing, with status 200."""
    return Response(b"", 200, good.headers)


def repeated(is_page: Callable[[Request], bool]) -> Fault:
    """Answer every later page with the first one, as a cache in between does that ignores a query."""
    first: list[Response] = []

    def fault(request: Request, good: Response) -> Response:
        if not is_page(request):
            return good
        first.append(good)
        return first[0]

    return fault


def then(fault: Callable[[], None], is_page: Callable[[Request], bool], *, every: bool) -> Fault:
    """Answer well and do something afterwards: change what the next page is read from."""
    done: list[bool] = []

    def answer(request: Request, good: Response) -> Response:
        if is_page(request) and (every or not done):
            done.append(True)
            fault()
        return good

    return answer


TRANSPORT: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        too_many,
        too_many_until,
        server_error,
        forbidden,
        gone,
        stall,
        truncated,
        length_too_long,
        length_too_short,
        html,
        empty,
    )
}


@contextmanager
def tls_refusal() -> Generator[str]:
    """Answer rubbish to whoever greets in TLS, as a proxy or a wrong port does; yields the URL."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.05)
        is_over = threading.Event()

        def refuse() -> None:
            while not is_over.is_set():
                with suppress(OSError):
                    connection, _ = listening.accept()
                    with connection:
                        connection.settimeout(1)
                        connection.recv(4096)
                        connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nplain speech only\r\n")

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            is_over.set()
            thread.join()
