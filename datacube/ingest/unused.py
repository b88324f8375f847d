"""What was asked for that does not apply to a source, so that nobody believes it was done."""

from collections.abc import Iterator, Sequence

from datacube.config.products import RecipeSettings
from datacube.ingest.readers.runs import RUN
from datacube.ingest.source import Granule, ReadOptions
from datacube.model.grid import ReferenceableGrid


def unused(
    recipe: RecipeSettings, options: ReadOptions, granules: Sequence[Granule]
) -> tuple[str, ...]:
    """A sentence for each key of the recipe, or option, that says nothing to a source.

    Parameters
    ----------
    recipe : RecipeSettings
    options : ReadOptions
    granules : sequence of Granule, as the reader gives them
    """
    return tuple(f"{what}, and was left aside" for what in _unused(recipe, options, granules))


def _unused(
    recipe: RecipeSettings, options: ReadOptions, granules: Sequence[Granule]
) -> Iterator[str]:
    found = (one.description.domain.time for one in granules)
    times = [one for one in found if one is not None]
    runs = [one for one in times if one.name == RUN]
    if recipe.calibration is not None and not any(one.calibrated for one in granules):
        yield "the recipe's calibration is for Sentinel-1"
    if recipe.swath == "own" and not any(map(_is_swath, granules)):
        yield "the recipe's 'swath: own' is for swaths"
    if recipe.mosaic is not None and not times:
        yield "the recipe's mosaic is for sources with a time"
    if recipe.forecast and not runs:
        yield "the recipe's 'forecast: true' is for model runs of NetCDF and GRIB"
    if options.run and not any(options.run_ticks(one.calendar) in one.ticks for one in runs):
        yield "the given start of a run is for NetCDF that has valid times"


def _is_swath(granule: Granule) -> bool:
    """Whether each of its pixels has a position of its own, now or after it was read."""
    grid = granule.description.domain.grid
    return granule.positions is not None or isinstance(grid, ReferenceableGrid)
