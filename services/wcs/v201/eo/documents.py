"""Documents of the EO profile: sets of coverages, and series in the capabilities."""

from collections.abc import Iterable

from datacube.config.settings import ServerSettings
from services.ows.xml import Element, serialise
from services.wcs.v201.eo.datasets import Series
from services.wcs.v201.eo.footprints import outline
from services.wcs.v201.eo.metadata import footprint_element, time_period
from services.wcs.v201.eo.search import Found
from services.wcs.v201.gmlcov import coverage_description
from services.wcs.v201.names import EO, WCS, WCSEO, with_id
from services.wcs.v201.summaries import heading

_SCHEMA = "http://schemas.opengis.net/wcs/wcseo/1.0/wcsEOAll.xsd"


def coverage_set(found: Found, sections: frozenset[str], settings: ServerSettings) -> bytes:
    """``wcseo:EOCoverageSetDescription`` (10-140r1, 7.5.3)."""
    coverages = (coverage_description(one, settings, exact=True) for one in found.datasets)
    series = (_description(one) for one in found.series)
    parts = {
        "CoverageDescriptions": (WCS, coverages),
        "DatasetSeriesDescriptions": (EO, series),
    }
    return serialise(
        EO(
            "EOCoverageSetDescription",
            *(make(name, *each) for name, (make, each) in parts.items() if name in sections),
            numberMatched=found.matched,
            numberReturned=len(found.datasets) + len(found.series),
            xsi_schemaLocation=f"{WCSEO} {_SCHEMA}",
        )
    )


def series_summaries(series: Iterable[Series]) -> Element | None:
    """``wcs:Extension`` of the capabilities' contents; None where there is no series."""
    summaries = [_summary(one) for one in series]
    return WCS("Extension", *summaries) if summaries else None


def _summary(series: Series) -> Element:
    return EO(
        "DatasetSeriesSummary",
        *heading(series.cube.description),
        EO("DatasetSeriesId", series.cube.id),
        _period(series),
    )


def _description(series: Series) -> Element:
    cube = series.cube
    element = EO(
        "DatasetSeriesDescription",
        EO("DatasetSeriesId", cube.id),
        _period(series),
        footprint_element(outline(cube.description.domain.bbox), f"{cube.id}-series"),
    )
    return with_id(element, cube.id)


def _period(series: Series) -> Element:
    begin, end = map(series.iso, series.period)
    return time_period(begin, end, f"{series.cube.id}-period")
