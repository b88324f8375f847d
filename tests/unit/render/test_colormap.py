"""Colour maps: matplotlib's and cmocean's, by name."""

import importlib
import subprocess
import sys
import warnings

import matplotlib as mpl
import numpy as np
import pytest

from datacube.errors import StyleNotFound
from datacube.render.colormap import canonical, names, table


def test_at_least_150_names_each_with_its_reverse():
    listed = names()
    assert len(listed) >= 150
    assert len(set(listed)) == len(listed)
    assert {f"{name}_r" for name in listed if not name.endswith("_r")} <= set(listed)


def test_every_name_has_a_table():
    for name in names():
        colors = table(name)
        assert colors.dtype == np.uint8
        assert colors.ndim == 2
        assert colors.shape[1] == 4
        assert len(colors) <= 256


@pytest.mark.parametrize("name", ["viridis", "RdYlBu_r", "tab10", "gray", "turbo"])
def test_matplotlib_tables(name):
    cmap = mpl.colormaps[name]
    assert np.array_equal(table(name), cmap(np.arange(cmap.N), bytes=True))


@pytest.fixture(scope="module")
def cmocean():
    """The package itself; importing it uses what matplotlib has deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("cmocean.cm")


def test_cmocean_tables_are_those_of_the_package(cmocean):
    assert len(cmocean.cmapnames) > 20
    for name in cmocean.cmapnames:
        for suffix in ("", "_r"):
            theirs = getattr(cmocean, name + suffix)(np.arange(256), bytes=True)
            assert np.array_equal(table(f"cmo.{name}{suffix}"), theirs)


def test_short_names_are_cmoceans_unless_matplotlib_has_them():
    assert np.array_equal(table("thermal"), table("cmo.thermal"))
    assert not np.array_equal(table("gray"), table("cmo.gray"))


def test_case_does_not_matter():
    assert canonical("rdylbu_R") == "RdYlBu_r"
    assert np.array_equal(table("VIRIDIS"), table("viridis"))


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(StyleNotFound, match=r"did you mean viridis.*thermal") as caught:
        table("virids")
    assert caught.value.subject == "virids"


def test_nothing_heavy_is_imported_before_a_colour_map_is_asked_for():
    script = (
        "import sys, datacube.render.paint, datacube.render.legend, datacube.render.encode\n"
        "assert 'matplotlib' not in sys.modules\n"
        "from datacube.render.colormap import table\n"
        "table('thermal'), table('viridis')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
