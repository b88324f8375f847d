"""Model of ``server.yaml``."""

import re
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from datacube.config.base import Count, Duration, Model, Size
from datacube.config.inspire import InspireModel
from datacube.config.settings import (
    Contact,
    JobSettings,
    Limits,
    NativeFormat,
    ServerSettings,
    TileCacheSettings,
    WcsVersion,
    WmsLayers,
)

_DEFAULT = ServerSettings()
_LIMITS = Limits()
_CONTACT = Contact()
_TILES = TileCacheSettings("")
_JOBS = JobSettings()
_MAIL = re.compile(r"[^@]+@[^.]+\..+")


def _url(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError(f"'{value}' is no base URL: it begins with http:// or https://")
    return value.rstrip("/")


def _network(value: str) -> str:
    if value != "*":
        try:
            ip_network(value, strict=False)
        except ValueError as error:
            raise ValueError(
                f"'{value}' is no address, no network such as 10.0.0.0/8, and not *"
            ) from error
    return value


class ContactModel(Model):
    """Who runs the server."""

    organization: str = Field(_CONTACT.organization, description="Who provides the service.")
    url: str = Field(_CONTACT.url, description="Web page of the provider.")
    person: str = Field(_CONTACT.person, description="Whom to ask.")
    position: str = Field(_CONTACT.position, description="Position of that person.")
    phone: str = Field(_CONTACT.phone, description="Telephone number.")
    address: str = Field(_CONTACT.address, description="Street and number.")
    city: str = Field(_CONTACT.city, description="City.")
    region: str = Field(_CONTACT.region, description="State or province.")
    postcode: str = Field(_CONTACT.postcode, description="Postal code.")
    country: str = Field(_CONTACT.country, description="Country.")
    email: str = Field(_CONTACT.email, description="Mail address.")


class LimitsModel(Model):
    """What one request may cost."""

    max_width: Count = Field(_LIMITS.max_width, description="Width of a map in pixels.")
    max_height: Count = Field(_LIMITS.max_height, description="Height of a map in pixels.")
    max_layers: Count = Field(_LIMITS.max_layers, description="Layers of a map.")
    max_steps: Count = Field(
        _LIMITS.max_steps, description="Time steps that one map may look through."
    )
    max_cells: Count = Field(
        _LIMITS.max_cells,
        description="Cells that one map or coverage may compute, over all its fields and steps.",
    )
    max_reduced_cells: Count = Field(
        _LIMITS.max_reduced_cells,
        description="Stored cells that one map or coverage may reduce (``AGG``), over all its "
        "fields and steps; those of a standard deviation count three times, of a percentile eight.",
    )
    max_coverage_bytes: Size = Field(
        _LIMITS.max_coverage_bytes, description="Values of a coverage in memory."
    )
    max_stream_bytes: Size = Field(
        _LIMITS.max_stream_bytes,
        description="Values of a coverage that is sent while it is read "
        "(GeoTIFF, NetCDF-3, Zarr, CSV, JSON, NumPy).",
    )
    max_spool_bytes: Size = Field(
        _LIMITS.max_spool_bytes,
        description="Values of a coverage whose file is made in the folder for temporary files "
        "before it is sent (NetCDF-4, COG, compressed GeoTIFF); up to four times as much is "
        "needed there.",
    )
    cache_bytes: Size = Field(
        _LIMITS.cache_bytes,
        description="Kept in memory: decoded chunks and what steps of them came to, where "
        "reprojected tiles lie, and memory for the next chunks.",
    )
    answer_cache_bytes: Size = Field(
        _LIMITS.answer_cache_bytes,
        description="Pictures and documents kept in memory as they are sent.",
    )
    max_body_bytes: Size = Field(_LIMITS.max_body_bytes, description="Body of a request.")


class TimeModel(Model):
    """What a time means that is no step of the cube."""

    nearest: bool | Literal["previous", "next"] = Field(
        default=True,
        description="Whether the nearest step is taken, or the previous or next; false is exact.",
    )
    tolerance: Duration | None = Field(
        None,
        description="How far it may be (PT6H, P1D); half the median step where not given, a whole "
        "one for the previous and the next.",
    )
    default: str = Field(
        "latest",
        pattern=r"^(latest|now|run(\+P[0-9A-Z.]+)?)$",
        description="Shown without a time: the latest step, the last one that is not after now, or "
        "of a forecast the start of the newest run, with a duration added (run+PT12H).",
    )


class WmsModel(Model):
    """The Web Map Service."""

    charts: bool = Field(
        _DEFAULT.wms_charts,
        description="Whether WMS 1.3.0 lists series, profiles and sections (GetTimeseries …), in a "
        "namespace of the server's own.",
    )
    layers: WmsLayers = Field(
        _DEFAULT.wms_layers,
        description="Layers that capabilities list: all, in a group for each cube its picture and "
        "its fields, or only the pictures of the cubes, without groups. All can be asked for.",
    )


class WmtsModel(Model):
    """The Web Map Tile Service."""

    strict: bool = Field(
        _DEFAULT.wmts_strict,
        description="Whether requests are held to the letter of the standard: a tile beside the "
        "listed limits is an error, not empty, and GetFeatureInfo needs a FORMAT.",
    )


class WcsModel(Model):
    """The Web Coverage Service."""

    time_encoding: Literal["iso", "strict"] = Field(
        _DEFAULT.wcs_time_encoding,
        description="Times as quoted ISO 8601, which clients read, or as numeric days, which the "
        "schema asks for.",
    )
    native_format: NativeFormat = Field(
        _DEFAULT.wcs_native_format,
        description="What a coverage comes as where 2.0.1 is asked without a format: a file "
        "(GeoTIFF, NetCDF of more than two axes), or a GML document, as the OGC's test suite "
        "asks.",
    )
    versions: tuple[WcsVersion, ...] = Field(
        _DEFAULT.wcs_versions,
        min_length=1,
        description="Versions that are offered: 1.0.0, 1.1.0, 1.1.1, 1.1.2, 2.0.1.",
    )


class TileCacheModel(Model):
    """Pictures kept beyond the memory of a process, for all processes and the next start."""

    url: str = Field(min_length=1, description="Folder or bucket (s3://, gs://, az://) for them.")
    size: Size = Field(_TILES.nbytes, description="How much is kept; the oldest go first.")


class JobsModel(Model):
    """Files that are made while nobody waits for them."""

    folder: str = Field(
        _JOBS.folder,
        description="Where jobs and their files lie, for all processes of one server; a folder of "
        "its own among the temporary files where empty.",
    )
    running: int = Field(
        _JOBS.running, ge=0, description="Jobs that are worked at at once; 0 takes none."
    )
    waiting: Count = Field(_JOBS.waiting, description="Jobs that may wait for their turn.")
    kept: Count = Field(
        _JOBS.kept, description="Jobs that there are at once, with those that have ended."
    )
    max_bytes: Size = Field(
        _JOBS.max_bytes, description="Values of the coverage of one job, and its file."
    )
    total_bytes: Size = Field(_JOBS.total_bytes, description="Files of all jobs together.")
    max_cells: Count = Field(
        _JOBS.max_cells, description="Cells that one job may compute, as in ``limits``."
    )
    max_reduced_cells: Count = Field(
        _JOBS.max_reduced_cells, description="Stored cells that one job may reduce (``AGG``)."
    )
    keep: Duration = Field(
        "P1D", description="How long a job and its file are kept once it has ended."
    )
    listed: bool = Field(
        _JOBS.listed,
        description="Whether ``/ogcapi/jobs`` tells everybody of every job; who knows the id of a "
        "job can fetch its file and dismiss it.",
    )


class ServerModel(Model):
    """A server."""

    title: str = Field(_DEFAULT.title, description="Title of every service.")
    abstract: str = Field(_DEFAULT.abstract, description="What the server offers.")
    attribution: str = Field(_DEFAULT.attribution, description="Whom maps are credited to.")
    keywords: tuple[str, ...] = Field(_DEFAULT.keywords, description="Keywords of every service.")
    fees: str = Field(_DEFAULT.fees, description="What its use costs.")
    access_constraints: str = Field(_DEFAULT.access_constraints, description="Who may use it.")
    contact: ContactModel = Field(ContactModel(), description="Who runs it.")
    public_url: Annotated[str, AfterValidator(_url)] = Field(
        _DEFAULT.public_url,
        description="Base URL in all documents, with its path prefix; taken from the request "
        "where not given. May hold ${VARIABLE} or ${VARIABLE:-otherwise}.",
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        _DEFAULT.trusted_proxies,
        description="Addresses or networks whose forwarded headers are believed; * is all.",
    )
    workers: Count | None = Field(
        None,
        description="Processes that answer; one for each core where not given, at most 4. They "
        "share the memory that the limits allow.",
    )
    limits: LimitsModel = Field(LimitsModel(), description="Bounds of what one request may cost.")
    time: TimeModel = Field(
        TimeModel(), description="What other times than the steps mean; a cube may say otherwise."
    )
    sld_hosts: tuple[str, ...] = Field(
        _DEFAULT.sld_hosts,
        description="Hosts from which style documents (SLD=URL) are fetched; none where empty.",
    )
    strict_http: bool = Field(
        _DEFAULT.strict_http,
        description="WMS errors with a 4xx status instead of 200.",
    )
    wms: WmsModel = Field(WmsModel(), description="Settings of the Web Map Service.")
    wmts: WmtsModel = Field(WmtsModel(), description="Settings of the Web Map Tile Service.")
    wcs: WcsModel = Field(WcsModel(), description="Settings of the Web Coverage Service.")
    tile_cache: TileCacheModel | None = Field(
        None, description="Where pictures are kept on disk; nowhere where not given."
    )
    jobs: JobsModel = Field(
        JobsModel(), description="Files that are made while nobody waits, and where they lie."
    )
    inspire: InspireModel | None = Field(
        None, description="What INSPIRE asks of a view service; nothing of it where not given."
    )

    @model_validator(mode="after")
    def _reachable(self) -> "ServerModel":
        """An INSPIRE service without a record of its own says whom to ask."""
        asks = self.inspire is not None and self.inspire.metadata_url is None
        if asks and not (self.contact.organization and _MAIL.fullmatch(self.contact.email)):
            raise ValueError(
                "'inspire' without a metadata_url needs an organization and an email in 'contact'"
            )
        return self
