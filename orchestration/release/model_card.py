"""One page on the model behind the scores of a release: what it learned from, how it did, where it is off.

``render_card`` turns a model's document into HTML; ``write_model_card`` gathers what it shows. No customer is named,
and nothing is judged here: grade and figures are the document's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import cache
from importlib.metadata import version
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from jinja2 import Template
from markupsafe import Markup

from orchestration.release import card_pictures, charts
from orchestration.release.report_format import page_templates
from orchestration.release.report_scores import FIGURES, SENTENCES, grade_told
from orchestration.release.score_inputs import STATES, Use, uses

if TYPE_CHECKING:
    from ml.champion import Champion
    from ml.evidence import Evidence
    from ml.learn import TrainedModel

MODEL_CARD = "model_card.html"
# Presentation only: a segment is marked from this bias on, and which libraries the scores are computed by.
BIAS_SHOWN = 0.2
LIBRARIES = ("numpy", "scipy", "pandas", "pyarrow", "duckdb", "dbt-core", "dbt-duckdb", "dagster")
# Of each cut-off, with an interval: digits after the point.
CUTOFF_FIGURES = {
    "auc": ("AUC", 3),
    "value_gini": ("Gini of value", 3),
    "brier": ("Brier", 3),
    "count_bias": ("Purchases predicted / came", 2),
    "value_bias": ("Net sales predicted / came", 2),
    "count_mae": ("Purchases, mean error", 2),
    "value_mae": ("Net sales, mean error", 0),
}
FIGURES_SHOWN = FIGURES | {
    "average_precision": "average precision of no purchase",
    "log_loss": "log-loss of no purchase",
    "count_mae": "purchases off by, on average",
    "count_rmse": "purchases off by, root of mean squares",
    "count_correlation": "correlation of purchases",
    "value_mae": "net sales off by, on average",
    "value_rmse": "net sales off by, root of mean squares",
    "margin_mae": "margin off by, on average",
    "margin_gini": "order by margin",
    "next_date_concordance": "order of next purchases: 0.5 is chance",
    "next_date_mae_days": "date of the next purchase off by, days",
}
SEGMENTS = {
    "purchase_days": ("purchase days so far", "购买天数"),
    "recency": ("last purchase, fifths, 1 the longest ago", "最近购买（五等分，1最久）"),
    "past_value": ("net sales so far, fifths, 1 the least", "历史净销售额（五等分，1最少）"),
}
NOT_FOR = (
    (
        "Deciding alone about a person: credit, insurance, work, or a price. It reads purchases, not people.",
        "单独据以对个人作出信贷、保险、雇佣或定价决定。模型只看购买记录。",
    ),
    (
        "Customers who never bought: they have no score, and none may be made up.",
        "从未购买的客户：没有评分，也不得臆造。",
    ),
    (
        "Other spans than its horizon, other companies, or other data than it learned from.",
        "其他时间范围、其他公司或其他数据。",
    ),
    (
        "What an offer would change: it says what comes if all goes on as before, not what causes it.",
        "推断某项措施的效果：只预测照旧会怎样，不说明因果。",
    ),
    ("Certainty about one customer: of ten with 20 % two buy nothing.", "对单个客户下定论：概率只在群体中成立。"),
)
NOT_FOR_C = (
    "With grade C: any use that a plain rule of recency and frequency would not carry as well.",
    "C级时：任何简单规则同样无法支持的用途。",
)


def write_model_card(
    folder: Path, build: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], trained: TrainedModel | None
) -> None:
    """Write the page of a release that is being made into its ``folder``."""
    from orchestration.scoring import FEATURES

    as_of_date = date.fromisoformat(manifest["as_of_date"])
    known_at = datetime.fromisoformat(manifest["known_at"])
    query = f"select min(first_purchase_date), max(last_purchase_date), count(*) from {FEATURES} where as_of_date = ?"
    span = build.execute(query, [as_of_date]).fetchall()[0]
    page = render_card(manifest, trained, span, uses(build, as_of_date, known_at))
    (folder / MODEL_CARD).write_text(page, encoding="utf-8")


def render_card(
    manifest: Mapping[str, Any],
    trained: TrainedModel | None,
    span: tuple[date | None, date | None, int],
    inputs: Sequence[Use],
) -> str:
    """The page as HTML. ``span``: first and last purchase day that scores read, and of how many customers."""
    return _template().render(
        release=manifest,
        model=_model(trained) if trained else None,
        horizons=[_horizon(trained, horizon) for horizon in trained.model.params.horizons] if trained else [],
        span=span,
        inputs=inputs,
        states=STATES,
        cutoff_figures=CUTOFF_FIGURES,
        segments=SEGMENTS,
        bias_shown=BIAS_SHOWN,
        interval=f"{100 * trained.model.params.grade.interval:g}" if trained and trained.model.params.grade else "95",
        not_for=NOT_FOR + ((NOT_FOR_C,) if trained and any(g.grade == "C" for g in trained.grades or ()) else ()),
        libraries={name: version(name) for name in LIBRARIES},
    )


def _model(trained: TrainedModel) -> dict[str, Any]:
    model = trained.model
    return {
        "version": trained.version,
        "sha256": trained.sha256,
        "trained_on": trained.as_of_date,
        "known_at": trained.known_at,
        "cutoff": model.cutoff,
        "name": model.name,
        "customers": model.customer_count,
        "repeaters": model.repeater_count,
        "reason": model.reason,
        "parameters": {name: value for name, value in asdict(model.params).items() if not isinstance(value, dict)},
    }


def _horizon(trained: TrainedModel, horizon: int) -> dict[str, Any]:
    model, rung = trained.model, trained.model.rung_of(horizon)
    test = next((test for test in trained.backtests if test.horizon == horizon), None)
    evidence = next((shown for shown in trained.evidence or () if shown.horizon == horizon), None)
    segments = _segments(evidence) if evidence else []
    champion = next((found for found in model.champions or () if found.horizon == horizon), None)
    return {
        "days": horizon,
        "rung": rung,
        "grade": _grade(trained, horizon),
        "is_withheld": horizon in model.withheld,
        "champion": champion,
        "level": _level(champion) if champion else None,
        "cutoffs": [_cutoff(row) for row in evidence.cutoffs] if evidence else [],
        "segments": segments,
        "off": sum(any(row["is_off"].values()) for row in segments),
        # Safe: pictures escape every text they write.
        "pictures": [(*title, Markup(picture)) for title, picture in _pictures(evidence)] if evidence else [],
        "backtest": test,
        "figures": [
            (label, f"{value:,.3f}")
            for name, label in FIGURES_SHOWN.items()
            if test and (value := test.figures.get(name)) is not None
        ],
    }


def _grade(trained: TrainedModel, horizon: int) -> dict[str, Any] | None:
    """As the report tells it; which rule speaks in place of a C is told beside it."""
    rung, is_withheld = trained.model.rung_of(horizon), horizon in trained.model.withheld
    told = grade_told(trained.grade_of(horizon), rung, is_withheld=is_withheld)
    if told is None or rung in ("champion", "btyd"):
        return told
    return told | {"sentence": SENTENCES[told["letter"]]}


def _level(champion: Champion) -> dict[str, Any]:
    level = champion.level
    return {name: exp(getattr(level, name)) for name in ("activity", "count", "value")} | {"reason": level.reason}


def _cutoff(row: Mapping[str, Any]) -> dict[str, Any]:
    figures = row["figures"]
    told = [
        tuple(f"{figures[part]:,.{digits}f}" if figures[part] is not None else None for part in _parts(name))
        for name, (_, digits) in CUTOFF_FIGURES.items()
    ]
    return {**row, "told": told}


def _parts(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"


def _segments(evidence: Evidence) -> list[dict[str, Any]]:
    return [dict(row) | {"is_off": {name: _is_off(row[name]) for name in ("count_bias", "value_bias")}}
            for row in evidence.segments]  # fmt: skip


def _is_off(bias: float | None) -> bool:
    return bias is not None and abs(bias - 1) > BIAS_SHOWN


def _pictures(evidence: Evidence) -> Iterator[tuple[tuple[str, str], str]]:
    if evidence.calibration:
        points = [(row["predicted"], row["observed"], row["rows"]) for row in evidence.calibration]
        yield ("Calibration", "校准"), charts.calibration(points)
    if evidence.gains:
        yield ("Finding buyers", "购买者提升"), card_pictures.gains(evidence.gains, "buyers", "buyers found")
        yield ("Finding value", "价值提升"), card_pictures.gains(evidence.gains, "value", "net sales found")


@cache
def _template() -> Template:
    return page_templates(Path(__file__).parent).get_template("model_card.html.j2")
