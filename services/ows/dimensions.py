"""Time and further dimensions of a picture's layers: TIME, ELEVATION, DIM_name.

A dimension that a layer does not have is ignored, so that one request may ask several layers. Of
a forecast TIME is the valid time, DIM_REFERENCE_TIME the run (without it, or as ``current``, the
newest that has the time) and DIM_STEP, under the name of its axis, the time since then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import get_args

from datacube.engine.context import Context
from datacube.engine.cube import Cube, Layer
from datacube.engine.places import default_place, default_step
from datacube.errors import InvalidInterpolation, InvalidTime, RequestTooLarge
from datacube.model.axis import (
    Axis,
    IndexAxis,
    IrregularAxis,
    RegularAxis,
    TimeAxis,
    axis_value,
    is_vertical,
)
from datacube.model.query import Interpolation, LayerRequest, Slice, Subset, TimeChoice, Trim
from services.ows.aggregate import decode_reduction
from services.ows.extents import default_time, listed_time
from services.ows.kvp import Kvp, comma_list, number
from services.ows.levels import level_value
from services.ows.masks import mask_expression
from services.ows.perlayer import by_layer
from services.ows.restyling import chosen_style
from services.ows.times import LONGEST_LIST, in_calendar, parse_times, pinned

RUN = "reference_time"
_FRAME = frozenset({"bbox"})
"""Parameters of the frame of a picture, which say nothing of its layers."""


def remembered_requests(
    context: Context, kvp: Kvp, layers: Sequence[Layer], styles: Sequence[str]
) -> tuple[tuple[LayerRequest, ...], bool]:
    """What :func:`layer_requests` finds, worked out once for all boxes.

    Parameters
    ----------
    styles : one for each layer; ``""`` is the default
    """
    seen = tuple((layer.name, layer.cube.snapshot) for layer in layers)
    key = "requests", seen, tuple(styles), kvp.beside(_FRAME)
    return context.understood.get(
        context.catalog.version,
        key,
        lambda: layer_requests(kvp, layers, styles),
        lambda found: len(found[0]),
    )


def layer_requests(
    kvp: Kvp,
    layers: Sequence[Layer],
    styles: Iterable[str],
) -> tuple[tuple[LayerRequest, ...], bool]:
    """Requests for layers with their styles, lowest first.

    A list of times becomes one request for each, the latest on top. ``AGG`` makes the steps of a
    range one by a reducer, and the places of a range of another dimension (``ELEVATION=0/100``);
    with it ``PERIOD`` is the period that an instant stands for, ``WINDOW`` how many steps end
    with it, ``BY`` the expression that ranks the steps of a mosaic. ``EXPR`` draws band maths in
    place of the style's field, ``MASK`` keeps some cells, ``INTERPOLATION`` says how values
    between cells are found. What else changes in a style is in :mod:`services.ows.restyling`.

    Parameters
    ----------
    styles : as asked for, one for each layer or endless; ``""`` is the default

    Returns
    -------
    requests : tuple of LayerRequest
    pinned : bool
        Whether later time steps cannot change the picture.

    Raises
    ------
    InvalidTime
        A value is no time or no place of that dimension.
    StyleNotFound
        A layer has no such style.
    """
    times = kvp.optional("time", _times, ())
    interpolation: Interpolation = kvp.optional("interpolation", _interpolation, "nearest")
    reduced = decode_reduction(kvp)
    expression = kvp.optional("expr", str, "")
    mask = kvp.optional("mask", str, "")
    requests = []
    firm = not reduced.every  # a period may still grow
    for layer, text, styling in zip(layers, styles, by_layer(kvp, len(layers)), strict=False):
        style, change = chosen_style(styling, layer, text)
        axis = layer.cube.description.domain.time
        alternatives = _several_places(kvp, layer)
        run, lead = run_and_lead(kvp, layer)
        own = () if axis is None else tuple(in_calendar(one, axis.calendar) for one in times)
        choices: Sequence[TimeChoice | None] = own or (None,)
        requests += [
            replace(
                reduced,
                layer=layer.name,
                style=style,
                time=choice,
                places=places,
                expression=expression,
                interpolation=interpolation,
                run=run,
                lead=lead,
                restyle=change,
                mask=mask and mask_expression(layer.cube.description.range_type, mask),
            )
            for choice in choices
            for places in alternatives
        ]
        firm = firm and pinned(axis, own) and _fixed(layer, run, lead)
    return tuple(requests), firm


def _times(text: str) -> tuple[TimeChoice, ...]:
    """TIME; none for ``current`` and ``now``, which are the default of each layer."""
    return () if text.strip().lower() in {"current", "now"} else parse_times(text)


def chosen_times(kvp: Kvp, layer: Layer, most: int) -> tuple[TimeChoice, ...]:
    """TIME in the calendar of a layer that has one, at most so many; none where not given.

    Raises
    ------
    InvalidTime, RequestTooLarge
    """
    axis = layer.cube.description.domain.time
    times = kvp.optional("time", lambda text: parse_times(text, "time", most), ())
    return () if axis is None else tuple(in_calendar(one, axis.calendar) for one in times)


def _interpolation(text: str) -> Interpolation:
    methods: tuple[Interpolation, ...] = get_args(Interpolation.__value__)
    for method in methods:
        if method == text.strip().lower():
            return method
    raise InvalidInterpolation(
        f"the interpolation '{text[:100]}' is not offered; offered are {', '.join(methods)}",
        subject="INTERPOLATION",
    )


def run_and_lead(kvp: Kvp, layer: Layer) -> tuple[TimeChoice | None, float | None]:
    """Run and lead time that the parameters ask of a forecast; None where any will do.

    Raises
    ------
    InvalidTime
        A value is none, or there are several.
    """
    view = layer.cube.view
    if view is None:
        return None, None
    given = [next((one for one in names if one in kvp), "") for names in forecast_names(layer)]
    run = kvp.one(given[0], lambda text: _one_run(text, layer)) if given[0] else None
    leads = view.axes.leads
    lead = _point(leads, kvp.one(given[1]), given[1]) if given[1] else None
    return run, None if lead is None else float(lead)


def forecast_names(layer: Layer) -> tuple[tuple[str, ...], ...]:
    """Names under which the run and the lead time of a forecast are sent, as of an axis."""
    view = layer.cube.view
    if view is None:
        return ()
    return (f"dim_{RUN}", RUN), parameter_names(view.axes.leads, vertical=False)


def _one_run(text: str, layer: Layer) -> TimeChoice | None:
    """The run of a text; None for the newest that has the time."""
    choices = parse_times(text, RUN)
    if len(choices) > 1:
        raise InvalidTime("give one instant as reference_time: one run is shown", subject=RUN)
    view = layer.cube.view
    if view is None or choices[0].when == "latest":
        return None
    return in_calendar(choices[0], view.axes.runs.calendar)


def _fixed(layer: Layer, run: TimeChoice | None, lead: float | None) -> bool:
    """Whether no newer run of a forecast can take the place of what is shown."""
    view = layer.cube.view
    if view is None or (run is None and lead is not None):
        return True
    return run is not None and pinned(view.axes.runs, (run,))


def layer_places(kvp: Kvp, layer: Layer) -> tuple[Subset, ...]:
    """Places, or ranges of them, that the parameters give on a layer's axes other than time."""
    domain = layer.cube.description.domain
    places: list[Subset] = []
    for axis in domain.axes:
        if isinstance(axis, TimeAxis):
            continue
        names = parameter_names(axis, vertical=axis is domain.vertical)
        name = next((one for one in names if one in kvp), None)
        if name is not None:
            places.append(_places(axis, kvp.one(name), name))
    return tuple(places)


def _several_places(kvp: Kvp, layer: Layer) -> tuple[tuple[Subset, ...], ...]:
    """Places on the layer's axes; several, to be drawn one over the other, of a list of levels."""
    domain = layer.cube.description.domain
    if domain.vertical is None or not layer.cube.settings.levels.several:
        return (layer_places(kvp, layer),)
    names = parameter_names(domain.vertical, vertical=True)
    levels = next((kvp.one(one, comma_list) for one in names if one in kvp), ())
    if len(levels) > LONGEST_LIST:
        raise RequestTooLarge(
            f"the list has {len(levels)} levels; at most {LONGEST_LIST} can be asked at once",
            subject=names[0],
        )
    others = layer_places(kvp.but(*names), layer)
    found = tuple((*others, _places(domain.vertical, one, names[0])) for one in levels)
    return found or (others,)


def dimension_name(axis: Axis, *, vertical: bool) -> str:
    """Name of a dimension in documents: ``time``, ``elevation``, or the axis' own."""
    if isinstance(axis, TimeAxis):
        return "time"
    return "elevation" if vertical else axis.name


def one_default(cube: Cube, axis: Axis) -> float | str:
    """The place of an axis that is shown without one; the first in place of a range."""
    default = default_place(cube, axis)
    return axis_value(axis, 0) if isinstance(default, tuple) else default


def stated_default(cube: Cube, axis: TimeAxis) -> str:
    """The time that is shown without one; ``current``, which means it, where it moves by itself."""
    match cube.settings.time.default:
        case "latest":
            return default_time(axis)
        case "now":
            return "current"
        case _:
            return listed_time(str(axis_value(axis, default_step(cube, axis))))


def parameter_names(axis: Axis, *, vertical: bool) -> tuple[str, ...]:
    """Names under which a value of an axis is sent; the first is the documented one."""
    own = (f"dim_{axis.name}", axis.name)
    return ("elevation", *own) if vertical and is_vertical(axis) else own


def _places(axis: Axis, text: str, name: str) -> Subset:
    """One place, or the range ``low/high`` of which either end may be left open (``..``)."""
    parts = text.split("/")
    if len(parts) != 2 or (isinstance(axis, IndexAxis) and text.strip() in axis.labels):
        return Slice(axis.name, _point(axis, text, name))
    low, high = (None if part.strip() in {"", ".."} else _point(axis, part, name) for part in parts)
    if isinstance(low, float) and isinstance(high, float) and low > high:
        low, high = high, low
    return Trim(axis.name, low, high)


def _point(axis: Axis, text: str, name: str) -> float | str:
    match axis:
        case RegularAxis() | IrregularAxis():
            return level_value(axis, text, name)
        case IndexAxis() if axis.labels:
            return text.strip()
    try:
        return number(text)
    except ValueError:
        raise InvalidTime(
            f"'{text[:100]}' is no value of {name}: give one number", subject=name
        ) from None
