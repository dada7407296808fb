"""Whether the answers of the command line are those that the build publishes of its parcels."""

import pytest

from tests.flows.conftest import rows

ENDS = ("low", "mid", "high")
BUDGETS = (5, 10, 20)


def least_differences(build):
    """Parcels whose published round trips are not the least ones of `mart.parcel_metro_rtt`, by plain SQL.

    The low and the high one are those to the metro of the least middle one. A parcel without a metro has
    neither.
    """
    wrong = {}
    for name, where in (("metro", "true"), ("major_metro", "is_major")):
        wrong[name] = rows(
            build,
            f"""
            with least as (
                select parcel_id, min(rtt_ms_mid) as mid from mart.parcel_metro_rtt where {where} group by 1
            )
            select metric.parcel_id, metric.rtt_{name}_ms_mid, least.mid, own.rtt_ms_mid
            from core.parcel_metric as metric
            left join least using (parcel_id)
            left join mart.parcel_metro_rtt as own
                on metric.parcel_id = own.parcel_id and metric.rtt_{name}_id = own.metro_id and {where}
            where
                (least.mid is null) <> (metric.rtt_{name}_ms_mid is null)
                or abs(metric.rtt_{name}_ms_mid - least.mid) > 1e-9
                or (own.metro_id is null) <> (metric.rtt_{name}_ms_mid is null)
                or abs(metric.rtt_{name}_ms_low - own.rtt_ms_low) > 1e-9
                or abs(metric.rtt_{name}_ms_mid - own.rtt_ms_mid) > 1e-9
                or abs(metric.rtt_{name}_ms_high - own.rtt_ms_high) > 1e-9
            """,
        )
    return wrong


def assert_answers_equal_metrics(gridstead, home, *, count):
    """Ask about parcels spread over the build, and hold the answers against what is published of them."""
    build = home / "gridstead.duckdb"
    names = ["rtt_metro_id", "rtt_major_metro_id", "rtt_ixp_id", "lit_node_id"]
    numbers = [f"rtt_{kind}_ms_{end}" for kind in ("metro", "major_metro", "ixp") for end in ENDS]
    numbers += ["lit_node_mi", "lit_node_musd"]
    people = [f"people_{ms}ms_{end}" for ms in BUDGETS for end in ENDS]
    plain = ["population_25mi", "population_50mi", "population_100mi"]
    columns = [*names, *numbers, *people, *plain]
    parcels = rows(
        build,
        f"""
        select parcel_id, lat, lon, {", ".join(f"metric.{name}" for name in columns)}
        from core.parcel inner join core.parcel_metric as metric using (parcel_id)
        where metric.rtt_metro_ms_mid is not null
        order by md5(parcel_id)
        limit {count}
        """,
    )
    assert len(parcels) == count
    for number, (parcel_id, lat, lon, *values) in enumerate(parcels):
        told = dict(zip(columns, values, strict=True))
        where = f"{lat!r},{lon!r}"
        # All metros take a while: their ways are found one by one.
        is_all = number % 5 == 0
        words = ["--all"] if is_all else []
        answer = gridstead("latency", where, *words, "--home", home, "--json").json
        by_id = {row["metro_id"]: row for row in answer["metros"]}
        published = rows(
            build,
            f"""select metro_id, rtt_ms_low, rtt_ms_mid, rtt_ms_high from mart.parcel_metro_rtt
            where parcel_id = '{parcel_id}'""",
        )
        published = {metro_id: ms for metro_id, *ms in published}
        known = {name for name, row in by_id.items() if row["rtt_ms_mid"] is not None}
        assert known == (published.keys() if is_all else published.keys() & by_id.keys())
        assert known
        for metro_id in known:
            ms = published[metro_id]
            assert [by_id[metro_id][f"rtt_ms_{end}"] for end in ENDS] == pytest.approx(ms, abs=1e-9)
            steps = by_id[metro_id]["path"]
            assert sum(step["rtt_ms"] for step in steps) == pytest.approx(ms[1], abs=1e-6)
        for kind in ("metro", "major_metro"):
            metro_id = told[f"rtt_{kind}_id"]
            wanted = [told[f"rtt_{kind}_ms_{end}"] for end in ENDS]
            found = [None] * 3
            if metro_id is not None:
                found = [by_id[metro_id][f"rtt_ms_{end}"] for end in ENDS]
            assert found == pytest.approx(wanted, abs=1e-9)
        assert answer["metros"][0]["metro_id"] == told["rtt_metro_id"]
        # The nearest with a path, where one of them has any.
        lit = next((node for node in answer["nodes"] if node["disjoint_path_count"]), None)
        if lit is not None:
            assert lit["node_id"] == told["lit_node_id"]
            assert lit["miles"] == pytest.approx(told["lit_node_mi"])
            assert lit["lateral_musd"] == pytest.approx(told["lit_node_musd"])
        exchange = answer["exchange"]
        assert exchange["ixp_id"] == told["rtt_ixp_id"]
        wanted = [told[f"rtt_ixp_ms_{end}"] for end in ENDS]
        assert [exchange[f"rtt_ms_{end}"] for end in ENDS] == pytest.approx(wanted, abs=1e-9)
        budgets = gridstead("reach", where, "--ms", *BUDGETS, "--home", home, "--json").json
        found = {
            f"people_{row['ms']:g}ms_{end}": row[f"people_{end}"]
            for row in budgets["budgets"]
            for end in ENDS
        }
        assert found == {name: told[name] for name in people}
        assert [budgets[name] for name in plain] == [told[name] for name in plain]
