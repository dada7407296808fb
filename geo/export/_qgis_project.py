"""A QGIS project that lives inside the GeoPackage: everything opened at once, grouped, titled and with terms."""

import io
import json
import zipfile
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import numpy as np
from pyproj import CRS, Transformer

from geo.export._qml import QGIS_VERSION, Rule, Symbol, add_metadata, add_renderer
from geo.export.model import ExportLayer, ExportNote
from geo.export.qgis import add_style

PROJECT_NAME = "gridstead"
_PROJECT_CRS = "EPSG:5070"
_LAYER_CRS = "EPSG:4326"
# Layers of one workload share the beginning of their names.
_ENDINGS = ("_regions", "_parcels")
_BORDERS = "gridstead_state_borders"
_BORDER_COLOUR = "#5f6b75"
_BACKGROUND = {"r": "236", "g": "239", "b": "242"}


def project_xml(file_name: str, layers: Sequence[ExportLayer], note: ExportNote) -> bytes:
    """Give the project as QGIS's XML.

    Points are above areas; of the workloads the first is ticked, with its regions; the others are a click away.

    Parameters
    ----------
    file_name
        Of the GeoPackage; the project finds its layers beside itself.
    layers
        In the order of the file.
    note
        Title, terms and provenance.
    """
    root = ET.Element("qgis", projectname=_title(note), version=QGIS_VERSION)
    ET.SubElement(root, "homePath", path="")
    ET.SubElement(root, "title").text = _title(note)
    crs = ET.SubElement(root, "projectCrs")
    _add_crs(crs, _PROJECT_CRS)
    borders = _borders_of(layers)
    _add_tree(root, file_name, layers, borders)
    _add_canvas(root, layers)
    drawn = [_map_layer(file_name, layer, note) for layer in layers]
    if borders:
        drawn.append(_border_layer(file_name, borders))
    ET.SubElement(root, "projectlayers").extend(drawn)
    order = ET.SubElement(root, "layerorder")
    identities = [_identity(layer) for layer in _drawing_order(layers)]
    for identity in [_BORDERS, *identities] if borders else identities:
        ET.SubElement(order, "layer", id=identity)
    _add_properties(root)
    metadata = ET.SubElement(root, "projectMetadata")
    # A project's metadata have no places for rights and terms of their own.
    terms = "\n".join(
        f"{key.replace('_', ' ').capitalize()}: {text}"
        for key, text in note.items().items()
        if key not in {"restriction", "synthetic_note"}
    )
    whole = ExportLayer(PROJECT_NAME, _title(note), layers[0].frame.head(0), terms)
    add_metadata(metadata, whole, note, PROJECT_NAME)
    return b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(
        root, encoding="utf-8"
    )


def project_row(xml: bytes, note: ExportNote) -> dict[str, str]:
    """Give a project as a row of the table `qgis_projects`: name, description, and the zipped XML in hexadecimal."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        day = note.run_date
        member = zipfile.ZipInfo(f"{PROJECT_NAME}.qgs", (day.year, day.month, day.day, 0, 0, 0))
        archive.writestr(member, xml, zipfile.ZIP_DEFLATED)
    described = {
        "last_modified_time": f"{note.run_date.isoformat()}T00:00:00",
        "last_modified_user": "gridstead",
    }
    return {
        "name": PROJECT_NAME,
        "metadata": json.dumps(described),
        "content": packed.getvalue().hex(),
    }


def _title(note: ExportNote) -> str:
    kind = ", synthetic grid" if note.is_synthetic else ""
    return f"Gridstead: {note.study}, {note.run_date.isoformat()}{kind}"


def _drawing_order(layers: Sequence[ExportLayer]) -> list[ExportLayer]:
    """Give layers from the top: metropolitan areas, other points, then areas as they come."""
    points = [layer for layer in layers if layer.geometry_kind.endswith("Point")]
    return [*reversed(points), *(layer for layer in layers if layer not in points)]


def _borders_of(layers: Sequence[ExportLayer]) -> ExportLayer | None:
    """Give the first layer that holds states among other regions."""
    mixed = [layer for layer in layers if "region_kind" in layer.columns]
    return next(
        (layer for layer in mixed if {"state", "county"} <= set(layer.frame["region_kind"])), None
    )


def _border_layer(file_name: str, layer: ExportLayer) -> ET.Element:
    root = _bare_layer(layer, _BORDERS, "State borders", _border_source(file_name, layer))
    line = Symbol("#ffffff", outline=_BORDER_COLOUR, outline_mm=0.25, is_hollow=True)
    add_renderer(root, [Rule("State borders", "TRUE", line)])
    return root


def _border_source(file_name: str, layer: ExportLayer) -> str:
    return _source(file_name, layer) + "|subset=\"region_kind\" = 'state'"


def _add_tree(
    root: ET.Element,
    file_name: str,
    layers: Sequence[ExportLayer],
    borders: ExportLayer | None,
) -> None:
    tree = ET.SubElement(root, "layer-tree-group")
    groups: dict[str, ET.Element] = {}
    has_workloads = any(layer.name.endswith(_ENDINGS) for layer in layers)
    if borders:
        source = _border_source(file_name, borders)
        _add_leaf(tree, _BORDERS, source, "State borders", is_on=True)
    for layer in _drawing_order(layers):
        identity, source = _identity(layer), _source(file_name, layer)
        title = layer.title or layer.name
        ending = next((each for each in _ENDINGS if layer.name.endswith(each)), None)
        if ending is None:
            # Headroom would hide the counties that the first view is about, where there are any.
            is_on = "metro_people" in layer.columns or not has_workloads
            _add_leaf(tree, identity, source, title, is_on=is_on)
            continue
        workload = layer.name.removesuffix(ending)
        is_first_leaf = workload not in groups
        if is_first_leaf:
            is_first = not groups
            groups[workload] = ET.SubElement(
                tree,
                "layer-tree-group",
                name=workload.replace("_", " ").capitalize(),
                checked="Qt::Checked" if is_first else "Qt::Unchecked",
                expanded="1" if is_first else "0",
            )
        _add_leaf(groups[workload], identity, source, title, is_on=is_first_leaf)


def _add_leaf(parent: ET.Element, identity: str, source: str, title: str, *, is_on: bool) -> None:
    ET.SubElement(
        parent,
        "layer-tree-layer",
        id=identity,
        name=title,
        providerKey="ogr",
        source=source,
        checked="Qt::Checked" if is_on else "Qt::Unchecked",
        expanded="1" if is_on else "0",
    )


def _map_layer(file_name: str, layer: ExportLayer, note: ExportNote) -> ET.Element:
    title = layer.title or layer.name
    root = _bare_layer(layer, _identity(layer), title, _source(file_name, layer))
    add_metadata(ET.SubElement(root, "resourceMetadata"), layer, note, layer.name)
    add_style(root, layer, note)
    return root


def _bare_layer(layer: ExportLayer, identity: str, title: str, source: str) -> ET.Element:
    root = ET.Element(
        "maplayer",
        type="vector",
        geometry=layer.geometry_kind.removeprefix("Multi"),
        wkbType=layer.geometry_kind,
        hasScaleBasedVisibilityFlag="0",
        labelsEnabled="0",
    )
    ET.SubElement(root, "id").text = identity
    ET.SubElement(root, "datasource").text = source
    ET.SubElement(root, "layername").text = title
    ET.SubElement(root, "provider", encoding="UTF-8").text = "ogr"
    _add_crs(ET.SubElement(root, "srs"), _LAYER_CRS)
    return root


def _identity(layer: ExportLayer) -> str:
    """Give a name longer than the ten characters below which QGIS makes up another one."""
    return f"gridstead_{layer.name}"


def _source(file_name: str, layer: ExportLayer) -> str:
    return f"./{file_name}|layername={layer.name}"


def _add_crs(parent: ET.Element, authority: str) -> None:
    crs = CRS.from_user_input(authority)
    system = ET.SubElement(parent, "spatialrefsys")
    ET.SubElement(system, "wkt").text = crs.to_wkt("WKT2_2019")
    ET.SubElement(system, "authid").text = authority
    ET.SubElement(system, "description").text = crs.name
    ET.SubElement(system, "geographicflag").text = "true" if crs.is_geographic else "false"


def _add_canvas(root: ET.Element, layers: Sequence[ExportLayer]) -> None:
    """Have the map open on everything there is, with a margin of 3 %."""
    bounds = np.array([layer.frame.total_bounds for layer in layers])
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if not len(bounds):
        return
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    to_project = Transformer.from_crs("OGC:CRS84", _PROJECT_CRS, always_xy=True)
    box = np.array(to_project.transform_bounds(*low, *high, densify_pts=21))
    pad = 0.03 * max(box[2] - box[0], box[3] - box[1], 1000.0)
    box += [-pad, -pad, pad, pad]
    corners = {
        name: f"{value:.0f}"
        for name, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    }
    canvas = ET.SubElement(root, "mapcanvas", name="theMapCanvas")
    ET.SubElement(canvas, "units").text = "meters"
    extent = ET.SubElement(canvas, "extent")
    for name, value in corners.items():
        ET.SubElement(extent, name).text = value
    _add_crs(ET.SubElement(canvas, "destinationsrs"), _PROJECT_CRS)
    view = ET.SubElement(root, "ProjectViewSettings", UseProjectScales="0")
    default = ET.SubElement(view, "DefaultViewExtent", corners)
    _add_crs(default, _PROJECT_CRS)


def _add_properties(root: ET.Element) -> None:
    properties = ET.SubElement(root, "properties")
    gui = ET.SubElement(properties, "Gui")
    for letter, value in _BACKGROUND.items():
        name = {"r": "Red", "g": "Green", "b": "Blue"}[letter]
        ET.SubElement(gui, f"CanvasColor{name}Part", type="int").text = value
    system = ET.SubElement(properties, "SpatialRefSys")
    ET.SubElement(system, "ProjectionsEnabled", type="int").text = "1"
    paths = ET.SubElement(properties, "Paths")
    ET.SubElement(paths, "Absolute", type="bool").text = "false"
    measuring = ET.SubElement(properties, "Measurement")
    ET.SubElement(measuring, "DistanceUnits", type="QString").text = "miles"
    ET.SubElement(measuring, "AreaUnits", type="QString").text = "acres"
