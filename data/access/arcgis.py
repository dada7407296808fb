"""One layer of an ArcGIS server, read by ranges of object ids into newline-delimited GeoJSON.

A layer answers at most maxRecordCount features a query, but lists all of its object ids at once
(ArcGIS REST API, Query of a layer). Ranges of ids are stable where offsets are not: a feature that is
added or removed meanwhile cannot shift the pages.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

import httpx
import shapely

from data.access._client import asked, open_client
from data.access._esri import Feature, from_esri, from_geojson
from data.access._request import Fetched, Request
from data.access._retry import SERVER_ERROR, TOO_MANY_REQUESTS, Transient, check_status
from data.access._secrets import fill, hide
from data.address import ArcgisAccess
from data.errors import PassingPullError, PullError

LOGGER = logging.getLogger("gridstead.access")

# Servers that name no maximum default to 1,000 (before 10.x: 500).
DEFAULT_PAGE = 500
# A layer that changes while it is read is read so often from its beginning.
MAX_READS = 2
NO_FEATURES = frozenset({"Annotation Layer", "Group Layer", "Raster Layer"})


def fetch_arcgis(access: ArcgisAccess, request: Request) -> Fetched | None:
    """Fetch every feature of a layer; None says that it was not edited since the last good copy.

    Pages come as GeoJSON where the layer has it, else as Esri's own JSON. A feature that is given
    twice and alike is kept once: its id says that it is one feature.

    Raises
    ------
    PullError
        The server refuses or keeps failing, the layer has no features, keeps changing, or its
        features do not add up to the ids and the count that it states.
    """
    request.folder.mkdir(parents=True, exist_ok=True)
    with open_client(request.retry) as client:
        layer = _Layer(client, access, request)
        for reads in range(1, MAX_READS + 1):
            try:
                return _read(layer, access, request)
            except _ChangedError as error:
                last = error
            if reads < MAX_READS:
                request.retry.sleep(request.retry.base_s)
    message = f"{access.url} changed while it was read, {MAX_READS} times: {last}."
    raise PassingPullError(message, "Try again later.")


def _read(layer: "_Layer", access: ArcgisAccess, request: Request) -> Fetched | None:
    about = layer.ask("", {})
    if about.get("type") in NO_FEATURES:
        message = f"{access.url} is a {about['type'].lower()}, which has no features of its own."
        raise PullError(message, "Name one of its layers in the catalogue entry.")
    edited = _edited(about)
    etag = f"lastEditDate={edited}" if edited else None
    if etag and etag == request.etag:
        return None
    ids, field = layer.ids(about)
    if not ids and not request.may_be_empty:
        message = f"{access.url} has no feature where {access.where}."
        raise PullError(message, "Check url and where; `rows: 0` of a table allows an empty layer.")
    layer.use(_format(access, about), field)
    page = min(access.page_size or DEFAULT_PAGE * 100, _page_limit(about))
    filename = f"{request.source_id}.geojsonl"
    part = request.folder / f"{filename}.part"
    with part.open("wb") as file:
        layer.write(file, ids, page)
    if _edited(layer.ask("", {})) != edited:
        message = "it says that it was edited meanwhile"
        raise _ChangedError(message)
    if (count := layer.count()) != len(ids):
        message = f"it had {len(ids):,} features before and {count:,} after"
        raise _ChangedError(message)
    return Fetched(path=part, filename=filename, etag=etag)


class _ChangedError(Exception):
    """What was read is of two states of the layer."""


class _Layer:
    """A layer that is asked questions, each with its own retries and all under one size cap."""

    def __init__(self, client: httpx.Client, access: ArcgisAccess, request: Request) -> None:
        self._client = client
        self._access = access
        self._request = request
        self._cap = min(access.max_bytes, request.max_bytes)
        parts = urlsplit(fill(access.url))
        self._base = parts._replace(query="", fragment="").geturl().rstrip("/")
        # What the entry's own address asks with, such as a token.
        self._own = dict(parse_qsl(parts.query))
        self._format = "geojson"
        self._field = ""
        self._twice = 0

    def use(self, form: str, field: str) -> None:
        """Set in which form pages are asked for, and which field holds the ids."""
        self._format, self._field = form, field

    def ask(self, operation: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Put one question; an error that the server wraps in a 200 counts as what it says."""
        name = self._access.url.partition("?")[0].rstrip("/") + operation
        query = self._own | {"f": "json"} | parameters
        url = str(httpx.URL(self._base + operation, params=query))

        def attempt() -> dict[str, Any]:
            with asked(self._client, url, {}) as response:
                check_status(response, name)
                content = self._read(response)
            try:
                answer = json.loads(content)
            except ValueError as error:
                is_page = content.lstrip()[:1] == b"<"
                what = "a web page" if is_page else "something that is no JSON"
                message = f"{name} answered {what}"
                raise Transient(message) from error
            _check_answer(name, answer)
            return answer

        return self._request.retry.run(name, attempt)

    def ids(self, about: dict[str, Any]) -> tuple[list[int], str]:
        """List the ids of the layer's features, checked against the count that it states."""
        answer = self.ask("/query", {"where": self._access.where, "returnIdsOnly": "true"})
        field = answer.get("objectIdFieldName") or about.get("objectIdField") or _oid(about)
        if not isinstance(field, str):
            message = f"{self._access.url} does not say which field holds its object ids."
            raise PullError(message, "It may be no layer: check the catalogue entry.")
        ids = sorted({int(number) for number in answer.get("objectIds") or []})
        if (count := self.count()) != len(ids):
            message = f"it states {count:,} features but lists {len(ids):,} ids"
            raise _ChangedError(message)
        return ids, field

    def count(self) -> int:
        """Ask how many features the layer has."""
        answer = self.ask("/query", {"where": self._access.where, "returnCountOnly": "true"})
        count = answer.get("count")
        if not isinstance(count, int):
            message = f"{self._access.url} does not say how many features it has."
            raise PullError(message, "It may be no layer: check the catalogue entry.")
        return count

    def write(self, file: BinaryIO, ids: list[int], page: int) -> None:
        """Write the features in the order of their ids, one to a line."""
        size = 0
        self._twice = 0
        for start in range(0, len(ids), page):
            for feature in self._features(ids[start : start + page]):
                line = json.dumps(feature, ensure_ascii=False, separators=(",", ":")).encode()
                size += len(line) + 1
                if size > self._cap:
                    raise self._too_large()
                file.write(line + b"\n")
            self._request.report(size, None)
        if self._twice:
            LOGGER.warning(
                "%s gave %d features twice and alike; each was kept once.",
                hide(self._access.url),
                self._twice,
            )

    def _features(self, ids: list[int]) -> Iterator[Feature]:
        """Read the features of a run of ids, in halves where the server cuts its answer short."""
        url = self._access.url
        found = self._request.retry.run(url, lambda: self._page(ids))
        if len(found) == len(ids):
            yield from (found[number] for number in ids)
        elif len(ids) > 1:
            half = len(ids) // 2
            yield from self._features(ids[:half])
            yield from self._features(ids[half:])
        else:
            message = f"it lists the feature {ids[0]} but does not give it"
            raise _ChangedError(message)

    def _page(self, ids: list[int]) -> dict[int, Feature]:
        """Ask for a run of ids; features by id, none but those asked for."""
        url, field, fields = self._access.url, self._field, self._access.fields
        answer = self.ask(
            "/query",
            {
                "f": self._format,
                "where": f"({self._access.where}) AND {field} >= {ids[0]} AND {field} <= {ids[-1]}",
                "outFields": fields if fields == "*" else f"{field},{fields}",
                "outSR": "4326",
                "returnGeometry": "true",
            },
        )
        if not isinstance(answer.get("features"), list):
            message = f"{url} answered a page without features"
            raise Transient(message)
        is_geojson = self._format == "geojson"
        try:
            features = from_geojson(url, answer) if is_geojson else from_esri(url, answer, field)
        except (AttributeError, KeyError, TypeError, ValueError, shapely.GEOSException) as error:
            message = f"{url} answered features that cannot be read"
            raise Transient(message) from error
        found: dict[int, Feature] = {}
        twins: Counter[bool] = Counter()
        wanted = set(ids)
        for feature in features:
            number = _id(feature, field)
            if number not in wanted:
                message = f"{url} gave the feature {number} in a page that does not hold it"
                raise Transient(message)
            if number in found:
                twins[feature == found[number]] += 1
            found[number] = feature
        if twins[False]:
            message = f"{url} gave {twins[False]} features twice and not alike"
            raise Transient(message)
        self._twice += twins[True]
        return found

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


def _format(access: ArcgisAccess, about: dict[str, Any]) -> str:
    """Choose the form of pages; every server has Esri's own, and few of the old ones say so."""
    formats = str(about.get("supportedQueryFormats") or "JSON").lower()
    if "geojson" in formats:
        return "geojson"
    if "json" in formats:
        return "json"
    message = f"{access.url} cannot answer JSON, only {about['supportedQueryFormats']}."
    raise PullError(message, "Use another layer or a file of the same data.")


def _edited(about: dict[str, Any]) -> Any:
    return (about.get("editingInfo") or {}).get("lastEditDate")


def _oid(about: dict[str, Any]) -> str | None:
    fields = about.get("fields") or []
    return next((f.get("name") for f in fields if f.get("type") == "esriFieldTypeOID"), None)


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
