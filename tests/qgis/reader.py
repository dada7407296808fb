"""Run by the machine's own Python with QGIS: open a GeoPackage as a user does and say as JSON what is seen.

QT_QPA_PLATFORM=offscreen /usr/bin/python3 reader.py FILE.gpkg PICTURE.png
"""

import json
import sys

from qgis.core import (
    QgsApplication,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsLayerNotesUtils,
    QgsLayerTree,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsProviderRegistry,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize

SIZE = (900, 560)


def main(path, picture):
    application = QgsApplication([], False)
    application.initQgis()
    told = []
    QgsApplication.messageLog().messageReceived.connect(
        lambda text, tag, level: told.append([tag, int(level), text])
    )
    names = [found.name() for found in QgsProviderRegistry.instance().querySublayers(path)]
    layers = [QgsVectorLayer(f"{path}|layername={name}", name, "ogr") for name in names]
    seen = {"layers": {layer.name(): of_layer(layer) for layer in layers}}
    del layers
    seen["project"] = of_project(path, picture)
    seen["messages"] = [message for message in told if message[1] > 0]
    json.dump(seen, sys.stdout)
    sys.stdout.flush()
    QgsProject.instance().clear()
    application.exitQgis()


def of_layer(layer):
    if not layer.isValid():
        return {"is_valid": False}
    rules = layer.renderer().rootRule().descendants()
    metadata = layer.metadata()
    fields = layer.fields()
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    tips = []
    for feature in layer.getFeatures():
        context.setFeature(feature)
        tips.append(replaced(layer.mapTipTemplate(), context))
    return {
        "is_valid": True,
        "count": layer.featureCount(),
        "crs": layer.crs().authid(),
        "renderer": layer.renderer().type(),
        "rules": [
            [rule.label(), rule.filterExpression(), rule.active(), bool(rule.symbol())]
            for rule in rules
        ],
        # Features that no rule draws would be lost to the eye.
        "undrawn": [
            feature.id()
            for feature in layer.getFeatures()
            if not any(
                rule.symbol() and rule.isFilterOK(feature, context_of(layer)) for rule in rules
            )
        ],
        "has_labels": layer.labelsEnabled(),
        "aliases": {field.name(): layer.attributeAlias(at) for at, field in enumerate(fields)},
        "title": metadata.title(),
        "abstract": metadata.abstract(),
        "rights": metadata.rights(),
        "licences": metadata.licenses(),
        "history": metadata.history(),
        "constraints": [each.constraint for each in metadata.constraints()],
        "notes": QgsLayerNotesUtils.layerNotes(layer),
        "tips": tips,
        "heading": layer.displayExpression(),
    }


def context_of(layer):
    from qgis.core import QgsRenderContext

    context = QgsRenderContext()
    context.setExpressionContext(
        QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    )
    return context


def replaced(template, context):
    from qgis.core import QgsExpression

    return QgsExpression.replaceExpressionText(template, context)


def of_project(path, picture):
    storage = QgsApplication.projectStorageRegistry().projectStorageFromUri(f"geopackage:{path}")
    names = storage.listProjects(f"geopackage:{path}")
    project = QgsProject.instance()
    is_read = project.read(f"geopackage:{path}?projectName={names[0]}")
    root = project.layerTreeRoot()
    shown = [layer for layer in root.layerOrder() if root.findLayer(layer.id()).isVisible()]
    colours = draw(project, shown, picture)
    return {
        "names": names,
        "is_read": is_read,
        "error": project.error(),
        "title": project.title(),
        "crs": project.crs().authid(),
        "valid": [layer.isValid() for layer in project.mapLayers().values()],
        "shown": [layer.name() for layer in shown],
        "groups": [child.name() for child in root.children() if QgsLayerTree.isGroup(child)],
        "abstract": project.metadata().abstract(),
        "colours": colours,
    }


def draw(project, layers, picture):
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(project.crs())
    settings.setBackgroundColor(project.backgroundColor())
    settings.setOutputSize(QSize(*SIZE))
    settings.setExtent(QgsRectangle(project.viewSettings().defaultViewExtent()))
    context = QgsExpressionContext()
    context.appendScope(QgsExpressionContextUtils.globalScope())
    context.appendScope(QgsExpressionContextUtils.mapSettingsScope(settings))
    settings.setExpressionContext(context)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(picture)
    counts = {}
    for x in range(0, image.width(), 2):
        for y in range(0, image.height(), 2):
            name = image.pixelColor(x, y).name()
            counts[name] = counts.get(name, 0) + 1
    return counts


if __name__ == "__main__":
    main(*sys.argv[1:])
