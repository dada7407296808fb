"""Whoever asks a build, and whatever is in a file: nothing is written, nothing hangs, nothing is told."""

import contextlib
import struct
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
import yaml

from data import nesting, store
from data.errors import ReadError, StudyError, UsageError
from data.object_cache import sha256_of
from data.readers._geometry import to_crs84
from data.study import STUDIES_DIR, load_study
from flows import asking, bounds
from geo import wkb
from tests.upstream.server import Response, conditional, running

ROOT = Path(__file__).parents[2]
# Through the connection that an analyst is given; {build} is the build, {folder} where it lies, {file} another file.
ATTACKS = [
    "attach '{file}' as other",
    "attach '{folder}/new.duckdb' as other",
    "attach ':memory:' as other",
    "copy mart.place to '{folder}/out.csv'",
    "copy mart.place to '{folder}/out.parquet' (format parquet)",
    "copy mart.place to '/dev/stdout'",
    "copy mart.place from '{file}'",
    # Files of the database itself, which DuckDB leaves open to its own statements.
    "copy mart.place to '{build}' (format csv, use_tmp_file false)",
    "copy mart.place to '{build}.wal' (format csv)",
    "copy mart.place to '{build}.wal.recovery' (format csv)",
    "copy mart.place to '{build}.tmp/out.csv' (format csv)",
    "explain analyze copy mart.place to '{build}.wal' (format csv)",
    "from read_blob('{build}')",
    "export database '{folder}/all'",
    "import database '{folder}'",
    "copy from database memory to gridstead",
    "from read_csv('{file}')",
    "from read_text('/etc/hostname')",
    "from read_blob('/proc/self/environ')",
    "from read_json('{file}')",
    "from read_parquet('{file}')",
    "from sniff_csv('{file}')",
    "from glob('/etc/*')",
    "from '{file}'",
    "from read_csv('http://127.0.0.1:9/a.csv')",
    "from 'https://127.0.0.1:9/a.parquet'",
    "install httpfs",
    "load httpfs",
    "load '{file}'",
    "set enable_external_access = true",
    "reset enable_external_access",
    "set lock_configuration = false",
    "set allowed_directories = ['/']",
    "set allowed_paths = ['{file}']",
    "set disabled_filesystems = ''",
    "set temp_directory = '{folder}'",
    "set memory_limit = '1TB'",
    "set python_enable_replacements = true",
    "set profiling_output = '{folder}/profile.json'",
    "call enable_logging()",
    "select getenv('HOME')",
    "create table mart.mine as select 1",
    "create view mart.mine as select 1",
    "insert into mart.place values (1, 'x')",
    "update mart.place set name = 'x'",
    "delete from mart.place",
    "drop table mart.place",
    "alter table mart.place add column x int",
    "comment on table mart.place is 'x'",
    "from local_frame",
    "from ATTACKS",
]
# Through a build of parts: {parts} is its own folder, {foreign} another that a run left, {lot} a part.
PARTS_ATTACKS = [
    "from read_parquet('{lot}')",
    "from read_parquet('{parts}/*.parquet')",
    "from '{lot}'",
    "from read_parquet('{foreign}/lot-0000.parquet')",
    "from read_parquet('parts://{foreign}/lot-0000.parquet')",
    "from read_parquet('parts://{parts}/../{foreign.name}/lot-0000.parquet')",
    "from read_parquet('parts://{parts}/link-0000.parquet')",
    "from read_parquet('parts://{parts}/deeper/lot-0000.parquet')",
    "from read_text('parts://{parts}/secret.txt')",
    "from read_blob('parts://{build}')",
    "from read_csv('parts:///etc/passwd')",
    "from glob('parts://{folder}/*')",
    "from glob('{parts}/*')",
    "copy mart.place to '{parts}/new.parquet'",
    "copy mart.place to 'parts://{parts}/new.parquet'",
    "copy mart.place to 'parts://{parts}/new.parquet' (use_tmp_file false)",
    "copy mart.place to '{lot}' (use_tmp_file false)",
    "copy mart.place to 'parts://{lot}' (use_tmp_file false)",
    "copy mart.place to 'parts://{lot}' (append)",
    "copy mart.place to 'parts://{build}' (format csv, use_tmp_file false)",
    "copy mart.place to 'parts://{parts}' (format parquet, partition_by (name))",
    "copy mart.place to 'parts://{parts}' (format parquet, partition_by (name), overwrite)",
    "explain analyze copy mart.place to 'parts://{parts}/new.parquet'",
    "export database 'parts://{parts}/all'",
    "attach 'parts://{lot}' as other",
    "attach 'parts://{parts}/new.duckdb' as other",
    "set allowed_directories = ['parts:///']",
]
# Through the command line, which answers questions only.
NO_QUESTIONS = [
    "checkpoint",
    "vacuum",
    "begin transaction",
    "prepare q as select 1",
    "execute q",
    "deallocate q",
    "set variable x = 1",
    "call pragma_version()",
    "pragma database_list",
    "create temp table mine as select 1",
    "update extensions",
    "select 1; drop table mart.place",
    "select 1 /* ; */; -- \n attach '{file}' as other",
    "with x as (delete from mart.place returning *) from x",
    "explain analyze copy mart.place to '{build}.wal' (format csv)",
    "copy mart.place to '{build}' (format csv, use_tmp_file false)",
]
QUESTIONS = [
    "from place",
    "select name, row_number() over (order by place_no desc) as rank from place qualify rank = 1",
    "with recursive t as (select 1 as n union all select n + 1 from t where n < 5) select sum(n) from t",
    "pivot place on name using count(*)",
    "summarize place",
    "describe place",
    "show all tables",
    "explain select 1",
    "explain analyze select count(*) from place",
    "select list_transform([1, 2], lambda x: x + 1)",
    # Nobody's secrets are read.
    "select count(*) as n from duckdb_secrets() having n = 0",
    "select 'drop table place; --' as text",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small build, a file beside it, and what a folder must still hold afterwards."""
    folder = tmp_path_factory.mktemp("build")
    build = folder / "gridstead.duckdb"
    with store.create(build) as con:
        con.execute("create schema mart")
        con.execute(
            "create table mart.place as select range as place_no, 'n' || range as name from range(9)"
        )
    file = folder / "a.csv"
    file.write_text("place_no,name\n1,a\n")
    # As spilled queries of somebody else would leave it.
    (folder / "gridstead.duckdb.tmp").mkdir()
    return {"build": build, "folder": folder, "file": file}


@pytest.fixture(scope="module")
def parted(tmp_path_factory):
    """A build of parts, and beside them what it must neither read nor touch."""
    folder = tmp_path_factory.mktemp("parted")
    parts, foreign = (folder / f"parcel-{number:016x}" for number in (1, 2))
    build, lot = folder / "gridstead.duckdb", parts / "lot-0000.parquet"
    for path in (parts / "deeper", foreign):
        path.mkdir(parents=True)
    for path in (lot, parts / "deeper" / lot.name, foreign / lot.name):
        pq.write_table(pa.table({"parcel_id": ["a", "b"]}), path)
    (parts / "link-0000.parquet").symlink_to(foreign / lot.name)
    (parts / "secret.txt").write_text("secret")
    with store.create(build) as con:
        store.run_file(con, "meta/schema")
        store.run_file(con, "meta/run")
        con.execute(
            "create table mart.place as select range as place_no, 'n' || range as name from range(9)"
        )
        told = "insert into meta.parts (part_kind, folder, view_name) values ('parcel', $1, 'parts.parcel')"
        con.execute(told, [str(parts)])
        con.execute("create schema parts")
        con.execute(
            f"create view parts.parcel as from read_parquet("
            f"coalesce(getvariable('parts_reader'), '') || '{parts}/lot*.parquet')"
        )
    named = {"build": build, "folder": folder, "parts": parts, "foreign": foreign, "lot": lot}
    return named | {"file": foreign / lot.name}


def state(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path, path.stat().st_mtime_ns, sha256_of(path)) for path in files]


def test_no_statement_reaches_beyond_the_build(made):
    local_frame = pa.table({"a": [1]})
    before = state(made["folder"])
    answered = []
    for attack in ATTACKS:
        with store.open_build(made["build"]) as con, contextlib.suppress(duckdb.Error):
            con.execute(attack.format(**made)).fetchall()
            answered.append(attack)
    assert answered == []
    assert state(made["folder"]) == before
    assert len(local_frame) == 1


def test_a_build_reads_its_own_parts_and_writes_nothing(parted):
    local_frame = pa.table({"a": [1]})
    before = state(parted["folder"])
    answered = []
    for attack in [*ATTACKS, *PARTS_ATTACKS]:
        with store.open_build(parted["build"]) as con, contextlib.suppress(duckdb.Error):
            con.execute(attack.format(**parted)).fetchall()
            answered.append(attack)
    assert answered == []
    assert state(parted["folder"]) == before
    assert len(local_frame) == 1
    question = "select count(*) as n from parts.parcel"
    for _ in range(2):
        assert asking.sql(parted["build"], question, 10).rows == [{"n": 2}]
    with store.open_build(parted["build"]) as first, store.open_build(parted["build"]) as second:
        for con in (first, second):
            assert con.execute(question).fetchall() == [(2,)]
        # Without the reader there is none.
        first.execute("set variable parts_reader = ''")
        with pytest.raises(duckdb.Error, match="LocalFileSystem"):
            first.execute(question)
    # Whoever opens the build without us reads the parts by their paths.
    with duckdb.connect(str(parted["build"]), read_only=True) as con:
        assert con.execute(question).fetchall() == [(2,)]


@pytest.mark.parametrize(
    "folder",
    ["/etc", "relative/parcel-0000000000000003", "{linked}", "{parts}/..", "{parts}/deeper"],
)
def test_a_build_names_no_folder_that_no_run_has_left(parted, tmp_path, folder):
    linked = tmp_path / "parcel-0000000000000003"
    linked.symlink_to(parted["foreign"])
    build = tmp_path / "b.duckdb"
    with store.create(build) as con:
        store.run_file(con, "meta/schema")
        store.run_file(con, "meta/run")
        named = folder.format(linked=linked, **parted)
        told = "insert into meta.parts (folder, view_name) values ($1, 'parts.parcel')"
        con.execute(told, [named])
    with store.open_build(build) as con:
        for query in ("from read_text($1)", "from read_blob($1)", "from glob($1)"):
            for path in (f"{named}/passwd", f"{named}/lot-0000.parquet"):
                for prefix in ("", "parts://"):
                    with pytest.raises(duckdb.Error):
                        con.execute(query, [prefix + path])


def test_what_a_build_names_is_read_of_a_table_only(tmp_path):
    build, file = tmp_path / "b.duckdb", tmp_path / "a.csv"
    file.write_text("folder\n/etc\n")
    with store.create(build) as con:
        con.execute("create schema meta")
        con.execute(
            f"create view meta.parts as select folder, 'v' as view_name from read_csv('{file}')"
        )
    file.unlink()
    with store.open_build(build) as con:
        assert con.execute("select 1").fetchall() == [(1,)]


@pytest.mark.parametrize("query", NO_QUESTIONS)
def test_the_command_line_answers_questions_only(made, query):
    before = state(made["folder"])
    with pytest.raises(UsageError):
        asking.sql(made["build"], query.format(**made), 10)
    assert state(made["folder"]) == before


def test_questions_are_answered(made):
    for question in QUESTIONS:
        assert asking.sql(made["build"], question, 10).rows, question


def test_connections_of_one_process_are_all_confined(made):
    with store.open_build(made["build"]) as first, store.open_build(made["build"]) as second:
        for con in (first, second):
            assert con.execute("select count(*) from mart.place").fetchall() == [(9,)]
            with pytest.raises(duckdb.Error):
                con.execute("from read_csv($1)", [str(made["file"])])


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) from range(1000000000000) a, range(1000000) b",
        "with recursive t as (select 1 as a union all select a + 1 from t) select sum(a) from t",
    ],
)
def test_a_query_without_an_end_is_stopped(made, query):
    with pytest.raises(UsageError, match=r"took longer than 0\.1 s"):
        asking.sql(made["build"], query, 10, timeout_s=0.1)


@pytest.mark.parametrize(
    "query",
    [
        "select len(repeat('x', 3000000000))",
        "select range(2000000000)",
        "select list(a) from range(100000000) t(a)",
    ],
)
def test_a_query_without_measure_is_refused(made, query, monkeypatch):
    monkeypatch.setattr(bounds, "memory_mb", lambda: 200)
    with pytest.raises(UsageError, match=r"needs more than 0\.2 GB of memory"):
        asking.sql(made["build"], query, 10)
    # The next one has what it needs.
    assert asking.sql(made["build"], "from place", 10).rows


def test_brackets_without_an_end_are_refused(made):
    with pytest.raises(UsageError, match="depth"):
        asking.sql(made["build"], f"select {'(' * 2_000}1{')' * 2_000}", 10)


@pytest.mark.slow
def test_a_function_that_hears_no_interrupt_ends_with_its_process(made):
    code = "from flows import bounds, cli; bounds.GRACE_S = 0.5; import sys; sys.exit(cli.main(sys.argv[1:]))"
    query = "select levenshtein(repeat('ab', 100000), repeat('ba', 100000))"
    words = ["sql", query, "--timeout", "0.5", "--home", str(made["folder"])]
    ended = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "Error: The query took longer than 0.5 s.\n"


def polygon(*points):
    return struct.pack("<BIII", 1, 3, 1, len(points)) + b"".join(
        struct.pack("<dd", *point) for point in points
    )


SQUARE = polygon((-77, 39), (-76.9, 39), (-76.9, 39.1), (-77, 39))
HOSTILE = {
    "rings without end": struct.pack("<BII", 1, 3, 0xFFFFFFFF),
    "points without end": struct.pack("<BIII", 1, 3, 1, 0xFFFFFFFF),
    "parts without end": struct.pack("<BII", 1, 6, 0xFFFFFFFF),
    "collections in collections": struct.pack("<BII", 1, 7, 1) * 50_000 + SQUARE,
    "the same, the other way round": struct.pack(">BII", 0, 7, 1) * 50_000 + SQUARE,
    "the same, with heights": struct.pack("<BII", 1, 1007, 1) * 50_000 + SQUARE,
    "the same, second of two": struct.pack("<BII", 1, 7, 2)
    + SQUARE
    + struct.pack("<BII", 1, 7, 1) * 50_000,
    "multi-polygons in multi-polygons": struct.pack("<BII", 1, 6, 1) * 50_000 + SQUARE,
    "broken off": SQUARE[:-5],
    "no type": struct.pack("<BII", 1, 99, 1),
    "nothing": b"",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_geometry_is_named_and_never_followed(value):
    status = wkb.RowStatus(wkb.from_arrow(pa.array([value], pa.binary())).status[0])
    assert status in {wkb.RowStatus.UNREADABLE, wkb.RowStatus.COLLECTION}
    with pytest.raises(ReadError, match=r"^t: .*geometry.* (nests too deep|cannot be read)"):
        to_crs84(pa.array([SQUARE, value], pa.binary()), "EPSG:4326", "t")


def test_honest_collections_are_not_taken_for_deep_ones():
    # Coordinates in single precision look like codes of types by the thousand.
    points = np.float32(np.random.default_rng(1).uniform(-120, -70, (20_000, 2))).astype(float)
    many = shapely.multipoints(points)
    deep = shapely.GeometryCollection([shapely.Point(0, 0)])
    for _ in range(nesting.MAX_NESTED - 1):
        deep = shapely.GeometryCollection([deep, shapely.LineString([(0, 0), (1, 1)])])
    for order in (0, 1):
        values = [shapely.to_wkb(shape, byte_order=order) for shape in (many, deep)]
        values.append(shapely.to_wkb(shapely.force_3d(deep), byte_order=order, flavor="iso"))
        values.append(
            shapely.to_wkb(shapely.set_srid(deep, 4326), byte_order=order, include_srid=True)
        )
        assert not any(map(nesting.is_deep, values))
        deeper = shapely.to_wkb(shapely.GeometryCollection([deep]), byte_order=order)
        assert nesting.is_deep(deeper)


def test_yaml_makes_plain_values_only(tmp_path):
    path = tmp_path / "study.yaml"
    for text in (
        "!!python/object/apply:os.system ['touch " + str(tmp_path / "x") + "']",
        "a: !x 1",
    ):
        path.write_text(text)
        with pytest.raises(StudyError, match=r"study\.yaml"):
            load_study(str(path))
    assert not (tmp_path / "x").exists()


def test_yaml_that_unfolds_without_end_is_refused(tmp_path):
    """Each line names the one before ten times: a billion words, should anybody write them out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    path = tmp_path / "study.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(StudyError, match=r"study\.yaml"):
        load_study(str(path))
    content = yaml.safe_load((STUDIES_DIR / "open-conus.yaml").read_text())
    text = yaml.safe_dump(content) + "\n".join(lines) + "\nlimits: *a8\n"
    path.write_text(text)
    with pytest.raises(StudyError, match=r"study\.yaml"):
        load_study(str(path))


@pytest.mark.slow
def test_no_secret_reaches_a_log_a_build_or_an_export(world, gridstead, plain, monkeypatch):
    """A token in a header and a password in an address, through a good run and one that fails."""
    token, password = "tok-5f3a9c71d2", "pass-9b1e44c0aa"
    monkeypatch.setenv("LAKE_TOKEN", token)
    monkeypatch.setenv("GRIDSTEAD_NOTIFY", f"json://user:{password}@127.0.0.1:9/hook")
    lake = (world.study.parent / "files" / "lake.geojson").read_bytes()
    own = world.study.parent / "own.yaml"
    content = yaml.safe_load(own.read_text())
    source = next(each for each in content["sources"] if each["id"] == "gshhs_lake")
    said = ""
    with running() as upstream:
        url = upstream.url("/lake.geojson")
        source["access"] = {"kind": "http", "url": url, "headers": {"X-Api-Key": "${LAKE_TOKEN}"}}
        own.write_text(yaml.safe_dump(content, sort_keys=False))
        # A server that sends back what it was sent, as some do when they refuse.
        upstream.routes["/lake.geojson"] = Response(f"no: {token}".encode(), status=403)
        words = ["run", world.study, "--home", world.home]
        answer = gridstead(*words)
        assert answer.code == 1
        said += answer.out + answer.err
        upstream.routes["/lake.geojson"] = conditional(lake)
        answer = gridstead(*words)
        assert answer.code == 0, answer.err
        said += answer.out + answer.err
        assert {request.headers["x-api-key"] for request in upstream.requests} == {token}
    files = [path for path in world.home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".jsonl" for path in files)
    for secret in (token, password):
        assert secret not in said
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
