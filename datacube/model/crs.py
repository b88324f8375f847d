"""Coordinate reference systems: every spelling in and out, axis order, cached transforms.

Inside the server x stands before y and longitude before latitude, always. The order of axes that
an authority prescribes exists only here (``northing_first``) and is applied only where a request
is decoded or a document is written.
"""

import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import override

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.exceptions import CRSError, ProjError

from datacube.errors import InvalidCrs

FloatArray = NDArray[np.float64]

_SPELLINGS = (
    re.compile(
        r"^\[?(?P<authority>EPSG|OGC|CRS|IGNF|ESRI|AUTO2?)(?::\d+(?:\.\d+)*)?:(?P<code>[A-Z0-9_]+)\]?$",
        re.IGNORECASE,
    ),
    re.compile(
        r"^urn:(?:x-)?ogc:def:crs:(?P<authority>[A-Z]+):(?:[\d.:]*):(?P<code>[A-Z0-9_]+)$",
        re.IGNORECASE,
    ),
    re.compile(
        r"^https?://www\.opengis\.net/def/crs/(?P<authority>[A-Z]+)/(?:[\d.]+)/(?P<code>[A-Z0-9_]+)$",
        re.IGNORECASE,
    ),
    re.compile(
        r"^https?://www\.opengis\.net/gml/srs/(?P<authority>epsg)\.xml#(?P<code>\d+)$",
        re.IGNORECASE,
    ),
)
_ALIASES = {
    "EPSG:900913": "EPSG:3857",
    "CRS:84": "OGC:CRS84",
    "OGC:84": "OGC:CRS84",
    "CRS:CRS84": "OGC:CRS84",
    "EPSG:102100": "EPSG:3857",
}


@dataclass(frozen=True, slots=True, repr=False)
class Crs:
    """A coordinate reference system.

    Parameters
    ----------
    key : str
        ``EPSG:4326``, ``OGC:CRS84`` …, or ``WKT:<digest>`` where no authority names it.
    wkt : str
        WKT 2.
    northing_first : bool
        True where the authority's axis order is (north, east), as EPSG:4326's.
    geographic : bool
        True where coordinates are degrees of longitude and latitude; those of a rotated pole are
        not, they are degrees of a plane of their own.
    labels : tuple of str
        Axis abbreviations in x, y order: ``("Long", "Lat")``, ``("E", "N")``, ``("X", "Y")``.
    uom : str
        Unit of the axes: ``deg`` or ``m`` (or PROJ's name of another).

    Examples
    --------
    >>> Crs.parse("urn:ogc:def:crs:EPSG::4326").key
    'EPSG:4326'
    >>> Crs.parse("CRS:84").northing_first, Crs.parse("EPSG:4326").northing_first
    (False, True)
    """

    key: str
    wkt: str
    northing_first: bool
    geographic: bool
    labels: tuple[str, str]
    uom: str

    @staticmethod
    def parse(text: str, *, subject: str | None = None) -> "Crs":
        """CRS of a request: any OGC spelling of an authority and code, never free text.

        Raises
        ------
        InvalidCrs
            The text is no such spelling or PROJ does not know the code.
        """
        for pattern in _SPELLINGS:
            if found := pattern.match(text.strip()):
                key = f"{found['authority'].upper()}:{found['code'].upper()}"
                return _from_key(_ALIASES.get(key, key), subject)
        raise InvalidCrs(
            f"'{text[:200]}' is no coordinate reference system; write for instance EPSG:3857",
            subject=subject or text[:200],
        )

    @staticmethod
    def from_wkt(text: str) -> "Crs":
        """CRS of data: WKT, a PROJ string or a CF crs_wkt; keeps the EPSG code where it has one.

        Raises
        ------
        InvalidCrs
            PROJ cannot read it.
        """
        try:
            return _describe(pyproj.CRS.from_user_input(text))
        except CRSError as error:
            raise InvalidCrs(f"PROJ cannot read the CRS '{text[:80]}': {error}") from error

    @override
    def __repr__(self) -> str:
        """The key names it; the WKT would drown messages and cache keys."""
        return f"Crs({self.key!r})"

    @override
    def __hash__(self) -> int:
        """The key's."""
        return hash(self.key)

    @property
    def authority(self) -> str:
        """``EPSG``, ``OGC``, … or ``WKT``."""
        return self.key.partition(":")[0]

    @property
    def code(self) -> str:
        """The code alone: ``4326``, ``CRS84``."""
        return self.key.partition(":")[2]

    @property
    def uri(self) -> str:
        """``http://www.opengis.net/def/crs/EPSG/0/4326``."""
        version = "1.3" if self.authority == "OGC" else "0"
        return f"http://www.opengis.net/def/crs/{self.authority}/{version}/{self.code}"

    @property
    def urn(self) -> str:
        """``urn:ogc:def:crs:EPSG::4326``."""
        version = "1.3" if self.authority == "OGC" else ""
        return f"urn:ogc:def:crs:{self.authority}:{version}:{self.code}"

    @property
    def short(self) -> str:
        """The WMS 1.3.0 spelling: ``EPSG:3857``, ``CRS:84``."""
        return "CRS:84" if self.key == "OGC:CRS84" else self.key

    @property
    def has_code(self) -> bool:
        """Whether an authority names it, so that it can stand in a document."""
        return self.authority != "WKT"

    @property
    def axis_labels(self) -> tuple[str, str]:
        """Axis abbreviations in the authority's order."""
        x, y = self.labels
        return (y, x) if self.northing_first else (x, y)

    def pyproj(self) -> pyproj.CRS:
        """The pyproj object (cached)."""
        return _pyproj(self.wkt)

    def same_plane(self, other: "Crs") -> bool:
        """Whether x, y mean the same in both (EPSG:4326 and CRS84 do)."""
        return self.key == other.key or _plane(self) == _plane(other)

    def ordered(self, x: float, y: float) -> tuple[float, float]:
        """The pair (x, y) in the authority's axis order."""
        return (y, x) if self.northing_first else (x, y)


def _plane(crs: Crs) -> str:
    return "EPSG:4326" if crs.key in {"OGC:CRS84", "EPSG:4326"} else crs.key


@lru_cache(maxsize=512)
def _from_key(key: str, subject: str | None) -> Crs:
    try:
        crs = pyproj.CRS.from_user_input(key)
    except CRSError as error:
        raise InvalidCrs(
            f"PROJ does not know the coordinate reference system {key}", subject=subject or key
        ) from error
    if len(crs.axis_info) < 2 or crs.is_geocentric:
        raise InvalidCrs(f"{key} is not a horizontal CRS", subject=subject or key)
    return _describe(crs, key)


def _describe(crs: pyproj.CRS, key: str | None = None) -> Crs:
    wkt = crs.to_wkt()
    if key is None:
        authority = crs.to_authority(min_confidence=100)
        key = ":".join(authority) if authority else f"WKT:{sha256(wkt.encode()).hexdigest()[:12]}"
        if key == "OGC:CRS84" or wkt == _wkt_of_crs84():
            key = "OGC:CRS84"
    axes = crs.axis_info
    first = axes[0].direction.lower() if axes else "east"
    northing_first = (
        first in {"north", "south"}
        and axes[0].abbrev.lower()
        in {
            "lat",
            "n",
            "x",
            "phi",
            "y",
            "northing",
        }
        and axes[1].direction.lower() in {"east", "west"}
    )
    geographic = crs.is_geographic and not crs.is_derived
    if crs.is_geographic:
        labels, uom = ("Long", "Lat") if geographic else ("rlon", "rlat"), "deg"
    else:
        ordered = axes[1::-1] if northing_first else axes[:2]
        x, y = (axis.abbrev or name for axis, name in zip(ordered, ("E", "N"), strict=True))
        labels = (x, y) if x != y else ("E", "N")
        uom = {"metre": "m", "meter": "m"}.get(axes[0].unit_name, axes[0].unit_name)
    return Crs(key, wkt, northing_first, geographic, labels, uom)


@lru_cache(maxsize=1)
def _wkt_of_crs84() -> str:
    return str(pyproj.CRS.from_user_input("OGC:CRS84").to_wkt())


@lru_cache(maxsize=512)
def _pyproj(wkt: str) -> pyproj.CRS:
    return pyproj.CRS.from_user_input(wkt)


class _PerThread(threading.local):
    """PROJ transformers are not thread-safe: each thread keeps its own."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, str], pyproj.Transformer] = {}


_transformers = _PerThread()


def transformer(source: Crs, target: Crs) -> pyproj.Transformer:
    """This thread's Transformer from source to target, both in x, y order."""
    pair = (source.wkt, target.wkt)
    made = _transformers.made
    if pair not in made:
        if len(made) > 256:
            made.clear()
        made[pair] = pyproj.Transformer.from_crs(source.pyproj(), target.pyproj(), always_xy=True)
    return made[pair]


def transform(
    x: FloatArray, y: FloatArray, source: Crs, target: Crs
) -> tuple[FloatArray, FloatArray]:
    """Coordinates of source in target.

    Parameters
    ----------
    x, y : float64, any equal shape, in source, x before y

    Returns
    -------
    x, y : float64, same shape, in target; NaN where PROJ has no answer

    Examples
    --------
    >>> utm = Crs.parse("EPSG:32632")
    >>> x, y = transform(np.array([9.0]), np.array([0.0]), CRS84, utm)
    >>> float(x[0].round(3)), float(y[0].round(3))
    (500000.0, 0.0)
    """
    if source.same_plane(target):
        return np.asarray(x, float), np.asarray(y, float)
    out_x, out_y = transformer(source, target).transform(x, y, errcheck=False)
    out_x, out_y = np.asarray(out_x, float), np.asarray(out_y, float)
    lost = ~(np.isfinite(out_x) & np.isfinite(out_y))
    if lost.any():
        out_x, out_y = np.where(lost, np.nan, out_x), np.where(lost, np.nan, out_y)
    return out_x, out_y


def transform_bounds(
    bounds: tuple[float, float, float, float], source: Crs, target: Crs
) -> tuple[float, float, float, float]:
    """Smallest box in target around a densified box of source; left > right over the antimeridian.

    Raises
    ------
    InvalidCrs
        The box has no image in target.
    """
    if source.same_plane(target):
        return bounds
    try:
        found = transformer(source, target).transform_bounds(*bounds, densify_pts=21)
    except ProjError as error:
        raise InvalidCrs(f"the box {bounds} cannot be expressed in {target.key}") from error
    if not np.isfinite(found).all():
        raise InvalidCrs(
            f"the box {bounds} cannot be expressed in {target.key}", subject=target.key
        )
    left, bottom, right, top = found
    return float(left), float(bottom), float(right), float(top)


CRS84 = Crs.parse("OGC:CRS84")
"""Longitude, latitude on WGS 84: the CRS of geographic boxes in documents."""
