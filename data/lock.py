"""Write the files that follow from others: the lock, and the JSON schemas of catalogue, study, profile."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data import catalogue as catalogues
from data import study, workload
from data.catalogue import (
    LOCK_PATH,
    Catalogue,
    FileAccess,
    Lock,
    LockEntry,
    dump_lock,
    load_catalogue,
    load_lock,
)
from data.errors import GridsteadError
from data.pull import mirror_from_environment, pull

DEFAULT_CACHE = Path("var/cache")


def make_lock(
    catalogue: Catalogue,
    old: Lock,
    *,
    cache_dir: Path,
    mirror: Path | None,
    only: Sequence[str] = (),
) -> Lock:
    """Pull every pinned source and state what came; live sources are never pinned.

    Without a mirror folder, entries of files that would lie in it are carried over unchanged.
    """
    entries: dict[str, LockEntry] = {}
    for source in catalogue.sources:
        kept = old.get(source.id)
        in_mirror = isinstance(source.access, FileAccess) and mirror is None
        if source.is_live:
            continue
        if in_mirror or (only and source.id not in only):
            if kept is not None:
                entries[source.id] = kept
            continue
        pulled = pull(source, None, cache_dir=cache_dir, mirror=mirror)
        entries[source.id] = LockEntry(
            version=source.version,
            filename=pulled.filename,
            sha256=pulled.sha256,
            bytes=pulled.bytes,
        )
    return Lock(sources=entries)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m data.catalogue`; without an option it only validates."""
    parser = argparse.ArgumentParser(prog="python -m data.catalogue", description=__doc__)
    parser.add_argument("--schema", action="store_true", help="write schemas/*.schema.json")
    parser.add_argument(
        "--lock", action="store_true", help="pull pinned sources, write sources.lock"
    )
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="cache folder")
    parser.add_argument("ids", nargs="*", help="with --lock: only these sources")
    options = parser.parse_args(arguments)
    try:
        catalogue = load_catalogue()
        for source_id in options.ids:
            catalogue.source(source_id)
        if options.schema:
            catalogues.SCHEMA_PATH.write_text(catalogues.catalogue_schema(), encoding="utf-8")
            study.SCHEMA_PATH.write_text(study.study_schema(), encoding="utf-8")
            workload.SCHEMA_PATH.write_text(workload.workload_schema(), encoding="utf-8")
        if options.lock:
            lock = make_lock(
                catalogue,
                load_lock(),
                cache_dir=options.cache,
                mirror=mirror_from_environment(),
                only=options.ids,
            )
            LOCK_PATH.write_text(dump_lock(lock), encoding="utf-8")
    except GridsteadError as error:
        sys.stderr.write(f"{error.message} {error.hint}".rstrip() + "\n")
        return error.exit_code
    sys.stdout.write(f"{len(catalogue.sources)} sources, all valid.\n")
    return 0
