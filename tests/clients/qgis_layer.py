"""Run by a Python that has PyQGIS: open a layer, draw it, identify values.

The job is one JSON object on standard input, the outcome one on standard output.

================  ===============================================================
``uri``           data source of the provider ``wms``, as QGIS stores it in a project
``capabilities``  in its place: address of a WMTS that is added as a connection …
``chosen``        … and words in the source of its layer that is taken
``extent``        left, bottom, right, top, in the layer's CRS
``size``          width, height of the pictures
``frames``        ISO 8601 start and end of the map's time for each picture; absent:
                  one picture of a timeless map
``points``        list of (x, y) to identify at the time of the last frame
``form``          the layer's identify format; absent: what QGIS chooses by itself
================  ===============================================================
"""

import base64
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
    uri, *held = [job["uri"]] if "uri" in job else added(job)
    layer = QgsRasterLayer(uri, "layer", "wms")
    outcome = {"valid": layer.isValid(), "uri": uri}
    if layer.isValid():
        outcome.update(describe(layer))
        if "form" in job:
            layer.setCustomProperty("identify/format", job["form"])
        canvas = canvas_of(layer, job)
        outcome["pictures"] = [drawn(canvas, layer, job, one) for one in job.get("frames", [None])]
        points = job.get("points", [])
        outcome["values"] = [identify(canvas, layer, *point) for point in points]
    outcome |= {"messages": said, "listed": len(held)}
    sys.stdout.write(json.dumps(outcome))
    sys.stdout.flush()
    os._exit(0)  # QGIS does not always survive its own exit


def added(job):
    """The source of a layer that the browser lists below a new connection, and the items there.

    Python may not let go of items: each is deleted by the one above it.
    """
    from qgis.core import QgsApplication, QgsLayerItem, QgsSettings

    settings = QgsSettings()
    for key in ("qgis/connections-wms/cubes", "connections/ows/items/wms/connections/items/cubes"):
        settings.setValue(f"{key}/url", job["capabilities"])
    registry = QgsApplication.dataItemProviderRegistry()
    (provider,) = [one for one in registry.providers() if one.name() == "WMS"]
    connection = provider.createDataItem("wms:/cubes", None)
    items = [connection, *below(connection.createChildren())]
    sources = [one.mimeUris()[0].uri for one in items if isinstance(one, QgsLayerItem)]
    chosen = next(one for one in sources if all(word in one for word in job["chosen"]))
    return chosen, *items


def below(items):
    """Items of the browser and all below them."""
    from qgis.core import QgsLayerItem

    for item in items:
        yield item
        if not isinstance(item, QgsLayerItem):
            yield from below(item.children())


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
    """A map canvas that shows the layer."""
    from qgis.core import QgsRectangle
    from qgis.gui import QgsMapCanvas

    canvas = QgsMapCanvas()
    canvas.resize(*job["size"])
    canvas.setDestinationCrs(layer.crs())
    canvas.setLayers([layer])
    canvas.setExtent(QgsRectangle(*job["extent"]))
    return canvas


def drawn(canvas, layer, job, ends):
    """PNG in base64 of what the canvas shows, clear where nothing covers it.

    ends are those of the time that the temporal controller gives it; None of a timeless map
    """
    from qgis.core import QgsDateTimeRange, QgsMapRendererParallelJob, QgsRectangle
    from qgis.PyQt.QtCore import QBuffer, QDateTime, QSize, Qt
    from qgis.PyQt.QtGui import QColor

    if ends is not None:
        layer.temporalProperties().setIsActive(True)
        canvas.setTemporalRange(
            QgsDateTimeRange(*(QDateTime.fromString(text, Qt.ISODate) for text in ends))
        )
    settings = canvas.mapSettings()
    settings.setOutputSize(QSize(*job["size"]))  # a canvas has a size of its own until it is shown
    settings.setExtent(QgsRectangle(*job["extent"]))
    settings.setBackgroundColor(QColor(0, 0, 0, 0))
    renderer = QgsMapRendererParallelJob(settings)
    renderer.start()
    renderer.waitForFinished()
    buffer = QBuffer()
    renderer.renderedImage().save(buffer, "PNG")
    return base64.b64encode(bytes(buffer.data())).decode()


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
