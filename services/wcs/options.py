"""How the values of a file lie: the GeoTIFF extension (12-100r1), and parameters of this server.

``geotiff:compression=Deflate`` · ``geotiff:predictor=Horizontal`` · ``geotiff:interleave=Pixel`` ·
``geotiff:tiling=true&geotiff:tilewidth=256&geotiff:tileheight=256``, each with its prefix or
without; ``values=raw`` and ``values=physical``.
"""

from collections.abc import Iterator, Mapping

from datacube.formats.values import STATED
from services.ows.declared import Parameter
from services.ows.kvp import Kvp, boolean, positive, word
from services.wcs.errors import (
    CompressionNotSupported,
    InterleavingNotSupported,
    PredictorNotSupported,
    TilingInvalid,
)

_PREFIX = "geotiff:"
_COMPRESSIONS = ("none", "deflate", "lzw", "packbits", "zstd")
_PREDICTORS: Mapping[str, str] = {"none": "1", "horizontal": "2", "floatingpoint": "3"}
_INTERLEAVES = ("pixel", "band")
_SIDE = 256
_LARGEST = 4096
PARAMETERS = (
    Parameter(
        "VALUES",
        "raw stored numbers or physical ones, where the format's own are not wanted",
        STATED,
    ),
    Parameter(
        "COMPRESSION",
        "of a GeoTIFF; deflate of a NetCDF-4 too (geotiff:compression)",
        _COMPRESSIONS,
    ),
    Parameter("PREDICTOR", "of a compressed GeoTIFF (geotiff:predictor)", tuple(_PREDICTORS)),
    Parameter("INTERLEAVE", "of the bands of a GeoTIFF (geotiff:interleave)", _INTERLEAVES),
    Parameter("TILING", "whether a GeoTIFF has tiles (geotiff:tiling)", ("true", "false")),
    Parameter("TILEWIDTH", f"of a GeoTIFF, {_SIDE} where not given (geotiff:tilewidth)"),
    Parameter("TILEHEIGHT", f"of a GeoTIFF, {_SIDE} where not given (geotiff:tileheight)"),
)


def encoder_options(kvp: Kvp) -> tuple[tuple[str, str], ...]:
    """Options of the encoder, those that are asked for.

    Raises
    ------
    CompressionNotSupported, PredictorNotSupported, InterleavingNotSupported, TilingInvalid
    InvalidParameter
        A value that there is not.

    Examples
    --------
    >>> pairs = [("geotiff:tiling", "true"), ("compression", "LZW"), ("values", "Physical")]
    >>> encoder_options(Kvp(pairs))
    (('compression', 'lzw'), ('tile', '256x256'), ('values', 'physical'))
    """
    return tuple(_options(kvp))


def _options(kvp: Kvp) -> Iterator[tuple[str, str]]:
    compression = _lower(kvp, "compression")
    if compression not in {"", *_COMPRESSIONS}:
        raise CompressionNotSupported(
            f"no compression '{compression[:40]}'; there are {', '.join(_COMPRESSIONS)}",
            subject="compression",
        )
    if compression:
        yield "compression", compression
    predictor = _lower(kvp, "predictor")
    if predictor:
        yield "predictor", _predictor(predictor, compression)
    interleave = _lower(kvp, "interleave")
    if interleave not in {"", *_INTERLEAVES}:
        raise InterleavingNotSupported(
            f"bands are not interleaved by '{interleave[:40]}'; there are pixel and band",
            subject="interleave",
        )
    if interleave:
        yield "interleave", interleave
    if (tile := _tile(kvp)) is not None:
        yield "tile", tile
    if "values" in kvp:
        yield "values", kvp.one("values", word(*STATED))


def _predictor(name: str, compression: str) -> str:
    predicted = compression in {"deflate", "lzw", "zstd"} or name == "none"
    if name not in _PREDICTORS or not predicted:
        raise PredictorNotSupported(
            f"no predictor '{name[:40]}' for the compression '{compression or 'none'}'; "
            f"there are {', '.join(_PREDICTORS)} for deflate, lzw and zstd",
            subject="predictor",
        )
    return _PREDICTORS[name]


def _tile(kvp: Kvp) -> str | None:
    """Width and height of a tile; None where nothing is said, ``0x0`` for none at all."""
    sides = [_first(kvp, name) for name in ("tilewidth", "tileheight")]
    tiling = _first(kvp, "tiling")
    if not tiling and not any(sides):
        return None
    if tiling and not kvp.one(tiling, boolean):
        return "0x0"
    width, height = (kvp.one(name, positive) if name else _SIDE for name in sides)
    if width % 16 or height % 16 or max(width, height) > _LARGEST:
        raise TilingInvalid(
            f"tiles of {width} x {height} cells are not possible; sides are multiples of 16, at "
            f"most {_LARGEST}",
            subject="tilewidth",
        )
    return f"{width}x{height}"


def _lower(kvp: Kvp, name: str) -> str:
    found = _first(kvp, name)
    return kvp.one(found).strip().lower() if found else ""


def _first(kvp: Kvp, name: str) -> str:
    """The name that a parameter has in the request, with the prefix or without; else empty."""
    return next((one for one in (f"{_PREFIX}{name}", name) if one in kvp), "")
