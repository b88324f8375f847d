"""What is found once is soon let go, what is found again is kept."""

import time

import pytest

from datacube.engine.memo import Memo


def ask(memo, *keys):
    """How many of the values had to be found."""
    before = memo.misses
    for key in keys:
        assert memo.get(key, lambda key=key: key) == key
    return memo.misses - before


def tens(size=100, trial=20):
    return Memo[str](size, lambda _: 10, trial)


def test_without_a_trial_all_is_kept_up_to_the_size():
    memo = Memo[str](100, lambda _: 10)
    assert ask(memo, *"abcdefghij") == 10
    assert ask(memo, *"abcdefghij") == 0
    assert ask(memo, "k", "a") == 2
    assert memo.weight == 100


def test_what_is_worked_with_is_at_hand():
    memo = tens()
    assert ask(memo, "a", "a", "b", "b", "a") == 2
    assert memo.held("a") == "a"
    assert memo.held("c") is None


def test_what_passes_once_shares_little():
    memo = tens()
    assert ask(memo, *"abcdefgh") == 8
    assert memo.weight == 20
    assert memo.held("a") is None


def test_what_is_found_again_is_kept():
    memo = tens()
    assert ask(memo, *"abcdef") == 6
    assert ask(memo, *"abcdef") <= 6
    assert ask(memo, *"abcd") == 0
    ask(memo, *"uvwxyz")
    assert ask(memo, *"abcd") == 0


def test_values_larger_than_the_trial_are_held_while_they_are_worked_with():
    memo = Memo[str](100, lambda _: 40, 20)
    assert ask(memo, "a", "b", "a", "b") == 2
    assert ask(memo, "c", "a") == 2
    assert ask(memo, "a", "a") == 0
    assert memo.weight <= 100


@pytest.mark.parametrize("weight", [10, 30, 60, 100])
def test_the_weight_never_passes_the_size(weight):
    memo = Memo[int](100, lambda _: weight, 20)
    for turn in range(200):
        key = turn * turn % 13
        assert memo.get(key, lambda key=key: key) == key
        assert memo.weight <= 100
        assert memo.held(key) == key


def test_what_took_long_is_kept_at_once():
    memo = tens()

    def slowly():
        begun = time.thread_time()
        while time.thread_time() - begun < 0.03:
            pass
        return "slow"

    memo.get("slow", slowly)
    ask(memo, *"abcdefgh")
    assert memo.held("slow") == "slow"
