"""The capabilities document of WCS 1.0.0 (03-065r6, 7.3)."""

from collections.abc import Callable, Iterable, Mapping

from datacube.config.settings import Contact, ServerSettings
from datacube.engine.cube import Cube
from datacube.model.coverage import CoverageDescription
from services.ows.boxes import geographic_box
from services.ows.extents import listed_time, plain_number
from services.ows.sections import address_parts
from services.ows.xml import Element, serialise
from services.wcs.extras import PARAMETERS
from services.wcs.v100.names import GML, SCHEMA, VERSION, WCS

_ROOT = "/WCS_Capabilities"
_OPERATIONS = ("GetCapabilities", "DescribeCoverage", "GetCoverage")


def capabilities(
    settings: ServerSettings, cubes: Iterable[Cube], url: str, section: str, sequence: str
) -> bytes:
    """The document, or one section of it as a document.

    Parameters
    ----------
    url : str, public URL of the service, ending in ``?``
    section : one of :data:`SECTIONS`
    sequence : str, updateSequence
    """
    makers: Mapping[str, Callable[[], Element]] = {
        "Service": lambda: _service(settings),
        "Capability": lambda: _capability(url),
        "ContentMetadata": lambda: WCS("ContentMetadata", *map(_brief, cubes)),
    }
    if section in makers:
        root = makers[section]()
    else:
        root = WCS("WCS_Capabilities", *(make() for make in makers.values()))
    root.set("version", VERSION)
    root.set("updateSequence", sequence)
    return serialise(_located(root))


SECTIONS = {
    name.lower(): name.rpartition("/")[2]
    for name in ("/", *(f"{_ROOT}/{one}" for one in ("Service", "Capability", "ContentMetadata")))
}
"""Sections by the values of the parameter SECTION, in lower case; ``/`` is the whole."""


def brief(description: CoverageDescription) -> tuple[Element | None, ...]:
    """What a coverage is called and where it lies: the beginning of every offering."""
    world = geographic_box(description.domain.bbox)
    time = description.domain.time
    ends = () if time is None else (time.iso[0], time.iso[-1])
    envelope = WCS(
        "lonLatEnvelope",
        GML("pos", f"{plain_number(world.left)} {plain_number(world.bottom)}"),
        GML("pos", f"{plain_number(world.right)} {plain_number(world.top)}"),
        *(GML("timePosition", listed_time(end)) for end in ends),
        srsName="urn:ogc:def:crs:OGC:1.3:CRS84",
    )
    return (
        WCS("description", description.abstract) if description.abstract else None,
        WCS("name", description.id),
        WCS("label", description.title or description.id),
        envelope,
    )


def _located(root: Element) -> Element:
    name = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
    root.set(name, f"{SCHEMA}/wcsCapabilities.xsd")
    return root


def _brief(cube: Cube) -> Element:
    return WCS("CoverageOfferingBrief", *brief(cube.description))


def _service(settings: ServerSettings) -> Element:
    keywords = [WCS("keyword", word) for word in settings.keywords]
    return WCS(
        "Service",
        WCS("description", settings.abstract) if settings.abstract else None,
        WCS("name", "WCS"),
        WCS("label", settings.title),
        WCS("keywords", *keywords) if keywords else None,
        _party(settings.contact),
        WCS("fees", settings.fees or "NONE"),
        WCS("accessConstraints", settings.access_constraints or "NONE"),
    )


def _party(contact: Contact) -> Element | None:
    if not (contact.person or contact.organization):
        return None
    return WCS(
        "responsibleParty",
        _text("individualName", contact.person),
        _text("organisationName", contact.organization),
        _text("positionName", contact.position),
        _contact_info(contact),
    )


def _contact_info(contact: Contact) -> Element | None:
    phone = WCS("phone", WCS("voice", contact.phone)) if contact.phone else None
    address = [WCS(name[0].lower() + name[1:], text) for name, text in address_parts(contact)]
    site = WCS("onlineResource", xlink_href=contact.url) if contact.url else None
    if phone is None and site is None and not address:
        return None
    return WCS("contactInfo", phone, WCS("address", *address) if address else None, site)


def _text(name: str, text: str) -> Element | None:
    return WCS(name, text) if text else None


def _own_parameters() -> str:
    """The parameters of GetCoverage that are this server's; the schema has room for a text."""
    listed = "; ".join(f"{one.name}: {', '.join((one.meaning, *one.values))}" for one in PARAMETERS)
    return f"GetCoverage takes these parameters too. {listed}."


def _capability(url: str) -> Element:
    def operation(name: str) -> Element:
        methods = (
            WCS("DCPType", WCS("HTTP", WCS(how, WCS("OnlineResource", xlink_href=url))))
            for how in ("Get", "Post")
        )
        return WCS(name, *methods)

    return WCS(
        "Capability",
        WCS("Request", *map(operation, _OPERATIONS)),
        WCS("Exception", WCS("Format", "application/vnd.ogc.se_xml")),
        WCS("VendorSpecificCapabilities", WCS("description", _own_parameters())),
    )
