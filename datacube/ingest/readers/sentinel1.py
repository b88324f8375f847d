"""Sentinel-1 GRD: a SAFE folder or zip, the layout of the open-data bucket, or one of its images.

The pixels have no grid; their positions are known at tie points on rows and columns of the image:
its ground control points, or those of the annotation document. The granule is brought to a map
grid: that of the recipe, or longitude and latitude with cells about as large as the pixels. Values
are the amplitudes as they are stored, uncalibrated, or the backscatter that the recipe wants
(:mod:`~datacube.ingest.readers.calibration`); 0 is no data. The instant is the start of sensing.
"""

import json
import re
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from datacube.config.products import CalibrationSettings
from datacube.errors import InvalidTime, SourceError
from datacube.ingest.geometry import TiePoints
from datacube.ingest.readers.calibration import calibrated
from datacube.ingest.readers.files import ProductFiles, product_files
from datacube.ingest.readers.parts import Origin, Part, granules_of, opening
from datacube.ingest.readers.raster import RasterBand, open_raster
from datacube.ingest.regrid import map_grid
from datacube.ingest.source import (
    BandSource,
    Granule,
    ReadOptions,
    SliceSource,
    instant,
    magic,
)
from datacube.model.crs import CRS84, Crs
from datacube.model.fields import Field
from datacube.model.grid import ReferenceableGrid
from datacube.model.naming import instant_in
from datacube.model.time import Timestamp

type Known = dict[tuple[float, float], tuple[float, float]]
"""Longitude and latitude (or x and y) by row and column."""

_IMAGE = re.compile(
    r"^(?:s1[a-d]-)?(?P<mode>iw|ew|s[1-6]|wv)-(?:grd-)?(?P<polarisation>vv|vh|hh|hv)(?:-.*)?\.tiff?$"
)
_PRODUCT = re.compile(r"^S1[A-D]_(?:IW|EW|S[1-6])_GRD")
_NAMED = re.compile(r"s1[a-d]-(?:iw|ew|s[1-6])-grd-(vv|vh|hh|hv)-[^\"<>/]*\.tiff")


@dataclass(frozen=True, slots=True)
class Sentinel1Reader:
    """Reader of Sentinel-1 ground range products."""

    name: str = "sentinel1"

    def sniff(self, path: Path) -> bool:
        """Whether a folder or archive is called like a product and holds images of one."""
        if path.is_file() and _IMAGE.match(path.name):
            return magic(path)[:2] in {b"II", b"MM"}
        if not _PRODUCT.match(path.name):
            return False
        files = product_files(path)
        return files is not None and (files.has("manifest.safe") or bool(_images(files)))

    def open(self, path: Path, options: ReadOptions) -> AbstractContextManager[tuple[Granule, ...]]:
        """The product as one granule; see :class:`~datacube.ingest.source.SourceReader`."""
        return opening(path, lambda stack: _granules(path, options, stack))


def _granules(path: Path, options: ReadOptions, stack: ExitStack) -> tuple[Granule, ...]:
    alone = path.is_file() and _IMAGE.match(path.name) is not None
    home = path.parent.parent if path.parent.name == "measurement" else path.parent
    files = ProductFiles(home if alone else path)
    every = _images(files)
    images = {key: name for key, name in every.items() if not alone or name.endswith(path.name)}
    absent = () if alone else _absent(files, images)
    if not images:
        raise SourceError(f"the product has no image; it names {', '.join(absent) or 'none'}")
    opened = {key: open_raster(files.gdal(name), stack) for key, name in sorted(images.items())}
    first = next(iter(opened.values()))
    points = tie_points(first, _annotated(files, next(iter(sorted(images.items())))[1]))
    product, start = _identity(files)
    given = instant(options, 1, "standard", path)
    bands: dict[str, BandSource] = {}
    wanted = options.calibration
    for key, one in opened.items():
        band = RasterBand(one, 1, Path(images[key]))
        bands[key] = band if wanted is None else calibrated(band, files, images[key], wanted)
    mode = _mode(images)
    origin = Origin(
        path,
        f"{product}:{'+'.join(opened)}",
        title=f"Sentinel-1 GRD, mode {mode.upper()}",
        abstract=_said(wanted),
        attribution="Contains modified Copernicus Sentinel data",
        warnings=tuple(f"the image of {one} is missing" for one in absent),
        processor=str(first.tags().get("TIFFTAG_SOFTWARE", "")),
    )
    part = Part(
        map_grid(points),
        (),
        (SliceSource(start if given is None else given, bands),),
        tuple(_field(key, one, wanted) for key, one in opened.items()),
        "",
        positions=points,
    )
    granules = granules_of([part], origin, options, f"s1-{mode}-grd")
    return tuple(replace(one, calibrated=wanted is not None) for one in granules)


def _images(files: ProductFiles) -> dict[str, str]:
    """Images by polarisation."""
    found = {}
    for name in files.names:
        path = PurePosixPath(name)
        if len(path.parts) <= 2 and (one := _IMAGE.match(path.name)):
            found[one["polarisation"].upper()] = name
    return found


def _mode(images: dict[str, str]) -> str:
    found = _IMAGE.match(PurePosixPath(next(iter(images.values()))).name)
    return "" if found is None else found["mode"]


def _absent(files: ProductFiles, images: dict[str, str]) -> tuple[str, ...]:
    """Polarisations that the manifest names and that are not there."""
    if not files.has("manifest.safe"):
        return ()
    text = files.read("manifest.safe").decode("utf-8", "replace")
    return tuple(sorted({one.upper() for one in _NAMED.findall(text)} - images.keys()))


def _identity(files: ProductFiles) -> tuple[str, int]:
    """Name of the product and the start of its sensing."""
    said: dict[str, Any] = {}
    if files.has("productInfo.json"):
        said = json.loads(files.read("productInfo.json"))
    product = str(said.get("id") or files.name)
    text = str(said.get("startTime") or instant_in(product) or "")
    try:
        return product, Timestamp.parse(text).ticks("standard")
    except InvalidTime as error:
        raise SourceError(
            f"neither productInfo.json nor the product's name '{product}' says when it was sensed"
        ) from error


def _said(wanted: CalibrationSettings | None) -> str:
    if wanted is None:
        return "Amplitudes as stored, uncalibrated."
    noise = "without" if wanted.noise else "with"
    return f"Backscatter {wanted.quantity}, {noise} thermal noise."


def _field(polarisation: str, file: Any, wanted: CalibrationSettings | None) -> Field:
    dtype = np.dtype(file.dtypes[0])
    if dtype.kind not in "iu":
        raise SourceError(f"{polarisation} is {dtype.name}; amplitudes are whole numbers")
    if wanted is None:
        return Field(polarisation, dtype.name, uom="1", nil=0, title=f"{polarisation} amplitude")
    name = f"{polarisation} {wanted.quantity}"
    return Field(polarisation, "float32", uom="1", nil=float("nan"), title=name)


def tie_points(file: Any, annotated: Known | None = None) -> TiePoints:
    """Tie points of an open raster file: its ground control points, else those given.

    Raises
    ------
    SourceError
        There are none, or they do not lie on rows and columns.
    """
    points, crs = file.gcps
    known = {(one.row, one.col): (one.x, one.y) for one in points} or annotated or {}
    rows, columns = (sorted({place[at] for place in known}) for at in (0, 1))
    if min(len(rows), len(columns)) < 2 or len(known) != len(rows) * len(columns):
        raise SourceError(
            f"its {len(known)} tie points do not lie on rows and columns of the image"
        )
    x, y = (
        np.array([[known[row, column][at] for column in columns] for row in rows]) for at in (0, 1)
    )
    grid = ReferenceableGrid(CRS84 if crs is None else Crs.from_wkt(crs.to_wkt()), x, y)
    return TiePoints(grid, np.array(rows), np.array(columns), file.height, file.width)


def _annotated(files: ProductFiles, image: str) -> Known | None:
    """Tie points of the image's annotation document (``geolocationGridPoint``)."""
    document = f"annotation/{PurePosixPath(image).stem}.xml"
    if not files.has(document):
        return None
    try:
        root = fromstring(files.read(document))
    except (ParseError, DefusedXmlException) as error:
        raise SourceError(f"{document} cannot be read: {error}") from error
    found = {}
    for one in root.iter("geolocationGridPoint"):
        row, column, x, y = (
            float(one.findtext(tag, "nan")) for tag in ("line", "pixel", "longitude", "latitude")
        )
        found[row, column] = (x, y)
    return found
