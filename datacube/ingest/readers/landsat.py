"""Landsat scene folders: a GeoTIFF for each band, called after the scene.

Numbers are those of the images; 0 is no data, in the quality band 1. Bands on one grid are a cube,
the panchromatic band on its finer grid is another. The instant is that of the metadata file, else
the date in the scene's name.
"""

import re
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datacube.errors import InvalidTime, SourceError
from datacube.ingest.readers.files import ProductFiles, product_files
from datacube.ingest.readers.images import BandImage, parts_of
from datacube.ingest.readers.parts import Origin, granules_of, opening
from datacube.ingest.readers.raster import grid_of_raster, open_raster
from datacube.ingest.source import Granule, ReadOptions, instant
from datacube.model.fields import Field
from datacube.model.time import Timestamp

_SCENE = re.compile(
    r"^(?P<sensor>L[COTEM]\d\d)_(?P<level>L\w{3})_(?P<place>\d{6})_(?P<day>\d{8})(?:_\d{8}_\d\d_\w\d)?$"
)
_BAND = re.compile(r"_(?:SR_|ST_)?(?P<band>B\d{1,2}|BQA|QA_PIXEL|QA_RADSAT)\.TIF$", re.IGNORECASE)
_QUALITY = ("BQA", "QA_PIXEL", "QA_RADSAT")
_TITLES = {
    "B1": "coastal aerosol",
    "B2": "blue",
    "B3": "green",
    "B4": "red",
    "B5": "near infrared",
    "B6": "short-wave infrared 1",
    "B7": "short-wave infrared 2",
    "B8": "panchromatic",
    "B9": "cirrus",
    "B10": "thermal infrared 1",
    "B11": "thermal infrared 2",
}


@dataclass(frozen=True, slots=True)
class LandsatReader:
    """Reader of Landsat collection 1 and 2 scenes, by their folder or zip archive."""

    name: str = "landsat"

    def sniff(self, path: Path) -> bool:
        """Whether the folder is called like a scene and holds band images."""
        if _SCENE.match(path.name.removesuffix(".zip")) is None:
            return False
        files = product_files(path)
        return files is not None and bool(_images(files))

    def open(self, path: Path, options: ReadOptions) -> AbstractContextManager[tuple[Granule, ...]]:
        """The scene as granules; see :class:`~datacube.ingest.source.SourceReader`."""
        return opening(path, lambda stack: _granules(ProductFiles(path), options, stack))


def _granules(files: ProductFiles, options: ReadOptions, stack: ExitStack) -> tuple[Granule, ...]:
    scene = _SCENE.match(files.path.name.removesuffix(".zip"))
    if scene is None:
        raise SourceError("it is not called like a Landsat scene")
    opened = []
    for band, name in _images(files).items():
        file = open_raster(files.gdal(name), stack)
        path = Path(name)
        field = _field(band, np.dtype(file.dtypes[0]).name, scene["sensor"])
        opened.append(BandImage(field, file, grid_of_raster(file, path), path))
    given = instant(options, 1, "standard", files.path)
    origin = Origin(
        files.path,
        scene[0],
        title=f"Landsat {scene['sensor']} {scene['level']}, path and row {scene['place']}",
        attribution="Landsat data courtesy of the U.S. Geological Survey",
    )
    parts = parts_of(opened, _sensed(files, scene["day"]) if given is None else given)
    name = f"landsat-{scene['sensor']}-{scene['level']}-{scene['place']}".lower()
    return granules_of(parts, origin, options, name)


def _images(files: ProductFiles) -> dict[str, str]:
    """Images by band, in the order of the bands; quality last."""
    found = {}
    for name in files.names:
        if "/" not in name and (one := _BAND.search(name)):
            found[one["band"].upper()] = name
    return {band: found[band] for band in sorted(found, key=_place)}


def _place(band: str) -> tuple[bool, int, str]:
    number = int(band[1:]) if band[1:].isdigit() else 0
    return band in _QUALITY, number, band


def _field(band: str, dtype: str, sensor: str) -> Field:
    if band in _QUALITY:
        nil = None if band == "QA_RADSAT" else 1
        return Field(band, dtype, nil=nil, title="quality bits", overview="nearest")
    words = _TITLES.get(band) if sensor in {"LC08", "LC09", "LO08"} else None
    return Field(band, dtype, uom="1", nil=0, title=f"{band} {words}" if words else band)


def _sensed(files: ProductFiles, day: str) -> int:
    """When the scene was taken: by its metadata to the second, else by its name to the day."""
    text = f"{day[:4]}-{day[4:6]}-{day[6:]}T00:00:00Z"
    document = next((one for one in files.names if one.endswith("_MTL.txt")), None)
    if document is not None:
        said = files.read(document).decode("utf-8", "replace")
        clock = re.search(r"SCENE_CENTER_TIME = \"?(\d\d:\d\d:\d\d)", said)
        text = text.replace("00:00:00", clock[1]) if clock else text
    try:
        return Timestamp.parse(text).ticks("standard")
    except InvalidTime as error:
        raise SourceError(f"the date in the scene's name is none: {day}") from error
