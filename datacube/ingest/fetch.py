"""From what the user wrote to a file or folder on this machine."""

import base64
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

import fsspec
import obstore
from obstore.store import from_url

from datacube.errors import SourceError, StorageError

_BUCKETS = ("s3://", "s3a://", "gs://", "az://", "azure://", "abfs://", "abfss://")
_WEB = ("http://", "https://")
_BLOCK = 4 * 2**20
_SILENCE = 60.0  # seconds without a byte
_ABSENT = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_SECRET = re.compile("sig|token|key|secret|credential|password|auth", re.IGNORECASE)
_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


@contextmanager
def local(source: str) -> Iterator[Path]:
    """The path of a source; a URL is downloaded to a temporary file that lives in the context.

    Parameters
    ----------
    source : str
        A path, or a URL of one file: in a bucket, at a web server (with ``user:password@`` before
        the host where it asks for them), or of any scheme that fsspec knows.

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


def without_secrets(source: str) -> str:
    """A source as anybody may see it: of a web server without account, key or signature.

    Examples
    --------
    >>> without_secrets("https://me:pass@host/sst.nc?day=1")
    'https://host/sst.nc?day=1'
    >>> without_secrets("https://bucket.host/sst.nc?X-Amz-Signature=ab")
    'https://bucket.host/sst.nc'
    """
    if not source.startswith(_WEB):
        return source
    parts = urlsplit(source)
    names = [one.partition("=")[0] for one in parts.query.split("&")]
    query = "" if any(_SECRET.search(name) for name in names) else parts.query
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query).geturl()


def _download(source: str, target: Path) -> None:
    try:
        if source.startswith(_BUCKETS):
            _from_bucket(source, target)
            return
        if source.startswith(_WEB):
            _from_web(source, target)
            return
        with fsspec.open(source, "rb") as remote, target.open("wb") as file:
            shutil.copyfileobj(remote, file, _BLOCK)
    except FileNotFoundError as error:
        raise SourceError("there is no such object", subject=source) from error
    except (SourceError, StorageError):
        raise
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


def _from_web(source: str, target: Path) -> None:
    """From a web server, which may send it elsewhere."""
    parts = urlsplit(source)
    account, _, host = parts.netloc.rpartition("@")
    request = Request(parts._replace(netloc=host, fragment="").geturl())  # noqa: S310  http(s) only
    if account:
        secret = base64.b64encode(unquote(account).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {secret}")
    try:
        with urlopen(request, timeout=_SILENCE) as remote, target.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(remote, file, _BLOCK)
            wanted, got = remote.headers.get("Content-Length"), file.tell()
    except HTTPError as error:
        if error.code in _ABSENT:
            raise FileNotFoundError(source) from error
        said = f"the server says {error.code} {error.reason}"
        again = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _LATER
        kind = StorageError if again else SourceError
        raise kind(f"cannot be downloaded: {said}", subject=source) from error
    if wanted is not None and got != int(wanted):
        raise StorageError(f"cannot be downloaded: {got} of {wanted} bytes came", subject=source)
