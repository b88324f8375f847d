"""A repository that others wrote, or that refers to files: its newest snapshot as a Zarr group."""

from typing import Any, override

from datacube.store.icechunk.repository import IcechunkObjects, Repository

_NAME = b"ICE\xf0\x9f\xa7\x8aCHUNK"


class ViewedObjects(IcechunkObjects):
    """The Zarr hierarchy of a snapshot, its root at the root.

    Parameters
    ----------
    repository : Repository
    snapshot : str
    """

    def __init__(self, repository: Repository, snapshot: str) -> None:
        super().__init__(repository)
        self.snapshot = snapshot
        self._zarr = repository.store_at(snapshot)

    @property
    @override
    def url(self) -> str:
        """Names the snapshot too, so that what is kept of one is not taken for another's."""
        return f"{self.repository.url}@{self.snapshot}"

    @override
    def get(self, key: str) -> bytes | None:
        """The whole object; None where there is none."""
        return self.read(self._zarr, key)

    @override
    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Some bytes of an object; None where there is none."""
        from zarr.abc.store import RangeByteRequest  # noqa: PLC0415  it loads slowly

        return self.read(self._zarr, key, RangeByteRequest(start, start + length))

    @override
    def get_tail(self, key: str, length: int) -> bytes | None:
        """The last bytes of an object; None where there is none."""
        from zarr.abc.store import SuffixByteRequest  # noqa: PLC0415  it loads slowly

        return self.read(self._zarr, key, SuffixByteRequest(length))

    @override
    def list_prefixes(self, prefix: str) -> list[str]:
        """Names of the groups and arrays directly below a group."""
        return self.repository.loops.run(_names(self._zarr, prefix.strip("/")))


def is_repository(data: bytes | None) -> bool:
    """Whether an object named ``repo`` that begins so is that of a repository."""
    return data is not None and data.startswith(_NAME)


async def _names(store: Any, prefix: str) -> list[str]:
    names = [name async for name in store.list_dir(prefix)]
    return sorted(name.rstrip("/") for name in names if not name.endswith("zarr.json"))
