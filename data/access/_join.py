"""Several Parquet files to one, a batch of rows at a time."""

import json
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from data.access._retry import Transient
from data.errors import PullError

# Rows of a row group: a batch of them is all that is held of any file.
BATCH_ROWS = 65_536


def join_parquet(paths: Iterable[Path], names: Sequence[str], target: Path) -> None:
    """Join Parquet files in their order; each is removed when its rows are written.

    The same files give the same bytes. Metadata of the first are kept; of GeoParquet's own, what
    differs from file to file (the box and the kinds of geometry) is put together or left out.

    Parameters
    ----------
    paths
        The files; one may be made as the one before it is done with.
    names
        Their names, for messages.

    Raises
    ------
    Transient
        A file is damaged, or none.
    PullError
        Files differ in their columns, or in the CRS of their geometry.
    """
    first: pa.Schema | None = None
    writer: parquet.ParquetWriter | None = None
    try:
        for path, name in zip(paths, names, strict=True):
            with _opened(path, name) as file:
                schema = file.schema_arrow
                if first is None or writer is None:
                    first = schema
                    joined = _joined(schema)
                    writer = parquet.ParquetWriter(target, joined, compression="zstd")
                _check_same(first, names[0], schema, name)
                for batch in file.iter_batches(BATCH_ROWS):
                    writer.write_batch(batch.cast(joined), row_group_size=BATCH_ROWS)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        if writer is not None:
            writer.close()


@contextmanager
def _opened(path: Path, name: str) -> Generator[parquet.ParquetFile]:
    try:
        with parquet.ParquetFile(path, pre_buffer=False, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            # Of the disk, not of what the file holds.
            raise
        reason = str(error).strip().splitlines()[0].rstrip(".")
        message = f"object {name} is damaged or no Parquet file: {reason}"
        hint = "Only Parquet objects can be joined: check the uri of the catalogue entry."
        raise Transient(message, hint=hint) from error
    finally:
        path.unlink(missing_ok=True)


def _check_same(first: pa.Schema, first_name: str, schema: pa.Schema, name: str) -> None:
    for column in first.names:
        if column not in schema.names:
            message = f"Object {name} has no column {column!r}, which {first_name} has."
            raise PullError(message, "Name only objects that are parts of one table.")
        one, other = first.field(column).type, schema.field(column).type
        if one != other:
            message = f"Column {column!r} is {other} in object {name} and {one} in {first_name}."
            raise PullError(message, "Name only objects that are parts of one table.")
    if extra := [column for column in schema.names if column not in first.names]:
        message = f"Object {name} has a column {extra[0]!r}, which {first_name} has not."
        raise PullError(message, "Name only objects that are parts of one table.")
    if first.names != schema.names:
        message = f"Object {name} has its columns in another order than {first_name}."
        raise PullError(message, "Name only objects that are parts of one table.")
    if _shared(_geo(first)) != _shared(_geo(schema)):
        message = (
            f"The geometry of object {name} is written in another way than that of {first_name}."
        )
        raise PullError(message, "Name only objects that are parts of one table.")


def _joined(schema: pa.Schema) -> pa.Schema:
    geo = _geo(schema)
    # What pandas says of its index holds for one file alone.
    rest = {
        key: value
        for key, value in (schema.metadata or {}).items()
        if key not in {b"pandas", b"geo"}
    }
    if geo is not None:
        for column in geo["columns"].values():
            column.pop("bbox", None)
            # Empty says that they are not known.
            column["geometry_types"] = []
        rest[b"geo"] = json.dumps(geo, sort_keys=True).encode()
    return schema.with_metadata(rest)


def _geo(schema: pa.Schema) -> dict[str, Any] | None:
    try:
        geo = json.loads((schema.metadata or {}).get(b"geo", b"null"))
    except ValueError:
        return None
    return geo if isinstance(geo, dict) and isinstance(geo.get("columns"), dict) else None


def _shared(geo: dict[str, Any] | None) -> object:
    """Take of GeoParquet's metadata what files of one table have in common."""
    if geo is None:
        return None
    own = {"bbox", "geometry_types"}
    return geo.get("primary_column"), {
        name: {key: value for key, value in column.items() if key not in own}
        for name, column in geo["columns"].items()
    }
