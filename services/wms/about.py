"""The Service section: who serves this; the same elements in every version."""

from datacube.config.settings import Contact, ServerSettings
from services.ows.transport import Request
from services.ows.urls import kvp_prefix
from services.ows.xml import Element, Maker
from services.wms.capabilities import keyword_list, online_resource, text_element


def service_section(
    wms: Maker, name: str, settings: ServerSettings, request: Request, *limits: Element
) -> Element:
    """Service, with the limits that the version has elements for.

    Parameters
    ----------
    name : str, ``WMS`` or, in 1.1.1, ``OGC:WMS``
    """
    return wms(
        "Service",
        wms("Name", name),
        wms("Title", settings.title),
        text_element(wms, "Abstract", settings.abstract),
        keyword_list(wms, settings.keywords),
        online_resource(wms, kvp_prefix(request, "/wms")),
        _contact(wms, settings.contact),
        wms("Fees", settings.fees or "none"),
        wms("AccessConstraints", settings.access_constraints or "none"),
        *limits,
    )


def _contact(wms: Maker, contact: Contact) -> Element | None:
    if contact == Contact():
        return None
    lines = (
        ("AddressType", "postal"),
        ("Address", contact.address),
        ("City", contact.city),
        ("StateOrProvince", contact.region),
        ("PostCode", contact.postcode),
        ("Country", contact.country),
    )
    address = wms("ContactAddress", *(wms(name, text) for name, text in lines))
    return wms(
        "ContactInformation",
        wms(
            "ContactPersonPrimary",
            wms("ContactPerson", contact.person),
            wms("ContactOrganization", contact.organization),
        ),
        text_element(wms, "ContactPosition", contact.position),
        address if any(text for _, text in lines[1:]) else None,
        text_element(wms, "ContactVoiceTelephone", contact.phone),
        text_element(wms, "ContactElectronicMailAddress", contact.email),
    )
