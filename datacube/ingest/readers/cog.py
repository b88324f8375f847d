"""GeoTIFF, cloud-optimised GeoTIFF and single JPEG 2000 images: bands become fields.

The instant is the given one, else the tag ``ACQUISITION…`` or ``TIFFTAG_DATETIME``, else the first
date or month in the file's name; an image with none of them makes a cube without time. Where an
image has a mask beside its bands, what that leaves out is no data. An image that is
turned, or placed by ground control points, is brought to a map grid.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datacube.errors import InvalidTime, SourceError
from datacube.ingest.identity import content_id
from datacube.ingest.readers.kepttiles import KeptTiles
from datacube.ingest.readers.marked import span_of
from datacube.ingest.readers.parts import Origin, Part, granules_of, opening
from datacube.ingest.readers.placed import placed
from datacube.ingest.readers.raster import (
    RasterBand,
    as_masked,
    masks_of,
    open_raster,
    sample_type,
)
from datacube.ingest.source import (
    TOGETHER_BYTES,
    BandSource,
    Granule,
    ReadOptions,
    SliceSource,
    instant,
    magic,
)
from datacube.model.fields import Category, Field, held_nil
from datacube.model.naming import day_in, identifier
from datacube.model.time import Timestamp, format_tick

_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_JP2 = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_TIFF_TIME = re.compile(r"^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class CogReader:
    """Reader of georeferenced images."""

    name: str = "cog"

    def sniff(self, path: Path) -> bool:
        """Whether the file is TIFF or JPEG 2000, by its first bytes."""
        start = magic(path)
        return start[:4] in _TIFF or start.startswith(_JP2)

    def open(self, path: Path, options: ReadOptions) -> AbstractContextManager[tuple[Granule, ...]]:
        """The image as one granule; see :class:`~datacube.ingest.source.SourceReader`."""
        return opening(path, lambda stack: _granules(open_raster(path, stack), path, options))


def _granules(file: Any, path: Path, options: ReadOptions) -> tuple[Granule, ...]:
    grid, positions = placed(file, path, options.crs)
    colours, masks = [one.name for one in file.colorinterp], masks_of(file)
    names = band_names(file.descriptions, colours)
    fields: list[Field] = []
    bands: dict[str, BandSource] = {}
    kept = KeptTiles(TOGETHER_BYTES)
    for number, name in enumerate(names, 1):
        field = _field(file, number, name, colours[number - 1])
        gone = span_of(file.nodatavals[number - 1], np.dtype(field.dtype))
        band = RasterBand(file, number, path, gone, kept=kept)
        field, bands[name] = as_masked(band, field, masks[number - 1])
        fields.append(field)
    ticks = _ticks(file, path, options)
    one = SliceSource(ticks, bands)
    tags = file.tags()
    origin = Origin(
        path,
        # equal pixels of two days are two granules: the time may stand in the name only
        content_id(path).followed("" if ticks is None else f"@{format_tick(ticks)}"),
        title=str(tags.get("TITLE", "")),
        abstract=str(tags.get("TIFFTAG_IMAGEDESCRIPTION", "")),
        attribution=str(tags.get("TIFFTAG_COPYRIGHT", "")),
        attributes=tags,
        warnings=_left_out(file),
    )
    part = Part(grid, (), (one,), tuple(fields), "", positions=positions)
    return granules_of([part], origin, options)


def _left_out(file: Any) -> tuple[str, ...]:
    """What is said of a file of several images (pages), of which the first one is read."""
    further = len(file.subdatasets) - 1
    return (f"{further} further images of the file are left out",) if further > 0 else ()


def band_names(descriptions: tuple[str | None, ...], colours: list[str]) -> tuple[str, ...]:
    """Names of the bands: descriptions, else colours, where they tell the bands apart.

    Examples
    --------
    >>> band_names(("B04", "B03"), ["gray", "undefined"]), band_names((None,), ["gray"])
    (('B04', 'B03'), ('band1',))
    >>> band_names((None,) * 3, ["red", "green", "blue"])
    ('red', 'green', 'blue')
    """
    numbered = [f"band{number}" for number in range(1, len(descriptions) + 1)]
    described = [identifier(text or "", "_") if text else "" for text in descriptions]
    coloured = [colour if colour in {"red", "green", "blue", "alpha"} else "" for colour in colours]
    for names in (described, coloured):
        chosen = [name or number for name, number in zip(names, numbered, strict=True)]
        if any(names) and len({name.lower() for name in chosen}) == len(chosen):
            return tuple(chosen)
    return tuple(numbered)


def _field(file: Any, number: int, name: str, colour: str) -> Field:
    dtype = sample_type(file.dtypes[number - 1])
    if dtype.kind not in "iuf":
        said = file.dtypes[number - 1]
        raise SourceError(f"band {number} has the type {said}; real numbers can be read")
    scale, offset = float(file.scales[number - 1]), float(file.offsets[number - 1])
    if not scale or not np.isfinite([scale, offset]).all():
        raise SourceError(
            f"band {number} has the scale {scale:g} and the offset {offset:g}, by which no number "
            "can be packed"
        )
    categories = _categories(file, number) if colour == "palette" else ()
    return Field(
        name,
        dtype.name,
        uom=file.units[number - 1] or "",
        nil=held_nil(file.nodatavals[number - 1], dtype),
        scale=scale,
        offset=offset,
        title=file.descriptions[number - 1] or name,
        categories=categories,
        overview="mode" if categories else "mean",
    )


def _categories(file: Any, number: int) -> tuple[Category, ...]:
    """Classes of a colour table; of the names only the numbers are known."""
    table = file.colormap(number)
    return tuple(
        Category(value, str(value), f"#{red:02x}{green:02x}{blue:02x}")
        for value, (red, green, blue, alpha) in sorted(table.items())
        if alpha and (red or green or blue or value == 0)
    )


def _ticks(file: Any, path: Path, options: ReadOptions) -> int | None:
    given = instant(options, 1, "standard", path)
    if given is not None:
        return given
    for text in _written_times(file, path):
        try:
            return Timestamp.parse(text).ticks("standard")
        except InvalidTime:
            continue
    return None


def _written_times(file: Any, path: Path) -> Iterator[str]:
    """Times that the file and its name carry, best first."""
    tags = {**file.tags(), **file.tags(ns="IMAGERY")}
    for key, value in tags.items():
        if key.upper().startswith("ACQUISITION"):
            yield str(value)
    if stamp := _TIFF_TIME.match(str(tags.get("TIFFTAG_DATETIME", ""))):
        yield f"{stamp[1]}-{stamp[2]}-{stamp[3]}T{stamp[4]}Z"
    if named := day_in(path.name):
        yield named
