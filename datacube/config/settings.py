"""The settings that engine and services see: plain frozen values with sensible defaults."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from datacube.config.metadata import InspireSettings, MetadataLink
from datacube.config.products import RecipeSettings
from datacube.errors import InvalidParameter
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field, RangeType
from datacube.model.tiling import TileMatrixSet
from datacube.render.defaults import DEFAULT, default_styles
from datacube.render.style import ColorRamp, Style, fields_of, for_field
from datacube.render.symbolized import Described

type TimeEncoding = Literal["iso", "strict"]
type NativeFormat = Literal["file", "gml"]
type WmsLayers = Literal["all", "cubes"]
type WcsVersion = Literal["1.0.0", "1.1.0", "1.1.1", "1.1.2", "2.0.1"]

WCS_VERSIONS: tuple[WcsVersion, ...] = ("1.0.0", "1.1.0", "1.1.1", "1.1.2", "2.0.1")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost.

    Parameters
    ----------
    max_width, max_height : int, pixels of a map
    max_layers : int, layers of a map
    max_steps : int, time steps that one map may look through
    max_cells : int, cells that one map or coverage may compute, over all its fields and steps
    max_reduced_cells : int, stored cells that one map or coverage may reduce, over all its steps
    max_coverage_bytes : int, values of a coverage in memory
    max_stream_bytes : int, values of a coverage that is sent while it is read
    max_spool_bytes : int, values of a coverage whose file is made on disk before it is sent
    cache_bytes : int, kept in memory: decoded chunks and what steps of them came to, where
        reprojected tiles lie, and memory for the next chunks
    answer_cache_bytes : int, pictures and documents kept in memory as they are sent
    max_body_bytes : int, body of a request
    """

    max_width: int = 4096
    max_height: int = 4096
    max_layers: int = 16
    max_steps: int = 64
    max_cells: int = 500_000_000
    max_reduced_cells: int = 10_000_000_000
    max_coverage_bytes: int = 256 << 20
    max_stream_bytes: int = 64 << 30
    max_spool_bytes: int = 4 << 30
    cache_bytes: int = 512_000_000
    answer_cache_bytes: int = 32 << 20
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
class TimePolicy:
    """What a time means that is no step of the cube.

    Parameters
    ----------
    nearest : whether the nearest step is taken, or the ``previous`` or the ``next`` one
    tolerance_ms : int, how far it may be, in milliseconds
        Half the median step where None; the whole of it for the previous and the next one.
    default : what is shown without a time
        The ``latest`` step, the one before or at ``now``, or so long after the start of the newest
        run of a forecast (``run+PT12H``).
    """

    nearest: bool | Literal["previous", "next"] = True
    tolerance_ms: int | None = None
    default: str = "latest"


@dataclass(frozen=True, slots=True)
class LevelPolicy:
    """What a height or depth means that is no level of the cube, and how the axis is listed.

    Parameters
    ----------
    nearest : bool, whether the nearest level is taken
    several : bool, whether a list or a range of levels draws one over the other, the last on top
    default : the level, or of several the range (low, high), shown without one; None: the first
    crs : str, vertical CRS that a WMS names in place of the unit (``CRS:88``)
    """

    nearest: bool = True
    several: bool = False
    default: float | tuple[float, float] | None = None
    crs: str = ""


@dataclass(frozen=True, slots=True)
class TileCacheSettings:
    """Where pictures are kept beyond the memory of a process.

    Parameters
    ----------
    url : str, a folder or bucket
    nbytes : int, how much is kept
    """

    url: str
    nbytes: int = 10_000_000_000


@dataclass(frozen=True, slots=True)
class JobSettings:
    """What may be made while nobody waits for it, and where it lies until it is fetched.

    Parameters
    ----------
    folder : str, one of the server's own in the folder for temporary files where empty
    running : int, jobs that are worked at at once by all processes; none are taken where 0
    waiting : int, jobs that may wait for their turn
    kept : int, jobs that there are at once, with those that have ended
    max_bytes : int, values of a coverage, and its file
    total_bytes : int, files of all jobs together
    max_cells : int, cells that one job may compute, over all its fields and steps
    max_reduced_cells : int, stored cells that one job may reduce, over all its steps
    keep_ms : int, how long a job and its file are kept once it has ended, in milliseconds
    listed : bool, whether everybody is told of every job
    """

    folder: str = ""
    running: int = 1
    waiting: int = 16
    kept: int = 1000
    max_bytes: int = 32 << 30
    total_bytes: int = 64 << 30
    max_cells: int = 5_000_000_000
    max_reduced_cells: int = 100_000_000_000
    keep_ms: int = 86_400_000
    listed: bool = False


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
    workers : int, optional
        Processes that answer; one on each core, at most four, where None.
    limits : Limits
    time : TimePolicy
        Of cubes that have none of their own.
    jobs : JobSettings
    sld_hosts : tuple of str
        Hosts from which documents of ``SLD=`` are fetched.
    strict_http : bool
        WMS errors with their HTTP status instead of 200.
    wms_charts : bool
        Whether WMS 1.3.0 lists series, profiles and sections, in a namespace of its own.
    wms_layers : ``all``, or ``cubes``: the capabilities list only the pictures of cubes
    wmts_strict : bool
        Whether WMTS refuses what its standard forbids and a tile can do without.
    wcs_time_encoding : ``iso`` (quoted ISO 8601, what clients read) or ``strict`` (numeric days,
        what the schema allows)
    wcs_native_format : ``file`` or ``gml``: what WCS 2.0.1 gives where no format is asked for
    tile_matrix_sets : tuple of TileMatrixSet, beside the well-known ones
    wcs_versions : versions of WCS that are offered, lowest first
    inspire : InspireSettings, optional
    changed : str, ISO 8601 time of the latest change of the configuration's files, may be empty
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
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    time: TimePolicy = field(default_factory=TimePolicy)
    sld_hosts: tuple[str, ...] = ()
    strict_http: bool = False
    wms_charts: bool = True
    wms_layers: WmsLayers = "all"
    wmts_strict: bool = False
    wcs_time_encoding: TimeEncoding = "iso"
    wcs_native_format: NativeFormat = "file"
    tile_matrix_sets: tuple[TileMatrixSet, ...] = ()
    tile_cache: TileCacheSettings | None = None
    jobs: JobSettings = field(default_factory=JobSettings)
    wcs_versions: tuple[WcsVersion, ...] = WCS_VERSIONS
    inspire: InspireSettings | None = None
    changed: str = ""


@dataclass(frozen=True, slots=True)
class FieldSettings:
    """Overrides for a field; None is as in the cube.

    Parameters
    ----------
    title, uom : str, optional
    valid_range : (low, high), optional
        Ends of its colours, physical.
    colormap : str, optional
        Of its style ``default``.
    log : bool
        Whether that style is logarithmic.
    """

    title: str | None = None
    uom: str | None = None
    valid_range: tuple[float, float] | None = None
    colormap: str | None = None
    log: bool = False


@dataclass(frozen=True, slots=True)
class CubeSettings:
    """Overrides for a cube; None is as in the cube.

    Parameters
    ----------
    styles : tuple of Style, Described or str
        Of the whole cube or of one field; they come before the styles that every cube has. A
        name is one of those that every cube has, put first here; a description becomes a style
        for the layers that have its bands.
    cloudiness : str
        Expression of its fields that ``AGG=leastcloudy`` ranks steps by, the lowest best.
    metadata : tuple of MetadataLink, its records elsewhere
    levels : LevelPolicy
    """

    title: str | None = None
    abstract: str | None = None
    attribution: str | None = None
    licence: str | None = None
    hidden: bool = False
    styles: tuple[Style | Described | str, ...] = ()
    fields: Mapping[str, FieldSettings] = field(default_factory=dict)
    time: TimePolicy = field(default_factory=TimePolicy)
    cloudiness: str = ""
    metadata: tuple[MetadataLink, ...] = ()
    levels: LevelPolicy = field(default_factory=LevelPolicy)

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
        """Configured styles of a layer that shows these fields, each name once.

        A style fits the whole cube when all its fields are there, and a layer of one field when
        it reads that field alone or, naming none, any field.
        """
        whole = len(names) == len(description.range_type.names)
        fitting: dict[str, Style] = {}
        for style in self._candidates(description, names):
            own = for_field(style, names[0]) if len(names) == 1 else style
            known = {one.lower() for one in fields_of(own)} <= {one.lower() for one in names}
            if known and (whole or len(fields_of(own)) == 1):
                fitting.setdefault(own.name, own)
        return tuple(fitting.values())

    def _candidates(
        self, description: CoverageDescription, names: tuple[str, ...]
    ) -> Iterator[Style]:
        """Styles in their order: the listed ones, then that of the layer's only field."""
        for listed in self.styles:
            if isinstance(listed, str):
                usual = default_styles(description, names)
                yield from (style for style in usual if style.name == listed)
            elif isinstance(listed, Described):
                with suppress(InvalidParameter):  # a band is not there
                    yield listed.style_for([description.range_type.field(one) for one in names])
            else:
                yield listed
        own = self.fields.get(names[0]) if len(names) == 1 else None
        if own is not None and own.colormap is not None:
            low, high = own.valid_range or (None, None)
            yield ColorRamp(DEFAULT, own.colormap, names[0], own.colormap, low, high, own.log)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything configured.

    Parameters
    ----------
    server : ServerSettings
    cubes : mapping of cube id to CubeSettings
    styles : mapping of name to Style or Described, reusable by any cube
    recipes : mapping of name to RecipeSettings

    Examples
    --------
    >>> Config().cube("sst").time.nearest
    True
    """

    server: ServerSettings = field(default_factory=ServerSettings)
    cubes: Mapping[str, CubeSettings] = field(default_factory=dict)
    styles: Mapping[str, Style | Described] = field(default_factory=dict)
    recipes: Mapping[str, RecipeSettings] = field(default_factory=dict)

    def cube(self, identifier: str) -> CubeSettings:
        """Settings of a cube; the server's defaults where none are configured."""
        return self.cubes.get(identifier) or CubeSettings(time=self.server.time)


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
