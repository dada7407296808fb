"""Costs of one parcel at a time by plain arithmetic, from the reference tables themselves."""

import csv
import itertools
import math
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
LOW, MID, HIGH = range(3)
ENDS = ("low", "mid", "high")


def rows(name):
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


CPI = {int(row["year"]): float(row["cpi_u"]) for row in rows("price_index")}
COST = rows("cost")
CLASSES = rows("tie_line")
LATENCY = {row["name"]: row for row in rows("latency")}
PUE = sorted(
    (float(r["cooling_degree_days_65f"]), float(r["pue_best"]), float(r["pue_worst"]))
    for r in rows("pue")
)
GPU = {row["gpu"]: row for row in rows("gpu")}


def dollars(value, year, to):
    return float(value) * CPI[to] / CPI[int(year)]


def rule(name, end, to, basis="state"):
    (row,) = [r for r in COST if r["name"] == name and r["basis"] in {"", basis}]
    value = float(row[ENDS[end]])
    return dollars(value, row["dollar_year"], to) if row["dollar_year"] else value


def straight_between(points, x):
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]


def crf(rate, years):
    return rate / (1 - (1 + rate) ** -years)


def pue(degree_days, end):
    of = {LOW: lambda b, w: b, MID: lambda b, w: (b + w) / 2, HIGH: lambda b, w: w}[end]
    points = [(x, of(best, worst)) for x, best, worst in PUE]
    if degree_days is None:
        values = [value for _, value in points]
        return {LOW: min(values), MID: sum(values) / len(values), HIGH: max(values)}[end]
    return straight_between(points, degree_days)


def tie_line_usd(kv, route_mi, mw, end, to):
    row = min(CLASSES, key=lambda r: max(float(r["kv"]) / kv, kv / float(r["kv"])))
    circuits = 1
    while circuits * float(row["circuit_mva"]) < mw:
        circuits += 1
    straight = route_mi / 1.3
    short = 1.5 if straight < 3 else 1.2 if straight <= 10 else 1.0
    factor = rule("tie_line_cost_factor", end, to)
    per_mi = dollars(row["line_musd_per_mi"], row["line_dollar_year"], to) * 1e6
    end_usd = dollars(row["substation_musd"], row["substation_dollar_year"], to) * 1e6
    line = circuits * per_mi * straight * short * rule("line_route_factor", end, to)
    return line * factor, end_usd * factor


def fiber_usd(miles, may_be_beyond, end, to):
    if miles is None:
        if not may_be_beyond:
            return None
        near = float(LATENCY["node_reach_mi"]["mid"])
        far = float(LATENCY["backhaul_reach_mi"]["mid"])
        miles = (near, (near + far) / 2, far)[end]
    per_mi = float(LATENCY["lateral_factor"][ENDS[end]]) * float(
        LATENCY["lateral_musd_per_mi"][ENDS[end]]
    )
    return miles * dollars(per_mi * 1e6, 2025, to)


def ground_usd(parcel, mw, end, to):
    acres = mw * rule("acres_per_mw", end, to)
    value = parcel["land_value_usd_per_acre"]
    if value is None:
        land = rule("land_unknown_usd_per_acre", end, to)
    else:
        land = value * rule("land_value_factor", end, to)
    slope = parcel["slope_mean_pct"]
    if slope is None:
        slope = rule("slope_unknown_pct", end, to)
    points = sorted(
        (float(r["at_x"]), dollars(r[ENDS[end]], r["dollar_year"], to))
        for r in COST
        if r["name"] == "site_works_usd_per_acre"
    )
    return acres * land, acres * straight_between(points, slope)


def years_to_power(parcel, mw, end, to, basis):
    base = rule("time_base_kv", end, to)
    years = rule("time_equipment_years", end, to)
    if mw >= rule("large_load_mw", end, to):
        years += rule("time_study_years", end, to)
    kv = max(parcel["tie_line_kv"], base)
    years += math.log2(kv / base) * rule("time_years_per_doubling", end, to)
    years += parcel["tie_line_mi"] * rule("time_years_per_mi", end, to)
    most = rule("time_queue_years", end, to)
    queue = parcel["generation_queue_mw"]
    if queue is None:
        return years + most * (0.0, 0.5, 1.0)[end]
    queue /= rule("queue_counties", end, to, basis)
    return years + most * queue / (queue + rule("queue_half_mw", end, to))


def cost(parcel, objective, mw, end, *, to=2024, basis="state", usd_per_mwh=None):
    """Terms of one parcel at one end by name, None unknown; `total` and `years` among them."""
    training = objective == "training"
    other = 2 - end
    delivered = parcel["deliverable_mw"]
    size = min(delivered, mw) if delivered else None
    power = pue(parcel["cooling_degree_days_65f"], end)
    price = parcel["industrial_usd_per_mwh"]
    if price is not None:
        price *= rule("industrial_price_factor", end, to, basis)
    price = price if usd_per_mwh is None else usd_per_mwh
    per = 1.0 if training else rule("wh_per_query", end, to)
    names = ["energy", "tie_line", "substation", "fiber_lit", "fiber_diverse", "land", "site_works"]
    names += ["delay"] if training else ["shell", "servers"]
    found = dict.fromkeys([*names, "total", "years"])
    found["energy"] = None if price is None else price * power * per
    if size is None:
        return found
    load_factor = rule("training_load_factor" if training else "inference_load_factor", other, to)
    it_mw = size / power
    mwh = it_mw * 8760 * load_factor
    rate, life = rule("discount_rate_per_year", end, to), rule("life_years", end, to)

    def spread(usd):
        return None if usd is None else usd * crf(rate, life) / mwh * per

    shell = it_mw * rule("shell_usd_per_mw", end, to) * rule("shell_ai_factor", end, to)
    if parcel["tie_line_kv"] is not None and parcel["tie_line_mi"] is not None:
        line, station = tie_line_usd(parcel["tie_line_kv"], parcel["tie_line_mi"], size, end, to)
        found["tie_line"], found["substation"] = spread(line), spread(station)
        found["years"] = years_to_power(parcel, size, end, to, basis)
        if training:
            wait = max(found["years"] - rule("build_years", other, to), 0)
            committed = shell * rule("committed_share", end, to)
            found["delay"] = spread(committed * ((1 + rate) ** wait - 1))
    beyond = (parcel["rtt_unknown_reason"] or "").startswith("no connected node")
    lit, diverse = parcel["lit_node_mi"], parcel["diverse_node_mi"]
    found["fiber_lit"] = spread(fiber_usd(lit, beyond, end, to))
    found["fiber_diverse"] = spread(fiber_usd(diverse, beyond or lit is not None, end, to))
    found["land"], found["site_works"] = map(spread, ground_usd(parcel, size, end, to))
    if not training:
        gpu = GPU["b200"]
        usd = dollars(gpu[f"usd_{ENDS[end]}"], gpu["dollar_year"], to)
        yearly = usd * crf(rate, float(gpu["life_years"]))
        energy = float(gpu["kw"]) / 1000 * 8760 * load_factor
        found["shell"], found["servers"] = spread(shell), yearly / energy * per
    if found["energy"] is not None and found["tie_line"] is not None:
        found["total"] = sum(found[name] for name in names if found[name] is not None)
    return found
