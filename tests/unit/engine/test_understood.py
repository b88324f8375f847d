"""What requests mean is worked out once for each version of the catalogue."""

import pytest

from datacube.engine.understood import Understood


def test_a_new_version_forgets_everything():
    known = Understood()
    assert known.get("1", "key", lambda: "old") == "old"
    assert known.get("2", "key", lambda: "new") == "new"
    assert known.get("1", "key", lambda: "older") == "older"


def test_what_cannot_be_found_is_looked_for_again():
    known = Understood()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            known.get("1", "key", lambda: 1 // 0)
    assert known.get("1", "key", lambda: None) is None
    assert known.get("1", "key", lambda: 7) is None


def test_no_more_is_kept_than_allowed():
    known = Understood(10)
    calls = []

    def find(value):
        calls.append(value)
        return value

    for value in (4, 5, 4, 6, 11, 11, 6):
        assert known.get("1", value, lambda value=value: find(value), lambda found: found) == value
    assert calls == [4, 5, 6, 11, 11]


def test_long_questions_weigh_more():
    known = Understood(3)
    calls = []
    for _ in range(2):
        for key in ("short", "x" * 5000):
            known.get("1", key, lambda key=key: calls.append(key))
    assert [len(key) for key in calls] == [5, 5000, 5000]
