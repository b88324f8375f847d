"""Media type -> encoder: what this server can write, and the names that people use for it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from datacube.errors import InvalidFormat
from datacube.formats import (
    cog,
    coveragejson,
    csv,
    geotiff,
    geotiff_tags,
    netcdf,
    netcdf3,
    netcdf_forward,
    npy,
    plainjson,
    zarrzip,
)
from datacube.formats.pieces import Piece, Streamed
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.grid import RectifiedGrid
from datacube.model.stream import CoverageStream

type Content = bytes | Iterator[Piece] | Streamed
type Options = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Encoder:
    """One file format.

    Parameters
    ----------
    media_type : str
        As answered in Content-Type and advertised in the documents.
    extension : str, without the dot
    title : str
    write : callable
        ``write(coverage, options) -> bytes or pieces of bytes``; what is wrong with the request
        is raised at once, not while the pieces are taken.
    aliases : tuple of str
        Other names of the format in requests, lower case.
    dims : int or None
        How many axes of more than one cell it holds beside x and y; None is any number.
    check : callable
        Raises InvalidFormat where a coverage of that description does not fit, and names what
        would; for a refusal before anything is read.
    stream : callable or None
        ``stream(coverage, options) -> Streamed``: the file while the coverage is read, for a
        format that can be written forward.
    spool : callable or None
        ``spool(coverage, options) -> content``: the file, written to disk while the coverage is
        read.
    forward : callable or None
        ``forward(coverage, options) -> Streamed or None``: the file that ``write`` gives while the
        coverage is read, one that can be held; None where it cannot be known before the values.
    room : int
        How many times the size of the values that takes on disk, at most.
    same : bool
        Whether that file has the very bytes that ``write`` gives.
    """

    media_type: str
    extension: str
    title: str
    write: Callable[[Coverage, Options], Content]
    aliases: tuple[str, ...] = ()
    dims: int | None = None
    check: Callable[[CoverageDescription], None] = lambda _description: None
    stream: Callable[[CoverageStream, Options], Streamed] | None = None
    spool: Callable[[CoverageStream, Options], Content] | None = None
    forward: Callable[[CoverageStream, Options], Streamed | None] | None = None
    room: int = 1
    same: bool = False

    def holds(self, domain: DomainSet) -> bool:
        """Whether a coverage over this domain fits into the format."""
        if self.dims is None:
            return True
        equal = isinstance(domain.grid, RectifiedGrid)
        return equal and sum(axis.size > 1 for axis in domain.axes) <= self.dims

    def encode(self, coverage: Coverage, options: Options | None = None) -> Content:
        """The file.

        Parameters
        ----------
        coverage : Coverage
        options : mapping of str to str, optional
            ``history``: what was asked, for the formats that carry provenance.

        Raises
        ------
        InvalidFormat
            The coverage does not fit; the message names what would.
        """
        return self.write(coverage, options or {})


@dataclass(frozen=True, slots=True)
class Registry:
    """The encoders, in the order in which documents list them.

    Examples
    --------
    >>> encoders().find("geotiff").media_type
    'image/tiff'
    >>> encoders().find("image/tiff; application=geotiff").extension
    'tif'
    """

    entries: tuple[Encoder, ...]

    @property
    def media_types(self) -> tuple[str, ...]:
        """Media types in order."""
        return tuple(entry.media_type for entry in self.entries)

    def find(self, name: str) -> Encoder:
        """The encoder of a media type or one of its aliases; case and parameters do not matter.

        Raises
        ------
        InvalidFormat
            Nothing writes that; the message lists what is offered.
        """
        wanted = name.partition(";")[0].strip().lower()
        for entry in self.entries:
            if wanted == entry.media_type or wanted in entry.aliases:
                return entry
        raise InvalidFormat(
            f"the format '{name[:100]}' is not offered; offered are {', '.join(self.media_types)}",
            subject="format",
        )

    def streaming(self, domain: DomainSet) -> tuple[str, ...]:
        """Media types that can be written forward and hold a coverage over this domain."""
        return tuple(
            one.media_type for one in self.entries if one.stream is not None and one.holds(domain)
        )

    def native(self, domain: DomainSet) -> Encoder:
        """What a coverage over this domain is written as when nobody asks: the first that fits."""
        return next(entry for entry in self.entries if entry.holds(domain))

    def register(self, encoder: Encoder) -> "Registry":
        """A registry that knows one more; it takes the place of one with the same media type."""
        kept = tuple(one for one in self.entries if one.media_type != encoder.media_type)
        return Registry((*kept, encoder))


def builtin() -> Registry:
    """The encoders of this package."""
    return Registry(
        (
            Encoder(
                "image/tiff",
                "tif",
                "GeoTIFF",
                geotiff.encode,
                ("geotiff", "tiff", "tif", "image/geotiff", "image/x-geotiff", "gtiff"),
                0,
                geotiff_tags.check,
                geotiff.stream,
                geotiff.spool,
                geotiff.forward,
                room=3,
            ),
            Encoder(
                "application/netcdf",
                "nc",
                "CF NetCDF-4",
                netcdf.encode,
                ("netcdf", "netcdf4", "nc", "application/x-netcdf", "application/x-netcdf4"),
                spool=netcdf.spool,
                forward=netcdf_forward.forward,
            ),
            Encoder(
                "application/prs.coverage+json",
                "covjson",
                "CoverageJSON",
                coveragejson.encode,
                ("coveragejson", "covjson"),
                stream=coveragejson.stream,
            ),
            Encoder("text/csv", "csv", "CSV", csv.encode, ("csv",), stream=csv.stream, same=True),
            Encoder(
                "application/x-npy",
                "npy",
                "NumPy",
                npy.encode,
                ("npy", "numpy", "application/npy"),
                stream=npy.stream,
                same=True,
            ),
            Encoder(
                "application/json",
                "json",
                "JSON",
                plainjson.encode,
                ("json", "plain-json"),
                stream=plainjson.stream,
            ),
            Encoder(
                "image/vnd.cog",
                "tif",
                "Cloud-optimised GeoTIFF",
                cog.encode,
                ("cog", "image/cog", "cloud-optimized"),
                0,
                geotiff_tags.check,
                spool=cog.spool,
                room=4,
            ),
            Encoder(
                "application/x-netcdf3",
                "nc",
                "CF NetCDF-3",
                netcdf3.encode,
                ("netcdf3", "nc3", "netcdf-3"),
                stream=netcdf3.stream,
            ),
            Encoder(
                "application/vnd.zarr+zip",
                "zarr.zip",
                "Zarr in a zip",
                zarrzip.encode,
                ("zarr", "application/vnd+zarr", "application/zarr", "zarr.zip"),
                stream=zarrzip.stream,
            ),
        )
    )


@cache
def encoders() -> Registry:
    """The encoders of this package and those that are installed (group ``datacube.formats``)."""
    registry = builtin()
    for entry in sorted(entry_points(group="datacube.formats"), key=lambda one: one.name):
        registry = registry.register(entry.load())
    return registry
