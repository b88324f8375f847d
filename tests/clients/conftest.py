"""Real clients talk to a real server: its own process over a store of closed-form cubes.

==========  ==================================================================
``closed``  20 x 10 cells of 18 degrees, EPSG:4326, three days, field ``v``
``utm``     40 x 30 cells of 1 km, EPSG:32632, two days, field ``v``
``levels``  20 x 10 cells, three days, three depths, fields ``u`` and ``v``
``plain``   36 x 18 cells of 10 degrees, CRS84, no time, field ``v``
==========  ==================================================================
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


def make_closed_store(folder: Path) -> Path:
    """The store of the table above."""
    make_cube(folder, "closed", times=DAYS, title="Closed form")
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
    return server_factory(make_closed_store(tmp_path_factory.mktemp("closed") / "store"))
