"""The parameter ``compression`` of coverages: files as the values lie, or smaller ones."""

from datacube.errors import InvalidParameter

COMPRESSIONS = ("none", "deflate")


def parse_compression(text: str) -> str:
    """How the values of a file are compressed.

    Raises
    ------
    InvalidParameter
        It is not known.

    Examples
    --------
    >>> parse_compression("Deflate")
    'deflate'
    """
    name = text.strip().lower()
    if name not in COMPRESSIONS:
        raise InvalidParameter(
            f"no compression '{text[:40]}'; there are {', '.join(COMPRESSIONS)}",
            subject="compression",
        )
    return name
