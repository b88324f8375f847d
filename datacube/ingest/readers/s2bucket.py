"""A Sentinel-2 tile as it lies in the open-data bucket: images by band beside tileInfo.json.

Level 2A has the folders R10m, R20m and R60m, level 1C the images alone. The documents of the whole
product are elsewhere; the numbers that they would give are those of the processing baseline in
the product's name: reflectance = (number + offset) / 10000, with the offset -1000 since 04.00.
"""

import json
import re
from typing import Any

from datacube.errors import InvalidTime, SourceError
from datacube.ingest.readers.files import ProductFiles
from datacube.ingest.readers.safe import BAND_IDS, Product
from datacube.model.time import Timestamp

_IMAGE = re.compile(r"^(?:R(?P<metres>\d\d)m/)?(?P<band>B\d\d|B8A|SCL)\.jp2$")
_BASELINE = re.compile(r"_N(?P<baseline>\d{4})_")
_SENSED = re.compile(r"_(?P<day>\d{8})T(?P<clock>\d{6})_")
_SHIFTED = "0400"
_OFFSET = -1000.0


def is_bucket_tile(files: ProductFiles) -> bool:
    """Whether there is a tileInfo.json beside images of bands."""
    return files.has("tileInfo.json") and any(_IMAGE.match(name) for name in files.names)


def read_tile(files: ProductFiles) -> Product:
    """What tileInfo.json and the names of the images say.

    Raises
    ------
    SourceError
        The document is damaged, or lacks what is needed.
    """
    try:
        said: dict[str, Any] = json.loads(files.read("tileInfo.json"))
        tile = f"{int(said['utmZone']):02d}{said['latitudeBand']}{said['gridSquare']}"
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"tileInfo.json does not name the tile: {error!r}") from error
    found = [(one["band"], name) for name in sorted(files.names) if (one := _IMAGE.match(name))]
    level = "L2A" if any("/" in name for _, name in found) else "L1C"
    product = str(said.get("productName") or "")
    baseline = _BASELINE.search(product)
    if baseline is None:
        raise SourceError(
            f"tileInfo.json names the product '{product}', which does not say its processing "
            "baseline, so that the offset of its reflectance is not known"
        )
    number = baseline["baseline"]
    offset = _OFFSET if number >= _SHIFTED else 0.0
    return Product(
        level,
        f"{product}:{tile}",
        tile,
        _sensing(product, said),
        f"{number[:2]}.{number[2:]}",
        10_000.0,
        0,
        tuple(found),
        dict.fromkeys(BAND_IDS, offset) if offset else {},
    )


def _sensing(product: str, said: dict[str, Any]) -> int:
    """Start of the datatake by the product's name, else the tile's own time."""
    named = _SENSED.search(product)
    text = str(said.get("timestamp", ""))
    if named is not None:
        day, clock = named["day"], named["clock"]
        text = f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}Z"
    try:
        return Timestamp.parse(text).ticks("standard")
    except InvalidTime as error:
        raise SourceError(f"tileInfo.json: {error.message}") from error
