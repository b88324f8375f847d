"""The settings that engine and services see: plain frozen values with sensible defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field, RangeType
from datacube.render.style import Style, fields_of, for_field

type TimeEncoding = Literal["iso", "strict"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost.

    Parameters
    ----------
    max_width, max_height : int, pixels of a map
    max_layers : int, layers of a map
    max_steps : int, time steps that one map may look through
    max_coverage_bytes : int, values of a coverage in memory
    cache_bytes : int, decoded chunks kept in memory
    max_body_bytes : int, body of a request
    """

    max_width: int = 4096
    max_height: int = 4096
    max_layers: int = 16
    max_steps: int = 64
    max_coverage_bytes: int = 256 << 20
    cache_bytes: int = 512 << 20
    max_body_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Contact:
    """Who runs the server; stands in the capabilities of every service."""

    organization: str = ""
    url: str = ""
    person: str = ""
    position: str = ""
    phone: str = ""
    address: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One server.

    Parameters
    ----------
    title, abstract, attribution : str
    keywords : tuple of str
    fees, access_constraints : str
    contact : Contact
    public_url : str
        Base URL for documents, with its path prefix; empty: taken from the request.
    trusted_proxies : tuple of str
        Addresses or networks whose forwarded headers are believed.
    limits : Limits
    strict_http : bool
        WMS errors with their HTTP status instead of 200.
    wcs_time_encoding : ``iso`` (quoted ISO 8601, what clients read) or ``strict`` (numeric days,
        what the schema allows)
    """

    title: str = "Datacube server"
    abstract: str = "Coverages, maps and tiles from Zarr cubes"
    attribution: str = ""
    keywords: tuple[str, ...] = ()
    fees: str = "none"
    access_constraints: str = "none"
    contact: Contact = field(default_factory=Contact)
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    strict_http: bool = False
    wcs_time_encoding: TimeEncoding = "iso"


@dataclass(frozen=True, slots=True)
class TimePolicy:
    """What a time means that is no step of the cube.

    Parameters
    ----------
    nearest : bool, whether the nearest step is taken
    tolerance_ms : int, how far it may be, in milliseconds; half the median step where None
    """

    nearest: bool = True
    tolerance_ms: int | None = None


@dataclass(frozen=True, slots=True)
class FieldSettings:
    """Overrides for a field; None is as in the cube."""

    title: str | None = None
    uom: str | None = None
    valid_range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class CubeSettings:
    """Overrides for a cube; None is as in the cube.

    Parameters
    ----------
    styles : tuple of Style
        Of the whole cube or of one field; they come before the styles that every cube has.
    """

    title: str | None = None
    abstract: str | None = None
    attribution: str | None = None
    licence: str | None = None
    hidden: bool = False
    styles: tuple[Style, ...] = ()
    fields: Mapping[str, FieldSettings] = field(default_factory=dict)
    time: TimePolicy = field(default_factory=TimePolicy)

    def describe(self, description: CoverageDescription) -> CoverageDescription:
        """The description with what is overridden."""
        fields = tuple(_field(one, self.fields) for one in description.range_type.fields)
        return replace(
            description,
            title=_first(self.title, description.title),
            abstract=_first(self.abstract, description.abstract),
            attribution=_first(self.attribution, description.attribution),
            licence=_first(self.licence, description.licence),
            range_type=RangeType(fields),
        )

    def styles_for(
        self, description: CoverageDescription, names: tuple[str, ...]
    ) -> tuple[Style, ...]:
        """Configured styles of a layer that shows these fields.

        A style fits the whole cube when all its fields are there, and a layer of one field when
        it reads that field alone or, naming none, any field.
        """
        whole = len(names) == len(description.range_type.names)
        fitting = []
        for style in self.styles:
            own = for_field(style, names[0]) if len(names) == 1 else style
            known = set(fields_of(own)) <= set(names)
            if known and (whole or len(fields_of(own)) == 1):
                fitting.append(own)
        return tuple(fitting)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything configured.

    Parameters
    ----------
    server : ServerSettings
    cubes : mapping of cube id to CubeSettings
    """

    server: ServerSettings = field(default_factory=ServerSettings)
    cubes: Mapping[str, CubeSettings] = field(default_factory=dict)

    def cube(self, identifier: str) -> CubeSettings:
        """Settings of a cube; the defaults where none are configured."""
        return self.cubes.get(identifier, CubeSettings())


def _first(own: str | None, otherwise: str) -> str:
    return otherwise if own is None else own


def _field(one: Field, overrides: Mapping[str, FieldSettings]) -> Field:
    if (own := overrides.get(one.name)) is None:
        return one
    return replace(
        one,
        title=_first(own.title, one.title),
        uom=_first(own.uom, one.uom),
        valid_range=own.valid_range or one.valid_range,
    )
