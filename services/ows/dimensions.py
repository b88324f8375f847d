"""Time and further dimensions of a picture's layers: TIME, ELEVATION, DIM_name.

A dimension that a layer does not have is ignored, so that one request may ask several layers.
"""

from collections.abc import Iterable, Sequence
from typing import get_args

from datacube.engine.cube import Layer
from datacube.errors import InvalidInterpolation, InvalidTime
from datacube.model.axis import Axis, IndexAxis, TimeAxis, is_vertical
from datacube.model.query import Interpolation, LayerRequest, Slice, TimeChoice
from services.ows.extents import axis_unit
from services.ows.kvp import Kvp, number
from services.ows.times import in_calendar, parse_times, pinned


def layer_requests(
    kvp: Kvp,
    layers: Sequence[Layer],
    styles: Iterable[str],
) -> tuple[tuple[LayerRequest, ...], bool]:
    """Requests for layers with their styles, lowest first.

    A list of times becomes one request for each, the latest on top. ``AGG`` makes the steps of a
    range one by a reducer, ``EXPR`` draws band maths in place of the style's field,
    ``INTERPOLATION`` says how values between cells are found.

    Parameters
    ----------
    styles : one for each layer, or endless; ``""`` is the default

    Returns
    -------
    requests : tuple of LayerRequest
    pinned : bool
        Whether later time steps cannot change the picture.

    Raises
    ------
    InvalidTime
        A value is no time or no place of that dimension.
    """
    times = kvp.optional("time", parse_times, ())
    interpolation: Interpolation = kvp.optional("interpolation", _interpolation, "nearest")
    aggregate, expression = kvp.optional("agg", str.lower, ""), kvp.optional("expr", str, "")
    requests = []
    firm = True
    for layer, style in zip(layers, styles, strict=False):
        axis = layer.cube.description.domain.time
        places = layer_places(kvp, layer)
        own = () if axis is None else tuple(in_calendar(one, axis.calendar) for one in times)
        choices: Sequence[TimeChoice | None] = own or (None,)
        requests += [
            LayerRequest(layer.name, style, choice, places, aggregate, expression, interpolation)
            for choice in choices
        ]
        firm = firm and pinned(axis, own)
    return tuple(requests), firm


def _interpolation(text: str) -> Interpolation:
    methods: tuple[Interpolation, ...] = get_args(Interpolation.__value__)
    for method in methods:
        if method == text.strip().lower():
            return method
    raise InvalidInterpolation(
        f"the interpolation '{text[:100]}' is not offered; offered are {', '.join(methods)}",
        subject="INTERPOLATION",
    )


def layer_places(kvp: Kvp, layer: Layer) -> tuple[Slice, ...]:
    """Places that the parameters give on a layer's axes other than time."""
    domain = layer.cube.description.domain
    places = []
    for axis in domain.axes:
        if isinstance(axis, TimeAxis):
            continue
        names = parameter_names(axis, vertical=axis is domain.vertical)
        name = next((one for one in names if one in kvp), None)
        if name is not None:
            places.append(Slice(axis.name, _point(axis, kvp.one(name), name)))
    return tuple(places)


def dimension_name(axis: Axis, *, vertical: bool) -> str:
    """Name of a dimension in documents: ``time``, ``elevation``, or the axis' own."""
    if isinstance(axis, TimeAxis):
        return "time"
    return "elevation" if vertical else axis.name


def parameter_names(axis: Axis, *, vertical: bool) -> tuple[str, ...]:
    """Names under which a value of an axis is sent; the first is the documented one."""
    own = (f"dim_{axis.name}", axis.name)
    return ("elevation", *own) if vertical and is_vertical(axis) else own


def _point(axis: Axis, text: str, name: str) -> float | str:
    if isinstance(axis, IndexAxis) and axis.labels:
        return text.strip()
    try:
        return number(text)
    except ValueError:
        unit = axis_unit(axis)
        raise InvalidTime(
            f"'{text[:100]}' is no value of {name}: give one number{unit and ' in ' + unit}",
            subject=name,
        ) from None
