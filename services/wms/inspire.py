"""INSPIRE's extended capabilities of a WMS 1.3.0 (Technical Guidance for View Services 3.11, 4.2).

With a metadata record of the service the document points to it (scenario 1); without one it says
what the record would and the standard has no element for (scenario 2). ``LANGUAGE`` asks for the
texts in a language; in one that is not offered they are in that of the server.
"""

from dataclasses import replace

from datacube.config.metadata import InspireSettings, Wording
from datacube.config.settings import ServerSettings
from services.ows.kvp import Kvp
from services.ows.transport import Request
from services.ows.urls import with_query
from services.ows.xml import Element, Maker
from services.wms.capabilities import service_url

_VIEW_URI = "http://inspire.ec.europa.eu/schemas/inspire_vs/1.0"
_COMMON_URI = "http://inspire.ec.europa.eu/schemas/common/1.0"
_PREFIXES: dict[str | None, str] = {"inspire_vs": _VIEW_URI, "inspire_common": _COMMON_URI}
_VIEW, _COMMON = Maker(_VIEW_URI, _PREFIXES), Maker(_COMMON_URI, _PREFIXES)
_RULES = (
    "COMMISSION REGULATION (EU) No 1089/2010 of 23 November 2010 implementing Directive 2007/2/EC "
    "of the European Parliament and of the Council as regards interoperability of spatial data "
    "sets and services"
)
_PUBLISHED = "2010-12-08"  # of these rules
SCHEMA = f"{_VIEW_URI} {_VIEW_URI}/inspire_vs.xsd"


def chosen_language(kvp: Kvp, settings: ServerSettings) -> str:
    """Language of the answer; empty where the server does not name its own."""
    if settings.inspire is None:
        return ""
    asked = kvp.optional("LANGUAGE", str.strip, "").lower()
    return asked if asked in settings.inspire.languages else settings.inspire.language


def worded(settings: ServerSettings, language: str) -> ServerSettings:
    """The settings with their texts in a language."""
    inspire = settings.inspire
    words = Wording() if inspire is None else inspire.languages.get(language, Wording())
    return replace(
        settings,
        title=words.title or settings.title,
        abstract=words.abstract or settings.abstract,
    )


def extended_capabilities(
    settings: ServerSettings, request: Request, language: str
) -> Element | None:
    """``inspire_vs:ExtendedCapabilities``; None where INSPIRE is not configured."""
    inspire = settings.inspire
    if inspire is None:
        return None
    languages = (
        _COMMON(
            "SupportedLanguages",
            _COMMON("DefaultLanguage", _language(inspire.language)),
            *(_COMMON("SupportedLanguage", _language(one)) for one in inspire.languages),
        ),
        _COMMON("ResponseLanguage", _language(language)),
    )
    if inspire.metadata_url:
        record = _locator("MetadataUrl", inspire.metadata_url, inspire.media_type)
        return _VIEW("ExtendedCapabilities", record, *languages)
    return _VIEW("ExtendedCapabilities", *_described(settings, inspire, request), *languages)


def _described(
    settings: ServerSettings, inspire: InspireSettings, request: Request
) -> tuple[Element, ...]:
    pairs = (("SERVICE", "WMS"), ("VERSION", "1.3.0"), ("REQUEST", "GetCapabilities"))
    rules = _COMMON(
        "Specification", _COMMON("Title", _RULES), _COMMON("DateOfPublication", _PUBLISHED)
    )
    return (
        _locator("ResourceLocator", with_query(service_url(request), pairs), "text/xml"),
        _COMMON("ResourceType", "service"),
        _COMMON("TemporalReference", _COMMON("DateOfLastRevision", inspire.date)),
        _COMMON("Conformity", rules, _COMMON("Degree", inspire.conformity)),
        _COMMON(
            "MetadataPointOfContact",
            _COMMON("OrganisationName", settings.contact.organization),
            _COMMON("EmailAddress", settings.contact.email),
        ),
        _COMMON("MetadataDate", inspire.date),
        _COMMON("SpatialDataServiceType", "view"),
        _COMMON("MandatoryKeyword", _COMMON("KeywordValue", "infoMapAccessService")),
        *(_COMMON("Keyword", _COMMON("KeywordValue", one)) for one in settings.keywords),
    )


def _locator(name: str, url: str, media_type: str) -> Element:
    return _COMMON(name, _COMMON("URL", url), _COMMON("MediaType", media_type))


def _language(code: str) -> Element:
    return _COMMON("Language", code)
