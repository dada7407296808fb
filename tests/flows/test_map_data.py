"""`gridstead map` on the tiny study: what its files hold, read with plain numpy, is what SQL says."""

import base64
import re
import socket
import threading
import urllib.request
from pathlib import Path

import duckdb
import numpy as np
import pytest

from data import store
from flows import mapping
from tests.flows.conftest import rows
from tests.geo.test_export_page import read as read_pack
from tests.sql import world as sql_world

CHUNK = re.compile(r'gridstead\.put\("([A-Za-z0-9_-]+)","([A-Za-z0-9+/=]*)"\);\n')
pytestmark = pytest.mark.slow
NULL_U32, NULL_I32 = 2**32 - 1, -(2**31)
LEVELS = ("county", "metro", "state", "zone")


def chunk(page, name):
    found = CHUNK.fullmatch((page / "data" / f"{name}.js").read_text(encoding="ascii"))
    assert found[1] == name
    return base64.b64decode(found[2], validate=True)


def pack(page, name):
    """Rows, columns and header of a pack; numbers as they are kept."""
    header, columns = read_pack(chunk(page, name))
    return header["rows"], columns, header


def metric_values(page, metric):
    """Values of a metric of parcels; NaN where unknown."""
    _, columns, header = pack(page, f"m-{metric}")
    codes, told = columns["m"], header["columns"]["m"]
    known = codes != NULL_U32
    out = np.full(codes.shape, np.nan)
    if "levels" in told:
        out[known] = np.array(told["levels"])[codes[known]]
    else:
        out[known] = codes[known] * told["step"] + told["base"]
    return out


def value_scores(page, name):
    """Value scores of parcels in millionths."""
    _, columns, header = pack(page, name)
    if "v" in columns:
        return columns["v"]
    x = metric_values(page, header["from"].removeprefix("m-"))
    out = np.full(x.shape, NULL_U32, dtype=np.int64)
    pieces = header["pieces"]
    for (from_x, value, slope), to_x in zip(
        pieces, [piece[0] for piece in pieces[1:]] + [np.inf], strict=True
    ):
        inside = (x >= from_x) & (x < to_x)
        score = np.clip(value + slope * (x[inside] - from_x), 0, 1)
        out[inside] = np.floor(score * 1e6 + 0.5)
    out[np.cumsum(columns["gap"])] += columns["by"]
    return out.astype(np.uint32)


def again(weights, values, status, ids):
    """Units and order under weights, in plain numpy: the rule that SQL, the page and this share."""
    total = 0.0
    for weight in weights:
        total += weight
    units = np.zeros(len(ids), dtype=np.int64)
    for weight, v in zip(weights, values, strict=True):
        known = v != NULL_U32
        share = 100 * (weight / total)
        units[known] += np.floor(share * v[known].astype(float) * 1e3 + 0.5).astype(np.int64)
    order = np.lexsort((np.array(ids), -units, np.asarray(status) == 2))
    return units, order[np.asarray(status)[order] > 0]


@pytest.fixture(scope="module")
def page(base, tmp_path_factory):
    return mapping.write(base.build, tmp_path_factory.mktemp("page") / "map").folder


@pytest.fixture(scope="module")
def about(page):
    return pack(page, "about")[1]["about"][0]


def test_the_page_is_told_with_its_parts(gridstead, base, tmp_path):
    words = ("map", "--home", base.home, "--out", tmp_path / "map", "--json")
    first = gridstead(*words)
    assert first.code == 0
    assert first.json["page"] == str(tmp_path / "map" / "index.html")
    files = [path for path in (tmp_path / "map").rglob("*") if path.is_file()]
    on_disk = sum(path.stat().st_size for path in files if path.name != mapping.MANIFEST)
    assert first.json["bytes"] == sum(first.json["parts"].values()) == on_disk
    assert not first.json["is_reused"]
    before = {path: path.stat().st_mtime_ns for path in files}
    second = gridstead(*words)
    assert second.json == first.json | {"is_reused": True}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert [path.name for path in tmp_path.iterdir()] == ["map"]


def test_an_equal_build_gives_equal_bytes(base, page, tmp_path):
    other = mapping.write(base.build, tmp_path / "map").folder
    names = {path.name for path in (page / "data").iterdir()}
    assert names == {path.name for path in (other / "data").iterdir()} >= {"about.js", "parcels.js"}
    for name in names:
        assert (page / "data" / name).read_bytes() == (other / "data" / name).read_bytes(), name


@pytest.mark.parametrize("level", LEVELS)
def test_regions_are_those_of_the_build(base, page, about, level):
    want = rows(
        base.build,
        f"select region_id, region_name, parcel_count from mart.region where region_kind = '{level}' order by 1",
    )
    assert next((one["count"] for one in about["levels"] if one["level"] == level), 0) == len(want)
    count, columns, _ = pack(page, f"regions-{level}")
    assert count == len(want)
    assert list(
        zip(columns["region_id"], columns["region_name"], columns["parcel_count"].tolist(), strict=True)
    ) == want  # fmt: skip
    _, ranks, _ = pack(page, f"regions-{level}-training")
    told = rows(
        base.build,
        "select rank, score, rank_p05, reason, headroom_mw_mid from mart.ranked_regions "
        f"where workload = 'training' and region_kind = '{level}' order by region_id",
    )
    assert [None if rank == NULL_I32 else rank for rank in ranks["rank"].tolist()] == [
        row[0] for row in told
    ]
    np.testing.assert_array_equal(ranks["score"], np.array([row[1] for row in told], float))
    assert [None if r == NULL_I32 else r for r in ranks["rank_p05"].tolist()] == [
        row[2] for row in told
    ]
    assert ranks["reason"] == [row[3] for row in told]
    np.testing.assert_array_equal(
        ranks["m:headroom_mw_mid"], np.array([row[4] for row in told], float)
    )


@pytest.mark.parametrize("workload", ["training", "inference"])
def test_parcels_are_those_of_the_build(base, page, about, workload):
    told = rows(
        base.build,
        "select parcel_id, rank, score, cost_mid, rank_p05, headroom_mw_mid, parcel_name "
        "from mart.ranked_parcels inner join core.parcel using (parcel_id, parcel_name) "
        f"where workload = '{workload}' order by parcel_no",
    )
    count, parcels, _ = pack(page, "parcels")
    assert count == len(told) > 50
    assert parcels["parcel_id"] == [row[0] for row in told]
    assert parcels["parcel_name"] == [row[6] for row in told]
    _, ranks, header = pack(page, f"parcels-{workload}")
    rank = ranks["rank"]
    assert [None if r == NULL_I32 else r for r in rank.tolist()] == [row[1] for row in told]
    ranked = sorted((row for row in told if row[1] is not None), key=lambda row: row[1])
    step = header["columns"]["score"]["step"]
    scores = ranks["score"] * step
    np.testing.assert_allclose(scores, [row[2] for row in ranked], rtol=0, atol=step / 2 + 1e-9)
    np.testing.assert_allclose(
        ranks["cost_mid"], np.array([row[3] for row in ranked], float), rtol=1e-3
    )
    assert [None if r == NULL_I32 else r for r in ranks["rank_p05"].tolist()] == [
        row[4] for row in ranked
    ]
    headroom = np.array([row[5] for row in told], float)
    np.testing.assert_allclose(metric_values(page, "headroom_mw_mid"), headroom, rtol=2e-6)


@pytest.mark.parametrize("workload", ["training", "inference"])
@pytest.mark.parametrize("changed", [{}, {0: 0.5, 2: 0.0}, {1: 1 / 3}])
def test_numpy_ranks_again_like_sql(base, page, about, workload, changed):
    """The files of the page, the macros and numpy give one order and one score under any weights."""
    profile = next(one for one in about["workloads"] if one["workload"] == workload)
    factors = profile["factors"]
    named = {factors[k]["metric"]: weight for k, weight in changed.items()} or {
        factors[0]["metric"]: factors[0]["weight"]
    }
    weights = [named.get(factor["metric"], factor["weight"]) for factor in factors]
    text = f"map {named}"
    with duckdb.connect(str(base.build), read_only=True) as con:
        told = con.execute(
            f"select parcel_id, score from mart.rank_parcels($w, weights := {text}) order by rank",
            {"w": workload},
        ).fetchall()
        _, ranks, _ = pack(page, f"parcels-{workload}")
        status = np.where(ranks["rank"] == NULL_I32, 0, np.where(ranks["gates_unknown"] > 0, 2, 1))
        values = [value_scores(page, factor["parcel_column"]) for factor in factors]
        ids = pack(page, "parcels")[1]["parcel_id"]
        units, order = again(weights, values, status, ids)
        assert [(ids[k], units[k] / 1e9) for k in order] == told
        for level in LEVELS:
            told = con.execute(
                f"select region_id, score from mart.rank_regions($w, $k, weights := {text}) "
                "order by rank",
                {"w": workload, "k": level},
            ).fetchall()
            _, ranks, _ = pack(page, f"regions-{level}-{workload}")
            ids = pack(page, f"regions-{level}")[1]["region_id"]
            values = [ranks[f"v:{factor['metric']}"] for factor in factors]
            units, order = again(weights, values, ranks["gate_status"], ids)
            assert [(ids[k], units[k] / 1e9) for k in order] == told
            if not changed:
                published = dict(
                    con.execute(
                        "select region_id, score from mart.region_rank where rank is not null "
                        "and workload = $w and region_kind = $k",
                        {"w": workload, "k": level},
                    ).fetchall()
                )
                assert set(published) == {name for name, _ in told}
                assert all(abs(score - published[name]) < 1e-4 for name, score in told)


def test_what_factors_bring_to_a_region_sums_to_its_score(base):
    off = rows(
        base.build,
        """
        select max(abs(ranked.score - brought.points)), count(*)
        from mart.region_rank as ranked
        inner join (
            select workload, region_kind, region_id, sum(points) as points
            from mart.region_factor group by all
        ) as brought using (workload, region_kind, region_id)
        """,
    )
    assert off[0][0] < 1e-6
    ranked = rows(base.build, "select count(*) from mart.region_rank where rank is not null")
    assert off[0][1] == ranked[0][0] > 5


def test_what_may_not_be_passed_on_is_not_there(base, page, about, tmp_path):
    assert [source["source_id"] for source in about["note"]["excluded"]] == ["topohub_backbone"]
    assert "fiber" not in about["archives"]
    assert not about["restricted"]
    whole = mapping.write(base.build, tmp_path / "map", with_restricted=True)
    assert whole.is_restricted
    told = pack(whole.folder, "about")[1]["about"][0]
    assert told["restricted"]
    assert told["restricted_note"].startswith("For your own eyes")
    assert {"fiber_link", "fiber_node"} == set(told["archives"]["fiber"]["layers"])
    # Asked for again without it, the same folder is made anew.
    assert not mapping.write(base.build, tmp_path / "map").is_restricted
    assert "fiber" not in pack(tmp_path / "map", "about")[1]["about"][0]["archives"]


def test_a_folder_of_somebody_else_is_left_alone(gridstead, base, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    answer = gridstead("map", "--home", base.home, "--out", mine)
    assert answer.code == 2
    assert "holds something else than a map page" in answer.err
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
    answer = gridstead("map", "--home", base.home, "--out", mine / "thesis.txt")
    assert (answer.code, "is not a folder" in answer.err) == (2, True)


def test_a_page_that_cannot_be_finished_leaves_the_one_before(base, tmp_path, monkeypatch):
    old = mapping.write(base.build, tmp_path / "map")
    before = (old.folder / "data" / "about.js").read_bytes()

    def fail(_build):
        msg = "no tiles"
        raise OSError(28, msg)

    monkeypatch.setattr(mapping, "archives", fail)
    with pytest.raises(OSError, match="no tiles"):
        mapping.write(base.build, tmp_path / "map", with_restricted=True)
    assert (old.folder / "data" / "about.js").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["map"]


def test_serving_is_for_this_machine_and_says_types(base, page):
    server = mapping._server(page, 0)
    assert server.server_address[0] == "127.0.0.1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        for path, kind in {
            "": "text/html", "data/about.js": "text/javascript", "assets/maplibre-gl.css": "text/css",
        }.items():  # fmt: skip
            with urllib.request.urlopen(url + path, timeout=10) as answer:
                assert answer.headers.get_content_type() == kind
                assert answer.headers.get_content_charset() == "utf-8"
        for path in ("data/", "../map/data/about.js", "..%2f..%2fgridstead.duckdb"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(url + path, timeout=10)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_port_that_cannot_be_used_is_one_sentence(gridstead, base, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = ("map", "--home", base.home, "--out", tmp_path / "map", "--serve")
        answer = gridstead(*words, port)
    assert answer.code == 2
    assert f"Port {port} cannot be used" in answer.err
    assert not (tmp_path / "map").exists()
    answer = gridstead(*words, 70000)
    assert (answer.code, "--serve 70000 is no port." in answer.err) == (2, True)


def test_opening_asks_the_browser(gridstead, base, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(mapping.webbrowser, "open", asked.append)
    answer = gridstead("map", "--home", base.home, "--out", tmp_path / "map", "--open")
    assert answer.code == 0
    assert asked == [(tmp_path / "map" / "index.html").as_uri()]


def test_no_build_is_one_sentence(gridstead, tmp_path):
    answer = gridstead("map", "--home", tmp_path / "home", "--out", tmp_path / "map")
    assert (answer.code, "There is no build" in answer.err) == (1, True)
    assert not Path(tmp_path / "map").exists()


@pytest.mark.parametrize("mw", [None, 300.0])
def test_a_bare_build_of_assessors_parcels_has_a_page(tmp_path, mw):
    """Neither lines, lakes nor places; two parcels, one a county, of unlike ids."""
    path = tmp_path / "bare.duckdb"
    metrics = {"headroom_substation_id": "s1", "headroom_mw_mid": mw, "substation_138kv_mi": 1.0}
    parcels = [
        {"parcel_id": 'lot "1" </script>', **metrics},
        {"parcel_id": "lot 2", **metrics, "county_id": "99002", "substation_138kv_mi": None},
    ]
    factors = [
        ("substation_138kv_mi", 0.5, [[0, 1], [20, 0]]),
        ("headroom_mw_mid", 0.5, [[0, 0], [9, 1]]),
    ]
    gates = [("headroom_mw_mid", "at_least", 100), ("major_metro_mi", "at_most", 100)]
    profile = sql_world.profile(factors, gates)
    con = sql_world.make(tmp_path, parcels, [profile], path=path)
    con.execute(
        "update meta.run set started_at = timestamp '2026-01-02', inputs_sha256 = 'x', study = 'bare'"
    )
    store.seal(con, path)
    page = mapping.write(path, tmp_path / "map").folder
    told = pack(page, "about")[1]["about"][0]
    assert {one["level"]: one["count"] for one in told["levels"]}["county"] == 2
    assert "parcels" in told["archives"]
    assert told["archives"]["grid"]["layers"] == ["substation"]
    count, columns, _ = pack(page, "parcels")
    assert (count, columns["parcel_id"]) == (2, ['lot "1" </script>', "lot 2"])
    assert not any("</script>" in file.read_text() for file in (page / "data").iterdir())
    _, ranks, _ = pack(page, "parcels-training")
    # No metro is known: that gate is unknown of both; without megawatts the other one is too.
    assert ranks["gates_unknown"].tolist() == ([2, 2] if mw else [3, 3])
    assert ranks["rank"].tolist() == [1, 2]
    _, ranks, _ = pack(page, "regions-county-training")
    assert ranks["gate_status"].tolist() == ([2, 2] if mw else [0, 0])
    values = value_scores(page, told["workloads"][0]["factors"][0]["parcel_column"])
    assert values.tolist() == [950_000, NULL_U32]
