"""Promises of the benchmark of tiers: what counts as a change that is taken back, and how long a tier is held there."""

import numpy as np

from benchmarks.tier_rules import PLAIN, Setting, held_tiers
from benchmarks.tiers import NOBODY, held_by_top, reversals


def test_a_change_is_reversed_when_the_former_tier_stands_again_in_time() -> None:
    customers = [
        [0, 1, 1, 0, 0, 0],  # falls, and is back two looks later
        [0, 1, 1, 1, 0, 0],  # is back a look too late; the rise is too late to count
        [0, 1, 2, 2, 2, 2],  # falls twice and for good
        [1, 1, 1, 1, 1, 1],
    ]
    assert reversals(np.array(customers).T, looks=2) == (5, 1, 3, 1)


def test_who_comes_or_goes_has_not_changed() -> None:
    assert reversals(np.array([[NOBODY, 1, 1, 1], [1, NOBODY, 1, 1]]).T, looks=1) == (0, 0, 0, 0)


def test_a_tier_is_lost_only_when_margin_wait_and_hold_are_used_up() -> None:
    earned = np.array([[True, False, False, False, False]]).T
    kept = np.array([[True, True, False, False, False]]).T
    everybody = np.ones_like(earned)
    rule = np.stack([earned, everybody], axis=2), np.stack([kept, everybody], axis=2)
    days, tenure = np.array([0, 7, 14, 21, 28]), np.full((5, 1), 100)

    def held(margin: float, dwell: int, hold: int, grace: int) -> list[int]:
        return held_tiers(*rule, days, tenure, Setting(margin, dwell, hold, grace))[:, 0].tolist()

    assert held_tiers(*rule, days, tenure, PLAIN)[:, 0].tolist() == [0, 1, 1, 1, 1]
    assert held(5, 14, 0, 0) == [0, 0, 0, 1, 1]
    assert held(5, 14, 28, 0) == [0, 0, 0, 0, 1]
    assert held(5, 14, 28, 101) == [0, 0, 0, 0, 0]


def test_equals_at_the_edge_of_the_top_fifth_count_in_part() -> None:
    figure, spend = np.array([9, 5, 5, 1, 1]), np.array([4, 3, 1, 1, 1])
    once, first_twice = np.ones(5, dtype=int), np.array([2, 1, 1, 1, 0])
    assert held_by_top(figure, spend, np.stack([once, first_twice])).tolist() == [0.4, 4 / 13]
    assert held_by_top(np.ones(5), spend, once[None]).tolist() == [0.2]
