"""Elements of QGIS's XML: renderers, symbols, labels, fields, notes and metadata, as 3.22 and later read them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from xml.etree import ElementTree as ET

from geo.export._cells import clean_text
from geo.export.model import ExportLayer, ExportNote

# Oldest release whose elements are used; newer ones read it.
QGIS_VERSION = "3.22.0"


@dataclass(frozen=True)
class Symbol:
    """A filled area or a round marker.

    Parameters
    ----------
    colour
        Hexadecimal sRGB.
    size_mm
        Diameter of a marker; None for an area.
    outline
        Colour of its edge; empty for none.
    outline_mm
        Width of the edge.
    is_hollow
        Whether an area is left clear.
    overrides
        QGIS's names of properties to expressions that give them by the scale of the map.
    """

    colour: str
    size_mm: float | None = None
    outline: str = ""
    outline_mm: float = 0.1
    is_hollow: bool = False
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """A line of the legend.

    Parameters
    ----------
    label
        Words of the legend.
    condition
        QGIS expression.
    symbol
        How what meets the condition is drawn; None for a heading over `rules`.
    rules
        Lines below this one.
    is_on
        Whether it is ticked.
    largest_scale
        Denominator up to which it is drawn; None for always.
    """

    label: str
    condition: str
    symbol: Symbol | None = None
    rules: Sequence["Rule"] = field(default_factory=tuple)
    is_on: bool = True
    largest_scale: int | None = None


@dataclass(frozen=True)
class Labels:
    """Words drawn beside features.

    Parameters
    ----------
    expression
        QGIS expression; where it is null there is no label. Text is drawn as it is, never as HTML.
    size_pt
        Of the letters.
    is_point
        Whether labels stand around points rather than inside areas.
    largest_scale
        Denominator up to which labels are drawn; None for always.
    priority
        Which labels stay where they do not all fit: 0 (go first) to 10.
    """

    expression: str
    size_pt: float = 9
    is_point: bool = False
    largest_scale: int | None = None
    priority: int = 5


def add_renderer(root: ET.Element, rules: Sequence[Rule], order_by: str = "") -> None:
    """Add a rule-based renderer; `order_by` is an expression whose greatest values are drawn last."""
    renderer = ET.SubElement(
        root,
        "renderer-v2",
        type="RuleRenderer",
        symbollevels="0",
        enableorderby="1" if order_by else "0",
        forceraster="0",
        referencescale="-1",
    )
    top = ET.SubElement(renderer, "rules", key="rules")
    symbols = ET.SubElement(renderer, "symbols")
    _add_rules(top, symbols, rules, "rule")
    if order_by:
        order = ET.SubElement(renderer, "orderby")
        ET.SubElement(order, "orderByClause", asc="1", nullsFirst="1").text = order_by


def add_labels(root: ET.Element, labels: Labels) -> None:
    """Add one label a feature, dark letters in a white halo."""
    labeling = ET.SubElement(root, "labeling", type="simple")
    settings = ET.SubElement(labeling, "settings", calloutType="simple")
    style = ET.SubElement(
        settings,
        "text-style",
        fieldName=labels.expression,
        isExpression="1",
        allowHtml="0",
        fontSize=str(labels.size_pt),
        fontSizeUnit="Point",
        fontWeight="57",
        textColor="20,20,20,255",
        textOpacity="1",
    )
    ET.SubElement(
        style,
        "text-buffer",
        bufferDraw="1",
        bufferSize="0.8",
        bufferSizeUnits="MM",
        bufferColor="255,255,255,255",
        bufferOpacity="0.9",
    )
    # 6 is QGIS's word for cartographic positions around a point, 4 for level inside an area.
    placement = {"placement": "4", "priority": str(labels.priority)}
    if labels.is_point:
        placement |= {"placement": "6", "dist": "0.5", "distUnits": "MM", "offsetType": "1"}
    ET.SubElement(settings, "placement", placement)
    # What other programs call the least scale is `scaleMax` here.
    bounds = {"scaleVisibility": "1" if labels.largest_scale else "0", "scaleMin": "0"}
    bounds["scaleMax"] = str(labels.largest_scale or 0)
    # Areas must not keep the labels of points away.
    is_obstacle = "1" if labels.is_point else "0"
    ET.SubElement(settings, "rendering", {"drawLabels": "1", "obstacle": is_obstacle} | bounds)


def add_fields(root: ET.Element, layer: ExportLayer) -> None:
    """Add the words of columns, as tables and forms show them; the key comes first."""
    aliases = ET.SubElement(root, "aliases")
    for index, column in enumerate(layer.columns, 1):
        ET.SubElement(aliases, "alias", index=str(index), field=column, name=layer.aliases[column])


def add_tip(root: ET.Element, layer: ExportLayer, heading: str, columns: Sequence[str]) -> None:
    """Add what is shown where the pointer rests: a heading and some columns, unknown as a dash.

    Values come from strangers' files and the tip is HTML, so that `&` and `<` of text are escaped.
    """
    rows = [
        f"<tr><td>{escape(layer.aliases[column])}</td><td><b>[% {_shown(column)} %]</b></td></tr>"
        for column in columns
    ]
    ET.SubElement(root, "previewExpression").text = f'"{heading}"'
    tip = ET.SubElement(root, "mapTip")
    tip.text = f"<b>[% {_shown(heading)} %]</b><table>{''.join(rows)}</table>"


def add_notes(root: ET.Element, layer: ExportLayer, note: ExportNote) -> None:
    """Add the layer's notes: what it is, terms, and what each column holds."""
    items = note.items()
    warned = [items.pop(key) for key in ("restriction", "synthetic_note") if key in items]
    sections = [f"<p><b>{escape(text)}</b></p>" for text in warned]
    if layer.description:
        sections.append(_paragraph(layer.description))
    sections += [_paragraph(f"{key.replace('_', ' ')}: {text}") for key, text in items.items()]
    listed = "".join(
        f"<li><b>{escape(layer.aliases[column])}</b> ({column}): {escape(layer.column_docs[column])}</li>"
        for column in layer.columns
        if column in layer.column_docs
    )
    if listed:
        sections.append(f"<ul>{listed}</ul>")
    ET.SubElement(root, "userNotes", value="".join(sections))


def add_metadata(root: ET.Element, layer: ExportLayer, note: ExportNote, identifier: str) -> None:
    """Add layer metadata: title, abstract, terms, rights and the run it came from."""
    items = note.items()
    warned = [items.get("restriction", ""), items.get("synthetic_note", "")]
    abstract = [*warned, layer.description]
    texts = [
        ("identifier", identifier),
        ("parentidentifier", ""),
        ("language", "ENG"),
        ("type", "dataset"),
        ("title", layer.title),
        ("abstract", " ".join(part for part in abstract if part)),
    ]
    for name, text in texts:
        ET.SubElement(root, name).text = text
    keywords = ET.SubElement(root, "keywords", vocabulary="gmd:topicCategory")
    ET.SubElement(keywords, "keyword").text = "Utilities/Communication"
    ET.SubElement(root, "fees").text = ""
    for kind, text in zip(("use", "other"), warned, strict=True):
        if text:
            ET.SubElement(root, "constraints", type=kind).text = text
    for name, texts_of in (("license", note.licences), ("rights", note.attributions)):
        for text in texts_of:
            ET.SubElement(root, name).text = clean_text(text)
    ET.SubElement(root, "encoding").text = "UTF-8"
    ET.SubElement(
        root, "history"
    ).text = (
        f"Run {items['run_id']} of study {items['study']}, {items['run_date']}, {items['tool']}"
    )
    if "excluded_sources" in items:
        ET.SubElement(
            root, "history"
        ).text = f"Sources left out for their terms: {items['excluded_sources']}"


def rgba(colour: str) -> str:
    """Give `#rrggbb` as QGIS writes colours."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"{red},{green},{blue},255"


def _add_rules(parent: ET.Element, symbols: ET.Element, rules: Iterable[Rule], key: str) -> None:
    for index, rule in enumerate(rules):
        name = f"{key}{index}"
        attributes = {"key": name, "filter": rule.condition, "label": rule.label}
        if rule.symbol:
            attributes["symbol"] = str(len(symbols))
            _add_symbol(symbols, attributes["symbol"], rule.symbol)
        if rule.largest_scale:
            attributes["scalemaxdenom"] = str(rule.largest_scale)
        if not rule.is_on:
            attributes["checkstate"] = "0"
        element = ET.SubElement(parent, "rule", attributes)
        _add_rules(element, symbols, rule.rules, f"{name}_")


def _add_symbol(symbols: ET.Element, name: str, symbol: Symbol) -> None:
    is_point = symbol.size_mm is not None
    kind = "marker" if is_point else "fill"
    element = ET.SubElement(
        symbols, "symbol", name=name, type=kind, alpha="1", clip_to_extent="1", force_rhr="0"
    )
    drawn = "SimpleMarker" if is_point else "SimpleFill"
    layer = ET.SubElement(
        element, "layer", {"class": drawn, "enabled": "1", "locked": "0", "pass": "0"}
    )
    options = ET.SubElement(layer, "Option", type="Map")
    values = {
        "color": rgba(symbol.colour),
        "outline_color": rgba(symbol.outline or symbol.colour),
        "outline_style": "solid" if symbol.outline else "no",
        "outline_width": f"{symbol.outline_mm:g}",
        "outline_width_unit": "MM",
        "style": "no" if symbol.is_hollow else "solid",
    }
    if is_point:
        values |= {"name": "circle", "size": f"{symbol.size_mm:g}", "size_unit": "MM"}
    for key, value in values.items():
        ET.SubElement(options, "Option", name=key, type="QString", value=value)
    if symbol.overrides:
        _add_overrides(layer, symbol.overrides)


def _add_overrides(layer: ET.Element, overrides: Mapping[str, str]) -> None:
    collection = ET.SubElement(
        ET.SubElement(layer, "data_defined_properties"), "Option", type="Map"
    )
    ET.SubElement(collection, "Option", name="name", type="QString", value="")
    properties = ET.SubElement(collection, "Option", name="properties", type="Map")
    ET.SubElement(collection, "Option", name="type", type="QString", value="collection")
    for name, expression in overrides.items():
        element = ET.SubElement(properties, "Option", name=name, type="Map")
        ET.SubElement(element, "Option", name="active", type="bool", value="true")
        ET.SubElement(element, "Option", name="expression", type="QString", value=expression)
        # 3 is QGIS's word for a property that is an expression.
        ET.SubElement(element, "Option", name="type", type="int", value="3")


def _shown(column: str) -> str:
    text = f"replace(replace(to_string(\"{column}\"), '&', '&amp;'), '<', '&lt;')"
    return f"coalesce({text}, '\N{EN DASH}')"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
