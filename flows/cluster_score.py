"""Score one piece of a study measured in parts: what ranks its parcels among all, and what its regions hold."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from data import build as builds
from data import store
from data.pieces import SUFFIX
from data.place import Place
from data.study import Study
from data.workload import Workload
from flows.cluster import Summary, files_of
from flows.cluster_measure import peak_mb
from flows.steps import LOCATED_COLUMNS, REGION_COLUMNS
from geo.regions import needs_outline, outline_spots

SPOT_SCHEMA = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("parcel_kind", pa.string()),
        *((name, pa.float64()) for name in ("land_share", "lake_share", "lon", "lat")),
        ("zone_id", pa.string()),
        ("region_metro_id", pa.string()),
        ("geometry", pa.binary()),
    ]
)
# A worker's database takes no more of its memory, which holds the layers as well.
MEMORY_MB = 1_000


@dataclass(frozen=True)
class ScoreOrder:
    """What a worker is told to score by.

    Attributes
    ----------
    place
        Where the parts are.
    folder
        Folder of the scores: `<piece>.parquet` and, of its regions, `<piece>.best.parquet`, `.region`, `.gate`
        and `.spot`.
    parcels, metrics
        Folders of the pieces and of their metrics.
    study, workloads
        The study, and the profiles that it ranks by.
    """

    place: Place
    folder: str
    parcels: str
    metrics: str
    study: Study
    workloads: dict[str, Workload]

    def file(self, name: str, kind: str | None = None) -> str:
        """Name of a part of a piece: of its scores, or of one kind of what is found of regions."""
        return f"{self.folder}/{name}.{kind}{SUFFIX}" if kind else f"{self.folder}/{name}{SUFFIX}"


def score_piece(order: ScoreOrder, name: str) -> Summary:
    """Score the parcels of a piece by the SQL of a build, and write what is found to the place."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gridstead-") as scratch, store.create() as con:
        con.execute("set threads = 1")
        con.execute("set memory_limit = $limit", {"limit": f"{MEMORY_MB}MB"})
        con.execute("set temp_directory = $spill", {"spill": scratch})
        for file in ("meta/schema", "meta/raw_table", "meta/run"):
            store.run_file(con, file)
        builds.load_profiles(con, order.study, order.workloads)
        parcel, metric = (
            _local(order.place, f"{folder}/{name}{SUFFIX}", Path(scratch))
            for folder in (order.parcels, order.metrics)
        )
        builds.load_piece(con, parcel=parcel, metric=metric)
        found = {
            "spot": _spots(order, name),
            "region": con.table("staging.region_parcel").to_arrow_table(),
            "gate": con.table("staging.region_gate").to_arrow_table(),
            "best": store.query_file(con, "cluster/piece_best").to_arrow_table(),
        }
        scores = store.query_file(con, "cluster/piece_score").to_arrow_table()
        gates = con.table("meta.workload_parcel").to_arrow_table().to_pylist()
    stored = {
        f"{kind}{SUFFIX}": order.place.write(order.file(name, kind), table)
        for kind, table in found.items()
    }
    stored[SUFFIX[1:]] = order.place.write(order.file(name), scores)
    return {
        "piece": name,
        "seconds": round(time.monotonic() - began, 3),
        "peak_mb": round(peak_mb()),
        "gates": gates,
        "files": files_of(**stored),
    }


def _local(place: Place, name: str, scratch: Path) -> Path:
    """Path of a part on this machine, fetched where it lies elsewhere."""
    if place.is_local:
        return place.path(name)
    target = scratch / name
    place.get(name, target)
    return target


def _spots(order: ScoreOrder, name: str) -> pa.Table:
    """Parcels that show where regions lie; of cells that are clipped with their outlines."""
    piece = f"{order.parcels}/{name}{SUFFIX}"
    parcels = order.place.read(piece, columns=REGION_COLUMNS).to_pandas()
    located = order.place.read(
        f"{order.metrics}/{name}{SUFFIX}", columns=LOCATED_COLUMNS
    ).to_pandas()
    frame = parcels.merge(located, how="inner", on="parcel_id", validate="one_to_one")
    frame = frame[outline_spots(frame)].assign(geometry=None)
    is_clipped = needs_outline(frame)
    if is_clipped.any():
        outlines = order.place.read(piece, columns=["parcel_id", "geometry"]).to_pandas()
        held = outlines.set_index("parcel_id")["geometry"]
        frame["geometry"] = frame["parcel_id"].map(held).where(is_clipped, None)
    return pa.Table.from_pandas(frame, SPOT_SCHEMA, preserve_index=False).replace_schema_metadata()
