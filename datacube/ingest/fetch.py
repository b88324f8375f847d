"""From what the user wrote to a file or folder on this machine."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import fsspec

from datacube.errors import SourceError


@contextmanager
def local(source: str) -> Iterator[Path]:
    """The path of a source; a URL is downloaded to a temporary file that lives in the context.

    Parameters
    ----------
    source : str
        A path, or a URL of any scheme that fsspec knows, of one file.

    Raises
    ------
    SourceError
        The URL cannot be read.

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
        with fsspec.open(source, "rb") as remote, target.open("wb") as file:
            shutil.copyfileobj(remote, file, 4 * 2**20)
    except FileNotFoundError as error:
        raise SourceError("there is no such object", subject=source) from error
    except ImportError as error:
        raise SourceError(f"cannot be read: {error}", subject=source) from error
    # fsspec's back-ends raise exceptions of their own libraries
    except Exception as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(f"cannot be downloaded: {words[:200]}", subject=source) from error
