"""The policy's tiers as a decision tree and as logistic regression find them from the figures alone.

Only a comparison imports this file: scikit-learn takes a second to import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from ml.btyd import Floats
from ml.comparison import Agreement, Condition, Rule
from ml.params import MethodsParams

Mask = npt.NDArray[np.bool_]


def tree_rules(
    figures: pd.DataFrame, tier_of: pd.Series[str], tiers: Sequence[str], params: MethodsParams
) -> tuple[list[Rule], Agreement]:
    """The leaves of a decision tree as rules, highest tier and largest first, and how its like do on unseen customers.

    Every customer of ``figures`` meets exactly one rule, and it names the tier that the tree names.
    """
    tree = DecisionTreeClassifier(
        max_depth=params.tree_depth, min_samples_leaf=params.tree_leaf_share, random_state=params.seed
    )
    agreement = _cross_validated(tree, figures.to_numpy(), tier_of, tiers, params)
    tree.fit(figures.to_numpy(), tier_of)
    reader = _Reader(figures, tier_of.to_numpy(), tree.tree_, list(tree.classes_))
    rules = reader.below(0, np.ones(len(figures), dtype=np.bool_), {})
    return sorted(rules, key=lambda rule: (tiers.index(rule.tier), -rule.customers)), agreement


def regression(
    figures: pd.DataFrame, logged: Sequence[str], tier_of: pd.Series[str], tiers: Sequence[str], params: MethodsParams
) -> tuple[dict[str, dict[str, float]], Agreement]:
    """Per tier the coefficient of each figure, and how the like of it do on unseen customers.

    Multinomial, on standardised figures, those ``logged`` by the logarithm of 1 + their size under their own sign: a
    coefficient is what one standard deviation more adds to the log-odds of the tier.
    """
    even = figures.assign(**{name: np.sign(figures[name]) * np.log1p(figures[name].abs()) for name in logged})
    steps, strength = params.regression_iterations, params.regression_strength
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=steps))
    agreement = _cross_validated(model, even.to_numpy(), tier_of, tiers, params)
    fitted = model.fit(even.to_numpy(), tier_of)[-1]
    # Of two tiers there is one row of coefficients: the second's, and turned round the first's.
    rows = fitted.coef_ if len(fitted.coef_) > 1 else np.vstack([-fitted.coef_[0], fitted.coef_[0]])
    found = {
        str(tier): {name: float(value) for name, value in zip(figures.columns, row, strict=True)}
        for tier, row in zip(fitted.classes_, rows, strict=True)
    }
    return {tier: found[tier] for tier in tiers}, agreement


def agreement_of(policy: Sequence[str], found: Sequence[str], tiers: Sequence[str]) -> Agreement:
    """How often two gradings of the same customers agree; kappa weighs a disagreement by the square of its tiers."""
    table = confusion_matrix(policy, found, labels=list(tiers))
    kappa = float(cohen_kappa_score(policy, found, labels=list(tiers), weights="quadratic"))
    return Agreement(
        share=float(accuracy_score(policy, found)),
        kappa=kappa,
        table=tuple(tuple(int(customers) for customers in row) for row in table),
    )


def shortest_between(low: float, high: float) -> float:
    """The number with the fewest digits in [low, high), so that a rule reads ``up to 40`` and not ``up to 41.5``."""
    if low >= high:
        raise ValueError(f"rules: no number in [{low}, {high}), expected the second to be larger")
    lowest, below = Decimal(repr(low)), Decimal(repr(high))
    largest = max(number.adjusted() for number in (lowest, below) if number)
    steps = (Decimal(1).scaleb(place) for place in count(largest + 1, -1))
    rounded = ((lowest / step).to_integral_value(ROUND_CEILING) * step for step in steps)
    return float(next(number for number in rounded if number < below))


def _cross_validated(
    model: Any, values: Floats, tier_of: pd.Series[str], tiers: Sequence[str], params: MethodsParams
) -> Agreement:
    """The policy's tiers against those found by models that did not see the customer."""
    folds = StratifiedKFold(params.folds, shuffle=True, random_state=params.seed)
    return agreement_of(tier_of.to_list(), list(cross_val_predict(model, values, tier_of, cv=folds)), tiers)


@dataclass(frozen=True)
class _Reader:
    """Reads a fitted tree: its questions in the figures' own units, and what became of the customers they were put."""

    figures: pd.DataFrame
    tier_of: npt.NDArray[np.object_]
    tree: Any
    classes: list[str]

    def below(self, node: int, here: Mask, asked: Mapping[str, Condition]) -> list[Rule]:
        """The rules of a node. Two leaves that name the same tier are one rule: their question decides nothing."""
        if self.tree.children_left[node] < 0:
            tier = str(self.classes[int(np.argmax(self.tree.value[node][0]))])
            return [self.rule(here, asked, tier)]
        place = int(self.tree.feature[node])
        name = str(self.figures.columns[place])
        values = self.figures.iloc[:, place].to_numpy()
        # The tree asks of 32-bit numbers; any bound between the two sides' own values parts the customers as it does.
        goes_left = values.astype(np.float32) <= self.tree.threshold[node]
        left, right = here & goes_left, here & ~goes_left
        bound = shortest_between(float(values[left].max()), float(values[right].min()))
        before = asked.get(name, Condition(name, None, None))
        rules = [
            *self.below(int(self.tree.children_left[node]), left, {**asked, name: replace(before, at_most=bound)}),
            *self.below(int(self.tree.children_right[node]), right, {**asked, name: replace(before, above=bound)}),
        ]
        tiers = {rule.tier for rule in rules}
        return [self.rule(here, asked, tiers.pop())] if len(tiers) == 1 else rules

    def rule(self, here: Mask, asked: Mapping[str, Condition], tier: str) -> Rule:
        return Rule(tuple(asked.values()), tier, int(here.sum()), int((self.tier_of[here] == tier).sum()))
