"""Promises of the model card: every cut-off and what it is off by, a C in plain words, nothing from outside, nobody's
name."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

import pandas as pd
import pytest
from test_champion import CUTOFF, HORIZON, PARAMS, features_of, purchases

from ml.grade import Grade
from ml.learn import TrainedModel, cutoffs, learn
from orchestration.release.model_card import NOT_FOR, render_card
from orchestration.release.score_inputs import INPUTS, NOT_READ, READ, UNREAD, Delivered, Use

RELEASE = {
    "release_id": "2024-06-30-1a2b3c4d",
    "as_of_date": "2024-06-30",
    "code_version": "0123456789ab",
    "lock_sha256": "f" * 64,
}
HOSTILE = "<script>alert('Acme')</script>"
SPAN = date(2023, 1, 1), date(2024, 6, 30), 150
USES = [
    Use(INPUTS[0].name, (Delivered("sales.order", 12, date(2023, 1, 1), date(2024, 6, 30)),), READ, INPUTS[0].read),
    Use(("Complaints", HOSTILE), (Delivered("service.case", 7, None, None),), UNREAD, NOT_READ),
]


@cache
def trained() -> TrainedModel:
    bought, day = purchases(320), date(2024, 6, 30)
    assert day < CUTOFF
    parts = [features_of(bought, cutoff).assign(cutoff_date=cutoff) for cutoff in cutoffs(day, PARAMS)]
    return learn(pd.concat([part for part in parts if len(part)]), day, datetime(2024, 7, 1, tzinfo=UTC), PARAMS)


def card(model: TrainedModel | None) -> str:
    return render_card(RELEASE, model, SPAN, USES)


def rows(html: str, section: str) -> list[str]:
    """The rows of a section's tables, as text."""
    (found,) = [text for text in re.split(r"<h2 id=", html) if text.startswith(f'"{section}"')]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr><td.*?</tr>", found, re.DOTALL)]


def test_every_past_cut_off_stands_with_its_figures_and_their_intervals() -> None:
    model = trained()
    assert model.evidence is not None
    told = rows(card(model), "tests")
    for row in model.evidence[0].cutoffs:
        (line,) = [text for text in told if text.startswith(row["cutoff"])]
        auc, low, high = (row["figures"][name] for name in ("auc", "auc_low", "auc_high"))
        assert f"{auc:.3f} {low:.3f} to {high:.3f}" in line
        assert f" {row['customers']} {row['buyers']} " in line


def test_hashes_spans_levels_and_libraries_are_told() -> None:
    model, html = trained(), card(trained())
    (champion,) = model.model.champions or ()
    assert model.sha256 in html
    assert RELEASE["lock_sha256"] in html
    assert "2023-01-01 to 2024-06-30, of 150 customers" in html
    assert f"{champion.cutoffs[-1]} to {champion.cutoffs[0]}" in html
    assert re.search(r"odds of a purchase × \d+\.\d{3}, purchases × \d+\.\d{3}, net sales × \d+\.\d{3}: ", html)
    assert re.search(r"numpy \d+\.\d+.* · duckdb \d+\.\d+", html)


def test_only_groups_that_are_off_by_more_than_a_fifth_are_marked() -> None:
    model = trained()
    assert model.evidence is not None
    (shown,) = model.evidence
    biases = [0.79, 0.81, 1.19, 1.21, None]
    segments = [
        {"by": "purchase_days", "segment": str(nth), "rows": 9, "inactive_predicted": 0.25, "inactive_observed": 0.5}
        | {"count_bias": 1.0, "value_bias": bias}
        for nth, bias in enumerate(biases)
    ]
    html = card(replace(model, evidence=(replace(shown, segments=tuple(segments)),)))
    assert re.findall(r'<span class="off">([\d.]+)</span>', html.partition('"inputs"')[0]) == ["0.79", "1.21"]
    assert "Off by more than 20 %: 2 of 5 groups" in html
    assert "25.0 % 50.0 % 1.00 –" in rows(html, "segments")[-1]


@pytest.mark.parametrize("letter", ["A", "B", "C"])
def test_a_c_is_told_in_plain_words_and_narrows_what_the_scores_are_for(letter: str) -> None:
    grade = Grade(HORIZON, letter, ("ece",) if letter == "B" else (), "champion", ("2024-04-02",), {}, {})
    html = card(replace(trained(), grades=(grade,)))
    assert (f"Grade {letter}: " in html, f"{letter}级：" in html) == (True, True)
    assert ("With grade C: any use" in html) == (letter == "C")
    assert ('class="box warn"' in html) == (letter == "C")
    for words in NOT_FOR:
        assert words[0].split(":")[0] in html
        assert words[1] in html


def test_inputs_stand_with_their_state_rows_and_days_and_the_page_needs_nothing_from_outside() -> None:
    html = card(trained())
    assert rows(html, "inputs")[0].startswith("Purchases 购买 sales.order 12 read 已使用 12 2023-01-01 to 2024-06-30")
    assert "not read 未使用 7 –" in rows(html, "inputs")[1]
    assert HOSTILE not in html
    assert "<script" not in html
    targets = set(re.findall(r'(?:href|src)="([^"]*)"', html))
    assert {target for target in targets if not target.startswith("#")} == {"report.html"}
    assert not re.search(r"https?://(?!www\.w3\.org)", html)
    assert not re.search(r"\bc\d{4}\b", html)


def test_a_release_without_a_model_and_one_of_before_there_was_evidence_have_a_card() -> None:
    html = card(None)
    assert "No model scored the release date." in html
    assert rows(html, "inputs")
    older = card(replace(trained(), evidence=None, grades=None))
    assert "This model was trained before scores were graded." in older
    assert "No past cut-off to test at." in older


def test_where_nobody_came_only_the_picture_there_is_data_for_is_drawn() -> None:
    model = trained()
    assert model.evidence is not None
    poor = replace(model, evidence=(replace(model.evidence[0], gains=()),))
    assert (card(model).count("<svg"), card(poor).count("<svg")) == (3, 1)
