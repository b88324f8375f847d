"""RESTful paths: from segments to the parameters of KVP, and the templates that documents list.

A tile is ``LAYER/STYLE/[TIME/][ELEVATION/…]SET/MATRIX/ROW/COLUMN.png``; values at a pixel are
``…/COLUMN/J/I.json``. A dimension may also stand in the query (GDAL and ArcGIS append parameters
there, GDAL even without ``?``), where it overrides the path.
"""

from urllib.parse import parse_qsl

from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.errors import InvalidParameter
from services.ows.dimensions import RUN, dimension_name
from services.ows.featureinfo import INFO_FORMATS
from services.ows.kvp import Kvp
from services.ows.pictures import MAP_FORMATS, extension_of
from services.ows.transport import Request
from services.ows.urls import endpoint, segment

TILE_ENDINGS = frozenset(extension_of(one) for one in MAP_FORMATS)
CAPABILITIES = "1.0.0/WMTSCapabilities.xml"
_ROOT = "1.0.0"
_TILE = ("TileMatrixSet", "TileMatrix", "TileRow", "TileCol")
_INFO = (*_TILE, "J", "I")
_INFO_ENDINGS = {"json": "application/json", "html": "text/html", "txt": "text/plain"}


class NoSuchPath(InvalidParameter):
    """A path that no template makes."""


def parameters(context: Context, request: Request, tail: str) -> Kvp:
    """Parameters that a path and its query mean.

    Parameters
    ----------
    tail : str
        Percent-decoded path below ``/wmts/``.

    Raises
    ------
    NoSuchPath
        The path has the form of no template.
    CoverageNotFound
        There is no such layer.
    """
    path, _, appended = tail.partition("&")
    segments = path.strip("/").split("/")
    stem, dot, ending = segments[-1].rpartition(".")
    names = _INFO if ending.lower() in _INFO_ENDINGS else _TILE
    middle = len(segments) - 3 - len(names)
    if segments[0] != _ROOT or not dot or middle < 0:
        raise NoSuchPath(f"nothing is served at '{path[:200]}'", subject="path")
    layer, style = segments[1], segments[2]
    dimensions = dimension_names(context.catalog.layer(layer))
    if middle > len(dimensions):
        raise NoSuchPath(
            f"the path has {middle} dimensions; the layer {layer} has {len(dimensions)}",
            subject="path",
        )
    query = (*request.query, *parse_qsl(appended, keep_blank_values=True))
    given = {name.lower() for name, value in query if value.strip()}
    placed = [
        (name, value)
        for name, value in zip(dimensions, segments[3 : 3 + middle], strict=False)
        if value.lower() != f"{{{name.lower()}}}"  # QGIS leaves those it knows no value of
    ]
    return Kvp(
        [
            ("layer", layer),
            ("style", style),
            *((name, value) for name, value in placed if name.lower() not in given),
            *zip(names, (*segments[3 + middle : -1], stem), strict=True),
            ("request", "GetTile" if names is _TILE else "GetFeatureInfo"),
            ("format" if names is _TILE else "InfoFormat", _INFO_ENDINGS.get(ending, ending)),
            *((name, value) for name, value in query if name.lower() not in _reserved(names)),
        ]
    )


def dimension_names(layer: Layer) -> tuple[str, ...]:
    """Dimensions of a layer in the order of the path: time first."""
    domain = layer.cube.description.domain
    names = [dimension_name(axis, vertical=axis is domain.vertical) for axis in domain.axes]
    runs = [] if layer.cube.view is None else [RUN]
    return tuple(sorted((*names, *runs), key=lambda name: name != "time"))


def tile_template(request: Request, layer: Layer, media_type: str) -> str:
    """Template of a layer's tiles; the layer is written out, as not all clients replace it."""
    return _template(request, layer, _TILE, extension_of(media_type))


def info_templates(request: Request, layer: Layer) -> tuple[tuple[str, str], ...]:
    """(media type, template) of a layer's values."""
    return tuple(
        (media_type, _template(request, layer, _INFO, ending))
        for ending, media_type in _INFO_ENDINGS.items()
        if media_type in INFO_FORMATS
    )


def _template(request: Request, layer: Layer, names: tuple[str, ...], ending: str) -> str:
    parts = ("Style", *dimension_names(layer), *names)
    braces = "/".join(f"{{{part}}}" for part in parts)
    return endpoint(request, f"/wmts/{_ROOT}/{segment(layer.name)}/{braces}.{ending}")


def _reserved(names: tuple[str, ...]) -> frozenset[str]:
    """Parameters that the path decides."""
    return frozenset(
        name.lower() for name in ("layer", "style", "request", "format", "InfoFormat", *names)
    )
