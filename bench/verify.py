"""Whether an answer is right: against the values themselves, worked out by numpy and PROJ."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from itertools import islice

import numpy as np
import zarr
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer

from bench import cubes
from bench.asks import Ask, CutAsk, MapAsk, PointAsk, R
from bench.scale import Scale
from bench.scenes import S2_NIL, SST_NIL, SST_SCALE

CLOSE = 24  # levels of a channel that resampling and colour tables may differ by
ENOUGH = 0.75  # share of pixels that are close, or correlation
ENOUGH_MEAN = 0.9  # correlation; the palette's steps alone leave 0.94


class Wrong(Exception):
    """What is wrong with an answer."""


class Truth:
    """The data sets as the peers have them."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self._peers = scale.home / "peers"

    @cached_property
    def sst(self) -> zarr.Array:
        """int16, (day, lat, lon)."""
        return zarr.open_array(self._peers / "sst.zarr" / "0" / "sst", mode="r")

    @cached_property
    def s2(self) -> zarr.Array:
        """uint16, (date, band, y, x)."""
        return zarr.open_array(self._peers / "s2.zarr" / "0" / "s2", mode="r")

    @cached_property
    def ocean(self) -> zarr.Array:
        """float32, (step, depth, lat, lon)."""
        return zarr.open_array(self._peers / "ocean.zarr" / "0" / "temperature", mode="r")

    def check(self, ask: Ask, body: bytes) -> float:
        """How far an answer agrees, 0 … 1.

        Raises
        ------
        Wrong
            It is no such picture or file, or other values.
        """
        match ask:
            case MapAsk():
                return self._check_map(ask, body)
            case CutAsk():
                return self._check_cut(ask, body)
            case PointAsk():
                return self._check_point(ask, body)

    def colourful(self, ask: Ask) -> bool:
        """Whether there is enough to see on a picture; always of values."""
        if not isinstance(ask, MapAsk):
            return True
        want, seen = self._picture(ask)
        return bool(seen.mean() > 0.4 and want[seen].std() > 4)

    def _check_map(self, ask: MapAsk, body: bytes) -> float:
        try:
            picture = Image.open(io.BytesIO(body)).convert("RGBA")
        except OSError as error:
            raise Wrong(f"no picture: {body[:80]!r}") from error
        if picture.size != (ask.width, ask.height):
            raise Wrong(f"a picture of {picture.size}")
        got = np.asarray(picture).astype(np.int16)
        want, seen = self._picture(ask)
        seen &= got[..., 3] > 0
        if seen.mean() < 0.05:
            raise Wrong("an empty picture")
        match = self._match(ask, got[..., :3][seen], want[seen], seen)
        if not match >= (ENOUGH_MEAN if ask.what == "mean" else ENOUGH):
            raise Wrong(f"other values: {match:.2f} of the pixels agree")
        return match

    def _match(
        self, ask: MapAsk, got: NDArray[np.int16], want: NDArray[np.int16], seen: NDArray[np.bool_]
    ) -> float:
        """Share of close pixels, or how values go together where colours may be chosen freely."""
        if ask.what == "ndvi":  # own colours, bright or green where it is high
            order = want.sum(axis=-1)
            greener = got[..., 1] - got[..., 0]
            return max(_correlated(got.sum(axis=-1), order), _correlated(greener, order))
        if ask.what == "mean":  # what sets it off from the first day
            first = _shades(self._picture(replace(ask, what="sst", step=0))[0][seen])
            return _correlated(_shades(got) - first, _shades(want) - first)
        return float((np.abs(got - want).max(axis=-1) <= CLOSE).mean())

    def _picture(self, ask: MapAsk) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        left, bottom, right, top = ask.box
        x = left + (np.arange(ask.width) + 0.5) * (right - left) / ask.width
        y = top - (np.arange(ask.height) + 0.5) * (top - bottom) / ask.height
        viridis = colormaps["viridis"]
        if ask.what in {"sst", "mean"}:
            _, height, width = self.scale.sst
            if ask.crs == "EPSG:3857":
                x, y = x * 180 / R, np.degrees(np.arctan(np.sinh(y * np.pi / R)))
            rows = np.clip(((90 - y) * height / 180).astype(int), 0, height - 1)
            columns = np.clip(((x + 180) * width / 360).astype(int), 0, width - 1)
            a, b, c, d = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
            days = slice(None) if ask.what == "mean" else slice(ask.step, ask.step + 1)
            block = np.asarray(self.sst[days, a:b, c:d])[:, rows - a][:, :, columns - c]
            seen = block[0] != SST_NIL
            share = block.mean(axis=0) * SST_SCALE / 30
            return _bytes(viridis(np.clip(share, 0, 1))), seen
        to_utm = Transformer.from_crs("EPSG:3857", "EPSG:32632", always_xy=True).transform
        e, n = to_utm(*np.meshgrid(x, y))
        side = self.scale.s2[1]
        columns = ((e - cubes.S2_CORNER[0]) / cubes.S2_CELL).astype(int)
        rows = ((cubes.S2_CORNER[1] - n) / cubes.S2_CELL).astype(int)
        inside = (columns >= 0) & (columns < side) & (rows >= 0) & (rows < side)
        rows, columns = np.clip(rows, 0, side - 1), np.clip(columns, 0, side - 1)
        a, b, c, d = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        block = np.asarray(self.s2[ask.step, :, a:b, c:d])[:, rows - a, columns - c].astype(float)
        seen = inside & (block[0] != S2_NIL)
        if ask.what == "rgb":
            return _bytes(np.clip(np.moveaxis(block[[2, 1, 0]], 0, -1) / 3000, 0, 1)), seen
        total = np.where(seen, block[3] + block[2], 1)
        return _bytes(viridis(np.clip((block[3] - block[2]) / total / 2 + 0.5, 0, 1))), seen

    def _check_cut(self, ask: CutAsk, body: bytes) -> float:
        rows, columns = (
            slice(ask.row, ask.row + ask.rows),
            slice(ask.column, ask.column + ask.columns),
        )
        if ask.what == "ocean":
            want = np.asarray(self.ocean[ask.step, :, rows, columns])
            got = _netcdf(body, want.shape)
        else:
            want = np.asarray(self.sst[ask.step, rows, columns]).astype(float)
            want[want == SST_NIL] = np.nan
            got = _geotiff(body, want.shape)
        scale = 1.0 if np.nanmax(np.abs(got)) > 50 or ask.what == "ocean" else SST_SCALE
        close = np.isclose(got, want * scale, rtol=0, atol=1e-4) | (np.isnan(got) & np.isnan(want))
        if not close.mean() >= 0.99:
            raise Wrong(f"other values: {close.mean():.2f} of the cells agree")
        return float(close.mean())

    def _check_point(self, ask: PointAsk, body: bytes) -> float:
        packed = np.asarray(self.sst[:, ask.row, ask.column])
        text = body.decode("utf-8", "replace")
        numbers = {round(float(one), 3) for one in re.findall(r"-?\d+\.\d+|-?\d+", text)}
        share = np.mean(
            [round(float(one) * SST_SCALE, 3) in numbers or float(one) in numbers for one in packed]
        )
        if share < 1:
            raise Wrong(f"other values: {share:.2f} of the steps agree; {text[:80]!r}")
        return float(share)


def _correlated(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def _shades(colors: NDArray[np.int16]) -> NDArray[np.intp]:
    """Place of the nearest colour of viridis, of every ninth pixel."""
    table = _bytes(colormaps["viridis"](np.linspace(0, 1, 256)))
    return np.abs(colors[::9, np.newaxis] - table).sum(axis=-1).argmin(axis=1)


def _bytes(colors: NDArray[np.floating]) -> NDArray[np.int16]:
    return np.round(np.asarray(colors)[..., :3] * 255).astype(np.int16)


def _netcdf(body: bytes, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """The values of the only large variable, or of a variable for each level."""
    from netCDF4 import Dataset  # noqa: PLC0415

    try:
        with Dataset("answer.nc", memory=body) as file:
            lat = file["lat"][:] if "lat" in file.variables else np.array([1, 0])
            held = [
                np.ma.filled(one[:].astype(np.float32), np.nan).squeeze()
                for one in file.variables.values()
                if one.shape[-2:] == shape[-2:]
            ]
    except OSError as error:
        raise Wrong(f"no NetCDF: {body[:80]!r}") from error
    whole = held[0] if len(held) == 1 else np.stack(held) if held else np.zeros(0)
    if whole.shape != shape:
        raise Wrong(f"values of shape {whole.shape} instead of {shape}")
    return whole if lat[0] > lat[-1] else whole[:, ::-1]


def _geotiff(body: bytes, shape: tuple[int, ...]) -> NDArray[np.floating]:
    from rasterio.io import MemoryFile  # noqa: PLC0415

    try:
        with MemoryFile(body) as memory, memory.open() as file:
            values = file.read(1).astype(float)
            if file.nodata is not None:
                values[values == file.nodata] = np.nan
            values[values == SST_NIL] = np.nan
            if file.count > 1:  # titiler adds a mask
                values[file.read(file.count) == 0] = np.nan
    except Exception as error:
        raise Wrong(f"no GeoTIFF: {body[:80]!r}") from error
    if values.shape != shape:
        raise Wrong(f"values of shape {values.shape} instead of {shape}")
    return values


def probes(workload: str, make: Callable[[Scale, int], list[Ask]], scale: Scale) -> list[Ask]:
    """Questions at which the finest level answers and there is something to see."""
    truth = Truth(scale)
    fit = (ask for ask in make(scale, 3000) if _fine(truth, workload, ask) and truth.colourful(ask))
    return list(islice(fit, 3))


def _fine(truth: Truth, workload: str, ask: Ask) -> bool:
    match ask:
        case MapAsk(tile=(z, _, _)):
            return z == (6 if workload == "W1" else 14)
        case MapAsk():
            pixel = (ask.box[2] - ask.box[0]) / ask.width
            return pixel < (16 if ask.crs == "EPSG:3857" else 360 / truth.scale.sst[2])
        case PointAsk():
            return bool(truth.sst[0, ask.row, ask.column] != SST_NIL)
        case _:
            return True
