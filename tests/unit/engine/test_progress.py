"""How far a coverage has come: every value of it is told once, in whatever way it is read."""

import pytest

from datacube.config.settings import Config
from datacube.engine.context import open_context
from datacube.engine.coverage import plan_coverage
from datacube.engine.coverage_stream import stream_coverage
from datacube.engine.progress import telling
from datacube.formats.registry import encoders
from datacube.model.query import Aggregate, CoverageQuery, ScaleSize
from tests.cubes import make_cube

DAYS = ("2020-01-01", "2020-01-02", "2020-01-03")
QUERIES = {
    "stored": CoverageQuery("closed"),
    "reduced": CoverageQuery("closed", aggregate=Aggregate()),
    "scaled": CoverageQuery("closed", scaling=ScaleSize(50, 30), interpolation="average"),
}


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("f", ["application/netcdf", "application/x-netcdf3", "text/csv"])
def test_every_value_is_told_once(tmp_path, name, f):
    make_cube(tmp_path, times=DAYS, width=200, height=100)
    context, told = open_context(str(tmp_path), Config()), []
    encoder = encoders().find(f)
    write = encoder.stream or encoder.spool
    with telling(told.append):
        made = write(stream_coverage(context, QUERIES[name]), {})
        for piece in made:
            assert piece
    assert sum(told) == plan_coverage(context, QUERIES[name]).count
