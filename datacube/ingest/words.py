"""Names in sentences."""

from collections.abc import Sequence

_NAMED = 12


def some(names: Sequence[str], most: int = _NAMED) -> str:
    """The first of many names, and how many there are further.

    Examples
    --------
    >>> some(["t2m", "tp"]), some(["a", "b", "c", "d"], 2)
    ('t2m, tp', 'a, b and 2 more')
    """
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
