"""The data of the WMS suite, which come with it as PNG with world files, as cubes."""

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from datacube.model.fields import Field
from tests.conformance.suites import checkouts
from tests.cubes import make_cube

ARCHIVE = "ets-wms13/src/site/resources/png-worldfiles-wms-1.3.0.zip"
LAYERS = (
    *("BasicPolygons", "Bridges", "Buildings", "DividedRoutes", "Forests"),
    *("MapNeatline", "NamedPlaces", "Ponds", "RoadSegments", "Streams"),
)


def make_pictures(folder: Path) -> None:
    """Write a cube of red, green and blue for each picture."""
    with zipfile.ZipFile(checkouts() / ARCHIVE) as archive:
        for name in LAYERS:
            _make(folder, name, archive.read(f"{name}.png"), archive.read(f"{name}.pgw"))


def _make(folder: Path, name: str, png: bytes, world: bytes) -> None:
    with Image.open(BytesIO(png)) as image:
        pixels = np.asarray(image.convert("RGBA"))
    colors = pixels[..., :3].copy()
    nil = int(np.setdiff1d(np.arange(256), colors[pixels[..., 3] > 127])[0])
    colors[pixels[..., 3] <= 127] = nil
    height, width = colors.shape[:2]
    dx, _, _, dy, x, y = map(float, world.split())
    left, top = x - dx / 2, y - dy / 2

    def cells(_time, _level, field, row, column):
        return colors[row, column, field]

    make_cube(
        folder,
        name,
        width=width,
        height=height,
        bbox=(left, top + dy * height, left + dx * width, top),
        times=None,
        title=f"cite:{name}",
        fields=[Field(one, dtype="uint8", nil=nil) for one in ("red", "green", "blue")],
        formula=cells,
    )
