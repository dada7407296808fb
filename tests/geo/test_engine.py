"""The engine as a whole, held column by column against every parcel by every feature."""

from contextlib import contextmanager, nullcontext
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given

from data.metrics import METRICS
from geo import _threads, contiguous
from geo import shape as shape_module
from geo.errors import CrsError, GeometryError
from geo.exclusion import ExclusionIndex
from geo.measure import measure, prepare
from geo.parcels import Parcels
from geo.polygons import Polygons
from tests.oracle import exclusion, shape, zonal
from tests.oracle.exclusion import SQUARE_METRES_PER_ACRE
from tests.oracle.geodesic import METRES_PER_MILE
from tests.oracle.plain_measure import plain_measure
from tests.oracle.shapes import examples
from tests.oracle.worlds import SLOPE_CRS, TIE_LINES, layers, world, worlds

COUNTED = ("population_", "firm_", "variable_", "carrier_25mi", "is_within")


@contextmanager
def engine_of(one):
    """Prepare the engine of a world; its raster is open for as long."""
    exclusions = None if one.exclusions is None else ExclusionIndex.build(one.exclusions)
    with nullcontext() if one.slope is None else zonal.open_raster(*one.slope, SLOPE_CRS) as slope:
        yield prepare(
            one.layers,
            one.headroom,
            TIE_LINES,
            exclusions=exclusions,
            slope=slope,
            fiber=None if one.fiber is None else one.fiber.index(),
        )


def assert_as_plain(found, parcels, expected, *, clear=None):
    """Compare column by column; `clear` says whose largest piece hangs on no rounding."""
    shapes = parcels.geometry.to_numpy()
    for name, value in expected.known.items():
        got = found[name].to_numpy(dtype=object)
        got = np.where(pd.isna(got), np.nan, got).astype(float)
        right = np.broadcast_to(value, got.shape)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(right), err_msg=name)
        limit = _limits(name, right, shapes)
        if name == "contiguous_acres":
            limit = np.where(clear, limit, np.inf)
        is_off = np.abs(got - right) > limit
        assert not is_off.any(), (name, found.index[is_off], got[is_off], right[is_off])
    for names, choices in expected.choices.items():
        rows = found[list(names)].itertuples(index=False, name=None)
        for row, right, parcel in zip(rows, choices, found.index, strict=True):
            assert any(map(_same, [names] * len(right), [row] * len(right), right)), (
                f"{names} of {parcel}: {row}, not {right}"
            )


def _same(names, row, right):
    for name, got, wanted in zip(names, row, right, strict=True):
        if pd.isna(got) or pd.isna(wanted):
            if pd.isna(got) != pd.isna(wanted):
                return False
        elif name.endswith("_mi"):
            route = 1.3 if name == "tie_line_mi" else 1.0
            if abs(got - wanted) * METRES_PER_MILE > 0.1 * route + 1e-5 * wanted * METRES_PER_MILE:
                return False
        elif name.endswith("_musd"):  # metres are up to ten dear circuits long
            if abs(got - wanted) > 0.005 + 1e-5 * wanted:
                return False
        elif got != wanted:
            return False
    return True


def _limits(name, right, shapes):
    """How far off a metric may be, in its unit, (n,)."""
    if name.startswith(COUNTED):
        return np.zeros(len(right))
    if name.endswith(("node_mi", "node_musd")) or "_ms_" in name:
        return np.full(len(right), 1e-6)
    if name.endswith("_mi"):
        return 0.1 / METRES_PER_MILE + 1e-5 * right
    if name == "inscribed_diameter_m":
        return _circle_limits(shapes, right)
    if name in {"compactness", "minimum_width_m"}:
        return 1e-4 * right + 1e-5
    flat = exclusion.to_plane(shapes)
    area_m2 = shapely.area(flat)
    if name.startswith(("slope_", "gentle_")):
        return 1e-9 * (1 + right) + 1e-6 * shapely.length(flat) / area_m2
    if name in {"lake_share", "park_share", "excluded_share"}:
        return np.maximum(1e-9, 1e-3 / area_m2)
    if name in {"area_acres", "acres", "buildable_acres", "contiguous_acres"}:
        least_m2 = 1.0 if name == "contiguous_acres" else 1e-3
        return np.maximum(1e-9 * area_m2, least_m2) / SQUARE_METRES_PER_ACRE
    return 1e-9 * np.abs(right)


def _circle_limits(shapes, right):
    """A metre or 1 %; edges that are straight in lon/lat are bent on the ground."""
    flat = [shape.azimuthal(one) for one in shapes]
    size_m = np.array([np.hypot(*np.ptp(np.reshape(one.bounds, (2, 2)), axis=0)) for one in flat])
    return np.maximum(1.0, 0.0102 * right) + size_m**2 / 6.37e6 + 0.01


def clear_of(parcels, exclusions):
    """Whether neither what is left of a parcel nor its border is 2 mm from hanging together otherwise."""
    if exclusions is None:
        return None
    union = exclusion.dissolved(exclusions)
    out = []
    for parcel in exclusion.to_plane(parcels.geometry.to_numpy()):
        pairs = [(parcel, union.boundary), (union, parcel.boundary)]
        gaps = [
            shapely.distance(shapely.points(shapely.get_coordinates(vertices)), border)
            for vertices, border in pairs
        ]
        least = min(gap.min(initial=np.inf) for gap in gaps)
        out.append(min(least, shapely.minimum_clearance(parcel.difference(union))) > 0.002)
    return np.array(out)


@examples(25)
@given(worlds())
def test_every_metric_agrees_with_every_parcel_by_every_feature(one):
    with engine_of(one) as engine:
        found = measure(one.parcels, engine)
    slope = None if one.slope is None else (*one.slope, SLOPE_CRS)
    expected = plain_measure(
        one.parcels, one.layers, one.headroom, one.exclusions, slope, one.fiber
    )
    told = {*expected.known, *(name for names in expected.choices for name in names)}
    assert told >= set(METRICS)
    assert told | {"parcel_id", "distance_basis"} == set(found.columns)
    assert_as_plain(found, one.parcels, expected, clear=clear_of(one.parcels, one.exclusions))


# ---- The parcel and the layers alone decide ----------------------------------------------------------


@pytest.fixture(scope="module")
def many():
    """Parcels of all kinds by the hundred, an engine, and what is measured of them at once."""
    one = world((-98.0, 39.0), 200_000.0, 7, size=700, most=60, empty=0.0)
    assert one.parcels["parcel_kind"].value_counts().min() > 50
    with engine_of(one) as engine:
        yield one.parcels, engine, measure(one.parcels, engine)


def assert_same_bits(got, expected):
    assert got.index.equals(expected.index)
    assert got.dtypes.equals(expected.dtypes)
    for name in expected:
        if expected[name].dtype == np.float64:
            assert got[name].to_numpy().tobytes() == expected[name].to_numpy().tobytes(), name
    pd.testing.assert_frame_equal(got, expected, check_exact=True)


def test_what_is_measured_says_something(many):
    found = many[-1]
    assert (found[list(METRICS)].notna().sum() > 20).all()
    # Three counties know little, and sixty metros leave no parcel without a major one.
    same = {name for name in METRICS if len(set(found[name].dropna())) == 1}
    assert same == {
        "is_within_100mi_of_major_metro", "generation_queue_mw", "hazard_usd_per_person", "fiber_coverage_share",
    }  # fmt: skip


@pytest.mark.parametrize(("size", "count"), [(1, 60), (7, 250), (250, 702)])
def test_chunks_change_no_bit(many, size, count):
    parcels, engine, expected = many
    expected = expected[:count]
    parts = [
        measure(parcels.iloc[start : min(start + size, count)], engine)
        for start in range(0, count, size)
    ]
    for part in parts:
        assert part.dtypes.equals(expected.dtypes)
    assert_same_bits(pd.concat(parts), expected)


@pytest.mark.parametrize(("cores", "block"), [(1, 4_096), (2, 64), (5, 33), (3, 7)])
def test_threads_and_their_blocks_change_no_bit(many, monkeypatch, cores, block):
    parcels, engine, expected = many
    seen = set()
    real = _threads.ThreadPoolExecutor
    monkeypatch.setattr(_threads.os, "cpu_count", lambda: cores)
    monkeypatch.setattr(_threads, "ThreadPoolExecutor", lambda n: seen.add(n) or real(n))
    monkeypatch.setitem(_threads.in_threads.__kwdefaults__, "block", block)
    for module in (contiguous, shape_module):
        monkeypatch.setattr(module, "BLOCK", block)
    assert_same_bits(measure(parcels, engine), expected)
    assert seen == ({cores} if cores > 1 else set())


def test_layers_that_are_prepared_again_give_the_same_bits(many, monkeypatch):
    parcels, _, expected = many
    monkeypatch.setattr(_threads.os, "cpu_count", lambda: 1)
    one = world((-98.0, 39.0), 200_000.0, 7, size=700, most=60, empty=0.0)
    with engine_of(one) as engine:
        assert_same_bits(measure(parcels, engine), expected)


def test_the_order_of_the_parcels_changes_no_bit(many):
    parcels, engine, expected = many
    order = np.random.default_rng(5).permutation(len(parcels))
    assert_same_bits(measure(parcels.iloc[order], engine), expected.iloc[order])


def test_any_index_comes_back(many):
    parcels, engine, expected = many
    parcels, expected = parcels[:60], expected[:60]
    labels = {
        "text": [f"p{n}" for n in range(60)],
        "twice": [n // 2 for n in range(60)],
        "times": pd.date_range("2024-01-01", periods=60),
        "pairs": pd.MultiIndex.from_arrays([np.arange(60) % 7, np.arange(60)], names=["a", "b"]),
        "missing": [None, *range(59)],
    }
    for label in labels.values():
        index = pd.Index(label)
        assert_same_bits(measure(parcels.set_axis(index), engine), expected.set_axis(index))


def test_no_parcels_are_measured_as_none(many):
    parcels, engine, expected = many
    assert_same_bits(measure(parcels.iloc[:0], engine), expected.iloc[:0])


def test_flat_arrays_and_shapes_are_the_same_parcels(many):
    parcels, engine, expected = many
    polygons = Polygons.from_shapes(parcels.geometry.to_numpy())
    frame = pd.DataFrame(parcels.drop(columns="geometry"))
    assert_same_bits(measure(Parcels.of(frame, polygons), engine), expected)


def test_the_frame_that_is_measured_stays_as_it_is(many):
    parcels, engine, _ = many
    some = parcels[["geometry"]].iloc[:9]
    before = some.copy()
    measure(some, engine)
    pd.testing.assert_frame_equal(some, before)


def test_outlines_are_enough(many):
    parcels, engine, expected = many
    bare = parcels[["geometry"]].rename_geometry("outline")
    found = measure(bare, engine)
    assert found.index.equals(parcels.index)
    assert found.dtypes.equals(expected.dtypes)
    assert found["parcel_id"].tolist() == [str(label) for label in parcels.index]
    assert (found["distance_basis"] == "edge").all()
    acres = shapely.area(exclusion.to_plane(parcels.geometry.to_numpy())) / SQUARE_METRES_PER_ACRE
    np.testing.assert_allclose(found["area_acres"], acres, rtol=1e-9, atol=1e-8)
    np.testing.assert_array_equal(found["acres"], found["area_acres"])
    # What hangs on the outline alone is as with all columns; what hangs on the county is unknown.
    lots = (parcels["parcel_kind"] == "assessor").to_numpy()
    same = ["substation_69kv_mi", "line_230kv_id", "pop_mi", "park_share", "excluded_share",
            "contiguous_acres", "minimum_width_m", "cooling_degree_days_65f"]  # fmt: skip
    assert_same_bits(found.loc[lots, same], expected.loc[lots, same])
    for name in ("industrial_usd_per_mwh", "hazard_usd_per_person", "fiber_coverage_share"):
        assert found[name].isna().all()
    # Their points lie inside.
    held = Parcels.from_geodataframe(bare)
    assert shapely.contains_xy(parcels.geometry.to_numpy(), held.lon, held.lat).all()


def test_outlines_may_run_either_way_round(many):
    parcels, engine, expected = many
    turned = parcels.set_geometry(shapely.reverse(parcels.geometry.to_numpy()), crs=parcels.crs)
    found = measure(turned, engine)
    for name in METRICS:
        got, right = (frame[name].to_numpy(float, na_value=np.nan) for frame in (found, expected))
        near = {"inscribed_diameter_m": 0.02, "contiguous_acres": 1e-6}.get(name, 1e-9)
        np.testing.assert_allclose(got, right, rtol=near, atol=1e-4, err_msg=name)


def test_what_is_no_parcel_is_refused(many):
    parcels, engine, _ = many
    with pytest.raises(CrsError, match="Virginia North"):
        measure(parcels.set_crs("EPSG:2283", allow_override=True), engine)
    for shape_, said in [
        (shapely.Point(-98, 39), "is a Point"), (None, "missing"), (shapely.Polygon(), "empty"),
        (shapely.box(39, -98.1, 39.1, -98), "longitude"),
    ]:  # fmt: skip
        bad = parcels[["geometry"]].iloc[:3].copy()
        bad.geometry = [bad.geometry.iloc[0], shape_, bad.geometry.iloc[2]]
        with pytest.raises(GeometryError, match=said):
            measure(bad.set_crs("OGC:CRS84", allow_override=True), engine)


# ---- Real parcels and real layers --------------------------------------------------------------------

MIRROR = Path(__file__).parents[3] / "shared" / "mirror"
TOWNS = {
    "cambridge": ("cambridge_ma_fy2013.parquet", ("FEMA_FloodPlains100Year.geojson", "HYDRO_Wetlands.geojson")),
    "rhode island": ("Rhode_Island.gpkg", ("Rhode_Island_Water.gpkg",)),
    "maricopa": ("maricopa_az_rural.parquet", ("ne_parks.parquet",)),
}  # fmt: skip
FIRM = {"Gas", "Coal", "Nuclear", "Hydro", "Oil", "Geothermal", "Biomass", "Petcoke", "Waste", "Cogeneration"}  # fmt: skip
# The plain way looks so many degrees around; lines are many.
NEAR_DEG, LINE_DEG = 3.0, 1.0


def read(path):
    frame = (gpd.read_parquet if path.suffix == ".parquet" else gpd.read_file)(path)
    frame = frame.to_crs("OGC:CRS84")
    return frame.set_geometry(shapely.force_2d(frame.geometry.to_numpy()), crs=frame.crs)


@pytest.fixture(scope="module")
def real_rows():
    """Rows of the layers as their files have them."""
    station = read(MIRROR / "grid" / "hifld_substations_ge230kv.parquet")
    line = read(MIRROR / "grid" / "hifld_transmission_lines.parquet")
    low = {"100-161": 100.0, "220-287": 220.0, "345": 345.0, "500": 500.0, "735 AND ABOVE": 735.0}
    plant = pd.read_csv(MIRROR / "grid" / "wri_database_USA.csv", low_memory=False)
    plant = plant[plant["latitude"].between(-90, 90) & (plant["capacity_mw"] > 0)]
    kinds = {"Solar": "variable", "Wind": "variable", "Storage": "storage"} | dict.fromkeys(
        FIRM, "firm"
    )
    place, number, days = (
        pd.read_csv(MIRROR / "population" / name, encoding="utf-8-sig", index_col="tract")
        for name in ("tract_lat_lon.csv", "tract_pop.csv", "tract_degday_normals.csv")
    )
    tract = place.join(number["pop"]).join(days[["hdd65_normals", "cdd65_normals"]]).dropna()
    at = {"lon": tract["lon"].to_numpy(), "lat": tract["lat"].to_numpy()}
    areas = {}
    for name in ("lake", "park"):
        shapes = read(MIRROR / "constraints" / f"ne_{name}s.parquet").geometry
        areas[name] = shapes[shapes.intersects(shapely.box(-125.0, 24.0, -66.0, 50.0))]
    rows = {
        "substation": pd.DataFrame(
            {
                "substation_id": station["objectid"].astype(int).astype(str), "kv_max": station["voltage"].astype(float),
                "lon": station.geometry.x, "lat": station.geometry.y,
            }
        ),
        "line": pd.DataFrame(
            {
                "line_id": line.index.astype(str), "kv_min": line["VOLT_CLASS"].map(low),
                "is_dc": line["VOLT_CLASS"] == "DC", "geometry": line.geometry.to_numpy(),
            }
        ),
        "plant": pd.DataFrame(
            {
                "capacity_mw": plant["capacity_mw"], "fuel_kind": plant["primary_fuel"].map(kinds),
                "lon": plant["longitude"], "lat": plant["latitude"],
            }
        ),
        "people": pd.DataFrame({"people": tract["pop"].to_numpy(), **at}),
        "climate_point": pd.DataFrame(
            {
                "heating_degree_days_65f": tract["hdd65_normals"].to_numpy(float),
                "cooling_degree_days_65f": tract["cdd65_normals"].to_numpy(float), **at,
            }
        ),
        **{
            name: pd.DataFrame({f"{name}_id": shapes.index.astype(str), "geometry": shapes.to_numpy()})
            for name, shapes in areas.items()
        },
    }  # fmt: skip
    ids = rows["substation"]["substation_id"]
    mid = np.random.default_rng(1).uniform(0, 1_500, len(ids))
    ends = {"low": mid / 2, "mid": mid, "high": mid * 2}
    return rows, pd.DataFrame(
        {"substation_id": ids, **{f"headroom_mw_{end}": values for end, values in ends.items()}}
    )


def real_parcels(name):
    """Valid parcels of a file, with their points."""
    frame = read(MIRROR / "parcels" / name)
    shapes = frame.geometry.to_numpy()
    shapes = shapes[shapely.is_valid(shapes) & (shapely.area(shapes) > 0)]
    point = shapely.centroid(shapes)
    outside = ~shapely.contains(shapes, point)
    point[outside] = shapely.point_on_surface(shapes[outside])
    columns = {"parcel_kind": "assessor", "lon": shapely.get_x(point), "lat": shapely.get_y(point)}
    unknown = dict.fromkeys(["county_id", "state_id"]) | dict.fromkeys(
        ["acres", "lake_share"], np.nan
    )
    return gpd.GeoDataFrame(columns | unknown, geometry=shapes, crs="OGC:CRS84")


def near(rows, bounds):
    """Rows of layers near a town."""
    west, south, east, north = bounds
    out = {}
    for name, frame in rows.items():
        deg = LINE_DEG if name == "line" else NEAR_DEG
        box = shapely.box(west - deg, south - deg, east + deg, north + deg)
        shapes = (
            frame["geometry"].to_numpy(dtype=object)
            if "geometry" in frame
            else shapely.points(frame["lon"], frame["lat"])
        )
        # One park far away tells a layer from none.
        keep = shapely.intersects(shapes, box)
        keep[0] = True
        out[name] = frame[keep]
    return out


@pytest.mark.mirror
@pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not there")
@pytest.mark.parametrize("town", TOWNS)
def test_real_parcels_among_real_layers_agree(real_rows, town):
    rows, headroom = real_rows
    name, constraints = TOWNS[town]
    parcels = real_parcels(name)
    shapes = np.concatenate(
        [read(MIRROR / "constraints" / file).geometry.dropna().to_numpy() for file in constraints]
    )
    engine = prepare(layers(**rows), headroom, TIE_LINES, exclusions=ExclusionIndex.build(shapes))
    whole = measure(parcels, engine)
    around = near(rows, parcels.total_bounds)
    close = shapes[shapely.intersects(shapes, shapely.box(*parcels.total_bounds))]

    # All of them: areas, and shares of the dissolved union.
    flat = exclusion.to_plane(parcels.geometry.to_numpy())
    acres = shapely.area(flat) / SQUARE_METRES_PER_ACRE
    np.testing.assert_allclose(whole["area_acres"], acres, rtol=1e-9, atol=1e-6)
    covered_m2, area_m2 = exclusion.areas_m2(parcels.geometry.to_numpy(), close).T
    off_m2 = np.abs(whole["excluded_share"] * area_m2 - covered_m2)
    assert (off_m2 <= np.maximum(1e-9 * area_m2, 1e-2)).all()
    parts = [measure(parcels.iloc[i : i + 1_777], engine) for i in range(0, len(parcels), 1_777)]
    assert_same_bits(pd.concat(parts), whole)

    # A sample: every column, and those that exclusions touch among them.
    rng = np.random.default_rng(3)
    touched = np.flatnonzero(whole["excluded_share"].between(1e-6, 1 - 1e-6))
    chosen = np.concatenate(
        [rng.choice(len(parcels), 250, replace=False), rng.permutation(touched)[:50]]
    )
    some = parcels.iloc[np.unique(chosen)]
    expected = plain_measure(some, layers(**around), headroom, close)
    # What the plain way did not look at lies farther away than what it found.
    assert expected.known["line_230kv_mi"].max() < LINE_DEG * 50
    assert expected.known["substation_345kv_mi"].max() < NEAR_DEG * 50
    found = whole.iloc[np.unique(chosen)]
    assert_as_plain(found, some, expected, clear=clear_of(some, close))
