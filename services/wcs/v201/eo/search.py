"""What a DescribeEOCoverageSet finds: datasets and series in a box and in a period."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon

from datacube.engine.context import Context
from datacube.errors import CoverageNotFound
from datacube.model.bbox import BoundingBox
from services.wcs.errors import NoSuchDatasetSeriesOrCoverage
from services.wcs.v201.eo.datasets import Dataset, Series, coverage_of, series_of
from services.wcs.v201.eo.decode import SECTIONS, SetRequest
from services.wcs.v201.eo.footprints import footprint, outline


@dataclass(frozen=True, slots=True)
class Found:
    """What is described, and of how much that is a part.

    Parameters
    ----------
    datasets : tuple of Dataset
    series : tuple of Series
    matched : int, datasets and series in all
    """

    datasets: tuple[Dataset, ...]
    series: tuple[Series, ...]
    matched: int


def find(context: Context, request: SetRequest) -> Found:
    """The datasets in order of their series and times, then the series themselves.

    Raises
    ------
    NoSuchDatasetSeriesOrCoverage
        An id is neither that of a series nor that of a dataset.
    """
    datasets: dict[tuple[str, int], Dataset] = {}
    series: dict[str, Series] = {}
    for identifier in dict.fromkeys(request.ids):
        match _named(context, identifier):
            case Dataset(within, index):
                indexes = np.array([index])
            case within:
                series[within.cube.id] = within
                indexes = np.arange(within.time.size)
        for at in _at(within, indexes, request):
            datasets.setdefault((within.cube.id, at), Dataset(within, at))
    listed, summed = SECTIONS
    first = tuple(datasets.values()) if listed in request.sections else ()
    then = tuple(one for one in series.values() if _matches(one, request))
    then = then if summed in request.sections else ()
    start, stop = request.start, request.start + request.count
    past = len(first)
    return Found(
        first[start:stop],
        then[max(start - past, 0) : max(stop - past, 0)],
        len(first) + len(then),
    )


def _named(context: Context, identifier: str) -> Series | Dataset:
    try:
        found = coverage_of(context, identifier)
    except CoverageNotFound as error:
        raise NoSuchDatasetSeriesOrCoverage(error.message, subject=identifier[:100]) from error
    series = found if isinstance(found, Dataset) else series_of(found)
    if series is None:
        raise NoSuchDatasetSeriesOrCoverage(
            f"the coverage '{identifier[:100]}' is no series of datasets: it has no times, or "
            "times that are no dates",
            subject=identifier[:100],
        )
    return series


def _at(series: Series, indexes: NDArray[np.intp], request: SetRequest) -> Iterator[int]:
    """The times among some that lie in the period, then in the box."""
    first, last = _period(series, request)
    begins, ends = series.periods[indexes].T
    low, high = (begins, ends) if request.within else (ends, begins)
    chosen: list[int] = indexes[(low >= first) & (high <= last)].tolist()
    if (area := request.box) is None:
        yield from chosen
        return
    grid = outline(series.cube.description.domain.bbox)
    grid_lies = _lies(grid, area, request.within)
    if not (grid_lies or request.within):
        return  # what lies beside the grid lies beside every granule in it
    for index in chosen:
        shape = footprint(Dataset(series, index))
        if grid_lies if shape is grid else _lies(shape, area, request.within):
            yield index


def _matches(series: Series, request: SetRequest) -> bool:
    """Whether a series as a whole lies in the period and in the box."""
    first, last = _period(series, request)
    begin, end = series.period
    low, high = (begin, end) if request.within else (end, begin)
    if low < first or high > last:
        return False
    area = outline(series.cube.description.domain.bbox)
    return request.box is None or _lies(area, request.box, request.within)


def _period(series: Series, request: SetRequest) -> tuple[int, int]:
    """First and last tick asked for; the ends of all time where one is open."""
    limits = np.iinfo(np.int64)
    if request.times is None:
        return limits.min, limits.max
    first, last = request.times.span(series.time.calendar)
    return (limits.min if first is None else first, limits.max if last is None else last)


def _lies(shape: MultiPolygon, wanted: BoundingBox, within: bool) -> bool:
    area = outline(wanted)
    return bool(area.covers(shape) if within else area.intersects(shape))
