"""The stores that the suites see, and the server over them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datacube.model.fields import Field
from tests.conformance.features import make_features
from tests.conformance.pictures import ARCHIVE, make_pictures
from tests.conformance.suites import Suite, checkouts
from tests.conformance.testng import JavaSuite
from tests.cubes import make_cube
from tests.servers import start_server

FOLDER = Path(__file__).parent
ABSTRACT = "Each value says its place: 1000 t + 10 y + x"
HOURS = tuple(f"2020-01-01T{hour:02d}:00:00Z" for hour in range(6))


def make_stores(folder: Path) -> None:
    """Write ``maps``, ``coverages``, ``series``, ``granules`` and ``profiles``, those not there.

    The suite of WCS 2.0 takes only two-dimensional rectified grids, the first of them with one
    field, and exactly one with more than two; maps are tested on cubes with a time axis too, and
    the older versions on a first coverage that has times and several fields. The suite of the EO
    profile reads one series of datasets, and takes those within its ends for outside.
    """
    maps, coverages, series = (folder / name for name in ("maps", "coverages", "series"))
    if not (profiles := folder / "profiles").is_dir() and (checkouts() / ARCHIVE).is_file():
        make_pictures(profiles)
        make_features(profiles)
    if not maps.is_dir():
        make_cube(
            maps,
            "globe",
            width=72,
            height=36,
            times=HOURS,
            title="Hourly values",
            abstract=ABSTRACT,
        )
        make_cube(
            maps,
            "north",
            width=60,
            height=40,
            crs="EPSG:32632",
            bbox=(300_000.0, 5_000_000.0, 900_000.0, 5_400_000.0),
            times=None,
            title="One picture",
            abstract=ABSTRACT,
        )
    if not coverages.is_dir():
        for name, fields in (("altitude", ("height",)), ("bands", ("red", "green", "blue"))):
            make_cube(
                coverages,
                name,
                width=72,
                height=36,
                times=None,
                title=name.capitalize(),
                abstract=ABSTRACT,
                fields=[Field(one, dtype="int32", uom="1") for one in fields],
            )

    if not (granules := folder / "granules").is_dir():
        make_cube(granules, "granules", width=72, height=36, times=HOURS[:2], title="Granules")
    if not series.is_dir():
        for name, fields in (("bands", ("red", "green", "blue")), ("height", ("height",))):
            make_cube(
                series,
                name,
                width=72,
                height=36,
                times=HOURS,
                title=name.capitalize(),
                abstract=ABSTRACT,
                fields=[Field(one, dtype="int32", uom="1") for one in fields],
            )


@contextmanager
def site(store: Path, logs: Path, suite: Suite | JavaSuite) -> Iterator[str]:
    """A server as a suite wants to see it; its URL without a slash at its end."""
    config = str(FOLDER / suite.config)
    server = start_server(store, logs, "--config", config, module=suite.module)
    try:
        yield server.url
    finally:
        server.stop()
