"""Run by the system's Python, which has PyQGIS: style a raster, draw it, export the style as SLD.

The job is one JSON object on standard input, the outcome one on standard output. A style has

===============  ================================================================
``kind``         ``pseudocolor``, ``paletted``, ``gray`` or ``multiband``
``type``         of a pseudocolor: ``Discrete``, ``Interpolated`` or ``Exact``
``entries``      of a pseudocolor or paletted: value, colour, label
``bands``        of gray and multiband: band, algorithm, minimum, maximum
``gradient``     of gray: ``BlackToWhite`` or ``WhiteToBlack``
``opacity``      of any, 0 … 1
others           ``brightness``, ``contrast``, ``gamma``, ``saturation``, ``grayscale``, ``tint``
===============  ================================================================
"""

import json
import os
import sys


def main() -> None:
    """Do the job: ``raster``, ``extent``, ``size`` and ``styles``, name to style."""
    from qgis.core import QgsApplication, QgsRasterLayer

    job = json.load(sys.stdin)
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], True)
    application.initQgis()
    outcome = {}
    for name, style in job["styles"].items():
        layer = QgsRasterLayer(style["raster"], name)
        dress(layer, style)
        picture = f"{job['folder']}/{name}.png"
        draw(layer, style, picture)
        outcome[name] = {"sld": exported(layer), "picture": picture, "valid": layer.isValid()}
    sys.stdout.write(json.dumps(outcome))
    sys.stdout.flush()
    os._exit(0)  # QGIS does not always survive its own exit


def dress(layer, style):
    """Give a layer its renderer and filters."""
    renderer = {
        "pseudocolor": pseudocolor,
        "paletted": paletted,
        "gray": gray,
        "multiband": multiband,
    }[style["kind"]](layer.dataProvider(), style)
    renderer.setOpacity(style.get("opacity", 1.0))
    layer.setRenderer(renderer)
    tones, hues = layer.brightnessFilter(), layer.hueSaturationFilter()
    tones.setBrightness(style.get("brightness", 0))
    tones.setContrast(style.get("contrast", 0))
    tones.setGamma(style.get("gamma", 1.0))
    hues.setSaturation(style.get("saturation", 0))
    hues.setGrayscaleMode(style.get("grayscale", 0))
    if "tint" in style:
        from qgis.PyQt.QtGui import QColor

        *color, strength = style["tint"]
        hues.setColorizeOn(True)
        hues.setColorizeColor(QColor(*color))
        hues.setColorizeStrength(strength)


def pseudocolor(provider, style):
    from qgis.core import (
        QgsColorRampShader,
        QgsRasterShader,
        QgsSingleBandPseudoColorRenderer,
    )
    from qgis.PyQt.QtGui import QColor

    function = QgsColorRampShader()
    function.setColorRampType(getattr(QgsColorRampShader, style["type"]))
    items = [
        QgsColorRampShader.ColorRampItem(float(value), QColor(*color), label)
        for value, color, label in style["entries"]
    ]
    function.setColorRampItemList(items)
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(function)
    return QgsSingleBandPseudoColorRenderer(provider, style.get("band", 1), shader)


def paletted(provider, style):
    from qgis.core import QgsPalettedRasterRenderer
    from qgis.PyQt.QtGui import QColor

    classes = [
        QgsPalettedRasterRenderer.Class(value, QColor(*color), label)
        for value, color, label in style["entries"]
    ]
    return QgsPalettedRasterRenderer(provider, style.get("band", 1), classes)


def gray(provider, style):
    from qgis.core import QgsSingleBandGrayRenderer

    ((band, *stretch),) = style["bands"]
    renderer = QgsSingleBandGrayRenderer(provider, band)
    gradient = style.get("gradient", "BlackToWhite")
    renderer.setGradient(getattr(QgsSingleBandGrayRenderer, gradient))
    renderer.setContrastEnhancement(contrast(provider, band, *stretch))
    return renderer


def multiband(provider, style):
    from qgis.core import QgsMultiBandColorRenderer

    renderer = QgsMultiBandColorRenderer(provider, *(one[0] for one in style["bands"]))
    setters = (
        renderer.setRedContrastEnhancement,
        renderer.setGreenContrastEnhancement,
        renderer.setBlueContrastEnhancement,
    )
    for setter, (band, *stretch) in zip(setters, style["bands"], strict=True):
        if stretch:
            setter(contrast(provider, band, *stretch))
    return renderer


def contrast(provider, band, algorithm, low, high):
    from qgis.core import QgsContrastEnhancement

    found = QgsContrastEnhancement(provider.dataType(band))
    found.setMinimumValue(low)
    found.setMaximumValue(high)
    found.setContrastEnhancementAlgorithm(getattr(QgsContrastEnhancement, algorithm))
    return found


def exported(layer):
    """The layer's style as QGIS saves it in a file of SLD."""
    from qgis.PyQt.QtXml import QDomDocument

    document = QDomDocument()
    said = layer.exportSldStyle(document, "")
    assert not said, said
    return document.toString()


def draw(layer, style, picture):
    """Draw the layer on white."""
    from qgis.core import QgsMapRendererSequentialJob, QgsMapSettings, QgsRectangle
    from qgis.PyQt.QtCore import QSize
    from qgis.PyQt.QtGui import QColor

    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(QgsRectangle(*style["extent"]))
    settings.setOutputSize(QSize(*style["size"]))
    settings.setBackgroundColor(QColor(255, 255, 255))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(picture)


if __name__ == "__main__":
    main()
