"""What the capabilities say first of a coverage and of a series: name, words, place."""

from datacube.model.coverage import CoverageDescription
from services.ows.boxes import geographic_box
from services.ows.extents import plain_number
from services.ows.xml import Element
from services.wcs.v201.names import OWS


def heading(description: CoverageDescription) -> tuple[Element | None, ...]:
    """``ows:Title``, ``ows:Abstract`` where there is one, and ``ows:WGS84BoundingBox``."""
    world = geographic_box(description.domain.bbox)
    return (
        OWS("Title", description.title or description.id),
        OWS("Abstract", description.abstract) if description.abstract else None,
        OWS(
            "WGS84BoundingBox",
            OWS("LowerCorner", f"{plain_number(world.left)} {plain_number(world.bottom)}"),
            OWS("UpperCorner", f"{plain_number(world.right)} {plain_number(world.top)}"),
        ),
    )
