"""The paths of tiles: ``LAYER/STYLE/SET/Z/Y/X.png``, ``…/X@2x.png``, and of their TileJSON.

The layer is that of the WMS. ``values`` in the place of the style asks for numbers instead of
colours, as does an ending that is no picture's. ``pngraw`` is what Mapbox calls a picture whose
colours are numbers.
"""

from dataclasses import dataclass

from datacube.errors import InvalidFormat, NotFoundError
from services.ows.kvp import integer
from services.ows.pictures import PNG, extension_of, map_format

VALUES = "values"
GREY = "image/png; mode=grey"
COLORS = "image/png; mode=colors"
NPY = "application/x-npy"
TIFF = "image/tiff; application=geotiff; profile=cloud-optimized"
_TWICE = "@2x"
_NUMBERS = {"npy": NPY, "tif": TIFF, "tiff": TIFF, "png": GREY, "pngraw": COLORS}
"""What holds values, by ending; PNG only where the style says so."""


@dataclass(frozen=True, slots=True)
class Source:
    """What tiles are of.

    Parameters
    ----------
    layer, style, matrix_set : str, as in the path
    """

    layer: str
    style: str
    matrix_set: str

    @property
    def valued(self) -> bool:
        """Whether the style asks for numbers."""
        return self.style == VALUES


@dataclass(frozen=True, slots=True)
class Place:
    """One of them.

    Parameters
    ----------
    matrix : str, identifier of the zoom
    row, column : int
    twice : bool, whether with twice as many pixels
    media_type : str, a picture's or one of :data:`GREY`, :data:`COLORS`, :data:`NPY`, :data:`TIFF`
    """

    matrix: str
    row: int
    column: int
    twice: bool
    media_type: str


def parse_path(tail: str) -> tuple[Source, Place | None]:
    """What a path below ``/tiles/`` means; ``LAYER/STYLE/SET/tilejson.json`` has no place.

    A style may have slashes in it, as ``boxfill/rainbow`` has.

    Raises
    ------
    NotFoundError
        The path has another form.
    InvalidFormat
        Nothing is offered with that ending.

    Examples
    --------
    >>> parse_path("sst.v/default/WebMercatorQuad/3/2/1@2x.webp")[1].media_type
    'image/webp'
    >>> parse_path("sst.v/values/WebMercatorQuad/tilejson.json")[1] is None
    True
    """
    parts = tail.split("/")
    own = 1 if parts[-1] == "tilejson.json" else 3
    if len(parts) < own + 3 or not all(parts):
        raise NotFoundError(
            f"nothing is served at '/tiles/{tail[:200]}'; a tile is LAYER/STYLE/SET/Z/Y/X.png",
            subject="path",
        )
    layer, *style, matrix_set = parts[:-own]
    source = Source(layer, "/".join(style), matrix_set)
    return source, None if own == 1 else _place(source, *parts[-3:])


def _place(source: Source, matrix: str, down: str, across: str) -> Place:
    stem, _, ending = across.rpartition(".")
    try:
        row, column = integer(down), integer(stem.removesuffix(_TWICE))
    except (ValueError, OverflowError):
        raise NotFoundError(
            f"'{down[:20]}/{across[:30]}' is no row and column with an ending: 3/5.png",
            subject="path",
        ) from None
    return Place(matrix, row, column, stem.endswith(_TWICE), _media_type(source, ending))


def _media_type(source: Source, ending: str) -> str:
    if ending in _NUMBERS and (source.valued or ending != "png"):
        return _NUMBERS[ending]
    if source.valued:
        raise InvalidFormat(
            f"values are not offered as '{ending[:20]}'; there are {', '.join(_NUMBERS)}",
            subject="format",
        )
    return map_format(ending)


def template_type(source: Source, asked: str) -> tuple[str, str]:
    """The ending of a template, PNG where none is asked for, and its media type.

    Raises
    ------
    InvalidFormat
        It is not offered.
    """
    ending = asked or extension_of(PNG)
    return ending, _media_type(source, ending)
