"""Models of metadata elsewhere: of a cube's records, and of a server as an INSPIRE service."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from datacube.config.base import Model
from datacube.config.metadata import Conformity, InspireSettings, MetadataLink

_INSPIRE = InspireSettings()
_LINK = MetadataLink("")

_LANGUAGES = (
    "bul|cze|dan|dut|eng|est|fin|fre|ger|gle|gre|hun|ita|lav|lit|mlt|pol|por|rum|slo|slv|spa|swe"
)

type Language = Annotated[str, Field(pattern=f"^({_LANGUAGES})$")]
type RecordType = Literal[
    "application/vnd.ogc.csw.GetRecordByIdResponse_xml",
    "application/vnd.iso.19139+xml",
    "application/xml",
    "text/xml",
    "text/html",
]
type Url = Annotated[str, Field(pattern=r"^https?://\S+$")]


class MetadataLinkModel(Model):
    """A metadata record of a cube."""

    url: Url = Field(description="Where it is.")
    standard: str = Field(
        _LINK.standard,
        pattern=r"^[A-Za-z0-9_.:-]+$",
        description="Standard that it complies to; ISO19115:2003 or FGDC:1998 for WMS 1.1.1.",
    )
    format: str = Field(_LINK.media_type, description="Its media type.")


class WordingModel(Model):
    """The texts of the server in another language."""

    title: str = Field("", description="Title of every service.")
    abstract: str = Field("", description="What the server offers.")


class InspireModel(Model):
    """The server as an INSPIRE view service."""

    language: Language = Field("eng", description="Language of the server's texts (ISO 639-2/B).")
    languages: dict[Language, WordingModel] = Field(
        {}, description="The texts in further languages, which a request asks for by LANGUAGE."
    )
    metadata_url: Url | None = Field(
        None,
        description="Metadata record of the service. Without one the capabilities say themselves "
        "what it would, which takes an organization and an email in `contact`.",
    )
    metadata_format: RecordType = Field(
        "application/vnd.ogc.csw.GetRecordByIdResponse_xml", description="Its media type."
    )
    date: dt.date = Field(description="Day on which these metadata were last revised (2026-01-31).")
    conformity: Conformity = Field(
        _INSPIRE.conformity,
        description="To the rules on the interoperability of spatial data sets and services.",
    )
