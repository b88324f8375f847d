"""Real clients talk to a real server: its own process over a store of closed-form cubes.

==========  ==================================================================
``closed``  20 x 10 cells of 18 degrees, EPSG:4326, three days, field ``v``
``events``  the same cells, four times at irregular distances
``utm``     40 x 30 cells of 1 km, EPSG:32632, two days, field ``v``
``levels``  20 x 10 cells, three days, three depths, fields ``u`` and ``v``
``plain``   36 x 18 cells of 10 degrees, CRS84, no time, field ``v``
==========  ==================================================================

``closed`` and ``events`` have the styles ``day0`` to ``day3``: in ``dayT`` the value
``1000 * T + n`` is the grey 2 * n, at times one less, so that a picture can be read back.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datacube.model.axis import IrregularAxis
from datacube.model.fields import Field
from tests.cubes import make_cube
from tests.servers import LiveServer, start_server

DAYS = ("2020-01-01", "2020-01-02", "2020-01-03")
EVENTS = (
    "2020-01-01T00:00:00Z",
    "2020-01-01T06:00:00Z",
    "2020-02-29T12:00:00Z",
    "2021-12-31T23:59:59Z",
)
# the first of a cube's styles is its default; that of its newest time, shown when none is asked for
PAINTED = {
    "closed": ("day2", "day0", "day1"),
    "events": ("day3", "day0", "day1", "day2"),
}


def make_closed_store(folder: Path) -> Path:
    """The store of the table above."""
    make_cube(folder, "closed", times=DAYS, title="Closed form")
    make_cube(folder, "events", times=EVENTS, title="Irregular times")
    make_cube(
        folder,
        "utm",
        times=DAYS[:2],
        width=40,
        height=30,
        crs="EPSG:32632",
        bbox=(500_000, 5_000_000, 540_000, 5_030_000),
        title="Closed form in UTM",
    )
    make_cube(
        folder,
        "levels",
        times=DAYS,
        axes=(IrregularAxis("depth", np.array([0.0, 10.0, 50.0]), "m", "depth"),),
        fields=(Field("u", "int32", uom="m s-1"), Field("v", "int32", uom="m s-1")),
        title="Closed form on levels",
    )
    make_cube(folder, "plain", times=None, width=36, height=18, crs="OGC:CRS84", title="No time")
    return folder


def make_config(folder: Path) -> Path:
    """The styles of the table above; the server's own words."""
    (folder / "styles").mkdir(parents=True)
    (folder / "cubes").mkdir()
    for day in range(4):
        ends = f"[{1000 * day}, {1000 * day + 128}]"
        style = f"type: ramp\ntitle: Grey of day {day}\ncolormap: gray\nrange: {ends}\n"
        (folder / "styles" / f"day{day}.yaml").write_text(style)
    for cube, styles in PAINTED.items():
        (folder / "cubes" / f"{cube}.yaml").write_text(f"styles: [{', '.join(styles)}]\n")
    (folder / "server.yaml").write_text("title: Closed forms\nattribution: Nobody\n")
    return folder / "server.yaml"


@pytest.fixture(scope="session")
def server_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """``server_factory(store, "--config", file)`` starts a server; all end with the tests."""
    started: list[LiveServer] = []

    def start(store: str | Path, *arguments: str) -> LiveServer:
        folder = tmp_path_factory.mktemp("server")
        started.append(start_server(store, folder, *arguments))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="session")
def live_server(
    server_factory: Callable[..., LiveServer], tmp_path_factory: pytest.TempPathFactory
) -> LiveServer:
    """A server over closed-form cubes; see the module's table."""
    folder = tmp_path_factory.mktemp("closed")
    config = make_config(folder / "config")
    return server_factory(make_closed_store(folder / "store"), "--config", str(config))
