"""EO metadata of a dataset: Observations and Measurements in their EO profile (10-157r4, EOP 2.0).

``eop:EarthObservation`` says when and where the values were observed, under which id they are a
coverage here, and which granules they were made of.
"""

from collections.abc import Iterator

from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.polygon import orient

from services.ows.extents import plain_number
from services.ows.gml import GML
from services.ows.xml import XLINK, Element, Maker
from services.wcs.v201.eo.datasets import Dataset
from services.wcs.v201.eo.footprints import footprint
from services.wcs.v201.names import EO, GML_MAKER, GMLCOV_MAKER, OWS, with_id

EOP = "http://www.opengis.net/eop/2.0"
OM = "http://www.opengis.net/om/2.0"
_PREFIXES: dict[str | None, str] = {"eop": EOP, "om": OM, "gml": GML, "xlink": XLINK}
_EOP = Maker(EOP, _PREFIXES)
_OM = Maker(OM, _PREFIXES)
_WGS84 = "http://www.opengis.net/def/crs/EPSG/0/4326"


def eo_metadata(dataset: Dataset, request: str = "") -> Element:
    """``gmlcov:metadata`` with ``wcseo:EOMetadata`` in it.

    Parameters
    ----------
    request : str, URL of the GetCoverage that it is told with, which becomes the lineage
    """
    lineage = None
    if request:
        reference = OWS("Reference", xlink_href=request)
        lineage = EO("lineage", EO("referenceGetCoverage", reference))
    return GMLCOV_MAKER(
        "metadata",
        GMLCOV_MAKER("Extension", EO("EOMetadata", earth_observation(dataset), lineage)),
    )


def earth_observation(dataset: Dataset) -> Element:
    """``eop:EarthObservation``."""
    identifier, (begin, end) = dataset.id, dataset.period
    available = max((one.ingested for one in dataset.granules), default="") or end
    instant = GML_MAKER("TimeInstant", GML_MAKER("timePosition", available))
    return with_id(
        _EOP(
            "EarthObservation",
            _OM("phenomenonTime", time_period(begin, end, f"{identifier}-time")),
            _OM("resultTime", with_id(instant, f"{identifier}-available")),
            _OM("procedure"),
            _OM("observedProperty"),
            _OM("featureOfInterest", footprint_element(footprint(dataset), identifier)),
            _OM("result"),
            _EOP("metaDataProperty", _about(dataset)),
        ),
        f"{identifier}-observation",
    )


def time_period(begin: str, end: str, identifier: str) -> Element:
    """``gml:TimePeriod``."""
    positions = GML_MAKER("beginPosition", begin), GML_MAKER("endPosition", end)
    return with_id(GML_MAKER("TimePeriod", *positions), identifier)


def footprint_element(shape: MultiPolygon, identifier: str) -> Element:
    """``eop:Footprint``: polygons with latitudes before longitudes."""
    stem = f"{identifier}-footprint"
    members = [
        GML_MAKER("surfaceMember", with_id(_polygon(one), f"{stem}-{number}"))
        for number, one in enumerate(shape.geoms)
    ]
    surfaces = with_id(GML_MAKER("MultiSurface", *members, srsName=_WGS84), f"{stem}-surfaces")
    return with_id(_EOP("Footprint", _EOP("multiExtentOf", surfaces)), stem)


def _polygon(polygon: Polygon) -> Element:
    ring = orient(polygon).exterior.coords
    places = " ".join(f"{plain_number(y)} {plain_number(x)}" for x, y in ring)
    line = GML_MAKER("LinearRing", GML_MAKER("posList", places))
    return GML_MAKER("Polygon", GML_MAKER("exterior", line))


def _about(dataset: Dataset) -> Element:
    products = sorted({one.product for one in dataset.granules if one.product})
    return _EOP(
        "EarthObservationMetaData",
        _EOP("identifier", dataset.id),
        _EOP("parentIdentifier", dataset.series.cube.id),
        _EOP("acquisitionType", "NOMINAL"),
        _EOP("productType", " ".join(products)) if products else None,
        _EOP("status", "ARCHIVED"),
        *_sources(dataset),
    )


def _sources(dataset: Dataset) -> Iterator[Element]:
    """The ids of the granules; where they were read from is nobody's business."""
    for one in dataset.granules:
        pair = _EOP("localAttribute", "granule"), _EOP("localValue", one.id)
        yield _EOP("vendorSpecific", _EOP("SpecificInformation", *pair))
