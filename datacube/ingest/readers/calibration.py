"""Radiometric calibration of Sentinel-1 GRD: from amplitudes to backscatter.

Sentinel-1 product specification (S1-RS-MDA-52-7441), calibration and noise annotation data sets:
the backscatter is ``(DN² - noise) / A²``, where A and the noise are given on vectors of pixels at
some lines and are bilinear between them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from numpy.typing import NDArray

from datacube.config.products import CalibrationSettings
from datacube.errors import SourceError
from datacube.ingest.readers.files import ProductFiles
from datacube.ingest.source import BandSource

FloatArray = NDArray[np.float64]

_TABLES = {"sigma0": "sigmaNought", "beta0": "betaNought", "gamma0": "gamma"}


@dataclass(frozen=True, eq=False)
class Vectors:
    """Numbers on vectors of pixels at some lines, bilinear between them.

    Parameters
    ----------
    lines : float64, (n,), ascending
    pixels : n arrays of float64, ascending
    values : n arrays of float64

    Examples
    --------
    >>> pixels, values = np.array([0.0, 2.0]), np.array([1.0, 3.0])
    >>> Vectors(np.array([0.0, 2.0]), (pixels,) * 2, (values, values + 2)).at(1, 3, 0, 3).tolist()
    [[2.0, 3.0, 4.0], [3.0, 4.0, 5.0]]
    """

    lines: FloatArray
    pixels: Sequence[FloatArray]
    values: Sequence[FloatArray]

    def at(self, row0: int, row1: int, column0: int, column1: int) -> FloatArray:
        """The numbers of a window; float64, (row1 - row0, column1 - column0)."""
        rows, columns = np.arange(row0, row1, dtype=float), np.arange(column0, column1, dtype=float)
        number = np.interp(rows, self.lines, np.arange(len(self.lines), dtype=float))
        above = np.minimum(number.astype(np.intp), max(len(self.lines) - 2, 0))
        first, last = int(above.min()), min(int(above.max()) + 2, len(self.lines))
        known = np.stack(
            [np.interp(columns, self.pixels[n], self.values[n]) for n in range(first, last)]
        )
        upper = above - first
        lower = np.minimum(upper + 1, len(known) - 1)
        share = (number - above)[:, None]
        return np.asarray(known[upper] * (1 - share) + known[lower] * share)


@dataclass(frozen=True, eq=False)
class Block:
    """Factors of the noise along the lines of one block of pixels (both ends are in it)."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    lines: FloatArray
    factors: FloatArray


@dataclass(frozen=True, eq=False)
class Noise:
    """Thermal noise in squared amplitudes.

    Parameters
    ----------
    across : Vectors
    along : tuple of Block
        Its factors; 1 where there is none, as in products before 2018.
    """

    across: Vectors
    along: tuple[Block, ...] = ()

    def at(self, row0: int, row1: int, column0: int, column1: int) -> FloatArray:
        """The noise of a window."""
        found = self.across.at(row0, row1, column0, column1)
        for block in self.along:
            top, bottom = max(row0, block.rows[0]), min(row1, block.rows[1] + 1)
            left, right = max(column0, block.columns[0]), min(column1, block.columns[1] + 1)
            if top < bottom and left < right:
                factors = np.interp(np.arange(top, bottom), block.lines, block.factors)
                part = found[top - row0 : bottom - row0, left - column0 : right - column0]
                part *= factors[:, None]
        return found


@dataclass(frozen=True, eq=False)
class CalibratedBand:
    """Backscatter, linear; amplitudes of 0 are no data.

    Parameters
    ----------
    band : BandSource, amplitudes
    gain : Vectors
    noise : Noise, optional
    """

    band: BandSource
    gain: Vectors
    noise: Noise | None

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        window = row0, row1, column0, column1
        amplitude = self.band.read(index, *window)
        power = np.square(amplitude.astype(np.float64))
        if self.noise is not None:
            power = np.maximum(power - self.noise.at(*window), 0.0)
        power /= np.square(self.gain.at(*window))
        power[amplitude == 0] = np.nan
        return power.astype(np.float32)


def calibrated(
    band: BandSource, files: ProductFiles, image: str, wanted: CalibrationSettings
) -> CalibratedBand:
    """A band of amplitudes as backscatter.

    Parameters
    ----------
    band : BandSource
    files : ProductFiles
    image : str
        Its name in the product; the annotations are called after it.
    wanted : CalibrationSettings

    Raises
    ------
    SourceError
        The product has no calibration or noise annotation, or one that cannot be read.
    """
    stem = PurePosixPath(image).stem
    root = _document(files, f"annotation/calibration/calibration-{stem}.xml")
    gain = _vectors(root.iter("calibrationVector"), _TABLES[wanted.quantity])
    if not wanted.noise:
        return CalibratedBand(band, gain, None)
    root = _document(files, f"annotation/calibration/noise-{stem}.xml")
    if root.find("noiseRangeVectorList") is None:
        return CalibratedBand(band, gain, Noise(_vectors(root.iter("noiseVector"), "noiseLut")))
    across = _vectors(root.iter("noiseRangeVector"), "noiseRangeLut")
    return CalibratedBand(band, gain, Noise(across, tuple(_blocks(root))))


def _document(files: ProductFiles, name: str) -> Any:
    if not files.has(name):
        raise SourceError(
            f"the product has no {name}; without `calibration` the recipe takes amplitudes as "
            "they are stored"
        )
    try:
        return fromstring(files.read(name))
    except (ParseError, DefusedXmlException) as error:
        raise SourceError(f"{name} cannot be read: {error}") from error


def _vectors(found: Iterator[Any], table: str) -> Vectors:
    ordered = sorted(found, key=lambda one: float(one.findtext("line", "nan")))
    lines = np.array([float(one.findtext("line", "nan")) for one in ordered])
    pixels, values = ([_numbers(one, tag) for one in ordered] for tag in ("pixel", table))
    sizes = zip(pixels, values, strict=True)
    if not ordered or any(len(one) != len(other) or not len(one) for one, other in sizes):
        raise SourceError(f"its annotation has no usable {table}")
    return Vectors(lines, pixels, values)


def _blocks(root: Any) -> Iterator[Block]:
    for one in root.iter("noiseAzimuthVector"):
        corners = [
            int(one.findtext(tag, "0"))
            for tag in (
                "firstAzimuthLine",
                "lastAzimuthLine",
                "firstRangeSample",
                "lastRangeSample",
            )
        ]
        rows, columns = (corners[0], corners[1]), (corners[2], corners[3])
        yield Block(rows, columns, _numbers(one, "line"), _numbers(one, "noiseAzimuthLut"))


def _numbers(element: Any, tag: str) -> FloatArray:
    return np.array(element.findtext(tag, "").split(), np.float64)
