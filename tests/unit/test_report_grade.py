"""Promises of the page about the grade: every letter and every miss is said in both languages, a C never silently."""

from __future__ import annotations

import pytest

from ml.grade import REASONS, Grade
from orchestration.release import report_scores

FIGURES = {
    f"{measure}{part}": value
    for measure in ("auc", "gini")
    for part, value in (("", 0.81), ("_rule", 0.755), ("_lift", 0.055), ("_lift_low", 0.031), ("_lift_high", 0.078))
}


def graded(letter: str, *reasons: str) -> Grade:
    return Grade(90, letter, reasons, "champion", ("2025-04-02",), {"auc": "rfm_sum", "gini": "past_value"}, FIGURES)


def test_every_reason_has_words_in_both_languages() -> None:
    assert report_scores.MISSED.keys() == REASONS.keys()
    told = report_scores.grade_told(graded("C", *REASONS), "champion", is_withheld=False)
    assert told is not None
    english, chinese = told["missed"]
    assert english.count("; ") == chinese.count("；") == len(REASONS) - 1


@pytest.mark.parametrize(
    ("letter", "rung", "is_withheld", "english", "chinese"),
    [
        ("A", "champion", False, "Grade A: it beats every simple rule", "A级"),
        ("B", "btyd", False, "Grade B: it beats every simple rule, but not all else is shown", "B级"),
        ("C", "rfm_cells", True, "Its scores are withheld; those below are of a simple rule", "已停用"),
        ("C", "rfm_cells", False, "those of the simple rule it already is", "本身即为简单规则"),
        ("C", "btyd", False, "do not rely on the scores below", "请勿依赖"),
    ],
)
def test_the_letter_and_what_speaks_are_told(
    letter: str, rung: str, *, is_withheld: bool, english: str, chinese: str
) -> None:
    told = report_scores.grade_told(graded(letter), rung, is_withheld=is_withheld)
    assert told is not None
    assert english in told["sentence"][0]
    assert chinese in told["sentence"][1]


def test_the_lift_stands_with_the_rule_it_is_over_and_its_interval() -> None:
    told = report_scores.grade_told(graded("A"), "champion", is_withheld=False)
    assert told is not None
    first, _ = told["figures"]
    assert first[2:] == (("recency, frequency, monetary", "RFM"), "0.810", "0.755", "0.031", "0.078")


def test_a_model_of_before_there_were_grades_has_none() -> None:
    assert report_scores.grade_told(None, "champion", is_withheld=False) is None
