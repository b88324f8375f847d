"""What the documents of the services say of metadata that lie elsewhere, and INSPIRE's part."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

type Conformity = Literal["conformant", "notConformant", "notEvaluated"]


@dataclass(frozen=True, slots=True)
class MetadataLink:
    """A metadata record of a cube.

    Parameters
    ----------
    url : str
    standard : str, that it complies to (``ISO19115:2003``, ``FGDC:1998`` …)
    media_type : str
    """

    url: str
    standard: str = "ISO19115:2003"
    media_type: str = "application/xml"


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of a service in one language.

    Parameters
    ----------
    title, abstract : str; empty: as in the language of the server
    """

    title: str = ""
    abstract: str = ""


@dataclass(frozen=True, slots=True)
class InspireSettings:
    """A server as an INSPIRE view service.

    Parameters
    ----------
    language : str, three letters (ISO 639-2/B) of the language of the server's texts
    languages : mapping of further languages to the texts in them
    metadata_url : str
        Record of the service; empty: what it would say stands in the capabilities.
    media_type : str, of that record
    date : str, ISO 8601 day on which the metadata were last revised
    conformity : to the rules on interoperability
    """

    language: str = "eng"
    languages: Mapping[str, Wording] = field(default_factory=dict)
    metadata_url: str = ""
    media_type: str = "application/vnd.ogc.csw.GetRecordByIdResponse_xml"
    date: str = ""
    conformity: Conformity = "notEvaluated"
