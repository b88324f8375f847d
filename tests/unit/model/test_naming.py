"""The rule of cube and field ids."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacube.model.naming import base_id, identifier, instant_in, part_ids


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("era5-2mt-2019-03-uk", "era5-2mt-uk"),
        ("tmean_1910_1910", "tmean"),
        ("20230605_P1D_CMEMS_HROC_L3", "P1D_CMEMS_HROC_L3"),
        ("CMC_glb_TMP_TGL_2_latlon.15x.15_2020081000_P000", "CMC_glb_TMP_TGL_2_latlon-15x-15_P000"),
        ("OR_ABI-L2-LSTM2-M6_G16_s20211381700538_e20211381700595", "OR_ABI-L2-LSTM2-M6_G16"),
        ("tas_EUR-22_v1_mon_202101", "tas_EUR-22_v1_mon"),
        ("etopo60", "etopo60"),
        ("2020-02-19", "_2020-02-19"),
    ],
)
def test_a_base_id_is_the_name_without_its_dates(stem, expected):
    assert base_id(stem) == expected


def test_files_of_a_series_meet_in_one_cube():
    assert len({base_id(f"nemo_1m_2015{month:02d}01-grid-T") for month in range(1, 13)}) == 1


@given(st.text(min_size=1))
def test_ids_are_names_that_every_protocol_takes(text):
    for made in (identifier(text), identifier(text, "_"), base_id(text)):
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", made)


@given(st.lists(st.sampled_from(["2d", "static", "level", "2d-2"]), min_size=1, max_size=8))
def test_parts_never_share_an_id(suffixes):
    ids = part_ids("base", suffixes)
    assert ids[0] == "base"
    assert len(set(ids)) == len(suffixes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("S2A_29RKH_20200219_0_L2A", "2020-02-19T00:00:00Z"),
        ("a_2020-02-19T11-21-11.tif", "2020-02-19T11:21:11Z"),
        ("LC08_L1TP_013032_20180214_20180222_01_T1", "2018-02-14T00:00:00Z"),
        ("x_2020081006_P000", "2020-08-10T06:00:00Z"),
        ("B11", None),
        ("123456789012", None),
    ],
)
def test_the_first_date_of_a_name(name, expected):
    assert instant_in(name) == expected
