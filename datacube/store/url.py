"""From a store's URL to its objects; credentials and end points come from the environment."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import from_url

from datacube.errors import StorageError
from datacube.store.local import LocalObjects
from datacube.store.objects import ObjectStore, RemoteObjects

_REMOTE = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "http", "https")


def open_store(url: str) -> ObjectStore:
    """The object store at a URL: a local path, ``s3://``, ``gs://``, ``az://`` or ``https://``.

    Nothing is read or written. The usual variables apply: ``AWS_ACCESS_KEY_ID``,
    ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``, ``AWS_ENDPOINT_URL``, ``AWS_ALLOW_HTTP``,
    ``AWS_SKIP_SIGNATURE``; ``GOOGLE_…`` and ``AZURE_…`` likewise. ``DATACUBE_SINGLE_WRITER=1`` lets
    one program write to a storage that does not honour conditional puts.

    Parameters
    ----------
    url : str

    Raises
    ------
    StorageError
        The scheme is unknown or its settings cannot be used.

    Examples
    --------
    >>> open_store("/data/cubes").is_local
    True
    >>> open_store("ftp://host/cubes")
    Traceback (most recent call last):
    datacube.errors.StorageError: 'ftp://host/cubes' is no path and none of s3:, gs:, az:, https:
    """
    scheme = urlsplit(url).scheme.lower() if re.match(r"^[A-Za-z][A-Za-z0-9+.-]+://", url) else ""
    if scheme in {"", "file"}:
        path = Path(unquote(urlsplit(url).path) if scheme else url).expanduser().absolute()
        if any(map(os.path.isfile, (path, *path.parents))):
            raise StorageError(f"'{url}' is or lies in a file; a store is a folder", subject=url)
        return LocalObjects(path)
    if scheme not in _REMOTE:
        raise StorageError(
            f"'{url}' is no path and none of s3:, gs:, az:, https:",
            subject=url,
        )
    try:
        # only a plain http:// URL asks for an unencrypted connection by itself
        options: Any = {"allow_http": True} if scheme == "http" else None
        found = from_url(url.rstrip("/"), client_options=options)
        alone = os.environ.get("DATACUBE_SINGLE_WRITER", "") not in {"", "0"}
        return RemoteObjects(found, url.rstrip("/"), alone=alone)
    except (BaseError, ValueError) as error:
        reason = str(error).partition("\n\nDebug source")[0]
        raise StorageError(f"the store '{url}' cannot be opened: {reason}", subject=url) from error
