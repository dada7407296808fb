import copy
import datetime as dt
import inspect
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from data import catalogue as module
from data import lock as lock_module
from data.access.package import is_wheel_of
from data.catalogue import (
    LOCK_PATH,
    SCHEMA_PATH,
    LockEntry,
    catalogue_schema,
    dump_lock,
    load_catalogue,
    load_lock,
)
from data.errors import CatalogueError
from data.readers import READERS

ENTRY = {
    "id": "thing",
    "title": "Thing",
    "theme": "grid",
    "access": {"kind": "package", "name": "thing", "version": "1.0"},
    "licence": "MIT",
    "data_terms": "not stated",
    "attribution": "Someone",
    "as_of": 2024,
    "is_exportable": False,
    "tables": {"thing": {"reader": "csv", "member": "thing/t.csv"}},
}
CATALOGUE = load_catalogue()
SOURCES = {source.id: source for source in CATALOGUE.sources}


@pytest.fixture
def load(tmp_path):
    def load(*entries):
        path = tmp_path / "sources.yaml"
        path.write_text(yaml.safe_dump({"sources": list(entries)}))
        return load_catalogue(path)

    return load


def changed(**changes):
    return copy.deepcopy(ENTRY) | changes


def http(**headers):
    return {"kind": "http", "url": "https://x/y.csv", "headers": headers}


def test_schema_file_is_what_the_models_say():
    hint = "run: python -m data.catalogue --schema"
    assert SCHEMA_PATH.read_text(encoding="utf-8") == catalogue_schema(), hint


def test_lock_file_is_what_the_lock_writes():
    assert LOCK_PATH.read_text(encoding="utf-8") == dump_lock(load_lock())


def test_every_pinned_source_is_locked_at_its_version_and_nothing_else_is():
    lock = load_lock()
    assert set(lock.sources) == {source.id for source in CATALOGUE.sources if not source.is_live}
    for source_id, entry in lock.sources.items():
        assert entry.version == SOURCES[source_id].version


def test_locked_filenames_are_those_of_the_access():
    for source_id, entry in load_lock().sources.items():
        access = SOURCES[source_id].access
        if access.kind == "package":
            assert is_wheel_of(Path(entry.filename), access)
        else:
            assert entry.filename == Path(access.path).name


@pytest.mark.parametrize("source", CATALOGUE.sources, ids=lambda source: source.id)
def test_terms_are_stated_and_decide_what_is_exported(source):
    limited = re.compile(r"^not stated(?! apart)|\bNC\b|Acceptable Use|-NC-", re.IGNORECASE)
    if source.is_exportable:
        assert not limited.search(source.data_terms)
    else:
        assert limited.search(source.data_terms)


@pytest.mark.parametrize("source", CATALOGUE.sources, ids=lambda source: source.id)
def test_tables_name_options_that_their_reader_has_and_what_they_expect(source):
    for table in source.tables.values():
        parameters = inspect.signature(READERS[table.reader]).parameters
        assert set(table.options) <= set(parameters)
        if table.reader == "raster":
            continue
        assert table.required
        # A count is measured: what nobody has fetched has none.
        assert (table.rows is not None) == source.verified
        assert bool(table.rows_tolerance) == (source.is_live and source.verified)


def test_readers_and_the_names_that_the_schema_allows_are_the_same():
    assert set(READERS) == set(get_args(module.ReaderName))


def test_nothing_in_the_catalogue_names_a_machine():
    text = module.CATALOGUE_PATH.read_text() + LOCK_PATH.read_text()
    assert not re.search(r"(^|[\s\"'{])/(tmp|home|work|root)/", text)


def test_look_up_by_id_and_by_table():
    assert CATALOGUE.source("tamu_grid").version == "0.5.5"
    source, table = CATALOGUE.table("tamu_bus")
    assert (source.id, table.rows) == ("tamu_grid", 82071)


@pytest.mark.parametrize("look_up", ["source", "table"])
def test_an_unknown_name_is_answered_with_the_nearest(look_up):
    with pytest.raises(CatalogueError, match="There is no") as caught:
        getattr(CATALOGUE, look_up)("tamu_gridd" if look_up == "source" else "tamu_buss")
    assert "Did you mean 'tamu_" in caught.value.hint


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (changed(licens="MIT"), "source 'thing': licens: is not a known key"),
        ({k: v for k, v in ENTRY.items() if k != "licence"}, "licence: is missing"),
        (changed(licence=" "), "licence"),
        (changed(id="Thing"), "id"),
        (changed(theme="roads"), "theme"),
        (changed(access={"kind": "carrier_pigeon"}), "access"),
        (changed(access={"kind": "http", "url": "ftp://x/y"}), "url"),
        (changed(access={"kind": "package", "name": "a; rm", "version": "1"}), "name"),
        (changed(access={"kind": "package", "name": "--index", "version": "1"}), "name"),
        (changed(access={"kind": "package", "name": "a", "version": "latest"}), "version"),
        (changed(verified=False), "needs unverified_since"),
        (changed(unverified_since="2026-01-01"), "unverified_since is given"),
        (changed(access={"kind": "http", "url": "http://u:p@x/y"}), "must not hold a user"),
        (changed(access={"kind": "http", "url": "http://[x/y"}), "is no address"),
        (changed(access=http() | {"filename": "../x"}), "is a path"),
        (changed(access=http(Authorization="Bearer abc")), "must take its secret from a variable"),
        (changed(access=http(**{"X-Api-Key": "abc"})), "must take its secret from a variable"),
        (changed(access=http(Range="bytes=1-")), "is set by the download itself"),
        (changed(access=http(**{"If-None-Match": "x"})), "is set by the download itself"),
        (changed(access=http(Accept="a\nb")), "is no header"),
        (changed(access=http(**{"a b": "x"})), "is no header"),
        (changed(access={"kind": "object", "uri": "s3://bucket"}), "name of an object"),
        (changed(access={"kind": "object", "uri": "s3://bucket/a/"}), "name of an object"),
        (changed(access={"kind": "object", "uri": "s3://b/*/x.parquet"}), "only the last part"),
        (changed(access={"kind": "object", "uri": "s3://key:word@b/x"}), "must not hold a user"),
        (changed(access={"kind": "object", "uri": "s3://b/x?access_key=k"}), "uri"),
        (changed(access={"kind": "object", "uri": "https://b/x"}), "is of kind http"),
        (changed(access={"kind": "object", "uri": "gs://b/x", "region": "r"}), "of s3:// alone"),
        (changed(tables={}), "tables"),
        (changed(tables={"t": {"reader": "magic"}}), "reader"),
        (changed(tables={"t": {"reader": "csv", "member": "../x"}}), "leaves its archive"),
        (changed(tables={"t": {"reader": "csv", "member": ["a", "/x"]}}), "leaves its archive"),
        (changed(tables={"t": {"reader": "csv", "rows": -1}}), "rows"),
    ],
)
def test_a_bad_entry_is_one_sentence_that_names_file_source_and_key(load, entry, says):
    with pytest.raises(CatalogueError, match=re.escape(says)) as caught:
        load(entry)
    assert caught.value.message.startswith("sources.yaml")
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 2


def test_objects_headers_and_unverified_addresses_are_read(load):
    headers = http(Accept="text/csv", Authorization="Bearer ${TOKEN}")
    uri = "abfs://box@account.dfs.core.windows.net/a/*.parquet"
    entries = [
        changed(access=headers, verified=False, unverified_since=dt.date(2026, 1, 2)),
        changed(id="other", access={"kind": "object", "uri": uri}, tables={"o": {"reader": "csv"}}),
    ]
    sources = load(*entries).sources
    assert sources[0].access.headers["Authorization"] == "Bearer ${TOKEN}"
    assert sources[0].unverified_since == dt.date(2026, 1, 2)
    assert [source.is_live for source in sources] == [True, True]


def test_ids_and_tables_are_unique(load):
    with pytest.raises(CatalogueError, match="source 'thing' appears twice"):
        load(ENTRY, ENTRY)
    with pytest.raises(CatalogueError, match="table 'thing' appears twice"):
        load(ENTRY, changed(id="other"))


@pytest.mark.parametrize("text", ["sources: [", "\x00", "- a\n- b\n", "sources: 3\n"])
def test_a_file_that_is_no_catalogue_is_one_sentence(tmp_path, text):
    path = tmp_path / "sources.yaml"
    path.write_text(text)
    with pytest.raises(CatalogueError, match=r"^sources\.yaml"):
        load_catalogue(path)


def test_a_missing_catalogue_is_named(tmp_path):
    with pytest.raises(CatalogueError, match="does not exist"):
        load_catalogue(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "change", [{"sha256": "abc"}, {"filename": "../x.whl"}, {"bytes": -1}, {"extra": 1}]
)
def test_a_bad_lock_is_one_sentence(tmp_path, change):
    entry = {"version": "1", "filename": "x.whl", "sha256": "0" * 64, "bytes": 3} | change
    path = tmp_path / "sources.lock"
    path.write_text(yaml.safe_dump({"sources": {"thing": entry}}))
    with pytest.raises(CatalogueError, match=r"^sources\.lock: sources\.thing"):
        load_lock(path)


def test_lock_is_written_from_what_was_pulled(tmp_path, load):
    (tmp_path / "t.csv").write_text("a\n")
    here = changed(access={"kind": "file", "path": "t.csv"})
    catalogue = load(here)
    lock = lock_module.make_lock(
        catalogue, module.Lock(), cache_dir=tmp_path / "cache", mirror=tmp_path
    )
    entry = lock.sources["thing"]
    assert (entry.version, entry.filename, entry.bytes) == ("2024", "t.csv", 2)
    kept = lock_module.make_lock(catalogue, lock, cache_dir=tmp_path / "cache", mirror=None)
    assert kept == lock


def test_command_validates_and_names_an_unknown_source(capsys):
    assert lock_module.main([]) == 0
    assert "all valid" in capsys.readouterr().out
    assert lock_module.main(["--lock", "nonesuch"]) == 2
    assert "There is no source 'nonesuch'" in capsys.readouterr().err


def test_dump_is_sorted_and_reads_back(tmp_path):
    entries = {
        name: LockEntry(version="1", filename="f", sha256="0" * 64, bytes=1) for name in ("b", "a")
    }
    text = dump_lock(module.Lock(sources=entries))
    assert text.index("a:") < text.index("b:")
    path = tmp_path / "sources.lock"
    path.write_text(text)
    assert load_lock(path).sources == entries
