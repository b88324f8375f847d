"""Colours of fields of which only the values are known."""

import numpy as np

from datacube.config.settings import CubeSettings
from datacube.engine.cube import publish
from datacube.model.fields import Field
from datacube.render.style import ColorRamp
from datacube.slicing.curvilinear import Inverses
from tests.cubes import make_cube


def default_ramp(cube):
    style = publish(cube, CubeSettings(), Inverses()).layers[1].styles[0]
    assert isinstance(style, ColorRamp)
    return style


def test_an_unknown_float_field_is_drawn_over_its_usual_values(tmp_path):
    cube = make_cube(
        tmp_path,
        fields=(Field("index", "float32"),),
        formula=lambda _t, _k, _f, y, x: np.where((x == 0) & (y == 0), 1e30, 270 + y + 0.1 * x),
    )
    style = default_ramp(cube)
    assert (style.low, style.high) == (270, 282)


def test_the_range_of_a_field_stands_above_what_occurs(tmp_path):
    field = Field("index", "float32", valid_range=(0.0, 1.0))
    style = default_ramp(make_cube(tmp_path, fields=(field,)))
    assert (style.low, style.high) == (0, 1)
