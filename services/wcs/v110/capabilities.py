"""The capabilities document of WCS 1.1 (07-067r5, 8.3; OWS Common 1.1)."""

from collections.abc import Callable, Iterable, Mapping

from datacube.config.settings import ServerSettings
from datacube.engine.cube import Cube
from services.ows.boxes import geographic_box
from services.ows.declared import Parameter
from services.ows.extents import plain_number
from services.ows.sections import (
    Operation,
    keywords,
    operations_metadata,
    service_identification,
    service_provider,
)
from services.ows.xml import Element, serialise
from services.wcs.extras import PARAMETERS
from services.wcs.forms import form_types
from services.wcs.grids import plain_grid
from services.wcs.v110.names import Names

SECTIONS = ("ServiceIdentification", "ServiceProvider", "OperationsMetadata", "Contents")
_OPERATIONS = ("GetCapabilities", "DescribeCoverage", "GetCoverage")
COMMON = ("urn:ogc:def:crs:EPSG::4326", "urn:ogc:def:crs:EPSG::3857")
PLAIN = Parameter("PLAIN", "the file without the document before it", ("true", "false"))


def capabilities(
    names: Names,
    settings: ServerSettings,
    cubes: Iterable[Cube],
    url: str,
    sections: frozenset[str],
    sequence: str,
) -> bytes:
    """The document with some of its sections.

    Parameters
    ----------
    names : of the version
    url : str, public URL of the service, ending in ``?``
    sequence : str, updateSequence
    """
    makers: Mapping[str, Callable[[], Element]] = {
        "ServiceIdentification": lambda: service_identification(
            names.ows.namespace, settings, "WCS", (names.number,)
        ),
        "ServiceProvider": lambda: service_provider(names.ows.namespace, settings, url.rstrip("?")),
        "OperationsMetadata": lambda: operations_metadata(names.ows.namespace, _operations(url)),
        "Contents": lambda: names.wcs("Contents", *(_summary(names, cube) for cube in cubes)),
    }
    return serialise(
        names.wcs(
            "Capabilities",
            *(make() for name, make in makers.items() if name in sections),
            version=names.number,
            updateSequence=sequence,
            xsi_schemaLocation=names.located,
        )
    )


def _operations(url: str) -> tuple[Operation, ...]:
    formats = form_types()
    parameters: dict[str, Mapping[str, tuple[str, ...]]] = {
        "GetCoverage": {"format": formats, "store": ("True", "False")}
    }
    posted, own = {"": url.rstrip("?")}, {"GetCoverage": (*PARAMETERS, PLAIN)}
    return tuple(
        Operation(name, {"": url}, posted, parameters.get(name, {}), own.get(name, ()))
        for name in _OPERATIONS
    )


def _summary(names: Names, cube: Cube) -> Element:
    description = cube.description
    own = plain_grid(description.domain).crs.urn
    return names.wcs(
        "CoverageSummary",
        *titles(names, description.title or description.id, description.abstract),
        keywords(names.ows.namespace, cube.description.range_type.names),
        world_box(names, cube),
        *(names.wcs("SupportedCRS", crs) for crs in dict.fromkeys((own, *COMMON))),
        *(names.wcs("SupportedFormat", name) for name in form_types()),
        names.wcs("Identifier", description.id),
    )


def titles(names: Names, title: str, abstract: str) -> tuple[Element | None, Element | None]:
    """Title and abstract."""
    return names.ows("Title", title), names.ows("Abstract", abstract) if abstract else None


def world_box(names: Names, cube: Cube) -> Element:
    """``ows:WGS84BoundingBox``."""
    world = geographic_box(cube.description.domain.bbox)
    return names.ows(
        "WGS84BoundingBox",
        names.ows("LowerCorner", f"{plain_number(world.left)} {plain_number(world.bottom)}"),
        names.ows("UpperCorner", f"{plain_number(world.right)} {plain_number(world.top)}"),
    )
