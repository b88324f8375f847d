"""Zarr groups of closed-form values, written by zarr-python as other programs write them."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import Context, make_context
from datacube.engine.coverage import get_coverage
from datacube.engine.map import render_map
from datacube.engine.sample import get_samples
from datacube.model.crs import CRS84
from datacube.model.grid import RectifiedGrid
from datacube.model.query import CoverageQuery, LayerRequest, MapQuery, SampleQuery, TimeChoice
from datacube.model.time import Timestamp
from datacube.render.style import ColorRamp
from datacube.store.objects import ObjectStore

GRAY = ColorRamp("gray-values", "", "", "gray", 0.0, 255.0)
TIMES, HEIGHT, WIDTH = 5, 9, 14
LON = 0.5 + np.arange(WIDTH)
LAT = 48.5 - np.arange(HEIGHT)
DAYS = np.arange(TIMES)


def shade(t: Any, k: Any, y: Any, x: Any) -> Any:
    """Physical value of a cell: a multiple of 4 from 0 to 120."""
    return 4 * ((7 * np.asarray(t) + 15 * k + 10 * y + x) % 31)


def shades(times: int = TIMES, levels: int = 1) -> np.ndarray:
    """All values; float64, (time, level, y, x)."""
    return shade(*np.indices((times, levels, HEIGHT, WIDTH))).astype(float)


def holes(values: np.ndarray) -> np.ndarray:
    """Where a test has no data: every eleventh cell."""
    return (np.arange(values.size) % 11 == 5).reshape(values.shape)


class Group:
    """One group on disk.

    Parameters
    ----------
    folder : Path
    version : 2 or 3
    attributes : mapping
    """

    def __init__(
        self, folder: Path, version: int = 3, attributes: Mapping[str, Any] | None = None
    ) -> None:
        self.folder = folder
        self.version = version
        self.root = zarr.open_group(str(folder), mode="a", zarr_format=version)
        self.root.attrs.update(dict(attributes or {}))

    def array(
        self,
        name: str,
        dims: Sequence[str],
        values: Any,
        attributes: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> zarr.Array:
        """Write an array; ``chunks`` and the like as of zarr-python."""
        values = np.asarray(values)
        options.setdefault("chunks", values.shape or "auto")
        options.setdefault("dtype", values.dtype)
        options.setdefault("fill_value", None if self.version == 2 else 0)
        own = dict(attributes or {})
        if self.version == 3:
            options["dimension_names"] = list(dims)
        else:
            own["_ARRAY_DIMENSIONS"] = list(dims)
        with warnings.catch_warnings():
            # dtypes and codecs that are no part of the v3 specification
            warnings.simplefilter("ignore")
            made = self.root.create_array(
                name, shape=values.shape, attributes=own, overwrite=True, **options
            )
            made[...] = values
        return made

    def lonlat(self, lon: Any = LON, lat: Any = LAT) -> "Group":
        """Coordinates of longitude and latitude."""
        self.array("lon", ["lon"], lon, {"units": "degrees_east", "standard_name": "longitude"})
        self.array("lat", ["lat"], lat, {"units": "degrees_north", "standard_name": "latitude"})
        return self

    def days(self, values: Any = DAYS, **attributes: Any) -> "Group":
        """Days since 2020."""
        said = {"units": "days since 2020-01-01", "calendar": "standard", **attributes}
        self.array("time", ["time"], np.asarray(values), said)
        return self

    def consolidate(self) -> "Group":
        """Write the consolidated metadata too."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            zarr.consolidate_metadata(str(self.folder), zarr_format=self.version)
        return self


def serve(store: ObjectStore, *names: str) -> Context:
    """A context over a store whose cubes of these names are drawn in grays."""
    config = Config(cubes={name: CubeSettings(styles=(GRAY,)) for name in names})
    return make_context(store, config)


def check_values(context: Context, cube_id: str, expected: np.ndarray, field: str = "v") -> None:
    """Whole coverage, one place and one map are the expected physical values.

    Parameters
    ----------
    expected : float64, (axes…, y, x) as the cube lies; NaN where there is no data
    """
    cube = context.catalog.cube(cube_id)
    block = get_coverage(context, CoverageQuery(cube_id)).blocks[field]
    physical = block.field.decode(block.data, block.valid)
    assert physical.shape == expected.shape
    np.testing.assert_allclose(physical, expected, rtol=0, atol=1e-4)
    assert (block.valid == ~np.isnan(expected)).all()
    grid = cube.description.domain.rectified
    time = cube.description.domain.time
    # the second time and the first place of every other axis
    first = tuple(
        1 if axis is time and axis.size > 1 else 0 for axis in cube.description.domain.axes
    )
    plane = expected[first]
    choice = None
    if time is not None:
        choice = TimeChoice(Timestamp.parse(time.iso[1 if time.size > 1 else 0]))
    request = LayerRequest(f"{cube_id}.{field}", time=choice)
    for row, column in ((3, 6), (grid.height - 1, 0)):
        x, y = float(grid.x_centres()[column]), float(grid.y_centres()[row])
        sample = get_samples(context, SampleQuery((request,), x, y, grid.crs)).samples[0]
        value = float("nan") if sample.value is None else sample.value
        np.testing.assert_allclose(value, plane[row, column], atol=1e-4)
    np.testing.assert_array_equal(_drawn(context, request, grid), _painted(plane, grid))


def _drawn(context: Context, request: LayerRequest, grid: RectifiedGrid) -> np.ndarray:
    target = RectifiedGrid.from_bbox(grid.bbox, grid.width, grid.height)
    image = render_map(context, MapQuery((request,), target, transparent=True)).image
    pixels = image.rgba().pixels.astype(int)
    return np.where(pixels[..., 3] == 0, -1, (pixels[..., 0] + 2) // 4 * 4)


def _painted(plane: np.ndarray, grid: RectifiedGrid) -> np.ndarray:
    shown = np.where(np.isnan(plane), -1, np.round(np.nan_to_num(plane))).astype(int)
    shown = shown[:, ::-1] if grid.dx < 0 else shown
    return shown[::-1] if grid.dy > 0 else shown


__all__ = ["CRS84", "GRAY", "Group", "check_values", "holes", "serve", "shades"]
