"""Made-up worlds: parcels of all kinds among layers of a few dozen features, with the columns of `core`."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import strategies as st
from rasterio.transform import Affine

from data import build, store
from geo.layers import Layers
from geo.tie_line import TieLineCosts
from tests.oracle import exclusion
from tests.oracle.feeding import TABLE
from tests.oracle.fiber_reach import fiber_world
from tests.oracle.shapes import around, places, seeds

SLOPE_CRS = "EPSG:5070"
HEADROOM = ["substation_id", "headroom_mw_low", "headroom_mw_mid", "headroom_mw_high"]
MORE_HEADROOM = (
    "headroom_n0_mw", "flexible_025_mw_mid", "flexible_100_mw_mid", "reserve_zone_mw", "reserve_interconnection_mw",
)  # fmt: skip
TIE_LINES = TieLineCosts.from_frame(pd.read_csv(TABLE))
COUNTIES, STATES = ("20001", "20003", "31001"), ("KS", "KS", "NE")


def _empty_layers():
    with store.create() as con:
        for name in ("schema", "staging_macros"):
            store.run_file(con, f"meta/{name}")
        for layer in Layers.__annotations__:
            build.load_layer(con, layer, [])
        return {layer: build.layer_frame(con, layer) for layer in Layers.__annotations__}


EMPTY = _empty_layers()


def layers(**rows):
    """Layers with the rows given as dicts, the others empty, all with the columns of core."""
    frames = dict(EMPTY)
    for layer, given in rows.items():
        frame = pd.DataFrame(given).reindex(columns=EMPTY[layer].columns)
        frames[layer] = (
            gpd.GeoDataFrame(frame, geometry="geometry", crs="OGC:CRS84")
            if "geometry" in frame
            else frame
        )
    return Layers(**frames)


class World(SimpleNamespace):
    """`parcels`, `layers`, `headroom`, and `exclusions`, `slope` (values, transform) and `fiber`, which may be None."""

    def __repr__(self):
        """Say where it is: what fails prints it."""
        return f"<world of {len(self.parcels)} parcels at {self.parcels.total_bounds}>"


@st.composite
def worlds(draw):
    """A world, 5 to 300 km across; some of its layers are empty."""
    return world(draw(places), 10.0 ** draw(st.floats(3.7, 5.5)), draw(seeds))


def world(place, scale_m, seed, *, size=9, most=30, empty=0.1):
    """Make a world around a place.

    Features stand at the same place, in parcels, on their corners and far away; parcels have holes and parts,
    are slivers, cells, combs, one inside another or the same as another. Tables have up to `most` rows, and
    none at chance `empty`, as have areas.
    """
    rng = np.random.default_rng(seed)
    parcels = _parcels(place, scale_m, size, rng)
    corners = shapely.get_coordinates(parcels.geometry.to_numpy())
    inside = shapely.get_coordinates(shapely.point_on_surface(parcels.geometry.to_numpy()))

    def spots(count):
        """Places of features: around, some of them in parcels, on corners, far away and twice."""
        spread = around(place, rng.uniform(0, 360, count), scale_m * rng.random(count))
        other = rng.random(count)
        for among, low, high in ((inside, 0.0, 0.1), (corners, 0.1, 0.2)):
            at = (other >= low) & (other < high)
            spread[at] = among[rng.integers(0, len(among), at.sum())]
        far = (other >= 0.2) & (other < 0.25)
        away_m = rng.uniform(3e5, 1.5e6, far.sum())
        spread[far] = around(place, rng.uniform(0, 360, far.sum()), away_m)
        again = rng.random(count) < 0.2
        spread[again] = spread[rng.integers(0, count, again.sum())]
        return spread

    def table(**columns):
        """Rows at places, the columns made by functions of the count."""
        count = 0 if rng.random() < empty else int(rng.integers(1, most))
        lon, lat = spots(count).T if count else np.zeros((2, 0))
        return pd.DataFrame(
            {name: make(count) for name, make in columns.items()} | {"lon": lon, "lat": lat}
        )

    def any_of(*values):
        return lambda count: [values[at] for at in rng.integers(0, len(values), count)]

    def names(prefix):
        return lambda count: [f"{prefix}{at}" for at in rng.permutation(count)]

    def amounts(high, unknown=0.2):
        return lambda count: np.where(
            rng.random(count) < unknown, np.nan, np.round(rng.uniform(0, high, count), 2)
        )

    lowest = (
        any_of(230.0, 345.0, 500.0)
        if rng.random() < 0.2
        else any_of(69.0, 115.0, 138.0, 230.0, 345.0, np.nan)
    )
    substation = table(substation_id=names("s"), kv_max=lowest)
    mid = amounts(1500.0)(len(substation))
    mid[rng.random(len(mid)) < 0.2] = 0.0
    grid_states = any_of(*STATES)
    made = {
        "substation": substation,
        "line": _lines(place, scale_m, parcels, rng),
        "plant": table(capacity_mw=amounts(900.0), fuel_kind=any_of("firm", "variable", "storage", None)),
        "metro": table(
            metro_id=names("m"), metro_name=names("M"), is_major=any_of(True, False),
            metro_people=lambda count: rng.integers(250_000, 5_000_000, count),
        ),
        "metro_county": pd.DataFrame(
            {"county_id": COUNTIES[:2], "metro_id": ["m0", "x"]} if rng.random() < 0.5 else {"county_id": [], "metro_id": []}
        ),
        "place": table(place_name=names("P"), state_id=any_of(*STATES)),
        "people": table(people=lambda count: np.round(rng.uniform(0, 9_000, count), 3)),
        "pop": table(
            pop_id=names("p"), carrier_id=any_of("a", "b", "c"), carrier_name=any_of("A", "B"),
            carrier_kind=any_of("carrier", "carrier", "research"),
        ),
        "ixp": table(ixp_id=names("i"), ixp_name=names("I"), is_inferred=any_of(True, False)),
        "zone_point": table(zone_id=names("z"), state_id=any_of("NE", "CO") if rng.random() < 0.3 else grid_states),
        "climate_point": table(
            heating_degree_days_65f=amounts(9_000.0), cooling_degree_days_65f=amounts(4_000.0)
        ),
        "land_value": table(
            land_value_usd_per_acre=amounts(9_000.0, 0.1), cell_km=any_of(11.5, 40.0)
        ),
        "developable": table(
            developable_share=lambda count: np.round(rng.random(count), 3), state_id=any_of("KS"), cell_km=any_of(4.0, 14.0)
        ),
        "state": pd.DataFrame(
            {
                "state_id": ["KS", "CO"], "industrial_usd_per_mwh": [70.5, 60.0], "heating_degree_days_65f": [5_000.0, 1.0],
                "cooling_degree_days_65f": [1_500.0, 2.0], "generation_queue_mw": [9_000.0, np.nan],
            }
        ),
        "county_fact": pd.DataFrame(
            {
                "county_id": list(COUNTIES[:2]), "population_people": [200, 0], "hazard_usd": [5e3, 1e3],
                "industrial_usd_per_mwh": [61.25, np.nan], "fiber_coverage_share": [0.4, np.nan],
                "generation_queue_mw": [np.nan, 12.5 if rng.random() < 0.5 else np.nan],
            }
        ),
    }  # fmt: skip
    areas = {name: _areas(place, scale_m, parcels, empty, rng) for name in ("lake", "park")}
    for name, shapes in areas.items():
        made[name] = {f"{name}_id": np.arange(len(shapes)).astype(str), "geometry": shapes}
    made["retiring_plant"] = _retiring(place, scale_m, inside, seed, empty, most)
    made["data_center"] = _data_centers(place, scale_m, inside, seed, empty, most)
    exclusions = _areas(place, scale_m, parcels, empty, rng)
    held = layers(**made)
    fiber = (
        fiber_world(place, scale_m, seed, held, most=most // 2) if seed % 10 or not empty else None
    )
    return World(
        parcels=parcels,
        layers=held,
        fiber=fiber,
        slope=None if rng.random() < empty else _slope(parcels, rng),
        headroom=_headroom(substation, mid, seed),
        exclusions=None if rng.random() < empty else exclusions,
    )


def _retiring(place, scale_m, inside, seed, empty, most):
    """Plants that retire around the place, some of them in parcels."""
    rng = np.random.default_rng([seed, 3])
    count = 0 if rng.random() < empty else int(rng.integers(1, most))
    spots = around(place, rng.uniform(0, 360, count), scale_m * rng.random(count))
    is_in = rng.random(count) < 0.1
    spots[is_in] = inside[rng.integers(0, len(inside), is_in.sum())]
    lon, lat = spots.T
    mw = np.where(rng.random(count) < 0.2, np.nan, np.round(rng.uniform(0, 900, count), 2))
    years, kinds = (2019, 2030, 2035, 2036, 2100), ("retiring", "retired")
    return pd.DataFrame(
        {
            "capacity_mw": mw,
            "retirement_year": [years[at] for at in rng.integers(0, len(years), count)],
            "retirement_status": [kinds[at] for at in rng.integers(0, len(kinds), count)],
            "lon": lon,
            "lat": lat,
        }
    )


def _data_centers(place, scale_m, inside, seed, empty, most):
    """Data centers around the place, some of them in parcels."""
    rng = np.random.default_rng([seed, 4])
    count = 0 if rng.random() < empty else int(rng.integers(1, most))
    spots = around(place, rng.uniform(0, 360, count), scale_m * rng.random(count))
    is_in = rng.random(count) < 0.1
    spots[is_in] = inside[rng.integers(0, len(inside), is_in.sum())]
    lon, lat = spots.T
    return pd.DataFrame({"data_center_id": [f"d{n}" for n in range(count)], "lon": lon, "lat": lat})


def _headroom(substation, mid, seed):
    """Headroom of every substation, with or without what only some methods know, in an order of its own."""
    rng = np.random.default_rng([seed, 2])
    count = len(substation)
    frame = pd.DataFrame(
        {
            "substation_id": substation["substation_id"],
            HEADROOM[1]: mid / 2,
            HEADROOM[2]: mid,
            HEADROOM[3]: mid * 2,
        }
    )
    if rng.random() < 0.7:
        frame["connect_kv"] = rng.choice([69.0, 115.0, 236.0, 765.0, np.nan], count)
        for name in MORE_HEADROOM:
            frame[name] = np.where(rng.random(count) < 0.1, np.nan, rng.uniform(0, 2_000, count))
    return frame.iloc[rng.permutation(count)]


def _parcels(place, scale_m, count, rng):
    spots = around(place, rng.uniform(0, 360, count), scale_m * rng.random(count) / 2)
    shapes = [_one(spot, 10.0 ** rng.uniform(1.5, 4.0), rng) for spot in spots]
    first = shapes[0]
    shapes += [first, shapely.affinity.scale(first, 0.3, 0.3, origin=first.representative_point())]
    shapes = [
        shape for shape in shapes if shape.is_valid and exclusion.to_plane(shape).item().is_valid
    ]
    is_cell = np.array(
        [
            len(shape.exterior.coords) == 7 if shape.geom_type == "Polygon" else False
            for shape in shapes
        ]
    )
    points = [
        shape.centroid if shape.contains(shape.centroid) else shape.point_on_surface()
        for shape in shapes
    ]
    county = rng.integers(0, 4, len(shapes))
    frame = gpd.GeoDataFrame(
        {
            "parcel_id": [f"lot-{number}" for number in rng.permutation(len(shapes))],
            "parcel_kind": np.where(is_cell, "h3_cell", "assessor"),
            "lon": [point.x for point in points],
            "lat": [point.y for point in points],
            "county_id": [(*COUNTIES, None)[at] for at in county],
            "state_id": [(*STATES, None)[at] for at in county],
            "area_acres": shapely.area(exclusion.to_plane(shapes)) / exclusion.SQUARE_METRES_PER_ACRE,
            "acres": np.where(rng.random(len(shapes)) < 0.5, np.nan, 100.5),
            "lake_share": np.where(is_cell, 0.125, np.nan),
        },
        geometry=shapes,
        crs="OGC:CRS84",
    )  # fmt: skip
    return frame.set_index(pd.Index(rng.permutation(10 * len(frame))[: len(frame)], name="any"))


def _one(spot, radius_m, rng):
    kind = rng.choice(["star", "hole", "parts", "sliver", "cell", "comb"])
    if kind == "sliver":
        bearings = rng.uniform(0, 360) + np.array([0.0, 0.3, 180.0, 180.3])
        return shapely.Polygon(around(spot, bearings, np.full(4, radius_m)))
    if kind == "cell":
        return shapely.Polygon(
            around(spot, rng.uniform(0, 60) + np.arange(6) * 60.0, np.full(6, radius_m))
        )
    if kind == "comb":
        west, south = spot
        step = radius_m / 1e6
        teeth = [
            shapely.box(west + step * at, south, west + step * (at + 0.5), south + 8 * step)
            for at in range(5)
        ]
        return shapely.union_all(
            [*teeth, shapely.box(west, south, west + 4.5 * step, south + step)]
        )
    outer = _star(spot, radius_m, rng)
    if kind == "hole":
        inner = shapely.affinity.scale(outer, 0.6, 0.6, origin=shapely.Point(spot))
        return outer.difference(inner)
    if kind == "parts":
        other = tuple(around(spot, [rng.uniform(0, 360)], [radius_m * rng.uniform(2.5, 4.0)])[0])
        return shapely.MultiPolygon([outer, _star(other, radius_m, rng)])
    return outer


def _star(spot, radius_m, rng):
    count = rng.integers(3, 12)
    bearings = (np.arange(count) + rng.uniform(0.1, 0.9, count)) * 360.0 / count
    return shapely.Polygon(around(spot, bearings, radius_m * rng.uniform(0.5, 1.0, count)))


def _lines(place, scale_m, parcels, rng):
    """Long and short, of several parts, backwards, through parcels and from a corner of one."""
    shapes = []
    for _ in range(rng.integers(0, 9)):
        parts = []
        for _ in range(rng.integers(1, 3)):
            count = rng.integers(2, 5)
            parts.append(
                shapely.LineString(
                    around(place, rng.uniform(0, 360, count), scale_m * rng.random(count))
                )
            )
        shapes.append(parts[0] if len(parts) == 1 else shapely.MultiLineString(parts))
    if shapes:
        one = parcels.geometry.iloc[0]
        corner, middle = (
            shapely.get_coordinates(one)[0],
            shapely.get_coordinates(one.point_on_surface())[0],
        )
        ends = around(place, rng.uniform(0, 360, 2), np.full(2, scale_m))
        shapes += [
            shapely.reverse(shapes[0]),
            shapely.LineString([corner, corner + (corner - middle)]),
        ]
        if rng.random() < 0.3:
            shapes.append(shapely.LineString([ends[0], middle, ends[1]]))
    low = rng.choice([np.nan, 100.0, 220.0, 345.0, 500.0], len(shapes))
    return pd.DataFrame(
        {
            "line_id": [f"l{number}" for number in rng.permutation(len(shapes))],
            "kv_min": low,
            "kv_max": np.where(low == 220.0, 287.0, np.nan),
            "is_dc": [
                (True, False, None)[at] for at in rng.choice(3, len(shapes), p=[0.1, 0.6, 0.3])
            ],
            "geometry": pd.Series(shapes, dtype=object),
        }
    )


def _slope(parcels, rng):
    """Slopes in percent over most of the ground, NaN where unknown, and their transform in `SLOPE_CRS`."""
    west, south, east, north = parcels.to_crs(SLOPE_CRS).total_bounds
    size_m = max(east - west, north - south) / 25
    values = np.round(rng.exponential(5.0, (24, 24)), 1)
    values[rng.random(values.shape) < 0.2] = np.nan
    return values, Affine(size_m, 0.0, west, 0.0, -size_m, north)


def _areas(place, scale_m, parcels, empty, rng):
    """Areas that hold, cut, equal and miss parcels, overlap, lie twice and cross themselves; or none."""
    if rng.random() < empty:
        return np.zeros(0, dtype=object)
    shapes = parcels.geometry.to_numpy()
    chosen = rng.choice(len(shapes), 4)
    out = [_one(spot, 10.0 ** rng.uniform(1.5, 4.0), rng) for spot in
           around(place, rng.uniform(0, 360, 6), scale_m * rng.random(6) / 2)]  # fmt: skip
    for at, factor in zip(chosen, (0.5, 1.5, 1.0, 0.8), strict=True):
        out.append(shapely.affinity.scale(shapes[at], factor, factor))
    for at in rng.choice(len(shapes), 3):
        west, south, east, north = shapes[at].bounds
        part = rng.uniform(0.2, 0.8)
        out.append(
            shapely.box(west - 1e-3, south - 1e-3, west + part * (east - west), north + 1e-3)
        )
    bow = around(place, np.array([0.0, 180.0, 90.0, 270.0]), np.full(4, scale_m / 9))
    out += [out[0], shapely.Polygon(bow)]
    return np.array(out, dtype=object)
