"""NetCDF files of any make: what was written is in the cube, value for value.

Each number seeds one file: its format, types, byte orders, packing, filters, chunks, order of
dimensions and of times, axes and what is never written are drawn; the same number gives the same.
"""

import random
from pathlib import Path
from typing import Any

import cftime
import netCDF4
import numpy as np
import pytest
from numpy.typing import NDArray

from datacube.ingest.pipeline import ingest
from datacube.store.maintain import verify
from tests.unit.ingest.products import opened, whole

FORMATS = (*["NETCDF4"] * 5, "NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA")
THREE = ("i1", "i2", "i4", "f4", "f8")
FIVE = (*THREE, "u1", "u2", "u4", "i8", "u8")
CALENDARS = ("standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day")
UNITS = ("seconds", "minutes", "hours", "days", "milliseconds")
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"compression": "zlib", "shuffle": True},
    {"compression": "zlib", "shuffle": False},
    {"compression": "zlib", "fletcher32": True},
    {"compression": "zstd"},
)
SIZES = {"time": 3, "level": 2, "lat": 9, "lon": 14}


class Made:
    """A file, and what must come of it.

    Parameters
    ----------
    path : Path
    seed : int
    """

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self.draw, self.numbers = random.Random(seed), np.random.default_rng(seed)  # noqa: S311
        self.kind = self.draw.choice(FORMATS)
        self.scale, self.offset = 1.0, 0.0
        with netCDF4.Dataset(path, "w", format=self.kind) as file:
            self._axes(file)
            self.field(file)

    def _axes(self, file: netCDF4.Dataset) -> None:
        endless = self.draw.random() < 0.5
        for name, size in SIZES.items():
            file.createDimension(name, None if name == "time" and endless else size)
        step = self.draw.choice((0.25, 1 / 3, 1.0))
        self.lat = (self.draw.choice((-1, 1)) * (step * np.arange(9) - 4)).astype("f4")
        self.lon = ((self.draw.choice((0, 175, 358)) + step * np.arange(14)) % 360).astype("f4")
        for name, values, units in (
            ("lat", self.lat, "degrees_north"),
            ("lon", self.lon, "degrees_east"),
            ("level", np.array([500, 850], "i4"), "hPa"),
        ):
            one = file.createVariable(name, values.dtype, (name,))
            one.units, one[:] = units, values
        self.hours = np.array(self.draw.sample(range(-400, 60_000), 3))
        time = file.createVariable("time", self.draw.choice(("f8", "i4")), ("time",))
        time.units = f"{self.draw.choice(UNITS)} since 1890-03-01 06:00"
        time.calendar = self.draw.choice(CALENDARS)
        if self.draw.random() < 0.2:
            time.scale_factor = 2.0
        time.set_auto_maskandscale(False)
        time[:] = self.hours
        self.instants = cftime.num2date(
            np.sort(self.hours) * float(getattr(time, "scale_factor", 1.0)),
            time.units,
            time.calendar,
            only_use_cftime_datetimes=True,
        )

    def field(self, file: netCDF4.Dataset) -> None:
        """Write ``v``, and keep what must be found: stored numbers and where there are none."""
        draw, order = self.draw, ["time", "level", "lat", "lon"]
        hdf = self.kind == "NETCDF4"
        if hdf:
            draw.shuffle(order)
        dtype = np.dtype(
            draw.choice(THREE if "3_C" in self.kind or "OFFSET" in self.kind else FIVE)
        )
        fill = self._fill(dtype)
        stored, options = self._storage(dtype, order) if hdf else (dtype, {})
        made = file.createVariable("v", stored, order, fill_value=fill, **options)
        made.set_auto_maskandscale(False)
        values = self._values(dtype, [SIZES[name] for name in order])
        gone = np.zeros(values.shape, bool)
        if fill is not None:
            gone = self.numbers.random(values.shape) < 0.1
            values[gone] = fill
            gone |= np.isnan(values) if np.isnan(fill) else values == fill
            other = dtype.type(17)
            made.missing_value = other
            gone |= values == other
        written = 2 if fill is not None and draw.random() < 0.3 else 3
        place: list[Any] = [slice(None)] * 4
        place[order.index("time")] = slice(0, written)
        made[tuple(place)] = values[tuple(place)]
        place[order.index("time")] = slice(written, 3)
        gone[tuple(place)] = True
        self._pack(made)
        wanted = [order.index(name) for name in SIZES]
        ascending = np.argsort(self.hours)
        self.gone = gone.transpose(wanted)[ascending]
        if dtype.kind == "f":
            self.gone |= np.isnan(values.transpose(wanted)[ascending])
        self.values = values.transpose(wanted)[ascending]

    def _storage(
        self, dtype: np.dtype[Any], order: list[str]
    ) -> tuple[np.dtype[Any], dict[str, Any]]:
        """Type with its byte order, filters and chunks of NetCDF-4."""
        options: dict[str, Any] = dict(self.draw.choice(FILTERS))
        if options or self.draw.random() < 0.5:
            options["chunksizes"] = [self.draw.choice((1, 2, SIZES[name])) for name in order]
        options["endian"] = self.draw.choice(("little", "big"))
        return dtype.newbyteorder(options["endian"]), options

    def _fill(self, dtype: np.dtype[Any]) -> Any:
        if self.draw.random() < 0.4:
            return None
        if dtype.kind == "f":
            return self.draw.choice((np.nan, -9999.0, 0.0, 2.0**100))
        info = np.iinfo(dtype)
        return self.draw.choice((info.min, info.max, 0, 99))

    def _values(self, dtype: np.dtype[Any], shape: list[int]) -> NDArray[Any]:
        if dtype.kind != "f":
            info = np.iinfo(dtype)
            wide = self.draw.random() < 0.5
            low, high = (info.min, info.max) if wide else (0, 40)
            return self.numbers.integers(low, high, shape, dtype=dtype, endpoint=True)
        values = self.numbers.normal(size=shape).astype(dtype)
        values[self.numbers.random(shape) < 0.05] = self.draw.choice(
            (np.nan, np.inf, -np.inf, -0.0)
        )
        return values

    def _pack(self, made: Any) -> None:
        if self.draw.random() < 0.5:
            made.scale_factor = self.draw.choice((np.float32(0.1), 0.01, -2.0, np.int16(3)))
            made.add_offset = self.draw.choice((np.float32(0.3), 273.15, np.int32(-7)))
            self.scale, self.offset = float(made.scale_factor), float(made.add_offset)


def iso(instant: Any) -> str:
    """An instant of cftime to the millisecond."""
    text: str = f"{instant.year:04d}-{instant.month:02d}-{instant.day:02d}T"
    text += f"{instant.hour:02d}:{instant.minute:02d}:{instant.second:02d}"
    milliseconds = round(instant.microsecond / 1000)
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"


@pytest.mark.parametrize("decade", range(6))
def test_what_was_written_is_in_the_cube(tmp_path, decade):
    for seed in range(10 * decade, 10 * decade + 10):
        made = Made(tmp_path / f"a{seed}.nc", seed)
        store = tmp_path / f"store{seed}"
        (result,) = ingest([str(made.path)], store=str(store), cube="a").results
        said = f"{seed}: {result.reason}"
        assert result.status == "ingested", said
        cube = opened(store, "a")
        assert verify(cube) == [], said
        (field,) = cube.description.range_type.fields
        assert (field.scale, field.offset) == (made.scale, made.offset), said
        assert cube.description.domain.time.iso == tuple(map(iso, made.instants)), said
        found = np.stack([whole(cube, "v", t) for t in range(3)])
        assert found.dtype == made.values.dtype, said
        none = np.isnan(found) if field.nil is None else found == field.nil
        if field.nil is None and found.dtype.kind != "f":
            none = np.zeros(found.shape, bool)
        np.testing.assert_array_equal(none, made.gone, said)
        np.testing.assert_array_equal(found[~none], made.values[~none], said)
        grid = cube.description.domain.rectified
        rows, columns = grid.transform.f + grid.dy / 2, grid.transform.c + grid.dx / 2
        assert rows + grid.dy * np.arange(9) == pytest.approx(made.lat, abs=1e-4), said
        east = (columns + grid.dx * np.arange(14) - made.lon + 180) % 360 - 180
        assert np.abs(east).max() < 1e-4, said
