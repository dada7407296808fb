"""Styles in QGIS's own XML (QML): layers open coloured, named and labelled, with a legend in words."""

from xml.etree import ElementTree as ET

from geo.export._qml import (
    QGIS_VERSION,
    Labels,
    Rule,
    Symbol,
    add_fields,
    add_labels,
    add_metadata,
    add_notes,
    add_renderer,
    add_tip,
)
from geo.export.model import ExportLayer, ExportNote
from geo.export.palette import (
    MEGAWATT_CLASSES,
    RANK_CLASSES,
    UNKNOWN_MW_LABEL,
    UNRANKED_COLOUR,
    UNRANKED_LABEL,
)

_NAMES = ("region_name", "parcel_name", "substation_name", "metro_name", "name", "parcel_id")
_TIPS = (
    "rank", "score", "gate_status", "capacity_mw", "metro_people", "kv_max", "headroom_mw_low",
    "headroom_mw_mid", "headroom_mw_high", "acres", "cost_mid", "reason", "limit_text",
)  # fmt: skip
# What is drawn of a layer that holds regions of several kinds at once: they lie on each other, so that one kind is
# ticked and the others are a click away.
_KINDS = {
    "county": "Counties",
    "metro": "Metropolitan areas",
    "state": "States",
    "zone": "Grid zones",
}
_LARGE = 2_500_000
_SUBSTATION_SCALE = 400_000
_MINOR_METRO_SCALE = 8_000_000
# Far away, edges of parcels would hide their colours, and dots of near sizes would hide each other.
_NEAR_OUTLINE = f"if(@map_scale < {_LARGE}, 'solid', 'no')"
_MEGAWATT_SIZES_MM = (0.4, 0.5, 0.7, 1.0, 1.4)
_UNKNOWN_SIZE_MM = 0.4
_METRO = "#22303c"
_PLAIN = "#6f8ba0"
_GEOMETRY_TYPES = {"Point": "0", "LineString": "1", "Polygon": "2"}


def style_of(layer: ExportLayer, note: ExportNote) -> str | None:
    """Give the QML of a layer with one kind of geometry, None for others.

    Areas and points with a `rank` are coloured by class of rank, points with `headroom_mw_mid` by class of megawatts,
    points with `metro_people` are metropolitan areas; others are in one colour, lines in what QGIS gives them. Classes are rules, not graduated classes: a graduated renderer
    hides rows whose value is null, and they must be seen.

    Parameters
    ----------
    layer
        What to style.
    note
        Shown in the layer's notes.
    """
    root = ET.Element("qgis", version=QGIS_VERSION, styleCategories="AllStyleCategories")
    if not add_style(root, layer, note):
        return None
    return ET.tostring(root, encoding="unicode")


def metadata_of(layer: ExportLayer, note: ExportNote) -> str:
    """Give the layer's metadata as QGIS keeps it (QMD)."""
    root = ET.Element("qgis", version=QGIS_VERSION)
    add_metadata(root, layer, note, layer.name)
    return ET.tostring(root, encoding="unicode")


def add_style(root: ET.Element, layer: ExportLayer, note: ExportNote) -> bool:
    """Add a layer's style to an element, and say whether there is one."""
    kind = layer.geometry_kind.removeprefix("Multi")
    if kind not in _GEOMETRY_TYPES:
        return False
    name = next((column for column in _NAMES if column in layer.columns), None)
    if kind != "LineString":
        rules, labels, order_by = _drawn(layer, name, is_point=kind == "Point")
        add_renderer(root, rules, order_by)
        if labels:
            add_labels(root, labels)
        root.set("labelsEnabled", "1" if labels else "0")
    add_fields(root, layer)
    if name:
        add_tip(root, layer, name, [column for column in _TIPS if column in layer.columns])
    add_notes(root, layer, note)
    ET.SubElement(root, "layerGeometryType").text = _GEOMETRY_TYPES[kind]
    return True


def _drawn(
    layer: ExportLayer, name: str | None, *, is_point: bool
) -> tuple[list[Rule], Labels | None, str]:
    """Give rules, labels, and the expression whose greatest values are drawn last."""
    if "rank" in layer.columns:
        # The first ranks are drawn over what lies beside them.
        rules = _by_rank(layer, is_point=is_point)
        return rules, _rank_labels(name, is_point=is_point), 'coalesce(-"rank", -1e12)'
    if is_point and "headroom_mw_mid" in layer.columns:
        return _by_headroom(layer), _headroom_labels(name), '"headroom_mw_mid"'
    if is_point and "metro_people" in layer.columns:
        return _metros(layer), _metro_labels(layer, name), '"metro_people"'
    plain = Symbol(_PLAIN, 2.0 if is_point else None, outline="#ffffff")
    return [Rule(layer.title or layer.name, "TRUE", plain)], None, ""


def _by_rank(layer: ExportLayer, *, is_point: bool) -> list[Rule]:
    if "region_kind" not in layer.columns:
        return _rank_rules(is_point=is_point, is_small=not is_point)
    held = set(layer.frame["region_kind"].dropna())
    kinds = [kind for kind in _KINDS if kind in held] + sorted(held - set(_KINDS))
    if len(kinds) < 2:
        return _rank_rules(is_point=is_point)
    return [
        Rule(
            label=_KINDS.get(kind, kind),
            condition='"region_kind" = ' + _quoted(kind),
            rules=_rank_rules(is_point=is_point),
            is_on=position == 0,
        )
        for position, kind in enumerate(kinds)
    ]


def _rank_rules(*, is_point: bool, is_small: bool = False) -> list[Rule]:
    def symbol(colour: str) -> Symbol:
        return Symbol(
            colour,
            2.4 if is_point else None,
            outline="#8f989e",
            outline_mm=0.06 if is_small else 0.1,
            overrides={"outlineStyle": _NEAR_OUTLINE} if is_small else {},
        )

    rules = [
        Rule(
            f"Rank {each.label}",
            f'"rank" >= {each.first}' + (f' AND "rank" <= {each.last}' if each.last else ""),
            symbol(each.colour),
        )
        for each in RANK_CLASSES
    ]
    return [
        *rules,
        Rule(UNRANKED_LABEL.capitalize(), '"rank" IS NULL', symbol(UNRANKED_COLOUR)),
    ]


def _rank_labels(name: str | None, *, is_point: bool) -> Labels:
    # From afar a number, as names of neighbours would not fit.
    near = f"@map_scale < {_LARGE}"
    words = f"\"rank\" || coalesce(' ' || \"{name}\", '')"
    text = f'if({near}, {words}, "rank")' if name else '"rank"'
    first, more = RANK_CLASSES[0].last, RANK_CLASSES[2].last
    shown = f'"rank" <= {first} OR ("rank" <= {more} AND {near})'
    return Labels(f"CASE WHEN {shown} THEN {text} END", is_point=is_point, priority=9)


def _by_headroom(layer: ExportLayer) -> list[Rule]:
    column = '"headroom_mw_mid"'
    rules = [
        Rule(
            each.label.capitalize(),
            f"{column} >= {each.at_least:g}"
            + (f" AND {column} < {each.below:g}" if each.below is not None else ""),
            Symbol(
                each.colour,
                size,
                outline="#ffffff",
                outline_mm=0.05,
                overrides={"size": f"{size:g} * if(@map_scale < {_LARGE}, 2, 1)"},
            ),
        )
        for each, size in zip(MEGAWATT_CLASSES, _MEGAWATT_SIZES_MM, strict=True)
    ]
    unknown = Symbol(UNRANKED_COLOUR, _UNKNOWN_SIZE_MM)
    rules.append(Rule(UNKNOWN_MW_LABEL.capitalize(), f"{column} IS NULL", unknown))
    return [Rule(layer.aliases["headroom_mw_mid"], "TRUE", rules=rules)]


def _headroom_labels(name: str | None) -> Labels:
    words = "format_number(\"headroom_mw_mid\", 0) || ' MW'"
    text = f"coalesce(\"{name}\" || '\\n', '') || {words}" if name else words
    return Labels(text, size_pt=8, is_point=True, largest_scale=_SUBSTATION_SCALE)


def _metros(layer: ExportLayer) -> list[Rule]:
    def symbol(size: float) -> Symbol:
        return Symbol(_METRO, size, outline="#ffffff", outline_mm=0.2)

    if "is_major" not in layer.columns:
        return [Rule("Metropolitan area", "TRUE", symbol(2.0))]
    return [
        Rule("Major metropolitan area", '"is_major"', symbol(2.6)),
        Rule(
            "Other metropolitan area",
            'NOT coalesce("is_major", FALSE)',
            symbol(1.5),
            largest_scale=_MINOR_METRO_SCALE,
        ),
    ]


def _metro_labels(layer: ExportLayer, name: str | None) -> Labels:
    if not name:
        return Labels('"metro_people"', size_pt=8, is_point=True)
    # From afar the first city stands for all: New York for New York-Newark-Jersey City, NY-NJ-PA.
    first = f"regexp_replace(\"{name}\", '[-,/].*$', '')"
    afar = f'CASE WHEN "is_major" THEN {first} END' if "is_major" in layer.columns else first
    return Labels(f'if(@map_scale < {_LARGE}, "{name}", {afar})', size_pt=8, is_point=True)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
