"""The source catalogue: what each upstream artefact is, how it is fetched, and what must be in it."""

import datetime as dt
import difflib
import json
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from data.address import Access, FileAccess, PackageAccess, Strict, Text
from data.errors import CatalogueError
from data.expectation import Expectation
from data.validation import first_problem, parse_yaml

HERE = Path(__file__).parent
CATALOGUE_PATH = HERE / "sources.yaml"
LOCK_PATH = HERE / "sources.lock"
SCHEMA_PATH = HERE / "schemas" / "sources.schema.json"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

ThemeName = Literal[
    "grid", "population", "fiber", "parcels", "land", "price", "hazard", "reference"
]
ReaderName = Literal[
    "case_points",
    "csv",
    "geo",
    "geonames_cities",
    "geoparquet",
    "gshhs_lakes",
    "json_records",
    "matpower",
    "osm",
    "parquet",
    "pypsa",
    "raster",
    "topohub_edges",
    "topohub_nodes",
    "xlsx",
]
LIVE_KINDS = frozenset({"http", "arcgis", "overpass", "object"})


class Table(Strict):
    """One raw table read out of an artefact."""

    reader: ReaderName
    member: Text | list[Text] | None = Field(
        default=None,
        description="Path inside an archive; a list or a glob reads several into one table.",
    )
    required: list[Text] = Field(default_factory=list, description="Columns that must be there.")
    rows: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Rows expected; exact unless rows_tolerance is given."
    )
    rows_tolerance: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="Share by which the row count of a live source may differ."
    )
    expect: list[Expectation] = Field(
        default_factory=list, description="What its columns hold, and how far it may change."
    )
    options: dict[str, Any] = Field(default_factory=dict, description="Options of the reader.")

    @property
    def members(self) -> list[str]:
        """Member names or globs, as a list; empty when the artefact itself is read."""
        if self.member is None:
            return []
        return [self.member] if isinstance(self.member, str) else list(self.member)

    @field_validator("member")
    @classmethod
    def _members_stay_inside(cls, value: str | list[str] | None) -> str | list[str] | None:
        for member in [value] if isinstance(value, str) else value or []:
            path = PurePosixPath(member)
            if path.is_absolute() or ".." in path.parts or "\\" in member:
                message = f"member {member!r} leaves its archive"
                raise ValueError(message)
        return value


class Source(Strict):
    """One upstream artefact."""

    id: Name
    title: Text
    theme: ThemeName
    access: Access
    mirror: Text | None = Field(
        default=None, description="Path in the mirror folder that is looked in before the network."
    )
    licence: Text = Field(description="Licence of the package or repository that ships the data.")
    data_terms: Text = Field(
        description="Terms of the data themselves; 'not stated' where unknown."
    )
    attribution: Text
    as_of: Text = Field(description="Date or year that the data describe.")
    is_synthetic: bool = False
    is_exportable: bool = Field(
        description="False where the terms limit redistribution or are not stated."
    )
    verified: bool = Field(default=True, description="False: nobody has run this address yet.")
    unverified_since: dt.date | None = Field(
        default=None, description="Since when the address waits for somebody who runs it."
    )
    notes: Text | None = None
    tables: dict[Name, Table] = Field(min_length=1)

    @field_validator("as_of", mode="before")
    @classmethod
    def _as_of_is_text(cls, value: Any) -> Any:
        return value if value is None else str(value)

    @model_validator(mode="after")
    def _unverified_has_a_date(self) -> Self:
        if self.verified and self.unverified_since is not None:
            message = "unverified_since is given for a source that is verified"
            raise ValueError(message)
        if not self.verified and self.unverified_since is None:
            message = "a source that is not verified needs unverified_since, a date"
            raise ValueError(message)
        return self

    @property
    def version(self) -> str:
        """Version that the lock pins: the package's own, else the as-of date."""
        return self.access.version if isinstance(self.access, PackageAccess) else self.as_of

    @property
    def is_live(self) -> bool:
        """Whether the artefact may change upstream without its entry changing."""
        return self.access.kind in LIVE_KINDS


class Catalogue(Strict):
    """Every source that a study may name."""

    sources: list[Source]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        seen: dict[str, str] = {}
        for source in self.sources:
            for kind, name in [("source", source.id), *(("table", t) for t in source.tables)]:
                key = f"{kind} {name!r}"
                if key in seen:
                    message = f"{key} appears twice (in source {seen[key]!r} and {source.id!r})"
                    raise ValueError(message)
                seen[key] = source.id
        return self

    def source(self, source_id: str) -> Source:
        """Return the source of that id, or say which id was probably meant."""
        for source in self.sources:
            if source.id == source_id:
                return source
        message = f"There is no source {source_id!r} in the catalogue."
        raise CatalogueError(message, _nearest(source_id, [source.id for source in self.sources]))

    def table(self, name: str) -> tuple[Source, Table]:
        """Return the raw table of that name, and the source it is read from."""
        for source in self.sources:
            if name in source.tables:
                return source, source.tables[name]
        message = f"There is no raw table {name!r} in the catalogue."
        raise CatalogueError(message, _nearest(name, [t for s in self.sources for t in s.tables]))


class LockEntry(Strict):
    """What a pinned source's artefact must be, to the byte."""

    version: Text
    filename: Text
    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]

    @field_validator("filename")
    @classmethod
    def _filename_is_a_name(cls, value: str) -> str:
        if value in {".", ".."} or "/" in value or "\\" in value:
            message = f"filename {value!r} is a path"
            raise ValueError(message)
        return value


class Lock(Strict):
    """The artefacts of pinned sources, by source id."""

    sources: dict[Name, LockEntry] = Field(default_factory=dict)

    def get(self, source_id: str) -> LockEntry | None:
        """Return the entry of a source, or None where nothing is pinned."""
        return self.sources.get(source_id)


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Read and validate the catalogue (the project's own unless a path is given)."""
    path = path or CATALOGUE_PATH
    content = _read_yaml(path)
    try:
        return Catalogue.model_validate(content)
    except ValidationError as error:
        raise CatalogueError(_say(path, error, content), "Mend the entry and run again.") from error


def with_own(extra: Path | None) -> tuple[Catalogue, Lock]:
    """Give the project's catalogue and lock with a user's own sources laid over them.

    A source of the user's with an id of ours takes its place. Relative file paths of the user's
    are taken from beside their catalogue when they are there, else from the mirror folder. Their
    lock is `<name>.lock` beside it; without one nothing of theirs is pinned.

    Raises
    ------
    CatalogueError
        The user's catalogue is missing or not valid.
    """
    ours, lock = load_catalogue(), load_lock()
    if extra is None:
        return ours, lock
    if not extra.is_file():
        message = f"There is no catalogue {extra}."
        raise CatalogueError(message, "Check the study's `catalogue`; it is relative to the study.")
    own = [_beside(source, extra.parent) for source in load_catalogue(extra).sources]
    ids = {source.id for source in own}
    kept = {name: entry for name, entry in lock.sources.items() if name not in ids}
    theirs = load_lock(extra.with_suffix(".lock")).sources
    merged = [source for source in ours.sources if source.id not in ids] + own
    return Catalogue(sources=merged), Lock(sources={**kept, **theirs})


def _beside(source: Source, folder: Path) -> Source:
    if isinstance(source.access, FileAccess) and (folder / source.access.path).is_file():
        access = FileAccess(kind="file", path=str((folder / source.access.path).resolve()))
        return source.model_copy(update={"access": access})
    return source


def load_lock(path: Path | None = None) -> Lock:
    """Read and validate the lock (the project's own unless a path is given)."""
    path = path or LOCK_PATH
    content = _read_yaml(path) if path.exists() else {}
    try:
        return Lock.model_validate(content)
    except ValidationError as error:
        message = f"{path.name}: {first_problem(error)}"
        raise CatalogueError(message, "Write it anew: python -m data.catalogue --lock") from error


def dump_lock(lock: Lock) -> str:
    """Write a lock as YAML, sorted by source id."""
    entries = {name: lock.sources[name].model_dump() for name in sorted(lock.sources)}
    head = "# Written by `python -m data.catalogue --lock`; do not edit.\n"
    return head + yaml.safe_dump({"sources": entries}, sort_keys=False)


def catalogue_schema() -> str:
    """Return the JSON schema of sources.yaml, as the text of its file."""
    return json.dumps(Catalogue.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _read_yaml(path: Path) -> Any:
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = f"{path} does not exist."
        raise CatalogueError(message) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"{path.name} is not valid YAML: {' '.join(str(error).split())}"
        raise CatalogueError(message) from error
    return {} if content is None else content


def _say(path: Path, error: ValidationError, content: Any) -> str:
    """Name the source by its id, where pydantic only knows its place in the list."""
    location = error.errors()[0]["loc"]
    try:
        where = f"source {content['sources'][location[1]]['id']!r}"
    except (IndexError, KeyError, TypeError):
        return f"{path.name}: {first_problem(error)}"
    problem = first_problem(error).removeprefix(f"sources.{location[1]}.")
    return f"{path.name}, {where}: {problem}"


def _nearest(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(sorted(names))}."


if __name__ == "__main__":
    from data.lock import main

    raise SystemExit(main())
