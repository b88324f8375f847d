"""Styles in the dialects of other servers."""

import pytest

from services.ows.restyling import style_list


def test_a_list_of_styles_has_an_end():
    assert len(style_list(",".join("ab" for _ in range(1000)))) == 1000
    with pytest.raises(ValueError, match="at most 4000"):
        style_list(" " * 100_000)
