"""Made-up parcels like those of the 48 states, as GeoParquet: `python benchmarks/made_parcels.py 5000000`.

Two thirds lie around 3,000 towns of very different size, the others anywhere. Acres are log-normal: city
lots of 0.4 in the median, ranches of 30 with a tail to 100,000. Rings have 10 vertices in the median, one
in a hundred a tail to 600; 2 % are multipolygons, 1 % have holes, 1 % a doubled vertex, 1 in 2,500
crosses itself, and 1 in 10,000 cannot be measured (NaN, unclosed, off the globe, empty, a point).
"""

import argparse
import json
import os
from pathlib import Path

import made_shapes
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from made_shapes import Plan

from geo.hilbert import hilbert_order

ROOT = Path(__file__).resolve().parent.parent
# Raise it whenever what is made changes: old files are then left alone.
CACHE = ROOT / "var" / "bench" / "made-1"
SEED = 20_260_301
GROUP = 65_536
BOX = np.array([-124.0, 25.5, -67.0, 49.0])
TOWNS = 3_000
TOWN_SHARE = 0.65
MOST_ACRES = 100_000.0
GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Polygon", "MultiPolygon"]}},
}
SCHEMA = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("lon", pa.float64()),
        ("lat", pa.float64()),
        ("geometry", pa.binary()),
    ],
    metadata={"geo": json.dumps(GEO)},
)


def main() -> None:
    """Make one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parcels", type=int)
    parser.add_argument("--shuffled", action="store_true", help="in random order, not Hilbert's")
    options = parser.parse_args()
    print(made_parcels(options.parcels, shuffled=options.shuffled))


def made_parcels(count: int, *, shuffled: bool = False, folder: Path = CACHE) -> Path:
    """File of `count` parcels with their points, made when it is not there; row groups of 65,536 in Hilbert order."""
    path = folder / f"parcels_{count}{'_shuffled' if shuffled else ''}.parquet"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    number = np.arange(count)
    lon, lat, is_town = places(number)
    order = hilbert_order(lon, lat)
    if shuffled:
        order = np.random.default_rng(SEED).permutation(count)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with pq.ParquetWriter(partial, SCHEMA, compression="zstd") as writer:
        for begin in range(0, count, GROUP):
            rows = order[begin : begin + GROUP]
            plan = _plan(number[rows], lon[rows], lat[rows], is_town[rows])
            writer.write_batch(_batch(plan), row_group_size=GROUP)
    partial.replace(path)
    return path


def places(
    number: np.ndarray, share: float = TOWN_SHARE
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Longitude, latitude and whether it is in a town, of each number."""
    lon, lat = np.empty(len(number)), np.empty(len(number))
    is_town = np.empty(len(number), dtype=bool)
    town_lon, town_lat, weight, spread_deg = towns()
    end = np.cumsum(weight)
    made_shapes.scatter(
        *(number, lon, lat, share, town_lon, town_lat, end / end[-1], spread_deg, BOX, is_town)
    )
    return lon, lat, is_town


def towns() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Longitude, latitude, people and spread in degrees of the towns, largest first."""
    rng = np.random.default_rng(SEED)
    lon = rng.uniform(BOX[0] + 1.5, BOX[2] - 1.5, TOWNS)
    lat = rng.uniform(BOX[1] + 1.5, BOX[3] - 1.5, TOWNS)
    people = 2e7 / np.arange(2, TOWNS + 2) ** 0.9
    return lon, lat, people, 0.03 + 0.2 * (people / people[0]) ** 0.4 * rng.uniform(0.5, 1.0, TOWNS)


def _plan(number: np.ndarray, lon: np.ndarray, lat: np.ndarray, is_town: np.ndarray) -> Plan:
    drawn = np.empty((len(number), 5))
    made_shapes.draw(number, 2, drawn)
    kind, flaw, size, rough, tail = drawn.T
    acres = np.where(is_town, 0.4 * np.exp(1.2 * size), 30.0 * np.exp(1.6 * size))
    vertices = np.exp(np.log(10.0) + 0.4 * rough)
    vertices = np.where(kind < 0.01, 60.0 * np.exp(0.7 * tail), vertices)
    parts = np.where((kind > 0.5) & (kind < 0.52), 2 + (tail**2).astype(int), 1)
    holes = np.where((kind > 0.519) & (kind < 0.529), 1 + np.minimum(np.abs(rough) * 1.5, 4), 0)
    # From 0: five kinds that cannot be measured, then crossing, then doubled vertices.
    ends = np.append(np.arange(1, 6) * 2e-5, [5e-4, 1e-2])
    flaws = np.array(
        [
            made_shapes.NOT_A_NUMBER,
            made_shapes.UNCLOSED,
            made_shapes.OFF_THE_GLOBE,
            made_shapes.EMPTY,
            made_shapes.POINT,
            made_shapes.BOW_TIE,
            made_shapes.DOUBLED,
            made_shapes.SOUND,
        ]
    )
    return Plan(
        number,
        lon,
        lat,
        np.clip(acres, 0.02, MOST_ACRES),
        np.clip(np.rint(vertices), 5, 600).astype(np.int64),
        parts,
        holes.astype(np.int64),
        flaws[np.searchsorted(ends, flaw)],
    )


def _batch(plan: Plan) -> pa.RecordBatch:
    octets, start = plan.wkb()
    offsets = pa.py_buffer(start.astype(np.int32))
    shapes = pa.Array.from_buffers(pa.binary(), len(plan), [None, offsets, pa.py_buffer(octets)])
    ids = pc.binary_join_element_wise("P", pa.array(plan.number).cast(pa.string()), "")
    columns = [ids, pa.array(plan.lon), pa.array(plan.lat), shapes]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


if __name__ == "__main__":
    main()
