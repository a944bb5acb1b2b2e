"""What clustering, a decision tree and logistic regression made of a day's customers, as one document.

Values only: how they come about is methods.py's, and how they are told is the report's. Of persons it holds the ids of
customers, which the marts hold too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from ml.learn import VERSION_DIGITS
from ml.params import MethodsParams

# Of the document: one of another form is not read, and a comparison that follows it numbers its clusters anew.
FORM = 1
# Figures keep so many digits after the point: what lies behind them differs from processor to processor.
DIGITS = 6


class NoComparison(ValueError):
    """The customers cannot be compared; the message is the reason."""


@dataclass(frozen=True)
class Figure:
    """One figure that the methods read, with its labels and unit; of unit ``flag``, 1 where the indicator is not known.

    ``filled``: customers for whom it was not known, who count as ``fill``.
    """

    name: str
    en: str
    zh: str
    unit: str
    filled: int
    fill: float | None
    present_en: str
    present_zh: str


@dataclass(frozen=True)
class Cluster:
    """Customers that are alike. ``number`` stays from comparison to comparison; the name says how they differ most.

    ``centre``: ranks from 0 to 1, by figure; ``medians``: of the customers whose figure is known, None without any;
    ``tiers``: customers by the policy's tier, in the order of the tiers.
    """

    number: int
    is_new: bool
    name_en: str
    name_zh: str
    customers: int
    centre: Mapping[str, float]
    medians: Mapping[str, float | None]
    tiers: tuple[int, ...]
    members: tuple[str, ...]


@dataclass(frozen=True)
class Condition:
    """``above`` < figure <= ``at_most``, either side open where it is None."""

    figure: str
    above: float | None
    at_most: float | None


@dataclass(frozen=True)
class Rule:
    """A leaf of the tree: who meets all conditions is given ``tier``. ``agreeing``: of its customers, those to whom the
    policy gives it too."""

    conditions: tuple[Condition, ...]
    tier: str
    customers: int
    agreeing: int


@dataclass(frozen=True)
class Agreement:
    """``share`` of customers with the policy's tier, kappa with squared weights, and the ``table`` of customers by the
    policy's tier (rows) and the one found (columns), in the order of the tiers."""

    share: float
    kappa: float
    table: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Comparison:
    """Three methods beside the policy's ``tiers``, highest first, on ``compared`` of ``customers``.

    ``left_out``: customers of tiers with too few; ``before``: the version whose numbers the clusters keep, ``stayed``
    of the ``met_again`` customers of both being in the same cluster; ``adjusted_rand``: of clusters against tiers.
    """

    as_of_date: date
    known_at: datetime
    customers: int
    compared: int
    left_out: Mapping[str, int]
    tiers: tuple[str, ...]
    figures: tuple[Figure, ...]
    clusters: tuple[Cluster, ...]
    last_number: int
    silhouette: float
    adjusted_rand: float
    before: str | None
    met_again: int
    stayed: int
    rules: tuple[Rule, ...]
    tree: Agreement
    coefficients: Mapping[str, Mapping[str, float]]
    regression: Agreement
    params: Mapping[str, Any]

    def to_json(self) -> str:
        """Canonical, so that equal comparisons have equal bytes."""
        content = asdict(self) | {
            "form": FORM,
            "as_of_date": self.as_of_date.isoformat(),
            "known_at": self.known_at.astimezone(UTC).isoformat(),
        }
        return json.dumps(_rounded(content), sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Comparison | None:
        """The comparison that ``to_json`` wrote, None for one of another form. Raises KeyError, TypeError or ValueError
        for anything else."""
        content: dict[str, Any] = json.loads(text)
        if content.pop("form") != FORM:
            return None
        clusters = (
            Cluster(**one | {"tiers": tuple(one["tiers"]), "members": tuple(one["members"])})
            for one in content["clusters"]
        )
        rules = (
            Rule(**one | {"conditions": tuple(Condition(**part) for part in one["conditions"])})
            for one in content["rules"]
        )
        return cls(
            **content
            | {
                "as_of_date": date.fromisoformat(content["as_of_date"]),
                "known_at": datetime.fromisoformat(content["known_at"]),
                "tiers": tuple(content["tiers"]),
                "figures": tuple(Figure(**one) for one in content["figures"]),
                "clusters": tuple(clusters),
                "rules": tuple(rules),
                "tree": _agreement(content["tree"]),
                "regression": _agreement(content["regression"]),
            }
        )

    @property
    def version(self) -> str:
        """The day and the first digits of the sha256 of the JSON."""
        return f"{self.as_of_date}-{hashlib.sha256(self.to_json().encode()).hexdigest()[:VERSION_DIGITS]}"


def comparable_tiers(tier_of: pd.Series[str], tiers: Sequence[str], params: MethodsParams) -> list[str]:
    """Those of the policy's ``tiers``, in their order, that have customers enough. Raises NoComparison when they are
    fewer than two or have too few customers together."""
    counts = tier_of.value_counts()
    kept = [tier for tier in tiers if counts.get(tier, 0) >= params.min_tier_customers]
    if len(kept) < 2:
        told = ", ".join(f"{tier} {counts.get(tier, 0)}" for tier in tiers)
        raise NoComparison(f"fewer than two tiers have the {params.min_tier_customers} customers it takes: {told}")
    if (found := int(counts[kept].sum())) < params.min_customers:
        raise NoComparison(f"{found} customers in tiers, expected {params.min_customers}")
    return kept


def _agreement(content: Mapping[str, Any]) -> Agreement:
    return Agreement(content["share"], content["kappa"], tuple(tuple(row) for row in content["table"]))


def _rounded(value: Any) -> Any:
    """Bounds of rules are exact, and no longer than they have to be; all else is rounded."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {name: part if name in ("above", "at_most") else _rounded(part) for name, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list | tuple) else value
