"""The paths of tiles: ``LAYER/STYLE/SET/Z/Y/X.png``, ``…/X@2x.png``, and of their TileJSON.

The layer is that of the WMS. ``values`` in the place of the style asks for numbers instead of
colours, as does an ending that is no picture's.
"""

from dataclasses import dataclass

from datacube.errors import InvalidFormat, NotFoundError
from services.ows.kvp import integer
from services.ows.pictures import PNG, extension_of, map_format

VALUES = "values"
PACKED = "image/png; mode=values"
NPY = "application/x-npy"
TIFF = "image/tiff; application=geotiff"
_TWICE = "@2x"
_NUMBERS = {"npy": NPY, "tif": TIFF, "tiff": TIFF, "png": PACKED}
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
    media_type : str, a picture's or one of :data:`PACKED`, :data:`NPY`, :data:`TIFF`
    """

    matrix: str
    row: int
    column: int
    twice: bool
    media_type: str


def parse_path(tail: str) -> tuple[Source, Place | None]:
    """What a path below ``/tiles/`` means; ``LAYER/STYLE/SET/tilejson.json`` has no place.

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
    if len(parts) == 4 and parts[3] == "tilejson.json":
        return Source(*parts[:3]), None
    if len(parts) != 6 or not all(parts):
        raise NotFoundError(
            f"nothing is served at '/tiles/{tail[:200]}'; a tile is LAYER/STYLE/SET/Z/Y/X.png",
            subject="path",
        )
    source = Source(*parts[:3])
    stem, _, ending = parts[5].rpartition(".")
    try:
        row, column = integer(parts[4]), integer(stem.removesuffix(_TWICE))
    except (ValueError, OverflowError):
        raise NotFoundError(
            f"'{parts[4][:20]}/{parts[5][:30]}' is no row and column with an ending: 3/5.png",
            subject="path",
        ) from None
    place = Place(parts[3], row, column, stem.endswith(_TWICE), _media_type(source, ending))
    return source, place


def _media_type(source: Source, ending: str) -> str:
    if ending in _NUMBERS and (source.valued or ending != "png"):
        return _NUMBERS[ending]
    if source.valued:
        raise InvalidFormat(
            f"values are not offered as '{ending[:20]}'; there are {', '.join(_NUMBERS)}",
            subject="format",
        )
    return map_format(ending)


def template_ending(source: Source, asked: str) -> str:
    """The ending of a template, PNG where none is asked for.

    Raises
    ------
    InvalidFormat
        It is not offered.
    """
    ending = asked or extension_of(PNG)
    _media_type(source, ending)
    return ending
