"""Which parcels a change of the layers can reach: all others measure the same, to the last bit.

A row of metrics depends on its parcel and the layers alone (`geo.measure`). `REACHES` says of every metric on
which part of them: features within a radius; features no farther than the nearest one is now; the county or
state that the parcel lies in; what is drawn on its tiles. A parcel that no changed row reaches, neither
where it was nor where it is, is measured from the same features in the same order, by the same kernels,
and need not be. What has no such bound, round trips over the graph of fiber and limits that substations
share, reaches every parcel as soon as one number of it changes; so do the few facts of a whole layer that
decide whether a metric is known at all (`_facts`).

Distances are taken by the searches that measuring itself uses, over the changed rows alone, and bounds
are wider than their errors (centimetres, see `geo.nearest` and `geo.radius`).
"""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Self

import numpy as np
import shapely

from geo._data_center import DATA_CENTER_RADIUS_MI
from geo._fiber import CARRIER_RADIUS_MI
from geo._grid import BULK_LINE_KV, GENERATION_RADII_MI, RETIRING_RADIUS_MI, VOLTAGE_CLASSES_KV
from geo._people import PEOPLE_RADII_MI
from geo.changes import Changes
from geo.exclusion import ExclusionIndex
from geo.feeding import REACH_MI
from geo.layers import Layers
from geo.reach import (
    Batch,
    Check,
    Inputs,
    Make,
    area,
    developable,
    exclusions,
    knows_low,
    land_value,
    nearest_now,
    nearest_unpublished,
    radius,
    shapes,
    voltage_class,
    zone,
)
from geo.tiles import differing_tiles

__all__ = ["REACHES", "Batch", "Inputs", "Reach", "Remeasure"]


@dataclass(frozen=True)
class Reach:
    """How far changes of a layer reach for some metrics, and why no farther.

    Attributes
    ----------
    metrics
        Columns that are measured.
    layer
        Canonical layer, or `feed`, `counted`, `shared`, `fiber`, `exclusions`: what of `Inputs` they are measured by.
    why
        Why no parcel beyond can change.
    check
        Makes the check from what was, what is and the rows that differ; None where all parcels are reached.
    """

    metrics: tuple[str, ...]
    layer: str
    why: str
    check: Make | None


@dataclass(frozen=True, eq=False)
class Remeasure:
    """What changed between two nights, ready to be held against parcels.

    Attributes
    ----------
    changed
        How many rows (of exclusions: tiles) differ, by layer.
    everything
        Why all parcels have to be measured; None where a change is local.
    """

    changed: dict[str, int]
    everything: str | None
    _checks: tuple[Check, ...]

    @classmethod
    def of(cls, old: Inputs, new: Inputs) -> Self:
        """Compare what parcels were measured by with what they are to be measured by."""
        if (whole := _whole(old, new)) is not None:
            return cls({}, whole, ())
        changes = _changes(old, new)
        changed, checks = {}, []
        for reach in REACHES:
            if reach.check is None or not len(rows := changes[reach.layer]):
                continue
            changed[reach.layer] = len(rows)
            check = reach.check(old, new, rows)
            if check is not None:
                checks.append(check)
        return cls(changed, None, tuple(checks))

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of miles of the last measurement that `stale` looks at."""
        return tuple(sorted({name for check in self._checks for name in check.needs}))

    def stale(self, batch: Batch) -> np.ndarray:
        """Whether each parcel has to be measured again, shape (n,)."""
        mask = np.full(len(batch.lon), self.everything is not None)
        for check in self._checks:
            if mask.all():
                break
            mask |= check.find(batch)
        return mask


def _whole(old: Inputs, new: Inputs) -> str | None:
    """Why a change reaches all parcels; None where it does not."""
    before, now = _facts(old), _facts(new)
    for name, value in now.items():
        if before[name] != value:
            return name
    if not _same(old.fiber, new.fiber):
        return "round trips over the fiber graph"
    if not _same(old.shared, new.shared):
        return "limits that substations share"
    return None


def _facts(held: Inputs) -> dict[str, Any]:
    """Facts of whole layers that decide for all parcels whether, or how, a metric is known."""
    layers, source = held.narrow, held.people
    queue = layers.county_fact["generation_queue_mw"]
    value = layers.land_value["cell_km"]
    plant = layers.plant.notna().all(axis=1)
    carrier = layers.pop["carrier_kind"] == "carrier"
    return {
        # Below it the record says where small substations are.
        "lowest voltage of substations": knows_low(held),
        "whether plants are known": bool(plant.any()),
        "whether retirements are known": not layers.retiring_plant.empty,
        "whether carriers are known": bool(carrier.any()),
        "whether data centers are known": not layers.data_center.empty,
        "whether people are known": (source is not None, held.counted.empty and source is None),
        "cells of the people": None if source is None else source.lattice,
        "land without people": None if source is None else _wkb(source.uncovered),
        "counties of metros": not layers.metro_county.empty,
        "queues of counties": bool(queue.notna().any()),
        "whether climate is known": not layers.climate_point.empty,
        "size of the cells of land value": None if value.empty else float(value.max()),
        "whether zones are known": not layers.zone_point.empty,
        "whether places are known": not layers.place.empty,
        "whether lakes are known": not layers.lake.empty,
        "whether parks are known": not layers.park.empty,
        "whether exclusions are known": held.exclusions is not None,
        "tiles of the exclusions": _frame_of(held.exclusions),
    }


def _wkb(shapes: np.ndarray) -> list[bytes]:
    return [bytes(shape) for shape in shapely.to_wkb(shapes)]


def _frame_of(index: ExclusionIndex | None) -> tuple[bytes, bytes] | None:
    return None if index is None else (index.scope.tobytes(), index.tile_m.tobytes())


def _same(old: Any, new: Any) -> bool:
    """Whether two values, arrays or objects that hold such are equal to the bit."""
    if old is new:
        return True
    if type(old) is not type(new):
        return False
    if isinstance(new, np.ndarray):
        if old.dtype != new.dtype or old.shape != new.shape:
            return False
        if new.dtype == object:
            return old.tolist() == new.tolist()
        return np.ascontiguousarray(old).tobytes() == np.ascontiguousarray(new).tobytes()
    if is_dataclass(new):
        return all(_same(getattr(old, one.name), getattr(new, one.name)) for one in fields(new))
    return bool(old == new)


def _changes(old: Inputs, new: Inputs) -> dict[str, Changes]:
    """Rows that differ, by what the table of reaches calls a layer."""
    found = {
        name: Changes.of(getattr(old.narrow, name), getattr(new.narrow, name))
        for name in Layers.__annotations__
        if name != "people"
    }
    found["feed"] = Changes.of(old.feed, new.feed)
    is_same = old.people is not None and old.people is new.people
    # Their sums are of integers, so their order does not matter.
    found["counted"] = Changes.of(
        old.counted, old.counted if is_same else new.counted, is_ordered=False
    )
    tiles = differing_tiles(old.exclusions, new.exclusions)
    found["exclusions"] = Changes(tiles, tiles)
    return found


def _ends(prefix: str, *ends: str) -> tuple[str, ...]:
    return tuple(f"{prefix}{end}" for end in ends)


_MS = ("_ms_low", "_ms_mid", "_ms_high", "_id", "_name")
NEAREST = "Only what is as near as the nearest now, or nearer, can be or have been the nearest."
RADIUS = "What is farther is not counted."
AREA = "It is looked up by the parcel's county or state."

# What is measured of the parcel alone: nothing but the parcel changes it.
OF_PARCEL = (
    *("distance_basis", "area_acres", "compactness", "minimum_width_m", "inscribed_diameter_m"),
    # From the slope raster, which has to be the same.
    *("slope_mean_pct", "slope_max_pct", "gentle_share"),
)
REACHES: tuple[Reach, ...] = (
    *(
        Reach(
            _ends(f"substation_{kv}kv", "_mi", "_id", "_kv"),
            "substation",
            f"{NEAREST} A substation that was and is below {kv} kV is in no search.",
            voltage_class(kv),
        )
        for kv in VOLTAGE_CLASSES_KV
    ),
    Reach(
        _ends("line_230kv", "_mi", "_id", "_kv_min", "_kv_max"),
        "line",
        NEAREST,
        nearest_now("line_230kv_mi", lambda frame: frame["kv_min"] >= BULK_LINE_KV),
    ),
    Reach(
        (
            *("headroom_mw_low", "headroom_mw_mid", "headroom_mw_high", "headroom_substation_mi"),
            *("headroom_substation_id", "headroom_substation_kv", "deliverable_mw"),
            *("tie_line_kv", "tie_line_mi", "tie_line_musd", "second_feed_mw", "second_feed_mi"),
            *("second_feed_substation_id", "second_feed_musd", "headroom_n0_mw"),
            *("flexible_025_mw", "flexible_100_mw", "reserve_zone_mw"),
            "reserve_interconnection_mw",
        ),
        "feed",
        "Feeds are chosen among the substations within 20 miles, by what is known of each.",
        radius(REACH_MI, is_from_point=False),
    ),
    Reach(
        _ends("second_feed_", "mw", "mi", "substation_id", "musd"),
        "shared",
        "No bound: a limit anywhere on the grid may be what two substations share.",
        None,
    ),
    Reach(
        tuple(
            f"{kind}_generation_{radius:.0f}mi_mw"
            for kind in ("firm", "variable")
            for radius in GENERATION_RADII_MI
        ),
        "plant",
        RADIUS,
        radius(max(GENERATION_RADII_MI)),
    ),
    Reach(
        _ends("retiring_generation_25mi", "_mw", "_count"),
        "retiring_plant",
        RADIUS,
        radius(RETIRING_RADIUS_MI),
    ),
    Reach(
        (*_ends("metro", "_mi", "_id", "_name", "_people"), "region_metro_id"),
        "metro",
        f"{NEAREST} Without a list of counties the region is the nearest metro's.",
        nearest_now("metro_mi", is_from_point=True),
    ),
    Reach(
        (
            *_ends("major_metro", "_mi", "_id", "_name", "_people"),
            "is_within_100mi_of_major_metro",
        ),
        "metro",
        NEAREST,
        nearest_now(
            "major_metro_mi", lambda frame: frame["is_major"].astype(bool), is_from_point=True
        ),
    ),
    Reach(("region_metro_id",), "metro_county", AREA, area("county_id")),
    Reach(
        tuple(f"population_{radius:.0f}mi" for radius in PEOPLE_RADII_MI),
        "counted",
        RADIUS,
        radius(max(PEOPLE_RADII_MI)),
    ),
    Reach(
        ("pop_mi", "pop_id", "pop_carrier"),
        "pop",
        NEAREST,
        nearest_now("pop_mi", lambda frame: frame["carrier_kind"] == "carrier"),
    ),
    Reach(("carrier_25mi_count",), "pop", RADIUS, radius(CARRIER_RADIUS_MI)),
    Reach(
        ("ixp_mi", "ixp_id", "ixp_name", "ixp_is_inferred"), "ixp", NEAREST, nearest_now("ixp_mi")
    ),
    Reach(
        (
            *_ends("rtt_metro", *_MS),
            *_ends("rtt_major_metro", *_MS, "_above_ceiling"),
            *_ends("rtt_ixp", *_MS),
            *(f"people_{ms}ms_{end}" for ms in (5, 10, 20) for end in ("low", "mid", "high")),
            *("rtt_unknown_reason", "lit_node_mi", "lit_node_id", "lit_node_name"),
            *("lit_node_musd", "diverse_node_mi", "diverse_node_id", "diverse_node_musd"),
            *("disjoint_path_count", "is_single_homed", "path_basis"),
        ),
        "fiber",
        "No bound: one link may shorten round trips across the country.",
        None,
    ),
    Reach(
        (
            *("industrial_usd_per_mwh", "generation_queue_mw", "hazard_usd_per_person"),
            "fiber_coverage_share",
        ),
        "county_fact",
        AREA,
        area("county_id"),
    ),
    Reach(
        (
            *("industrial_usd_per_mwh", "generation_queue_mw"),
            *("heating_degree_days_65f", "cooling_degree_days_65f"),
        ),
        "state",
        AREA,
        area("state_id"),
    ),
    Reach(
        ("heating_degree_days_65f", "cooling_degree_days_65f"),
        "climate_point",
        NEAREST,
        nearest_unpublished("climate_point", is_from_point=False),
    ),
    Reach(
        ("land_value_usd_per_acre",),
        "land_value",
        "A cell farther than half a diagonal of the largest counts as none.",
        land_value,
    ),
    Reach(
        ("zone_id",),
        "zone_point",
        f"{NEAREST} So in the parcel's state, whose points come first.",
        zone,
    ),
    Reach(("parcel_name",), "place", NEAREST, nearest_unpublished("place", is_from_point=True)),
    Reach(
        ("lake_share",),
        "lake",
        "Lakes are united tile by tile: what meets no tile of a changed one finds the same pieces.",
        shapes(is_edge=True),
    ),
    Reach(("park_share",), "park", "As lakes.", shapes(is_edge=False)),
    Reach(
        ("developable_share", "acres"),
        "developable",
        "A cell counts for sample points within half its diagonal, which lie in the parcel's box.",
        developable,
    ),
    Reach(
        ("excluded_share", "buildable_acres", "contiguous_acres"),
        "exclusions",
        "A parcel looks at the pieces of the tiles that its box meets, and at no other.",
        exclusions,
    ),
    Reach(("data_center_mi",), "data_center", NEAREST, nearest_now("data_center_mi")),
    Reach(("data_center_25mi_count",), "data_center", RADIUS, radius(DATA_CENTER_RADIUS_MI)),
)
