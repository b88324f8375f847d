"""From what the user wrote to a file or folder on this machine."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import fsspec
import obstore
from obstore.store import from_url

from datacube.errors import SourceError, StorageError

_BUCKETS = ("s3://", "s3a://", "gs://", "az://", "azure://", "abfs://", "abfss://")
_BLOCK = 4 * 2**20


@contextmanager
def local(source: str) -> Iterator[Path]:
    """The path of a source; a URL is downloaded to a temporary file that lives in the context.

    Parameters
    ----------
    source : str
        A path, or a URL of one file: in a bucket, or of any scheme that fsspec knows.

    Raises
    ------
    SourceError
        There is no such object, or no way to read such a URL.
    StorageError
        The download failed.

    Examples
    --------
    >>> with local("/data/sst.nc") as path:
    ...     print(path.name)
    sst.nc
    """
    if "://" not in source:
        yield Path(source).expanduser()
        return
    if source.startswith("file://"):
        yield Path(unquote(urlsplit(source).path))
        return
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        name = unquote(source.partition("?")[0].rstrip("/").rpartition("/")[2])
        target = Path(folder) / (name or "source")
        _download(source, target)
        yield target


def _download(source: str, target: Path) -> None:
    try:
        if source.startswith(_BUCKETS):
            _from_bucket(source, target)
            return
        with fsspec.open(source, "rb") as remote, target.open("wb") as file:
            shutil.copyfileobj(remote, file, _BLOCK)
    except FileNotFoundError as error:
        raise SourceError("there is no such object", subject=source) from error
    except (ImportError, ValueError) as error:
        raise SourceError(f"cannot be read: {error}", subject=source) from error
    # fsspec's back-ends raise exceptions of their own libraries
    except Exception as error:
        words = " ".join(str(error).partition("Debug source")[0].split()) or type(error).__name__
        raise StorageError(f"cannot be downloaded: {words[:200]}", subject=source) from error


def _from_bucket(source: str, target: Path) -> None:
    """With the credentials and the end point that a store has too."""
    folder, _, name = source.rpartition("/")
    with target.open("wb") as file:
        for block in obstore.get(from_url(folder), name).stream(min_chunk_size=_BLOCK):
            file.write(block)
