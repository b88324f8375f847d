"""Where files lie that a repository refers to, and which of these places may be read."""

import os
from collections.abc import Iterable
from itertools import takewhile
from typing import Any
from urllib.parse import quote, unquote

from datacube.store.icechunk.library import library, s3_options

ALLOWED = "DATACUBE_VIRTUAL_SOURCES"
"""Of the environment: folders and buckets whose files may be served, separated by blanks."""

_PLAIN = "/!$&'()*+,;=:@[]"
"""What else than letters, digits and ``-._~`` stands in the path of a URL as it is."""


def authorised(prefixes: Iterable[str]) -> dict[str, Any]:
    """Credentials for those places of a repository's files that are allowed.

    Parameters
    ----------
    prefixes : iterable of str
        Of the URLs of its files.
    """
    icechunk = library()
    found: dict[str, Any] = {}
    for prefix in filter(is_allowed, prefixes):
        local = prefix.startswith("file://")
        found[prefix] = icechunk.credentials.LocalFileSystemAccess if local else _s3()
    return dict(icechunk.containers_credentials(found))


def is_allowed(place: str) -> bool:
    """Whether all files in a folder or bucket, with a slash at its end, may be served."""
    inside = any(place.startswith(one) for one in allowed())
    return inside and not {".", ".."} & set(unquote(place).split("/"))


def allowed() -> tuple[str, ...]:
    """URL prefixes of the files that may be served."""
    return tuple(_prefix(one) for one in os.environ.get(ALLOWED, "").split())


def _s3() -> Any:
    icechunk = library()
    anonymous = s3_options()["anonymous"]
    return icechunk.s3_anonymous_credentials() if anonymous else icechunk.s3_from_env_credentials()


def place_of(location: str) -> str:
    """URL of the folder of a file, or of the next one above it whose name a container can have.

    The library matches the places of containers to those of files as they are written, and does
    so with escaped characters in neither.

    Examples
    --------
    >>> place_of("s3://bucket/archive/a%20b.nc"), place_of("file:///data/a%20b/c/d.nc")
    ('s3://bucket/archive/', 'file:///data/')
    """
    scheme, _, path = location.partition("://")
    *folders, _ = path.split("/")
    return f"{scheme}://{'/'.join(takewhile(lambda one: '%' not in one, folders))}/"


def container_of(location: str) -> Any:
    """What a repository says of the place of a file."""
    icechunk = library()
    place = place_of(location)
    if place.startswith("file://"):
        store = icechunk.local_filesystem_store(place.removeprefix("file://"))
        return icechunk.VirtualChunkContainer(place, store)
    options = s3_options()
    keys = ("region", "endpoint_url", "allow_http", "force_path_style", "anonymous")
    store = icechunk.s3_store(**{key: options[key] for key in keys})
    return icechunk.VirtualChunkContainer(place, store)


def location_of(url: str) -> str:
    """The URL of a file as references have it.

    Examples
    --------
    >>> location_of("/data/a b.nc"), location_of("file:///data/x/../a%231.nc")
    ('file:///data/a%20b.nc', 'file:///data/a%231.nc')
    >>> location_of("s3://bucket/a#1.nc")
    's3://bucket/a%231.nc'
    """
    if url.startswith("s3://"):
        return f"s3://{quote(url.removeprefix('s3://'), _PLAIN)}"
    path = os.path.abspath(path_of(url))  # noqa: PTH100  symbolic links stay
    return f"file://{quote(path, _PLAIN)}"


def _prefix(place: str) -> str:
    return f"{location_of(place.rstrip('/'))}/"


def path_of(url: str) -> str:
    """The path of a file of this machine.

    Examples
    --------
    >>> path_of("file:///data/a%20b#1.nc"), path_of("file://localhost/a.nc"), path_of("a%20b.nc")
    ('/data/a b#1.nc', '/a.nc', 'a%20b.nc')
    """
    if not url.startswith("file://"):
        return url
    return unquote(f"/{url.removeprefix('file://').partition('/')[2]}")
