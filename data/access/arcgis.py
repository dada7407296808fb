"""One layer of an ArcGIS server, read by ranges of object ids into newline-delimited GeoJSON.

A layer answers at most maxRecordCount features a query, but lists all of its object ids at once
(ArcGIS REST API, Query of a layer). Ranges of ids are stable where offsets are not: a feature that is
added or removed meanwhile cannot shift the pages.
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import httpx

from data.access._client import open_client
from data.access._request import Fetched, Request
from data.access._retry import SERVER_ERROR, TOO_MANY_REQUESTS, Transient, check_status
from data.address import ArcgisAccess
from data.errors import PullError

# Servers that name no maximum default to 1,000 (before 10.x: 500).
DEFAULT_PAGE = 500


def fetch_arcgis(access: ArcgisAccess, request: Request) -> Fetched | None:
    """Fetch every feature of a layer; None says that it was not edited since the last good copy.

    Raises
    ------
    PullError
        The server refuses or keeps failing, the layer cannot give GeoJSON, or its features do not
        add up to the ids and the count that it states.
    """
    with open_client(request.retry) as client:
        layer = _Layer(client, access, request)
        about = layer.ask("", {})
        edited = (about.get("editingInfo") or {}).get("lastEditDate")
        etag = f"lastEditDate={edited}" if edited else None
        if etag and etag == request.etag:
            return None
        _check_formats(access, about)
        ids, field = layer.ids()
        page = min(access.page_size or DEFAULT_PAGE * 100, _page_limit(about))
        filename = f"{request.source_id}.geojsonl"
        request.folder.mkdir(parents=True, exist_ok=True)
        part = request.folder / f"{filename}.part"
        with part.open("wb") as file:
            layer.write(file, ids, field, page)
        return Fetched(path=part, filename=filename, etag=etag)


class _Layer:
    """A layer that is asked questions, each with its own retries and all under one size cap."""

    def __init__(self, client: httpx.Client, access: ArcgisAccess, request: Request) -> None:
        self._client = client
        self._access = access
        self._request = request
        self._cap = min(access.max_bytes, request.max_bytes)

    def ask(self, operation: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Put one question; an error that the server wraps in a 200 counts as what it says."""
        url = self._access.url.rstrip("/") + operation
        query = {"f": "json"} | parameters

        def attempt() -> dict[str, Any]:
            with self._client.stream("GET", url, params=query) as response:
                check_status(response, url)
                content = self._read(response)
            try:
                answer = json.loads(content)
            except ValueError as error:
                message = f"{url} answered something that is no JSON"
                raise Transient(message) from error
            _check_answer(url, answer)
            return answer

        return self._request.retry.run(url, attempt)

    def ids(self) -> tuple[list[int], str]:
        """List the ids of the layer's features, checked against the count that it states."""
        where = {"where": self._access.where}
        answer = self.ask("/query", where | {"returnIdsOnly": "true"})
        field = answer.get("objectIdFieldName")
        if not isinstance(field, str):
            message = f"{self._access.url} does not say which field holds its object ids."
            raise PullError(message, "It may be no layer: check the catalogue entry.")
        ids = sorted({int(number) for number in answer.get("objectIds") or []})
        count = self.ask("/query", where | {"returnCountOnly": "true"}).get("count")
        if count != len(ids):
            message = f"{self._access.url} states {count} features but lists {len(ids)} ids."
            raise PullError(message, "It may be changing just now: try again later.")
        return ids, field

    def write(self, file: BinaryIO, ids: list[int], field: str, page: int) -> None:
        """Write the features in the order of their ids, one to a line."""
        size = 0
        for start in range(0, len(ids), page):
            for feature in self._features(ids[start : start + page], field):
                line = json.dumps(feature, ensure_ascii=False, separators=(",", ":")).encode()
                size += len(line) + 1
                if size > self._cap:
                    raise self._too_large()
                file.write(line + b"\n")
            self._request.report(size, None)

    def _features(self, ids: list[int], field: str) -> Iterator[dict[str, Any]]:
        """Read the features of a run of ids, in halves where the server cuts its answer short."""
        fields = self._access.fields
        answer = self.ask(
            "/query",
            {
                "f": "geojson",
                "where": f"({self._access.where}) AND {field} >= {ids[0]} AND {field} <= {ids[-1]}",
                "outFields": fields if fields == "*" else f"{field},{fields}",
                "outSR": "4326",
                "returnGeometry": "true",
            },
        )
        found = {_id(feature, field): feature for feature in answer.get("features", [])}
        if set(found) == set(ids) and len(found) == len(answer["features"]):
            yield from (found[number] for number in ids)
            return
        if len(ids) > 1 and (_is_cut(answer) or set(found) < set(ids)):
            half = len(ids) // 2
            yield from self._features(ids[:half], field)
            yield from self._features(ids[half:], field)
            return
        message = (
            f"{self._access.url} gave {len(answer.get('features', []))} features for {len(ids)} ids "
            f"from {ids[0]} to {ids[-1]}."
        )
        raise PullError(message, "It changed while it was read: try again later.")

    def _read(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self._cap:
                raise self._too_large()
            parts.append(chunk)
        return b"".join(parts)

    def _too_large(self) -> PullError:
        message = f"{self._access.url} is larger than the {self._cap:,} bytes allowed."
        return PullError(message, "Raise max_bytes in the catalogue entry if that is right.")


def _check_answer(url: str, answer: Any) -> None:
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(answer, dict):
        message = f"{url} answered a list where an object is due."
        raise PullError(message, "It may be no ArcGIS layer: check the catalogue entry.")
    if not error:
        return
    code, text = error.get("code"), error.get("message") or "an error without words"
    message = f"{url} answered error {code}: {text}"
    if isinstance(code, int) and (code == TOO_MANY_REQUESTS or code >= SERVER_ERROR):
        raise Transient(message)
    message = message.rstrip(".") + "."
    raise PullError(message, "Check the catalogue entry: url, where, fields.")


def _check_formats(access: ArcgisAccess, about: dict[str, Any]) -> None:
    formats = about.get("supportedQueryFormats")
    if formats and "geojson" not in formats.lower():
        message = f"{access.url} cannot answer GeoJSON, only {formats}."
        raise PullError(message, "Use another layer or a file of the same data.")


def _page_limit(about: dict[str, Any]) -> int:
    limit = about.get("maxRecordCount")
    return limit if isinstance(limit, int) and limit > 0 else DEFAULT_PAGE


def _id(feature: dict[str, Any], field: str) -> int | None:
    value = (feature.get("properties") or {}).get(field, feature.get("id"))
    return (
        int(value)
        if isinstance(value, int | float | str) and str(value).strip("-").isdigit()
        else None
    )


def _is_cut(answer: dict[str, Any]) -> bool:
    """See whether the server cut its answer; GeoJSON carries the mark at either of two places."""
    marks = (answer, answer.get("properties") or {})
    return any(mark.get("exceededTransferLimit") for mark in marks)
