"""Time the kernels of geo/ at the size of the default study: `python benchmarks/kernels.py [--json]`.

Data is made up: 210,000 cells and features as dense as the Texas A&M grid's, half of them clustered.
Parcels come as flat arrays, turned to ECEF each time. Each time is the median of three warm runs; the first
run, which compiles or builds trees, is beside it.
The plain way is geopandas in EPSG:5070 on a sample of the same queries, in the same process.
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import plain
import shapely
from pipeline import write_section
from plain import Plain

from geo.features import FeatureIndex
from geo.geodesy import GEOD
from geo.locate import locate
from geo.nearest import k_nearest, nearest, nearest_edge
from geo.polygons import Polygons
from geo.radius import distinct_within, radius_sums
from geo.sample import cell_share
from geo.shape import area_and_perimeter

HEADING = "## Kernels"
CELLS, SUBSTATIONS, LINES, BUSES, PLANTS = 210_000, 40_000, 25_000, 72_000, 14_000


def main() -> None:
    """Print one line a kernel: first and best seconds, and microseconds a query."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    results = [_timed(*case) for case in _cases()]
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if options.json:
        print(json.dumps({"kernels": results, "peak_gb": round(peak_gb, 2)}, indent=2))
        return
    write_section(HEADING, _section(results, peak_gb))
    print(_section(results, peak_gb))


def _section(results: list[dict], peak_gb: float) -> str:
    rows = "\n".join(
        f"| {row['kernel']} | {row['first_s']:.2f} | {row['median_s']:.2f} | {row['us_each']:.2f} | "
        + (f"{row['plain_us_each']:,.1f} | {row['ratio']:,.1f} |" if row["ratio"] else " | |")
        for row in results
    )
    return f"""{HEADING}

Made-up data of the default study's size, 2 cores, peak {peak_gb:.1f} GB. Plain: geopandas in EPSG:5070 on a sample of the same
queries, in the same process. `python benchmarks/kernels.py`

| kernel | first s | median warm s | µs a query | plain µs a query | ratio |
|---|---:|---:|---:|---:|---:|
{rows}
"""


def _timed(name: str, queries: int, run: Callable[[], object], plain: Plain | None) -> dict:
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[1:])
    us_each = median / queries * 1e6
    plain_us = plain.us_each() if plain else None
    return {
        "kernel": name,
        "first_s": seconds[0],
        "median_s": median,
        "us_each": us_each,
        "plain_us_each": plain_us,
        "ratio": plain_us / us_each if plain_us else None,
    }


def _cases() -> list[tuple[str, int, Callable[[], object], Plain | None]]:
    rng = np.random.default_rng(0)
    side = int(np.sqrt(CELLS))
    lon, lat = (
        v.ravel() for v in np.meshgrid(np.linspace(-124, -67, side), np.linspace(25, 49, side))
    )
    lon, lat = lon + rng.normal(0, 0.02, lon.size), lat + rng.normal(0, 0.02, lat.size)
    points = shapely.points(lon, lat)
    substation_lon_lat, line_shapes = _clustered(rng, SUBSTATIONS), _lines(rng)
    substation_points = shapely.points(*substation_lon_lat)
    substations = FeatureIndex.from_points(*substation_lon_lat)
    lines = FeatureIndex.from_lines(line_shapes)
    buses, plants, samples = (_clustered(rng, count) for count in (BUSES, PLANTS, 347_000))
    people, power_kw = rng.integers(0, 50_000, BUSES), rng.integers(0, 10**6, (PLANTS, 2))
    carriers = rng.integers(0, 60, PLANTS)
    parcel_shapes = shapely.buffer(shapely.points(lon[::10], lat[::10]), 0.005, quad_segs=3)
    parcels = Polygons.from_shapes(parcel_shapes)
    counties = _counties(rng)
    around = rng.uniform(-0.03, 0.03, (2, lon.size, 7))
    share = rng.random(347_000)
    pieces = len(lines.start)
    return [
        (
            f"nearest of {SUBSTATIONS:,} points",
            lon.size,
            lambda: nearest(substations, lon, lat),
            plain.nearest(points, substation_points, 20_000),
        ),
        (
            f"3 nearest of {SUBSTATIONS:,} points",
            lon.size,
            lambda: k_nearest(substations, lon, lat, 3),
            None,
        ),
        (
            f"nearest of {pieces:,} line pieces",
            lon.size,
            lambda: nearest(lines, lon, lat),
            plain.nearest(points, line_shapes, 2_000),
        ),
        (
            "nearest point to parcel edges",
            len(parcels),
            lambda: nearest_edge(substations, replace(parcels)),
            plain.nearest(parcel_shapes, substation_points, 5_000),
        ),
        (
            "nearest line to parcel edges",
            len(parcels),
            lambda: nearest_edge(lines, replace(parcels)),
            plain.nearest(parcel_shapes, line_shapes, 2_000),
        ),
        (
            f"sums of {BUSES:,} within 25/50/100 mi",
            lon.size,
            lambda: radius_sums(lon, lat, *buses, people, (25, 50, 100)),
            plain.sums(points, shapely.points(*buses), people, (25, 50, 100), 300),
        ),
        (
            f"2 sums of {PLANTS:,} within 10/25/50 mi",
            lon.size,
            lambda: radius_sums(lon, lat, *plants, power_kw, (10, 25, 50)),
            plain.sums(points, shapely.points(*plants), power_kw[:, 0], (10, 25, 50), 1_000),
        ),
        (
            f"distinct groups of {PLANTS:,} within 25 mi",
            lon.size,
            lambda: distinct_within(lon, lat, *plants, carriers, 25),
            plain.distinct(points, shapely.points(*plants), carriers, 25, 2_000),
        ),
        (
            f"county of {len(counties):,}",
            lon.size,
            lambda: locate(lon, lat, counties),
            plain.within(points, counties, 20_000),
        ),
        (
            "county, 5 mi gap",
            lon.size,
            lambda: locate(lon, lat, counties, max_gap_mi=5.0),
            None,
        ),
        (
            "cell share, 7 samples a cell",
            lon.size,
            lambda: cell_share(
                lon[:, None] + around[0],
                lat[:, None] + around[1],
                *samples,
                share,
                2.93,
                covered=True,
            ),
            None,
        ),
        (
            "acres and perimeters of parcels",
            len(parcels),
            lambda: area_and_perimeter(parcels),
            None,
        ),
    ]


def _clustered(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Half of the points around 300 towns, half anywhere."""
    towns = np.column_stack([rng.uniform(-123, -68, 300), rng.uniform(26, 48, 300)])
    points = np.column_stack([rng.uniform(-124, -67, count), rng.uniform(25, 49, count)])
    half = count // 2
    points[:half] = towns[rng.integers(0, 300, half)] + rng.normal(0, 0.4, (half, 2))
    return points[:, 0], points[:, 1]


def _lines(rng: np.random.Generator) -> np.ndarray:
    """Straight lines of 15 miles on average, 300,000 pieces of 2 km in all."""
    lon, lat = _clustered(rng, LINES)
    to_lon, to_lat, _ = GEOD.fwd(
        lon, lat, rng.uniform(0, 360, LINES), rng.exponential(24_000, LINES)
    )
    return shapely.linestrings(
        np.stack([np.column_stack([lon, lat]), np.column_stack([to_lon, to_lat])], axis=1)
    )


def _counties(rng: np.random.Generator) -> np.ndarray:
    """3,100 polygons without gaps, 300 vertices each."""
    towns = shapely.multipoints(
        np.column_stack([rng.uniform(-124, -67, 3100), rng.uniform(25, 49, 3100)])
    )
    shapes = shapely.get_parts(shapely.voronoi_polygons(towns))
    return shapely.segmentize(shapely.intersection(shapes, shapely.box(-124, 25, -67, 49)), 0.01)


if __name__ == "__main__":
    main()
