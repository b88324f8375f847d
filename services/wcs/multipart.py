"""Messages of several parts (RFC 2387): a description and the file that it speaks of."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

type Content = bytes | Iterator[bytes]


@dataclass(frozen=True, eq=False)
class Related:
    """A message of two parts.

    Parameters
    ----------
    media_type : str, with the boundary as its last parameter
    pieces : iterator of bytes
    length : int or None, size of the whole where that of the file is known
    """

    media_type: str
    pieces: Iterator[bytes]
    length: int | None


def related(
    root: bytes, root_type: str, file: Content, file_type: str, name: str, length: int | None = None
) -> Related:
    """A ``multipart/related`` message, in pieces.

    Parameters
    ----------
    root : the document that comes first
    file : the second part
    name : str, Content-ID and file name of the second part
    length : int, optional
        Size of the file, where it comes in pieces and that is known.
    """
    boundary = f"wcs-{sha256(root).hexdigest()[:24]}"
    head = (
        f"--{boundary}\r\nContent-Type: {root_type}\r\nContent-ID: <description>\r\n\r\n"
    ).encode()
    middle = (
        f"\r\n--{boundary}\r\nContent-Type: {file_type}\r\n"
        f"Content-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    ).encode()
    media_type = (
        f'multipart/related; type="{root_type}"; start="<description>"; boundary={boundary}'
    )
    last = f"\r\n--{boundary}--\n".encode()  # after a longer end QGIS counts one more part
    around = sum(map(len, (head, root, middle, last)))
    size = len(file) if isinstance(file, bytes) else length
    pieces = _pieces(head + root + middle, iter([file]) if isinstance(file, bytes) else file, last)
    return Related(media_type, pieces, None if size is None else around + size)


def _pieces(first: bytes, file: Iterator[bytes], last: bytes) -> Iterator[bytes]:
    yield first
    yield from file
    yield last
