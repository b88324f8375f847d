"""The readers of source formats, and which of them a source is for.

A reader is found by content, never by the file's name alone. Other packages add readers through
the entry point group ``datacube.readers``, each a callable without arguments that gives a
:class:`~datacube.ingest.source.SourceReader`.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

from datacube.errors import SourceError
from datacube.ingest.readers.cog import CogReader
from datacube.ingest.readers.grib import GribReader
from datacube.ingest.readers.landsat import LandsatReader
from datacube.ingest.readers.netcdf import NetcdfReader
from datacube.ingest.readers.sentinel1 import Sentinel1Reader
from datacube.ingest.readers.sentinel2 import Sentinel2Reader
from datacube.ingest.readers.stac import StacReader
from datacube.ingest.readers.swath import SwathReader
from datacube.ingest.source import SourceReader, magic

__all__ = ["Readers", "default_readers", "find_reader", "register", "unknown"]

type Readers = Mapping[str, SourceReader]

_KNOWN = (
    "CF NetCDF, GRIB 1/2, GeoTIFF/COG, STAC items, Sentinel-1 GRD, Sentinel-2 L1C and L2A, "
    "Sentinel-3 and -5P level 2 and Landsat scenes can be read"
)


def default_readers() -> Readers:
    """Readers by name: the built-in ones and those of installed packages."""
    readers: Readers = {}
    for reader in (
        Sentinel1Reader(),
        Sentinel2Reader(),
        LandsatReader(),
        StacReader(),
        SwathReader(),
        NetcdfReader(),
        GribReader(),
        CogReader(),
    ):
        readers = register(readers, reader)
    for entry in entry_points(group="datacube.readers"):
        readers = register(readers, entry.load()())
    return readers


def register(readers: Readers, reader: SourceReader) -> Readers:
    """The readers and one more; a reader of the same name is replaced.

    Examples
    --------
    >>> list(register({}, NetcdfReader()))
    ['netcdf']
    """
    return {**readers, reader.name: reader}


_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x1f\x9d": "compress",
    b"7z\xbc\xaf": "7-Zip",
}
"""Beginnings of files that are nothing by themselves."""


def find_reader(readers: Readers, path: Path) -> SourceReader | None:
    """The reader for a file or folder; None where no reader knows it.

    Raises
    ------
    SourceError
        There is no such file or folder, or libraries cannot open it by its name.
    """
    if not path.exists():
        raise SourceError("no such file or folder", subject=str(path))
    if any("\ud800" <= sign <= "\udfff" for sign in str(path)):  # bytes that are no text
        raise SourceError("its name is not in UTF-8; rename it", subject=str(path))
    return next((reader for reader in readers.values() if reader.sniff(path)), None)


def unknown(path: Path) -> SourceError:
    """Why no reader knows a file or folder: the message says what it seems to be."""
    return SourceError(f"{_seems(path)}; {_KNOWN}", subject=str(path))


def _seems(path: Path) -> str:
    if path.is_dir():
        return _folder_seems(path)
    if not path.is_file():
        return "a pipe or device, which cannot be read twice"
    return _content_seems(magic(path))


def _content_seems(start: bytes) -> str:
    if not start:
        return "the file is empty"
    for packed, program in _PACKED.items():
        if start.startswith(packed):
            return f"a file packed by {program}; unpack it first"
    if start.startswith(b"PK"):
        return "a zip archive that holds no known product"
    if start.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<"):
        return "an XML document, no data by itself"
    if start.lstrip().startswith((b"{", b"[")):
        return "a JSON document, no data by itself"
    return "its content is of no known format"


def _folder_seems(path: Path) -> str:
    if (path / "zarr.json").exists() or (path / ".zgroup").exists():
        return "a Zarr group"
    if (path / "manifest.safe").exists():
        return "a SAFE product that is neither Sentinel-1 GRD nor Sentinel-2 L1C or L2A"
    return "a folder that is no product"
