"""An Overpass API among the other routes of the local upstream: `/status` and `/interpreter`."""

import json
from typing import Any

from tests.data.overpass import FREE, select
from tests.upstream.server import Answer, Request, Response


class OverpassApi:
    """Answers queries from elements in the form of a recorded answer."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.content = answer

    def routes(self, path: str) -> dict[str, Answer]:
        return {f"{path}/status": self.status, f"{path}/interpreter": self.answer}

    def status(self, _: Request) -> Response:
        return Response(FREE.encode(), headers={"Content-Type": "text/plain"})

    def answer(self, request: Request) -> Response:
        elements = select(self.content["elements"], request.query.get("data", ""))
        body = json.dumps(self.content | {"elements": elements}).encode()
        return Response(body, headers={"Content-Type": "application/json"})
