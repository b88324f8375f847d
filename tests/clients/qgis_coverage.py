"""Run by the system's Python, which has PyQGIS: open a coverage and read its values.

The job is one JSON object on standard input, the outcome one on standard output.

=============  ==================================================================
``uri``        data source of the provider ``wcs``, as QGIS stores it in a project
``extent``     left, bottom, right, top of what is read, in the layer's CRS
``size``       width and height of what is read, in pixels
``points``     list of (x, y) to identify
``picture``    file to draw to
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
    layer = QgsRasterLayer(job["uri"], "layer", "wcs")
    outcome = {"valid": layer.isValid()}
    if layer.isValid():
        outcome.update(describe(layer))
        outcome["values"] = values(layer, job)
        outcome["identified"] = [identified(layer, *point) for point in job.get("points", [])]
        if "picture" in job:
            draw(layer, job)
    outcome["messages"] = said
    sys.stdout.write(json.dumps(outcome))
    sys.stdout.flush()
    os._exit(0)  # QGIS does not always survive its own exit


def describe(layer):
    """What QGIS has understood of the coverage."""
    from qgis.core import QgsRasterBandStats

    provider, extent = layer.dataProvider(), layer.extent()
    statistics = provider.bandStatistics(1, QgsRasterBandStats.All)
    return {
        "crs": layer.crs().authid(),
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
        "size": [provider.xSize(), provider.ySize()],
        "bands": provider.bandCount(),
        "type": int(provider.dataType(1)),
        "minimum": statistics.minimumValue,
        "maximum": statistics.maximumValue,
    }


def values(layer, job):
    """The first band's pixels from north to south, None where there is no data."""
    from qgis.core import QgsRectangle

    width, height = job["size"]
    block = layer.dataProvider().block(1, QgsRectangle(*job["extent"]), width, height)
    return [
        [
            None if block.isNoData(row, column) else block.value(row, column)
            for column in range(width)
        ]
        for row in range(height)
    ]


def identified(layer, x, y):
    """The values of the bands at a point."""
    from qgis.core import QgsPointXY, QgsRaster

    found = layer.dataProvider().identify(QgsPointXY(x, y), QgsRaster.IdentifyFormatValue)
    return [found.results()[band] for band in sorted(found.results())]


def draw(layer, job):
    """Draw the coverage as QGIS shows it at first."""
    from qgis.core import QgsMapRendererParallelJob, QgsMapSettings, QgsRectangle
    from qgis.PyQt.QtCore import QSize
    from qgis.PyQt.QtGui import QColor

    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setOutputSize(QSize(200, 100))
    settings.setExtent(QgsRectangle(*job["extent"]))
    settings.setBackgroundColor(QColor(0, 0, 0, 0))
    renderer = QgsMapRendererParallelJob(settings)
    renderer.start()
    renderer.waitForFinished()
    renderer.renderedImage().save(job["picture"])


if __name__ == "__main__":
    main()
