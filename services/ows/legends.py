"""Legends in documents: a URL that states the size, and the size that the legend needs."""

import logging
from collections.abc import Iterator
from functools import lru_cache

from datacube.engine.cube import Layer
from datacube.engine.legend import drawn_fields
from datacube.errors import DatacubeError
from datacube.model.fields import Field
from datacube.render.legend import legend
from datacube.render.style import Style
from services.ows.pictures import PNG
from services.ows.transport import Request
from services.ows.urls import kvp_prefix, with_query

type Size = tuple[int, int]

LOGGER = logging.getLogger("datacube.server")
_UNDRAWABLE = (DatacubeError, ValueError, TypeError, LookupError, ArithmeticError)


def legend_url(request: Request, layer: str, style: str, size: Size) -> str:
    """URL of a legend in exactly that size."""
    width, height = size
    return with_query(
        kvp_prefix(request, "/wms"),
        [
            ("SERVICE", "WMS"),
            ("VERSION", "1.3.0"),
            ("REQUEST", "GetLegendGraphic"),
            ("SLD_VERSION", "1.1.0"),
            ("FORMAT", PNG),
            ("LAYER", layer),
            ("STYLE", style),
            ("WIDTH", width),
            ("HEIGHT", height),
        ],
    )


def listed_styles(layer: Layer) -> Iterator[tuple[Style, Size]]:
    """The styles that a document lists, with the sizes of their legends.

    One whose legend cannot be drawn is left out, and the log says why: it must not keep the others,
    and the other cubes, from being listed.
    """
    for style in layer.styles:
        try:
            size = legend_size(layer, style)
        except _UNDRAWABLE as error:
            LOGGER.warning("the style '%s' of %s is not listed: %s", style.name, layer.name, error)
            continue
        yield style, size


def legend_size(layer: Layer, style: Style) -> Size:
    """Width and height that a style's legend needs, in pixels."""
    return _size(style, tuple(drawn_fields(layer, style).items()))


@lru_cache(maxsize=4096)
def _size(style: Style, fields: tuple[tuple[str, Field], ...]) -> Size:
    height, width = legend(style, dict(fields)).shape
    return width, height
