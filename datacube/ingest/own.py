"""What lies in folders of sources and is none: stores and their cubes, which nothing may move."""

from collections.abc import Collection
from pathlib import Path

from datacube.errors import StorageError
from datacube.store.index import INDEX_KEY, read_index
from datacube.store.url import open_store

_MARKS = ("manifest/head.json", "pointer.json", "repo")
"""By which a folder is known as a cube, a registered group or a repository."""


def is_own(path: Path) -> bool:
    """Whether a folder or file is part of a store.

    Parameters
    ----------
    path : Path
    """
    if path.name == INDEX_KEY and path.is_file():
        try:
            return bool(read_index(path.read_bytes()))
        except (OSError, StorageError):
            return False
    return any((path / one).is_file() for one in _MARKS)


def passed_over(store: str, bad_folder: Path | None) -> Collection[Path]:
    """The folders that are looked into only where they are asked for themselves.

    Parameters
    ----------
    store : str, URL
    bad_folder : Path, optional
    """
    place = open_store(store)
    folders = [Path(place.url)] if place.is_local else []
    return {one.absolute() for one in (*folders, *([bad_folder] if bad_folder else ()))}
