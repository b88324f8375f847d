"""Sections that OWS Common 1.0, 1.1 and 2.0 prescribe: identification, provider, operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from datacube.config.settings import Contact, ServerSettings
from services.ows.declared import Parameter
from services.ows.xml import OWS10, OWS11, OWS20, Element, Maker

_MAKERS = {
    namespace: Maker(namespace, {"ows": namespace, "xlink": "http://www.w3.org/1999/xlink"})
    for namespace in (OWS10, OWS11, OWS20)
}


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation in OperationsMetadata.

    Parameters
    ----------
    name : str
    get : mapping of encoding (``KVP``, ``RESTful``) to URL
        KVP URLs end in ``?``. The encoding becomes the constraint GetEncoding where not empty.
    post : mapping of encoding (``XML``, ``SOAP``) to URL
    parameters : mapping of parameter name to allowed values
    own : parameters of this server, beside the standard's
    """

    name: str
    get: Mapping[str, str]
    post: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own: tuple[Parameter, ...] = ()


def maker(namespace: str) -> Maker:
    """Maker of ``ows:`` elements of OWS Common 1.0, 1.1 or 2.0."""
    return _MAKERS[namespace]


def service_identification(
    namespace: str,
    settings: ServerSettings,
    service_type: str,
    versions: tuple[str, ...],
    profiles: tuple[str, ...] = (),
) -> Element:
    """ServiceIdentification (OWS Common, 7.4.4).

    Parameters
    ----------
    service_type : str
        ``OGC WMTS``, ``OGC WCS`` …
    profiles : URIs of conformance classes
    """
    ows = maker(namespace)
    return ows(
        "ServiceIdentification",
        ows("Title", settings.title),
        ows("Abstract", settings.abstract) if settings.abstract else None,
        keywords(namespace, settings.keywords),
        ows("ServiceType", service_type),
        *(ows("ServiceTypeVersion", version) for version in versions),
        *(ows("Profile", profile) for profile in profiles),
        ows("Fees", settings.fees or "NONE"),
        ows("AccessConstraints", settings.access_constraints or "NONE"),
    )


def service_provider(namespace: str, settings: ServerSettings, base_url: str) -> Element:
    """ServiceProvider (OWS Common, 7.4.5); the server's own address where no site is configured."""
    ows = maker(namespace)
    contact = settings.contact
    return ows(
        "ServiceProvider",
        ows("ProviderName", contact.organization or settings.title),
        ows("ProviderSite", xlink_href=contact.url or base_url or None),
        ows(
            "ServiceContact",
            ows("IndividualName", contact.person) if contact.person else None,
            ows("PositionName", contact.position) if contact.position else None,
            _contact_info(namespace, contact),
        ),
    )


def operations_metadata(
    namespace: str,
    operations: tuple[Operation, ...],
    constraints: Mapping[str, tuple[str, ...]] | None = None,
) -> Element:
    """OperationsMetadata (OWS Common, 7.4.6).

    Parameters
    ----------
    constraints : mapping of name to allowed values, of the whole service
    """
    ows = maker(namespace)
    return ows(
        "OperationsMetadata",
        *(_operation(ows, operation) for operation in operations),
        *(_domain(ows, "Constraint", *one) for one in (constraints or {}).items()),
    )


def keywords(namespace: str, words: tuple[str, ...]) -> Element | None:
    """Keywords, or nothing."""
    ows = maker(namespace)
    return ows("Keywords", *(ows("Keyword", word) for word in words)) if words else None


def _operation(ows: Maker, operation: Operation) -> Element:
    methods = [
        *(_method(ows, "Get", url, encoding) for encoding, url in operation.get.items()),
        *(_method(ows, "Post", url, encoding) for encoding, url in operation.post.items()),
    ]
    return ows(
        "Operation",
        ows("DCP", ows("HTTP", *methods)),
        *(_domain(ows, "Parameter", *one) for one in operation.parameters.items()),
        *(_domain(ows, "Parameter", one.name, one.values, one.meaning) for one in operation.own),
        name=operation.name,
    )


def _method(ows: Maker, name: str, url: str, encoding: str) -> Element:
    constraint = _domain(ows, "Constraint", f"{name}Encoding", (encoding,)) if encoding else None
    return ows(name, constraint, xlink_type="simple", xlink_href=url)


def _domain(
    ows: Maker, kind: str, name: str, values: tuple[str, ...], meaning: str = ""
) -> Element:
    """What something can be; OWS Common 1.0 has no room for what it means but among the values."""
    if ows.namespace == OWS10:
        return ows(kind, *(ows("Value", value) for value in values or (meaning,)), name=name)
    allowed = ows("AllowedValues", *(ows("Value", value) for value in values))
    said = ows("Meaning", meaning) if meaning else None
    return ows(kind, allowed if values else ows("AnyValue"), said, name=name)


def address_parts(contact: Contact) -> tuple[tuple[str, str], ...]:
    """Names of OWS Common and texts of what is known of an address, in their order."""
    parts = (
        ("DeliveryPoint", contact.address),
        ("City", contact.city),
        ("AdministrativeArea", contact.region),
        ("PostalCode", contact.postcode),
        ("Country", contact.country),
        ("ElectronicMailAddress", contact.email),
    )
    return tuple((name, text) for name, text in parts if text)


def _contact_info(namespace: str, contact: Contact) -> Element | None:
    ows = maker(namespace)
    address = [ows(name, text) for name, text in address_parts(contact)]
    phone = ows("Phone", ows("Voice", contact.phone)) if contact.phone else None
    if phone is None and not address:
        return None
    return ows("ContactInfo", phone, ows("Address", *address) if address else None)
