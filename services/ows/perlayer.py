"""Parameters of styling that may have a value for each of a request's layers: ``OPACITY=100,40``.

One value is of all layers; of a list the first is of the lowest layer, and an empty entry changes
nothing. A range has two numbers in the list: ``COLORSCALERANGE=0,30,auto``.
"""

from collections.abc import Callable, Mapping, Sequence

from datacube.errors import InvalidParameter
from services.ows.kvp import Kvp, comma_list

_WORDS = frozenset({"auto", "default", ""})


def by_layer(kvp: Kvp, count: int) -> Sequence[Kvp]:
    """The parameters of each of some layers.

    Raises
    ------
    InvalidParameter
        A list has neither one entry nor one for each layer.

    Examples
    --------
    >>> lower, upper = by_layer(Kvp([("OPACITY", "100,40"), ("COLORSCALERANGE", "0,1,auto")]), 2)
    >>> lower.one("OPACITY"), upper.one("OPACITY")
    ('100', '40')
    >>> lower.one("COLORSCALERANGE"), upper.one("COLORSCALERANGE")
    ('0,1', 'auto')
    """
    own: list[dict[str, str]] = [{} for _ in range(count)]
    for name, parts in LISTS.items() if count > 1 else ():
        entries = kvp.optional(name, parts, ())
        if len(entries) < 2:
            continue
        if len(entries) != count:
            raise InvalidParameter(
                f"{name.upper()} has {len(entries)} entries for {count} layers; give one for each, "
                "or one for all",
                subject=name.upper(),
            )
        for values, entry in zip(own, entries, strict=True):
            values[name] = entry
    return [kvp.put(values) if values else kvp for values in own]


def _ranges(text: str) -> tuple[str, ...]:
    """``0,30,auto`` -> ``("0,30", "auto")``."""
    left = list(comma_list(text))
    found = []
    while left:
        first = left.pop(0)
        found.append(first if first.lower() in _WORDS or not left else f"{first},{left.pop(0)}")
    return tuple(found)


LISTS: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    "colorscalerange": _ranges,
    **dict.fromkeys(("palette", "numcolorbands", "logscale"), comma_list),
    **dict.fromkeys(("abovemaxcolor", "belowmincolor", "opacity"), comma_list),
}
"""Their names, and how the entries of a list are told apart."""
