"""Deflate in memory, by the library that is quickest at it; other threads work meanwhile."""

from isal import igzip_lib


def inflated(data: bytes | memoryview, size: int) -> bytes:
    """What was deflated (RFC 1950), exactly so many bytes.

    Raises
    ------
    ValueError
        It is damaged, or has another length.

    Examples
    --------
    >>> import zlib
    >>> inflated(zlib.compress(b"a" * 5), 5)
    b'aaaaa'
    """
    machine = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_ZLIB, 15)
    try:
        found: bytes = machine.decompress(data, size)
    except igzip_lib.IsalError as error:  # type: ignore[misc]
        raise ValueError(f"deflated data is damaged: {error}") from error
    if not machine.eof or len(found) != size:
        raise ValueError("deflated data is cut short, or longer than its chunk")
    return found
