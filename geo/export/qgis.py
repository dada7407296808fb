"""Styles in QGIS's own XML (QML): layers open coloured by rank, with a legend and labels."""

from xml.etree import ElementTree as ET

from geo.export.model import ExportLayer
from geo.export.palette import RANK_CLASSES, UNRANKED_COLOUR, UNRANKED_LABEL

# Oldest release whose elements are used; newer ones read it.
_QGIS_VERSION = "3.22.0"
_LABEL_COLUMNS = ("region_name", "name", "parcel_id")


def style_of(layer: ExportLayer) -> str | None:
    """Give the QML of a layer that has a `rank` column, None for others.

    Rules, not graduated classes: a graduated renderer hides rows whose rank is null, and they must be seen.

    Parameters
    ----------
    layer
        Of points or polygons.
    """
    if "rank" not in layer.columns or layer.geometry_kind.endswith("LineString"):
        return None
    root = ET.Element(
        "qgis", version=_QGIS_VERSION, styleCategories="Symbology|Labeling", labelsEnabled="1"
    )
    is_point = layer.geometry_kind.endswith("Point")
    _add_renderer(root, is_point=is_point)
    _add_labels(root, layer)
    geometry_type = ET.SubElement(root, "layerGeometryType")
    geometry_type.text = "0" if is_point else "2"
    return ET.tostring(root, encoding="unicode")


def _add_renderer(root: ET.Element, *, is_point: bool) -> None:
    renderer = ET.SubElement(
        root, "renderer-v2", type="RuleRenderer", symbollevels="0", enableorderby="0"
    )
    rules = ET.SubElement(renderer, "rules", key="ranks")
    symbols = ET.SubElement(renderer, "symbols")
    classes = [
        (
            f'"rank" >= {each.first}' + (f' AND "rank" <= {each.last}' if each.last else ""),
            each.label,
            each.colour,
        )
        for each in RANK_CLASSES
    ]
    classes.append(('"rank" IS NULL', UNRANKED_LABEL, UNRANKED_COLOUR))
    for index, (condition, label, colour) in enumerate(classes):
        name = str(index)
        ET.SubElement(rules, "rule", key=f"rank{index}", filter=condition, label=label, symbol=name)
        _add_symbol(symbols, name, colour, is_point=is_point)


def _add_symbol(symbols: ET.Element, name: str, colour: str, *, is_point: bool) -> None:
    symbol = ET.SubElement(
        symbols,
        "symbol",
        name=name,
        type="marker" if is_point else "fill",
        alpha="1",
        clip_to_extent="1",
    )
    kind = "SimpleMarker" if is_point else "SimpleFill"
    layer = ET.SubElement(
        symbol, "layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"}
    )
    options = ET.SubElement(layer, "Option", type="Map")
    values = {
        "color": _rgba(colour),
        "outline_color": "120,120,120,255",
        "outline_style": "solid",
        "outline_width": "0.1",
        "outline_width_unit": "MM",
        "style": "solid",
    }
    if is_point:
        values |= {"name": "circle", "size": "2.4", "size_unit": "MM"}
    for key, value in values.items():
        ET.SubElement(options, "Option", name=key, type="QString", value=value)


def _add_labels(root: ET.Element, layer: ExportLayer) -> None:
    column = next((name for name in _LABEL_COLUMNS if name in layer.columns), None)
    text = f'"rank" || \' \' || "{column}"' if column else '"rank"'
    labeling = ET.SubElement(root, "labeling", type="simple")
    settings = ET.SubElement(labeling, "settings", calloutType="simple")
    style = ET.SubElement(
        settings,
        "text-style",
        fieldName=f'CASE WHEN "rank" <= {RANK_CLASSES[0].last} THEN {text} END',
        isExpression="1",
        fontSize="9",
        fontSizeUnit="Point",
        textColor="20,20,20,255",
    )
    ET.SubElement(
        style,
        "text-buffer",
        bufferDraw="1",
        bufferSize="0.8",
        bufferSizeUnits="MM",
        bufferColor="255,255,255,255",
    )


def _rgba(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"{red},{green},{blue},255"
