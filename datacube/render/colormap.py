"""Colour maps by name, as tables of 8-bit colours.

The names are matplotlib's and cmocean's; each exists reversed, with ``_r``. cmocean's are offered
as ``thermal`` and, where matplotlib has that name too (``gray``), only as ``cmo.gray``. Nothing is
imported before a table or the list is asked for; cmocean's tables are read from its files, since
importing it starts pyplot (half a second).
"""

from difflib import get_close_matches
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StyleNotFound

type Table = NDArray[np.uint8]

_PREFIX = "cmo."


@lru_cache(maxsize=256)
def table(name: str) -> Table:
    """Colours of a colour map: uint8, (n ≤ 256, 4), RGBA, read-only.

    n is 256 except for maps of few colours (``tab10``).

    Raises
    ------
    StyleNotFound
        There is no such colour map; the message says which there are.

    Examples
    --------
    >>> table("viridis").shape, table("viridis")[0].tolist()
    ((256, 4), [68, 1, 84, 255])
    >>> bool((table("thermal_r")[0] == table("thermal")[-1]).all())
    True
    """
    known = canonical(name)
    bare = known.removesuffix("_r")
    ocean = _ocean_files().get(bare.removeprefix(_PREFIX))
    if ocean is not None and (bare.startswith(_PREFIX) or bare not in _matplotlib_names()):
        colors = _ocean_table(ocean)
        colors = colors[::-1].copy() if known.endswith("_r") else colors
    else:
        colors = _matplotlib_table(known)
    colors.setflags(write=False)
    return colors


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Names of all colour maps, sorted without regard to case."""
    ocean = {f"{_PREFIX}{name}{suffix}" for name in _ocean_files() for suffix in ("", "_r")}
    short = {name.removeprefix(_PREFIX) for name in ocean}
    return tuple(sorted(_matplotlib_names() | ocean | short, key=lambda name: (name.lower(), name)))


def canonical(name: str) -> str:
    """The name as :func:`names` spells it; case does not matter where it is unique.

    Raises
    ------
    StyleNotFound
        There is no such colour map.
    """
    if name in names():
        return name
    folded = [known for known in names() if known.lower() == name.lower()]
    if folded:
        return folded[0]
    near = get_close_matches(name, names(), n=3)
    hint = f" (did you mean {' or '.join(near)}?)" if near else ""
    raise StyleNotFound(
        f"no colour map '{name}'{hint}; the colour maps are {', '.join(names())}", subject=name
    )


@lru_cache(maxsize=1)
def _matplotlib_names() -> frozenset[str]:
    from matplotlib import colormaps  # noqa: PLC0415  a quarter of a second, only when asked for

    return frozenset(name for name in colormaps if not name.startswith(_PREFIX))


def _matplotlib_table(name: str) -> Table:
    from matplotlib import colormaps  # noqa: PLC0415

    cmap = colormaps[name]
    places = np.arange(cmap.N) if cmap.N <= 256 else np.linspace(0.0, 1.0, 256)
    return np.ascontiguousarray(cmap(places, bytes=True), np.uint8)


@lru_cache(maxsize=1)
def _ocean_files() -> dict[str, Path]:
    """Files of cmocean's colours by name."""
    spec = find_spec("cmocean")
    if spec is None or spec.origin is None:
        return {}
    folder = Path(spec.origin).parent / "rgb"
    return {path.name.removesuffix("-rgb.txt"): path for path in folder.glob("*-rgb.txt")}


def _ocean_table(path: Path) -> Table:
    listed = np.loadtxt(path)
    places = np.linspace(0, len(listed) - 1, 256)
    colors = np.ones((256, 4))
    for channel in range(3):
        colors[:, channel] = np.interp(places, np.arange(len(listed)), listed[:, channel])
    return (colors * 255).astype(np.uint8)  # cut off, as matplotlib does
