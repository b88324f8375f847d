"""The capabilities document of WCS 2.0.1 (09-110r4, 8.2; OWS Common 2.0)."""

from collections.abc import Callable, Iterable

from datacube.config.settings import ServerSettings
from datacube.engine.cube import Cube
from datacube.model.crs import Crs
from services.ows import selection
from services.ows.boxes import ordered_edges
from services.ows.extents import plain_number
from services.ows.gml import coverage_subtype
from services.ows.sections import Operation, operations_metadata, service_provider
from services.ows.xml import OWS20, Element, serialise
from services.wcs.extras import PARAMETERS
from services.wcs.v201.decode import LISTS
from services.wcs.v201.eo.datasets import series_of
from services.wcs.v201.eo.decode import COUNT_DEFAULT
from services.wcs.v201.eo.documents import series_summaries
from services.wcs.v201.formats import media_types
from services.wcs.v201.names import (
    CRS_MAKER,
    INTERPOLATION_MAKER,
    OWS,
    SCHEMA,
    VERSION,
    WCS,
    WCS20,
)
from services.wcs.v201.summaries import heading

PROFILES = (
    "http://www.opengis.net/spec/WCS/2.0/conf/core",
    "http://www.opengis.net/spec/WCS_protocol-binding_get-kvp/1.0/conf/get-kvp",
    "http://www.opengis.net/spec/WCS_protocol-binding_post-xml/1.0/conf/post-xml",
    "http://www.opengis.net/spec/WCS_protocol-binding_soap/1.0/conf/soap",
    "http://www.opengis.net/spec/WCS_service-extension_range-subsetting/1.0/conf/record-subsetting",
    "http://www.opengis.net/spec/WCS_service-extension_scaling/1.0/conf/scaling",
    "http://www.opengis.net/spec/WCS_service-extension_interpolation/1.0/conf/interpolation",
    "http://www.opengis.net/spec/WCS_service-extension_crs/1.0/conf/crs",
    "http://www.opengis.net/spec/WCS_service-extension_crs/1.0/conf/crs-gridded-coverage",
    "http://www.opengis.net/spec/GMLCOV/1.0/conf/gml",
    "http://www.opengis.net/spec/GMLCOV/1.0/conf/gml-coverage",
    "http://www.opengis.net/spec/GMLCOV/1.0/conf/multipart",
    "http://www.opengis.net/spec/WCS_application-profile_earth-observation/1.0/conf/eowcs",
    "http://www.opengis.net/spec/WCS_application-profile_earth-observation/1.0/conf/eowcs_get-kvp",
    "http://www.opengis.net/spec/WCS_application-profile_earth-observation/1.0/conf/eowcs_soap",
    "http://www.opengis.net/spec/GMLCOV_geotiff-coverages/1.0/conf/geotiff-coverage",
)
INTERPOLATIONS = tuple(
    f"http://www.opengis.net/def/interpolation/OGC/1/{name}"
    for name in ("nearest-neighbor", "linear", "cubic")
)
"""Methods that have an identifier; the others are asked for by their names."""

COMMON_CRS = ("EPSG:4326", "OGC:CRS84", "EPSG:3857")
OPERATIONS = ("GetCapabilities", "DescribeCoverage", "GetCoverage", "DescribeEOCoverageSet")


def capabilities(
    settings: ServerSettings,
    cubes: Iterable[Cube],
    url: str,
    sections: frozenset[str],
    sequence: str,
) -> bytes:
    """The document with some of its sections.

    Parameters
    ----------
    url : str, public URL of the service, ending in ``?``
    sequence : str, updateSequence
    """
    published = tuple(cubes)
    makers: dict[str, Callable[[], Element]] = {
        "ServiceIdentification": lambda: _identification(settings),
        "ServiceProvider": lambda: service_provider(OWS20, settings, url.rstrip("?")),
        "OperationsMetadata": lambda: _operations(url),
        "ServiceMetadata": lambda: _service_metadata(published),
        "Contents": lambda: _contents(published, sections),
    }
    return serialise(
        _root(sequence, *(make() for name, make in makers.items() if name in sections))
    )


def unchanged(sequence: str) -> bytes:
    """The document for a client that has it already: no section at all."""
    return serialise(_root(sequence))


def _root(sequence: str, *children: Element) -> Element:
    return WCS(
        "Capabilities",
        *children,
        version=VERSION,
        updateSequence=sequence,
        xsi_schemaLocation=f"{WCS20} {SCHEMA}/wcsAll.xsd",
    )


def _identification(settings: ServerSettings) -> Element:
    keywords = [OWS("Keyword", word) for word in settings.keywords]
    return OWS(
        "ServiceIdentification",
        OWS("Title", settings.title),
        OWS("Abstract", settings.abstract),
        OWS("Keywords", *keywords) if keywords else None,
        OWS("ServiceType", "WCS", codeSpace="OGC"),
        OWS("ServiceTypeVersion", VERSION),
        *(OWS("Profile", profile) for profile in PROFILES),
        OWS("Fees", settings.fees or "none"),
        OWS("AccessConstraints", settings.access_constraints or "none"),
    )


def _operations(url: str) -> Element:
    posted = url.rstrip("?")
    own = {"GetCoverage": (*PARAMETERS, selection.PARAMETER)}
    operations = tuple(
        Operation(name, {"": url}, {"": posted}, own=own.get(name, ())) for name in OPERATIONS
    )
    found = operations_metadata(OWS20, operations, {"PostEncoding": ("XML", "SOAP")})
    most = OWS("NoValues"), OWS("DefaultValue", str(COUNT_DEFAULT))
    found.append(OWS("Constraint", *most, name="CountDefault"))
    return found


def _service_metadata(cubes: Iterable[Cube]) -> Element:
    """Formats, and what the extensions add (11-053r1, 7.2; 12-049, 7.2)."""
    own = (cube.description.domain.bbox.crs for cube in cubes)
    systems = (*(crs for crs in own if crs.has_code), *map(Crs.parse, COMMON_CRS))
    extension = WCS(
        "Extension",
        INTERPOLATION_MAKER(
            "InterpolationMetadata",
            *(INTERPOLATION_MAKER("InterpolationSupported", uri) for uri in INTERPOLATIONS),
        ),
        CRS_MAKER(
            "CrsMetadata",
            *(CRS_MAKER("crsSupported", uri) for uri in dict.fromkeys(one.uri for one in systems)),
        ),
    )
    formats = (WCS("formatSupported", name) for name in media_types())
    return WCS("ServiceMetadata", *formats, extension)


def _contents(cubes: tuple[Cube, ...], sections: frozenset[str]) -> Element:
    """The coverages, and the series of datasets, where each is wanted (10-140r1, 7.2.2)."""
    coverages, series = (name in sections for name in LISTS)
    found = (one for one in map(series_of, cubes) if one is not None)
    return WCS(
        "Contents",
        *(_summary(cube) for cube in cubes if coverages),
        series_summaries(found) if series else None,
    )


def _summary(cube: Cube) -> Element:
    description = cube.description
    box = description.domain.bbox
    own = [plain_number(edge) for edge in ordered_edges(box)]
    return WCS(
        "CoverageSummary",
        *heading(description),
        WCS("CoverageId", description.id),
        WCS("CoverageSubtype", coverage_subtype(description.domain)),
        OWS(
            "BoundingBox",
            OWS("LowerCorner", " ".join(own[:2])),
            OWS("UpperCorner", " ".join(own[2:])),
            crs=box.crs.uri,
            dimensions="2",
        )
        if box.crs.has_code
        else None,
    )
