"""Run by the system's Python, which has PyQGIS: open a layer, draw it, identify values.

The job is one JSON object on standard input, the outcome one on standard output.

=============  ==================================================================
``uri``        data source of the provider ``wms``, as QGIS stores it in a project
``extent``     left, bottom, right, top, in the layer's CRS
``size``       width, height of the picture in pixels
``picture``    file to draw to
``time``       ISO 8601 start and end of the map's time; absent: the map is timeless
``points``     list of (x, y) to identify
``form``       the layer's identify format; absent: what QGIS chooses by itself
=============  ==================================================================
"""

import json
import os
import sys


def main() -> None:
    """Do the job."""
    from qgis.core import QgsApplication, QgsRasterLayer

    job = json.load(sys.stdin)
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], True)
    application.initQgis()
    said = []
    application.messageLog().messageReceived.connect(
        lambda text, tag, level: said.append(f"{tag}: {text}") if int(level) > 0 else None
    )
    layer = QgsRasterLayer(job["uri"], "layer", "wms")
    outcome = {"valid": layer.isValid()}
    if layer.isValid():
        outcome.update(describe(layer))
        if "form" in job:
            layer.setCustomProperty("identify/format", job["form"])
        canvas = canvas_of(layer, job)
        draw(canvas, job)
        points = job.get("points", [])
        outcome["values"] = [identify(canvas, layer, *point) for point in points]
    outcome["messages"] = said
    sys.stdout.write(json.dumps(outcome))
    sys.stdout.flush()
    os._exit(0)  # QGIS does not always survive its own exit


def describe(layer):
    """What QGIS has understood of the layer."""
    extent, time = layer.extent(), layer.dataProvider().temporalCapabilities()
    steps = time.allAvailableTemporalRanges()
    return {
        "crs": layer.crs().authid(),
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
        "temporal": time.hasTemporalCapabilities(),
        "range": [
            iso(time.availableTemporalRange().begin()),
            iso(time.availableTemporalRange().end()),
        ],
        "steps": [iso(step.begin()) for step in steps],
    }


def iso(moment):
    """ISO 8601 in UTC."""
    from qgis.PyQt.QtCore import Qt

    return moment.toUTC().toString(Qt.ISODate)


def canvas_of(layer, job):
    """A map canvas that shows the layer, at the time that the temporal controller gives it."""
    from qgis.core import QgsDateTimeRange, QgsRectangle
    from qgis.gui import QgsMapCanvas
    from qgis.PyQt.QtCore import QDateTime, Qt

    canvas = QgsMapCanvas()
    canvas.resize(*job["size"])
    canvas.setDestinationCrs(layer.crs())
    canvas.setLayers([layer])
    canvas.setExtent(QgsRectangle(*job["extent"]))
    if "time" in job:
        layer.temporalProperties().setIsActive(True)
        ends = (QDateTime.fromString(text, Qt.ISODate) for text in job["time"])
        canvas.setTemporalRange(QgsDateTimeRange(*ends))
    return canvas


def draw(canvas, job):
    """Draw what the canvas shows; pixels that nothing covers are transparent."""
    from qgis.core import QgsMapRendererParallelJob, QgsRectangle
    from qgis.PyQt.QtCore import QSize
    from qgis.PyQt.QtGui import QColor

    settings = canvas.mapSettings()
    settings.setOutputSize(QSize(*job["size"]))  # a canvas has a size of its own until it is shown
    settings.setExtent(QgsRectangle(*job["extent"]))
    settings.setBackgroundColor(QColor(0, 0, 0, 0))
    renderer = QgsMapRendererParallelJob(settings)
    renderer.start()
    renderer.waitForFinished()
    renderer.renderedImage().save(job["picture"])


def identify(canvas, layer, x, y):
    """What the tool "Identify Features" lists after a click: the attributes of each feature."""
    from qgis.core import QgsPointXY
    from qgis.gui import QgsMapToolIdentify

    tool = QgsMapToolIdentify(canvas)
    pixel = canvas.getCoordinateTransform().transform(QgsPointXY(x, y))
    found = tool.identify(
        int(pixel.x()), int(pixel.y()), [layer], QgsMapToolIdentify.LayerSelection
    )
    return [attributes_of(result) for result in found]


def attributes_of(result):
    """Names and values that the list shows: of a feature, or of a page or text as it came."""
    names = [field.name() for field in result.mFields]
    values = map(str, result.mFeature.attributes()) if names else ()
    return dict(zip(names, values, strict=True)) | dict(result.mAttributes)


if __name__ == "__main__":
    main()
