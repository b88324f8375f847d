"""Messages of several parts (RFC 2387): a description and the file that it speaks of."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import chain

type Content = bytes | Iterator[bytes]


def related(
    root: bytes, root_type: str, file: Content, file_type: str, name: str
) -> tuple[str, Iterator[bytes]]:
    """A ``multipart/related`` message, in pieces.

    Parameters
    ----------
    root : the document that comes first
    file : the second part
    name : str, Content-ID and file name of the second part

    Returns
    -------
    media_type : str, with the boundary as its last parameter
    pieces : iterator of bytes
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
    pieces = [file] if isinstance(file, bytes) else file
    media_type = (
        f'multipart/related; type="{root_type}"; start="<description>"; boundary={boundary}'
    )
    return media_type, chain([head, root, middle], pieces, [f"\r\n--{boundary}--\r\n".encode()])
