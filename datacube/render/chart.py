"""Charts of values along a line: series, profiles, and sections as coloured cells.

matplotlib draws them, without its windows; it is imported when the first chart is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.render.colormap import table
from datacube.render.units import show_unit

type Coordinates = NDArray[np.generic] | Sequence[str]

_DOTS = 100


@dataclass(frozen=True, eq=False)
class Along:
    """An axis of a chart: what it is, its places, and whether it points downwards."""

    label: str
    places: Coordinates
    downwards: bool = False


@dataclass(frozen=True, eq=False)
class Shown:
    """Values of a chart: their name and unit; (n,), or (m, n) of a section; NaN where none."""

    label: str
    unit: str
    values: NDArray[np.floating]


def lines(
    along: Along, shown: Sequence[Shown], size: tuple[int, int], *, upright: bool = False
) -> bytes:
    """PNG of values along an axis.

    Parameters
    ----------
    shown : each of as many values as the axis has places
    size : (width, height), pixels
    upright : bool, whether the axis is drawn upwards (a profile)
    """
    figure, axes = _figure(size)
    for one in shown:
        label = _titled(one.label, one.unit)
        pair = (one.values, along.places) if upright else (along.places, one.values)
        axes.plot(*pair, marker="." if len(along.places) < 60 else "", label=label)
    value, place = _titled(shown[0].label, shown[0].unit), along.label
    axes.set_xlabel(value if upright else place)
    axes.set_ylabel(place if upright else value)
    if along.downwards and upright:
        axes.invert_yaxis()
    if len(shown) > 1:
        axes.legend()
    axes.grid(visible=True, alpha=0.3)
    _dated(axes.yaxis if upright else axes.xaxis, along, size[upright])
    return _saved(figure)


def section(across: Along, up: Along, shown: Shown, size: tuple[int, int], colormap: str) -> bytes:
    """PNG of values over two axes: (places of up, places of across).

    Parameters
    ----------
    colormap : str, one of :func:`datacube.render.colormap.names`
    """
    from matplotlib.colors import ListedColormap  # noqa: PLC0415  a quarter of a second

    figure, axes = _figure(size)
    colors = ListedColormap(table(colormap) / 255)
    mesh = axes.pcolormesh(across.places, up.places, shown.values, cmap=colors, shading="nearest")
    axes.set_xlabel(across.label)
    axes.set_ylabel(up.label)
    if up.downwards:
        axes.invert_yaxis()
    figure.colorbar(mesh, label=_titled(shown.label, shown.unit))
    _dated(axes.xaxis, across, size[0])
    _dated(axes.yaxis, up, 2 * size[1])
    return _saved(figure)


def _titled(label: str, unit: str) -> str:
    shown = show_unit(unit)
    return f"{label} [{shown}]" if shown else label


def _dated(axis: Any, along: Along, room: int) -> None:
    """Dates along an axis, as many as stand beside each other in that many pixels."""
    if np.asarray(along.places).dtype.kind == "M":
        dates: Any = import_module("matplotlib.dates")
        locator = dates.AutoDateLocator(minticks=2, maxticks=max(3, room // 90))
        axis.set_major_locator(locator)
        axis.set_major_formatter(dates.ConciseDateFormatter(locator))


def _figure(size: tuple[int, int]) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  a quarter second
    from matplotlib.figure import Figure  # noqa: PLC0415

    width, height = size
    figure = Figure((width / _DOTS, height / _DOTS), _DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _saved(figure: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS, metadata={"Software": None})
    return buffer.getvalue()
