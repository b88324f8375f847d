"""Where files lie that a repository refers to, and which of these places may be read."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from datacube.store.icechunk.library import library, s3_options

ALLOWED = "DATACUBE_VIRTUAL_SOURCES"
"""Of the environment: folders and buckets whose files may be served, separated by blanks."""


def authorised(prefixes: Iterable[str]) -> dict[str, Any]:
    """Credentials for those places of a repository's files that are allowed.

    Parameters
    ----------
    prefixes : iterable of str
        Of the URLs of its files.
    """
    icechunk = library()
    found: dict[str, Any] = {}
    for prefix in prefixes:
        plain = not {".", ".."} & set(unquote(prefix).split("/"))
        if plain and any(prefix.startswith(one) for one in allowed()):
            local = prefix.startswith("file://")
            found[prefix] = icechunk.credentials.LocalFileSystemAccess if local else _s3()
    return dict(icechunk.containers_credentials(found))


def allowed() -> tuple[str, ...]:
    """URL prefixes of the files that may be served."""
    return tuple(_prefix(one) for one in os.environ.get(ALLOWED, "").split())


def _s3() -> Any:
    icechunk = library()
    anonymous = s3_options()["anonymous"]
    return icechunk.s3_anonymous_credentials() if anonymous else icechunk.s3_from_env_credentials()


def container_of(location: str) -> Any:
    """What a repository says of the place of a file: its folder or bucket."""
    icechunk = library()
    if location.startswith("file://"):
        folder = location.rpartition("/")[0]
        store = icechunk.local_filesystem_store(folder.removeprefix("file://"))
        return icechunk.VirtualChunkContainer(f"{folder}/", store)
    options = s3_options()
    bucket = f"s3://{urlsplit(location).netloc}/"
    keys = ("region", "endpoint_url", "allow_http", "force_path_style", "anonymous")
    store = icechunk.s3_store(**{key: options[key] for key in keys})
    return icechunk.VirtualChunkContainer(bucket, store)


def location_of(url: str) -> str:
    """The URL of a file as references have it.

    Examples
    --------
    >>> location_of("/data/a b.nc"), location_of("s3://bucket/a.nc")
    ('file:///data/a b.nc', 's3://bucket/a.nc')
    """
    return url if url.startswith("s3://") else f"file://{Path(path_of(url)).absolute()}"


def _prefix(place: str) -> str:
    return f"{location_of(place.rstrip('/'))}/"


def path_of(url: str) -> str:
    """The path of a file of this machine."""
    return unquote(urlsplit(url).path) if url.startswith("file://") else url
