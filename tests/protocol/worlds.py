"""Closed-form cubes, where each of their cells lies in plain numbers, and how to ask for it.

The value of a cell is ``1000 * t + 10 * row + column + 100_000 * level``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import numpy as np
import pyproj

from datacube.config.settings import CubeSettings
from datacube.model.axis import IrregularAxis
from datacube.model.fields import Field
from datacube.render.style import ColorRamp
from tests.cubes import make_cube

SIDE = 10  # cells, in x and in y
TIMES = ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "2020-02-29T12:00:00Z")
CELLS = ((0, 0, 0), (1, 0, 9), (2, 9, 0), (1, 9, 9), (1, 3, 7), (2, 4, 5))  # time, row, column

PLAIN = Field("v", "int32")
PACKED = Field("v", "int16", "K", nil=-32768, scale=0.01, offset=273.15)


@dataclass(frozen=True)
class World:
    """A cube: centre of its first cell, signed steps, CRS, levels, packing.

    ``x0``, ``dx``, ``y0``, ``dy`` are in the CRS' unit, x before y.
    """

    id: str
    x0: float = -162.0
    dx: float = 36.0
    y0: float = 81.0
    dy: float = -18.0
    crs: str = "EPSG:4326"
    vertical: str = ""
    levels: tuple[float, ...] = ()
    field: Field = PLAIN
    labels: tuple[str, str] = ("Long", "Lat")

    def make(self, store: Path) -> None:
        axes = (IrregularAxis(self.vertical, np.array(self.levels)),) if self.levels else ()
        make_cube(
            store,
            self.id,
            times=TIMES,
            width=SIDE,
            height=SIDE,
            crs=self.crs,
            transform=(self.x0, self.dx, self.y0, self.dy),
            axes=axes,
            fields=(self.field,),
        )

    def cells(self) -> Iterator["Cell"]:
        for number, (t, row, column) in enumerate(CELLS):
            yield Cell(self, t, number % len(self.levels) if self.levels else 0, row, column)

    def physical(self, stored: float) -> float:
        return stored * self.field.scale + self.field.offset

    def styles(self) -> CubeSettings:
        """A style for each time and level, in which a hundred values have a hundred colours."""
        return CubeSettings(
            styles=tuple(
                ColorRamp(f"t{t}k{k}", "", "v", "viridis", *self.ends(t, k))
                for t in range(len(TIMES))
                for k in range(max(1, len(self.levels)))
            )
        )

    def ends(self, t: int, k: int) -> tuple[float, float]:
        base = 1000 * t + 100_000 * k
        return self.physical(base), self.physical(base + 99)


UTM: Mapping[str, Any] = MappingProxyType(
    {"crs": "EPSG:32632", "labels": ("E", "N"), "x0": 500_500.0, "dx": 1000.0}
)
WORLDS = (
    World("globe"),
    World("ascending", y0=-81.0, dy=18.0),
    World("east", x0=18.0),  # longitudes 0 to 360
    World("seam", x0=153.0, dx=6.0, y0=27.0, dy=-6.0),  # 150 to 210 degrees east
    World("seam_west", x0=-207.0, dx=6.0, y0=27.0, dy=-6.0, crs="OGC:CRS84"),
    World("leftward", x0=162.0, dx=-36.0),
    World("utm", y0=5_009_500.0, dy=-1000.0, **UTM),
    World("utm_upward", y0=5_000_500.0, dy=1000.0, **UTM),
    World("ocean", vertical="depth", levels=(0.5, 10.0, 100.0)),
    World("air", vertical="pressure", levels=(1000.0, 850.0, 500.0)),
    World("packed", field=PACKED),
)


@dataclass(frozen=True)
class Cell:
    """One cell of a world and where it lies."""

    world: World
    t: int
    k: int
    row: int
    column: int

    @property
    def value(self) -> float:
        stored = 1000 * self.t + 10 * self.row + self.column + 100_000 * self.k
        return self.world.physical(stored)

    @property
    def time(self) -> str:
        return TIMES[self.t]

    @property
    def x(self) -> float:
        return self.world.x0 + self.column * self.world.dx

    @property
    def y(self) -> float:
        return self.world.y0 + self.row * self.world.dy

    @cached_property
    def lonlat(self) -> tuple[float, float]:
        """Longitude from -180 to 180, and latitude."""
        to = pyproj.Transformer.from_crs(self.world.crs, "OGC:CRS84", always_xy=True)
        lon, lat = to.transform(self.x, self.y)
        return (lon + 180) % 360 - 180, lat

    @property
    def degrees(self) -> float:
        """A small part of the cell's size."""
        size = abs(self.world.dx)
        return 0.1 * (size if self.world.crs != UTM["crs"] else size / 111_000)

    @property
    def level(self) -> dict[str, float]:
        return {self.world.vertical: self.world.levels[self.k]} if self.world.levels else {}

    @property
    def elevation(self) -> dict[str, float]:
        """The level as map services are asked for it."""
        return {"elevation": self.world.levels[self.k]} if self.world.levels else {}

    @property
    def style(self) -> str:
        return f"t{self.t}k{self.k}"

    @property
    def color(self) -> tuple[int, ...]:
        """What matplotlib paints this value in."""
        low, high = self.world.ends(self.t, self.k)
        share = np.clip((self.value - low) / (high - low), 0.0, 1.0)
        return tuple(np.array(mpl.colormaps["viridis"](float(share), bytes=True)).tolist())
