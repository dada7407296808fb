"""A layer of an ArcGIS service: ids, counts and pages of features."""

from typing import Any

from tests.upstream.server import Answer, Request, Response, reply


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
