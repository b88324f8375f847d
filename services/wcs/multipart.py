"""Messages of several parts (RFC 2387): a description and the files that it speaks of."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from datacube.formats.pieces import Piece

type Content = bytes | Iterator[Piece]


@dataclass(frozen=True, eq=False)
class Part:
    """A file of a message.

    Parameters
    ----------
    content : bytes or pieces of bytes
    media_type : str
    name : str, Content-ID and file name
    length : int, optional
        Size of the content, where it comes in pieces and that is known.
    """

    content: Content
    media_type: str
    name: str
    length: int | None = None

    @property
    def size(self) -> int | None:
        """Bytes of the content, where that is known."""
        return len(self.content) if isinstance(self.content, bytes) else self.length

    def head(self, boundary: str) -> bytes:
        """What stands before the content."""
        return (
            f"\r\n--{boundary}\r\nContent-Type: {self.media_type}\r\n"
            f"Content-Transfer-Encoding: binary\r\nContent-ID: <{self.name}>\r\n"
            f'Content-Disposition: attachment; filename="{self.name}"\r\n\r\n'
        ).encode()

    def pieces(self) -> Iterator[Piece]:
        """The content."""
        if isinstance(self.content, bytes):
            yield self.content
        else:
            yield from self.content


@dataclass(frozen=True, eq=False)
class Related:
    """A message of several parts.

    Parameters
    ----------
    media_type : str, with the boundary as its last parameter
    pieces : iterator of bytes
    length : int or None, size of the whole where those of the files are known
    """

    media_type: str
    pieces: Iterator[Piece]
    length: int | None


def related(root: bytes, root_type: str, *files: Part) -> Related:
    """A ``multipart/related`` message, in pieces.

    Parameters
    ----------
    root : the document that comes first
    files : the other parts
    """
    boundary = f"wcs-{sha256(root).hexdigest()[:24]}"
    head = (
        f"--{boundary}\r\nContent-Type: {root_type}\r\nContent-ID: <description>\r\n\r\n"
    ).encode() + root
    media_type = (
        f'multipart/related; type="{root_type}"; start="<description>"; boundary={boundary}'
    )
    last = f"\r\n--{boundary}--\n".encode()  # after a longer end QGIS counts one more part
    length: int | None = len(head) + len(last)
    for one in files:
        known = None if length is None or one.size is None else one.size + len(one.head(boundary))
        length = None if length is None or known is None else length + known
    return Related(media_type, _pieces(head, files, boundary, last), length)


def _pieces(head: bytes, files: tuple[Part, ...], boundary: str, last: bytes) -> Iterator[Piece]:
    for one in files:
        yield head + one.head(boundary)
        yield from one.pieces()
        head = b""
    yield last
