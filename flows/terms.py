"""What exports and the map page leave out, because the terms of its source do not let it be passed on.

The rule. A source with `is_exportable: false` (non-commercial, under an acceptable use policy, or of terms that
nobody stated) gives no record to what is passed on:

- none of its rows: no feature, geometry, name or id (`mart.substation` and lines by row; PoPs, exchanges and
  fiber nodes as a whole, since one node joins rows of several sources);
- no value taken over one to one, as the land value of the nearest cell or a county's hazard (`terms_columns.TAKEN`);
- no figure of such a value in a sentence (`reason`).

What we computed of many rows stays: scores, ranks, costs, distances, counts, round trips, headroom; the score that
one factor earns is such a result too, although it tells roughly where between its breakpoints a value lies.
Whatever is left out is named with its terms in the note of every file, and `--with-restricted` leaves nothing out.

What a user gives (parcels of files, stated capacities) is the user's to pass on; a network case is withheld unless
its study says `is_exportable: true`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import duckdb
import pandas as pd

from flows.reporting import rows_of
from flows.terms_columns import FROM_FILE, NAMED_ROW, TAKEN

RESTRICTED_SENTENCE = (
    "For your own eyes, not to be passed on: contains data whose terms do not allow it."
)
LEFT_EMPTY = " (left empty where its source may not be passed on)"
WITHHELD_FIGURE = "(figure withheld)"
# Kinds of rows that carry the `source_id` of the one source they come from -> layers they come from: substations
# are also inferred where lines meet.
ROW_KINDS = {
    "substation": ("substation", "line"),
    "line": ("line",),
    "fiber_link": ("carrier_link",),
}
# Other kinds -> layers that they are made of: withheld as a whole when a row of one of those is.
WHOLE_KINDS = {
    "metro": ("metro",),
    "place": ("place",),
    "lake": ("lake",),
    "fiber_node": ("pop", "facility", "ixp"),
}
# Regions are named and outlined by these.
REGION_LAYERS = {
    "county": ("county",),
    "metro": ("metro", "metro_county", "county"),
    "state": ("state", "county"),
    "zone": ("zone", "zone_point"),
}
# Tables that hold a metric in each of some columns.
TABLES = frozenset({"region", "parcel"})
KINDS = TABLES | frozenset(ROW_KINDS) | frozenset(WHOLE_KINDS)

Frame = TypeVar("Frame", bound=pd.DataFrame)


@dataclass(frozen=True)
class Withheld:
    """What may not be passed on of one build.

    Parameters
    ----------
    sources
        `source_id`, `title` and `why` (the terms) of each source that is left out.
    layers
        Layers all of whose rows come from such sources.
    touched
        Layers any of whose rows does.
    columns
        Columns, and metrics of the same names, whose values are taken over one to one from such sources.
    ids
        Layer (substation, line) to the ids of its rows that are withheld.
    labels
        Names in words of the metrics among `columns`.
    is_restricted
        Whether everything was asked for: then nothing is left out and `sources` names what is in.
    """

    sources: list[dict[str, str]] = field(default_factory=list)
    layers: frozenset[str] = frozenset()
    touched: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    ids: dict[str, frozenset[str]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    is_restricted: bool = False

    @property
    def source_ids(self) -> list[str]:
        """Sources none of whose rows may appear; empty when everything was asked for."""
        return [] if self.is_restricted else [source["source_id"] for source in self.sources]

    @property
    def named(self) -> list[str]:
        """Sources with their terms, as the note of a file names them."""
        return [f"{source['title']} ({source['why']})" for source in self.sources]

    @property
    def restriction(self) -> str:
        """What a file that leaves nothing out says first; empty where nothing needed to be."""
        if not self.is_restricted:
            return ""
        return f"{RESTRICTED_SENTENCE} It is from: {'; '.join(self.named)}."

    def allows(self, kind: str) -> bool:
        """Whether any row of a kind may be passed on, as far as its layers tell."""
        if kind in ROW_KINDS:
            return not self.layers.issuperset(ROW_KINDS[kind])
        return self.touched.isdisjoint(WHOLE_KINDS.get(kind, ()))

    def allows_region(self, region_kind: str) -> bool:
        """Whether names and outlines of a kind of region may be passed on."""
        return self.touched.isdisjoint(REGION_LAYERS[region_kind])

    def sentence(self, text: str | None) -> str | None:
        """Take the figures of withheld metrics out of a sentence that lists metrics (`reason`)."""
        if not text or not self.labels:
            return text
        # A figure ends where the next part of the sentence begins; its thousands have commas but no blank.
        pattern = rf"({'|'.join(map(re.escape, self.labels))}) [^;]*"
        return re.sub(pattern, rf"\1 {WITHHELD_FIGURE}", text)


def withheld(con: duckdb.DuckDBPyConnection, *, with_restricted: bool = False) -> Withheld:
    """Read what may not be passed on of a build.

    Parameters
    ----------
    con
        Open build.
    with_restricted
        Leave nothing out.
    """
    found = rows_of(con, "query/withheld_sources")
    sources = [{name: row[name] for name in ("source_id", "title", "why")} for row in found]
    if with_restricted or not found:
        return Withheld(sources, is_restricted=with_restricted and bool(found))
    free = rows_of(con, "query/exportable_sources")
    touched = frozenset(layer for row in found for layer in row["layers"] or ())
    held = {layer for row in free for layer in row["layers"] or ()}
    source_ids = {row["source_id"] for row in found}
    columns = _columns(touched, source_ids, {row["source_id"] for row in free})
    ids = rows_of(con, "query/withheld_ids", {"source_ids": sorted(source_ids)})
    labels = [
        row["label"] for row in rows_of(con, "query/metric_labels") if row["metric"] in columns
    ]
    return Withheld(
        sources=sources,
        layers=touched - held,
        touched=touched,
        columns=columns,
        ids={
            layer: frozenset(row["id"] for row in ids if row["layer"] == layer)
            for layer in {row["layer"] for row in ids}
        },
        # The longest first: one name may begin another.
        labels=tuple(sorted(labels, key=lambda label: (-len(label), label))),
    )


def apply(frame: Frame, held: Withheld, kind: str) -> Frame:
    """Leave out of a table what may not be passed on.

    Parameters
    ----------
    frame
        Table of a kind: `region` (with `region_kind`) or `parcel` with metrics; `substation`, `line` or `fiber_link`
        with `source_id`; `metro`, `place`, `lake`, `fiber_node`.
    held
        What is withheld.
    kind
        Kind of its rows.

    Returns
    -------
    DataFrame
        The same frame without the rows and columns that are withheld, ids of withheld rows empty. The frame
        given is not changed.
    """
    if kind not in KINDS:
        msg = f"{kind!r} is no kind of row."
        raise ValueError(msg)
    if held.is_restricted or not held.sources:
        return frame
    frame = frame[_may_pass(frame, held, kind)]
    if kind not in WHOLE_KINDS:
        frame = frame.drop(columns=[name for name in frame.columns if name in held.columns])
    changed: dict[str, Any] = {}
    for column, (layer, more) in NAMED_ROW.items():
        if column in frame.columns and layer in held.touched:
            kept = ~frame[column].isin(held.ids.get(layer, frozenset()))
            for name in (column, *more):
                if name in frame.columns:
                    changed[name] = frame[name].where(kept)
    if "reason" in frame.columns:
        changed["reason"] = frame["reason"].map(held.sentence, na_action="ignore")
    return frame.assign(**changed)


def documented(docs: dict[str, str], held: Withheld) -> dict[str, str]:
    """Say in the words for columns which of them are empty here and there because of terms."""
    empty = {
        name
        for column, (layer, more) in NAMED_ROW.items()
        if layer in held.touched
        for name in (column, *more)
    }
    return {name: text + LEFT_EMPTY if name in empty else text for name, text in docs.items()}


def _may_pass(frame: pd.DataFrame, held: Withheld, kind: str) -> pd.Series:
    everywhere = pd.Series(True, index=frame.index)
    if kind in ROW_KINDS:
        return ~frame["source_id"].isin(held.source_ids)
    if kind == "region":
        barred = [name for name in REGION_LAYERS if not held.allows_region(name)]
        return ~frame["region_kind"].isin(barred)
    return everywhere if held.allows(kind) else ~everywhere


def _columns(touched: frozenset[str], barred: Iterable[str], free: Iterable[str]) -> frozenset[str]:
    """Columns of `TAKEN` that hold values of barred sources."""
    barred, free = set(barred), set(free)
    found = set()
    for column, layers in TAKEN.items():
        files = set(FROM_FILE.get(column, ()))
        from_files = files & (barred | free)
        others = touched.intersection(layers) - ({"county_fact"} if from_files else set())
        if others or files & barred:
            found.add(column)
    # Names of regions go with the rows of their kind.
    return frozenset(found - {"region_name"})
