"""The files of a product: a folder, or a zip archive with one folder in it, which stays packed."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, is_zipfile

from datacube.errors import SourceError

_LARGEST = 2**26  # bytes of a metadata document


@dataclass(frozen=True, eq=False)
class ProductFiles:
    """Files by their names relative to the product's folder, with ``/``.

    Parameters
    ----------
    path : Path
        A folder, or a zip archive.

    Raises
    ------
    SourceError
        When used: the archive is damaged.
    """

    path: Path

    @property
    def zipped(self) -> bool:
        """Whether they are in an archive."""
        return self.path.is_file()

    @property
    def name(self) -> str:
        """Name of the product's folder, without ``.SAFE``."""
        folder = self._prefix.rstrip("/") or self.path.name
        return folder.removesuffix(".zip").removesuffix(".SAFE")

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self.names if self.zipped else (self.path / name).is_file()

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of all files."""
        if not self.zipped:
            every = (one for one in self.path.rglob("*") if one.is_file())
            return frozenset(one.relative_to(self.path).as_posix() for one in every)
        prefix = self._prefix
        return frozenset(one.removeprefix(prefix) for one in self._members if one[-1] != "/")

    def read(self, name: str) -> bytes:
        """Content of a metadata document.

        Raises
        ------
        SourceError
            It is not there, or too large to be one.
        """
        if not self.has(name):
            raise SourceError(f"there is no {name} in the product", subject=str(self.path))
        if not self.zipped:
            return (self.path / name).read_bytes()
        with ZipFile(self.path) as archive:
            member = archive.getinfo(f"{self._prefix}{name}")
            if member.file_size > _LARGEST:
                raise SourceError(f"{name} has {member.file_size} bytes", subject=str(self.path))
            return archive.read(member)

    def gdal(self, name: str) -> str:
        """Path of an image for GDAL, which reads archives without unpacking them."""
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise SourceError(f"the product names a file outside of it: {name}")
        if not self.zipped:
            return str(self.path / name)
        return f"/vsizip/{{{self.path}}}/{self._prefix}{name}"

    @cached_property
    def _members(self) -> tuple[str, ...]:
        try:
            with ZipFile(self.path) as archive:
                return tuple(archive.namelist())
        except (BadZipFile, OSError) as error:
            raise SourceError(f"the zip archive is damaged: {error}") from error

    @cached_property
    def _prefix(self) -> str:
        """The archive's only folder, with its slash."""
        if not self.zipped:
            return ""
        tops = {one.partition("/")[0] for one in self._members}
        inside = all("/" in one for one in self._members)
        return f"{tops.pop()}/" if len(tops) == 1 and inside else ""


def product_files(path: Path) -> ProductFiles | None:
    """Files of a folder or zip archive; None of any other file."""
    if path.is_dir():
        return ProductFiles(path)
    if path.is_file() and is_zipfile(path):
        return ProductFiles(path)
    return None
