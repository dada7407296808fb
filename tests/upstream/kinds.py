"""One source behind the local upstream, for each access kind: served well, failing, or spoilt.

`renew` serves good data as a version that no copy in a cache is; `fail` lets the server fail;
`spoil` serves data that arrive whole and are wrong.
"""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import geopandas as gpd
import pandas as pd

from tests.upstream import faults, spoil
from tests.upstream.arcgis import ArcgisLayer
from tests.upstream.faults import Fault
from tests.upstream.overpass import OverpassApi
from tests.upstream.packages import PackageIndex
from tests.upstream.s3 import MODIFIED_AT, ObjectStore
from tests.upstream.server import Request, Response, Upstream, conditional

COLUMN_CHANGES: dict[str, Callable[[Any, str], Any]] = {
    "renamed_column": spoil.renamed,
    "dropped_column": spoil.dropped,
    "retyped_column": spoil.retyped,
    "no_rows": spoil.without_rows,
}
ARCHIVE_CHANGES = {"zip_bomb": spoil.zip_bomb, "dotdot_member": spoil.dotdot_member}
_versions = itertools.count(1)


class Served(ABC):
    """A source: its access as the catalogue writes it, and what is behind its routes."""

    kind: ClassVar[str]
    spoils: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, upstream: Upstream, source_id: str) -> None:
        self.upstream = upstream
        self.source_id = source_id

    @property
    @abstractmethod
    def access(self) -> dict[str, Any]:
        """Access of the catalogue entry."""

    @abstractmethod
    def renew(self) -> None:
        """Serve the good data, as another version."""

    @abstractmethod
    def spoil(self, what: str, *, always: bool) -> None:
        """Serve data that are wrong, or, where `always` is false, that were wrong for a moment."""

    @property
    @abstractmethod
    def failing(self) -> tuple[str, int]:
        """Route that fails, and how many of its requests go well before."""

    def fail(self, fault: Fault, *, always: bool) -> None:
        """Let the server fail, once or from now on."""
        path, skip = self.failing
        wrap = faults.always if always else faults.once
        self.upstream.routes[path] = wrap(self.upstream.routes[path], fault, skip=skip)


class HttpServed(Served):
    """A zip of CSV files; `column` names the member and the column that are spoilt."""

    kind = "http"
    spoils = frozenset({*COLUMN_CHANGES, *ARCHIVE_CHANGES, "changes_between_pages"})

    def __init__(
        self, upstream: Upstream, source_id: str, body: bytes, column: tuple[str, str]
    ) -> None:
        super().__init__(upstream, source_id)
        self.body = body
        self.column = column
        self.renew()

    @property
    def path(self) -> str:
        return f"/files/{self.source_id}.zip"

    @property
    def access(self) -> dict[str, Any]:
        return {"kind": "http", "url": self.upstream.url(self.path)}

    @property
    def failing(self) -> tuple[str, int]:
        return self.path, 0

    def renew(self) -> None:
        self._serve(self.body)

    def spoil(self, what: str, *, always: bool) -> None:
        if what == "changes_between_pages":
            self._change_between_parts(always=always)
            return
        if what in ARCHIVE_CHANGES:
            self._serve(ARCHIVE_CHANGES[what](self.body))
            return
        member, column = self.column
        change = COLUMN_CHANGES[what]
        self._serve(spoil.csv_member(self.body, member, lambda table: change(table, column)))

    def _serve(self, body: bytes) -> None:
        self.upstream.routes[self.path] = conditional(body, f'"v{next(_versions)}"')

    def _change_between_parts(self, *, always: bool) -> None:
        """Break off half-way, and be another file when the rest is asked for."""
        other = spoil.rezip(spoil.unzip(self.body) | {"notes.txt": b"of the version before"})

        def half(_: Request) -> Response:
            tag = {"ETag": f'"v{next(_versions)}"'}
            return Response(other, headers=tag, cut=len(other) // 2)

        good = conditional(self.body, f'"v{next(_versions)}"')
        self.upstream.routes[self.path] = half if always else [half, good]


class ArcgisServed(Served):
    """A layer of three pages; `column` is spoilt."""

    kind = "arcgis"
    spoils = frozenset({*COLUMN_CHANGES, "repeated_page", "changes_between_pages"})

    def __init__(
        self, upstream: Upstream, source_id: str, frame: gpd.GeoDataFrame, column: str
    ) -> None:
        super().__init__(upstream, source_id)
        self.frame = frame
        self.column = column
        self.layer = ArcgisLayer([])
        self.renew()

    @property
    def path(self) -> str:
        return f"/arcgis/{self.source_id}/FeatureServer/0"

    @property
    def access(self) -> dict[str, Any]:
        return {"kind": "arcgis", "url": self.upstream.url(self.path)}

    @property
    def failing(self) -> tuple[str, int]:
        # The ids and the count are told, then a page fails.
        return f"{self.path}/query", 2

    def renew(self) -> None:
        self._serve(self.frame)

    def spoil(self, what: str, *, always: bool) -> None:
        if what == "repeated_page":
            fault = faults.repeated(is_page)
            self.fail(fault, always=True) if always else self._repeat_once(fault)
        elif what == "changes_between_pages":
            self._serve(self.frame.assign(**{self.column: 1.0}))
            self.fail(faults.then(self._edit, is_page, every=always), always=True)
        else:
            self._serve(COLUMN_CHANGES[what](self.frame, self.column))

    def _serve(self, frame: gpd.GeoDataFrame) -> None:
        self.layer = ArcgisLayer.of(frame, limit=max(1, -(-len(frame) // 3)))
        self.layer.edited(next(_versions))
        self.upstream.routes |= self.layer.routes(self.path)

    def _repeat_once(self, fault: Fault) -> None:
        """Give the first page for the second one, and good pages from then on."""
        route, asked = self.upstream.routes[f"{self.path}/query"], itertools.count(1)

        def answer(request: Request) -> Response:
            good = self.layer.query(request)
            return fault(request, good) if is_page(request) and next(asked) < 3 else good

        assert callable(route)
        self.upstream.routes[f"{self.path}/query"] = answer

    def _edit(self) -> None:
        """Mend what an older version said, as an editor does."""
        good = ArcgisLayer.of(self.frame)
        self.layer.properties = good.properties
        self.layer.edited(next(_versions))


class OverpassServed(Served):
    """Elements in a box."""

    kind = "overpass"
    spoils = frozenset({"no_rows"})

    def __init__(
        self, upstream: Upstream, source_id: str, answer: dict[str, Any], bbox: list[float]
    ) -> None:
        super().__init__(upstream, source_id)
        self.answer = answer
        self.bbox = bbox
        self.renew()

    @property
    def access(self) -> dict[str, Any]:
        from data.catalogue import load_catalogue

        ours = load_catalogue().source(self.source_id).access.model_dump(mode="json")
        return ours | {"url": self.upstream.url("/osm"), "bbox": self.bbox}

    @property
    def failing(self) -> tuple[str, int]:
        return "/osm/interpreter", 0

    def renew(self) -> None:
        self.upstream.routes |= OverpassApi(self.answer).routes("/osm")

    def spoil(self, what: str, *, always: bool) -> None:
        self.upstream.routes |= OverpassApi(self.answer | {"elements": []}).routes("/osm")


class ObjectServed(Served):
    """A GeoParquet object; `column` is spoilt."""

    kind = "object"
    spoils = frozenset({*COLUMN_CHANGES, "changes_between_pages"})
    BUCKET = "gridstead-test"

    def __init__(
        self, upstream: Upstream, source_id: str, frame: gpd.GeoDataFrame, column: str
    ) -> None:
        super().__init__(upstream, source_id)
        self.frame = frame
        self.column = column
        self.store = ObjectStore({})
        self.renew()

    @property
    def key(self) -> str:
        return f"{self.source_id}.parquet"

    @property
    def access(self) -> dict[str, Any]:
        return {
            "kind": "object",
            "uri": f"s3://{self.BUCKET}/{self.key}",
            "endpoint": self.upstream.root,
            "region": "us-east-1",
            "anonymous": True,
        }

    @property
    def failing(self) -> tuple[str, int]:
        return "/*", 0

    def renew(self) -> None:
        self._serve(self.frame)

    def fail(self, fault: Fault, *, always: bool) -> None:
        if fault is faults.gone:
            # The bucket stays; another object is in it.
            name = f"{self.BUCKET}/{self.key}"
            self.store.objects[f"{self.BUCKET}/another"] = self.store.objects.pop(name)
            return

        def of_bodies(request: Request, good: Response) -> Response:
            bad = fault(request, good)
            # The client of the store averages the speed over seconds: the silence comes first, and is longer.
            bad = replace(bad, wait_s=4 * bad.stall_s, stall_s=0.0)
            # A HEAD has no body to be cut; it fails as a whole or not at all.
            return good if request.method == "HEAD" and bad.status == 200 else bad

        super().fail(of_bodies, always=always)

    def spoil(self, what: str, *, always: bool) -> None:
        if what != "changes_between_pages":
            self._serve(COLUMN_CHANGES[what](self.frame, self.column))
            return
        self._serve(self.frame.iloc[::-1].assign(edited=1))
        # After the first reading it is another object of another length.
        fault = faults.then(self._touch, lambda request: request.method == "GET", every=always)
        super().fail(fault, always=True)

    def _serve(self, frame: pd.DataFrame) -> None:
        assert isinstance(frame, gpd.GeoDataFrame)
        name = f"{self.BUCKET}/{self.key}"
        self.store = ObjectStore({name: spoil.geoparquet(frame)})
        self.store.modified_at[name] = MODIFIED_AT + next(_versions)
        self.upstream.routes |= self.store.routes()

    def _touch(self) -> None:
        """Write the object anew: the good one in the place of an older one."""
        name = f"{self.BUCKET}/{self.key}"
        self.store.objects[name] = spoil.geoparquet(self.frame)
        self.store.modified_at[name] = MODIFIED_AT + next(_versions)


class PackageServed(Served):
    """A wheel in an index; the lock knows its bytes."""

    kind = "package"
    spoils = frozenset({"renamed_column", *ARCHIVE_CHANGES})

    def __init__(self, upstream: Upstream, source_id: str, wheel: Path) -> None:
        super().__init__(upstream, source_id)
        self.wheel = wheel
        self.body = wheel.read_bytes()
        self.renew()

    @property
    def access(self) -> dict[str, Any]:
        name, version, *_ = self.wheel.stem.split("-")
        return {"kind": "package", "name": name, "version": version}

    @property
    def failing(self) -> tuple[str, int]:
        return "/wheels/*", 0

    def renew(self) -> None:
        self.wheel.write_bytes(self.body)
        self.upstream.routes |= PackageIndex(self.wheel.parent).routes()

    def spoil(self, what: str, *, always: bool) -> None:
        if what in ARCHIVE_CHANGES:
            self.wheel.write_bytes(ARCHIVE_CHANGES[what](self.body))
        else:
            self.wheel.write_bytes(spoil.json_members(self.body, ".json", "pos", "pos_new"))


def is_page(request: Request) -> bool:
    """Whether a query of a layer asks for features, not for their ids or their count."""
    return "outFields" in request.query
