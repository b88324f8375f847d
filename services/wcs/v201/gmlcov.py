"""Coverages in GMLCOV 1.0: the description of a cube, and of an answer beside its file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lxml import etree

from datacube.config.settings import ServerSettings
from datacube.engine.cube import Cube
from datacube.formats import gml
from datacube.formats.registry import encoders
from datacube.model.coverage import CoverageDescription
from datacube.model.domain import DomainSet
from services.ows.frames import frame
from services.ows.gml import bounded_by, coverage_subtype, domain_set
from services.ows.swe import GMLCOV, range_type
from services.ows.xml import Element, serialise
from services.wcs.forms import Form
from services.wcs.v201.eo.datasets import Dataset
from services.wcs.v201.eo.metadata import eo_metadata
from services.wcs.v201.names import (
    EO,
    GML_MAKER,
    GMLCOV_MAKER,
    SCHEMA,
    WCS,
    WCS20,
    WCSEO,
    with_id,
)

_SCHEMA = f"{GMLCOV} http://schemas.opengis.net/gmlcov/1.0/gmlcovAll.xsd"
_EO_SCHEMA = f"{WCSEO} http://schemas.opengis.net/wcs/wcseo/1.0/wcsEOAll.xsd"


def coverage_descriptions(coverages: Iterable[Cube | Dataset], settings: ServerSettings) -> bytes:
    """The answer of DescribeCoverage (09-110r4, 8.3).

    A dataset is of the type of its grid here, for GDAL opens no other; of its own where documents
    are to be strict.
    """
    exact = settings.wcs_time_encoding == "strict"
    return serialise(
        WCS(
            "CoverageDescriptions",
            *(coverage_description(one, settings, exact=exact) for one in coverages),
            xsi_schemaLocation=f"{WCS20} {SCHEMA}/wcsAll.xsd",
        )
    )


def coverage_description(
    coverage: Cube | Dataset, settings: ServerSettings, *, exact: bool
) -> Element:
    """``wcs:CoverageDescription`` of a cube or of a dataset.

    Parameters
    ----------
    exact : bool
        Whether a dataset is called so (10-140r1, table 8), not by the type of its grid.
    """
    description = coverage.description
    domain = description.domain
    subtype = _subtype(coverage, domain) if exact else coverage_subtype(domain)
    axes = frame(domain, settings.wcs_time_encoding)
    element = WCS(
        "CoverageDescription",
        GML_MAKER("description", description.abstract) if description.abstract else None,
        GML_MAKER("name", description.title) if description.title else None,
        bounded_by(axes),
        WCS("CoverageId", description.id),
        eo_metadata(coverage) if isinstance(coverage, Dataset) else None,
        domain_set(axes, description.id),
        range_type(description.range_type),
        WCS(
            "ServiceParameters",
            WCS("CoverageSubtype", subtype),
            WCS("nativeFormat", native_format(domain, settings)),
        ),
    )
    return with_id(element, description.id)


def native_format(domain: DomainSet, settings: ServerSettings) -> str:
    """Media type of an answer for which no format is named."""
    if settings.wcs_native_format == "gml":
        return gml.MEDIA_TYPE
    return encoders().native(domain).media_type


@dataclass(frozen=True, slots=True)
class Subject:
    """What an answer of GetCoverage is a part of.

    Parameters
    ----------
    coverage : Cube or Dataset
    settings : ServerSettings, how documents write times
    request : callable, gives the URL that asks for the answer, for the lineage of a dataset
    """

    coverage: Cube | Dataset
    settings: ServerSettings
    request: Callable[[], str] = str


def coverage_beside_file(
    subject: Subject, description: CoverageDescription, encoder: Form, reference: str
) -> bytes:
    """A GML coverage whose values lie in another part of the message (09-146r2, 9.3).

    Parameters
    ----------
    description : of exactly the answer
    reference : str, ``cid:`` URL of the file
    """
    file = GML_MAKER(
        "File",
        GML_MAKER("rangeParameters"),
        GML_MAKER("fileReference", reference),
        GML_MAKER("fileStructure"),
        GML_MAKER("mimeType", encoder.media_type),
    )
    return serialise(_coverage(subject, description, file))


def coverage_around_values(
    subject: Subject, description: CoverageDescription
) -> tuple[bytes, bytes]:
    """A GML coverage that holds its values, without these: what is before and behind them."""
    block = GML_MAKER("DataBlock", GML_MAKER("rangeParameters"), GML_MAKER("tupleList"))
    document = serialise(_coverage(subject, description, block, _sequence(description.domain)))
    head, _, tail = document.partition(b"<gml:tupleList/>")  # no text in it has a "<"
    return head + b"<gml:tupleList>", b"</gml:tupleList>" + tail


def _coverage(
    subject: Subject,
    description: CoverageDescription,
    values: Element,
    sequence: Element | None = None,
) -> Element:
    axes = frame(description.domain, subject.settings.wcs_time_encoding)
    coverage, identifier = subject.coverage, subject.coverage.description.id
    eo = isinstance(coverage, Dataset)
    make = EO if eo else GMLCOV_MAKER
    element = make(
        _subtype(coverage, description.domain),
        bounded_by(axes),
        domain_set(axes, identifier),
        GML_MAKER("rangeSet", values),
        sequence,
        range_type(description.range_type),
        eo_metadata(coverage, subject.request()) if isinstance(coverage, Dataset) else None,
        xsi_schemaLocation=_EO_SCHEMA if eo else _SCHEMA,
    )
    etree.indent(element, level=1)  # as a description stands in its document, to the last blank
    return with_id(element, identifier)


def _subtype(coverage: Cube | Dataset, domain: DomainSet) -> str:
    """Kind of a part of a coverage, or of the whole."""
    kind = coverage_subtype(domain)
    return kind.replace("GridCoverage", "Dataset") if isinstance(coverage, Dataset) else kind


def _sequence(domain: DomainSet) -> Element:
    """The order of tuples: along x, along y, then along the last of the other axes first."""
    count = len(domain.axes)
    order = " ".join(f"+{place}" for place in (1, 2, *range(count + 2, 2, -1)))
    rule = GML_MAKER("sequenceRule", "Linear", axisOrder=order)
    start = GML_MAKER("startPoint", " ".join(["0"] * (count + 2)))
    return GML_MAKER("coverageFunction", GML_MAKER("GridFunction", rule, start))
