"""The matrix of faults: what a user gets for each fault of each kind of source, declared.

A cell tells the ending of a first fetch, and the one with a last good copy in the cache.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.harness import PINNED, RECOVERS, STALE, Ending, World

KINDS = ("http", "arcgis", "overpass", "object", "package")


@dataclass(frozen=True)
class Fails:
    """An error: `says` is what its sentence must hold (a pattern), `word` what the table tells of it."""

    says: str
    word: str

    def __str__(self) -> str:
        return f"error: {self.word}"


Outcome = str | Fails


@dataclass(frozen=True)
class Cell:
    """Endings of one fault at one kind of source."""

    first: Outcome
    copy: Outcome


@dataclass(frozen=True)
class Row:
    """One fault at the kinds that it can befall; `not_for` says why at the others it cannot."""

    fault: str
    label: str
    cells: dict[str, Cell]
    not_for: dict[str, str]


def cells() -> Iterator[tuple[Row, str]]:
    """Every cell that is run, by row and kind."""
    for row in ROWS:
        for kind in KINDS:
            if kind in row.cells:
                yield row, kind


def agrees(ending: Ending, declared: Outcome) -> bool:
    """Whether a run ended as declared; an error has a hint as well."""
    if isinstance(declared, Fails):
        return re.search(declared.says, ending.word) is not None and bool(ending.hint)
    return ending.word == declared


def anonymous(sentence: str, world: World) -> str:
    """Take ports and folders of this one trial out of a sentence."""
    text = sentence.replace(world.upstream.root, "http://server")
    text = re.sub(r"https://127\.0\.0\.1:\d+", "https://server", text)
    text = re.sub(r"host='127\.0\.0\.1', port=\d+", "host='server'", text)
    return re.sub(r"/\S+/cell/", "", text)


def _row(
    fault: str,
    label: str,
    first: Outcome | dict[str, Outcome],
    copy: Outcome = STALE,
    *,
    kinds: tuple[str, ...] = KINDS,
    why_not: str = "",
) -> Row:
    """Declare a row; a wheel is never asked for again while its pinned bytes are in the cache."""
    firsts = first if isinstance(first, dict) else dict.fromkeys(kinds, first)
    made = {
        kind: Cell(firsts[kind], PINNED if kind == "package" else copy)
        for kind in kinds
        if kind in firsts
    }
    return Row(fault, label, made, {kind: why_not for kind in KINDS if kind not in made})


def _all(says: str, word: str, **more: Outcome) -> dict[str, Outcome]:
    """Declare the same error for every kind, but for those that are named."""
    return {kind: more.get(kind, Fails(says, word)) for kind in KINDS}


_DAMAGED = r"damaged|no JSON|cut short|web page|answered a page|empty file"
# pip holds what it downloads against the hash that the index states.
_OTHER_BYTES = Fails(r"other bytes than the hash", "other bytes than the index states")
_CUT = r"without sending complete|IncompleteRead|bytes missing"
_NO_COLUMN = Fails(
    r"^\S+ has no column '(lat|area_km2|ALAND)'\.$", "file and column that is missing"
)
_NOT_THE_LOCK = Fails(r"has sha256 \w+ where the lock states", "another hash than the lock's")
_TABLES = ("http", "arcgis", "object")
_TAGS = "OpenStreetMap has tags in the place of columns; a wheel is pinned to the byte"

ROWS = [
    _row("too_many once", "429 once, Retry-After in seconds", RECOVERS, RECOVERS),
    _row("too_many_until once", "429 once, Retry-After a date", RECOVERS, RECOVERS),
    _row("too_many", "429 always", _all(r"\b429\b", "429")),
    _row("server_error once", "500 once", RECOVERS, RECOVERS),
    _row(
        "server_error",
        "500 always",
        _all(r"\b500\b", "500", package=Fails(r"too many 500 error", "500")),
    ),
    _row(
        "forbidden",
        "403",
        _all(r"\b403\b", "403", object=Fails("may not be read", "may not be read")),
    ),
    _row(
        "gone",
        "404",
        _all(r"\b404\b", "404", object=Fails("does not exist", "no such object")),
    ),
    _row("stall once", "stalls half-way, once", RECOVERS, RECOVERS),
    _row(
        "stall",
        "stalls half-way, always",
        _all(r"(?i)timed out|hung up|sent nothing", "no answer in time"),
    ),
    _row("truncated once", "body cut off, once", RECOVERS, RECOVERS),
    _row("truncated", "body cut off, always", _all(_CUT, "cut off", package=_OTHER_BYTES)),
    _row("length_too_long once", "Content-Length too large, once", RECOVERS, RECOVERS),
    _row(
        "length_too_long",
        "Content-Length too large, always",
        # pip takes what came, and the hash proves it whole.
        _all(_CUT, "cut off", package=RECOVERS),
    ),
    _row("length_too_short once", "Content-Length too small, once", RECOVERS, RECOVERS),
    Row(
        "length_too_short",
        "Content-Length too small, always",
        {
            **{
                kind: Cell(Fails(_DAMAGED, "damaged"), STALE)
                for kind in ("http", "arcgis", "overpass", "object")
            },
            "package": Cell(_OTHER_BYTES, PINNED),
        },
        {},
    ),
    _row("html once", "a web page, once", RECOVERS, RECOVERS),
    _row(
        "html",
        "a web page, always",
        _all(_DAMAGED, "a page in the place of data", package=_OTHER_BYTES),
    ),
    _row("empty once", "nothing with status 200, once", RECOVERS, RECOVERS),
    _row(
        "empty", "nothing with status 200, always", _all(_DAMAGED, "damaged", package=_OTHER_BYTES)
    ),
    _row("tls_refusal", "TLS refused", _all(r"safe connection \(TLS\)", "no safe connection")),
    _row(
        "changes_between_pages once",
        "changes between pages or ranges, once",
        RECOVERS,
        RECOVERS,
        kinds=_TABLES,
        why_not="read in one piece",
    ),
    _row(
        "changes_between_pages",
        "changes between pages or ranges, always",
        {
            "http": Fails(_CUT, "cut off"),
            "arcgis": Fails("changed while it was read", "changed while it was read"),
            "object": Fails("changed while it was read", "changed while it was read"),
        },
        why_not="read in one piece",
    ),
    _row(
        "repeated_page once",
        "a page comes twice, once",
        RECOVERS,
        RECOVERS,
        kinds=("arcgis",),
        why_not="has no pages",
    ),
    _row(
        "repeated_page",
        "the same page for all, always",
        {
            "arcgis": Fails(
                "in a page that does not hold it",
                "a feature of another page",
            )
        },
        why_not="has no pages",
    ),
    Row(
        "no_rows",
        "an answer without rows",
        {
            "http": Cell(*[Fails("fell_by_at_most", "rows that fell to 0")] * 2),
            "arcgis": Cell(Fails("has no feature", "no feature"), STALE),
            "overpass": Cell(Fails("knows nothing of these tags", "no feature"), STALE),
            "object": Cell(*[Fails(r"holds no row\.", "no row")] * 2),
        },
        {"package": _TAGS.partition("; ")[2]},
    ),
    _row(
        "renamed_column",
        "a column has another name",
        {**dict.fromkeys(_TABLES, _NO_COLUMN), "package": _NOT_THE_LOCK},
        _NO_COLUMN,
        why_not=_TAGS.partition("; ")[0],
    ),
    _row(
        "dropped_column", "a column is gone", _NO_COLUMN, _NO_COLUMN, kinds=_TABLES, why_not=_TAGS
    ),
    Row(
        "retyped_column",
        "words where numbers stood",
        {
            # Coordinates that are no numbers make rows that cannot be placed.
            "http": Cell(*[Fails("^Check tamu_sub", "check, table and column")] * 2),
            "arcgis": Cell(*[Fails("^Check gshhs_lake.*area_km2", "check, table and column")] * 2),
            "object": Cell(*[Fails("^Check census_county.*ALAND", "check, table and column")] * 2),
        },
        dict.fromkeys(("overpass", "package"), _TAGS),
    ),
    _row(
        "zip_bomb",
        "a member that unpacks to 1,000 times its size",
        {"http": Fails(r"unpacks to [\d,]+ times", "member and ratio"), "package": _NOT_THE_LOCK},
        why_not="no archive",
    ),
    _row(
        "dotdot_member",
        "a member ../../evil.csv",
        {
            "http": Fails("leaves the archive", "member leaves the archive"),
            "package": _NOT_THE_LOCK,
        },
        why_not="no archive",
    ),
]
