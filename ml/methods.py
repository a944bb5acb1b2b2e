"""Clustering, a decision tree and logistic regression beside the policy's tiers. Pure: same rows, same bytes.

They grade nobody: they tell whether the policy's tiers can be seen in the customers' own figures, and by which. This
file imports scikit-learn, so only who compares imports it; what comes out is comparison.py's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from ml.btyd import Floats
from ml.clusters import Partition, kept_numbers, partition, rank_scaled
from ml.comparison import Cluster, Comparison, Figure, NoComparison, comparable_tiers
from ml.params import MethodsParams
from ml.tiers import regression, tree_rules

FLAG = "flag"
# Standardised by their logarithm: few customers have most of them.
LOGGED = ("days", "count", "money")
# Of a figure below and above the middle, in two languages.
FEW, LOW = (("few", "少"), ("many", "多")), (("low", "低"), ("high", "高"))
WORDS = {"days": FEW, "count": FEW, "money": LOW, "rate": LOW}
# The mean of ranks from 0 to 1.
MIDDLE = 0.5


def compare(
    frame: pd.DataFrame,
    tiers: Sequence[str],
    *,
    as_of_date: date,
    known_at: datetime,
    params: MethodsParams,
    before: Comparison | None = None,
) -> Comparison:
    """The comparison of a day. ``frame``: customer_id, tier and the columns of ``params.indicators``, a row a customer;
    ``tiers``: the policy's, highest first; ``before``: the comparison whose cluster numbers are kept.

    Raises NoComparison, with the reason, as ``comparable_tiers`` does and for customers that are all alike; KeyError
    for a column that is missing.
    """
    kept = comparable_tiers(frame["tier"], tiers, params)
    known = _sample(frame[frame["tier"].isin(kept)], params)
    figures, values = _figures(known, params)
    own = [figure.name for figure in figures if figure.unit != FLAG]
    logged = [figure.name for figure in figures if figure.unit in LOGGED]
    with threadpool_limits(1):  # sums in one order, so that the same customers give the same comparison
        scaled = rank_scaled(values[own])
        found = partition(scaled, params, len(before.clusters) if before else None)
        if found is None:
            least = min(params.cluster_counts)
            raise NoComparison(f"customers are too much alike: expected more than {least} with different figures")
        rules, tree = tree_rules(values, known["tier"], kept, params)
        coefficients, regressed = regression(values, logged, known["tier"], kept, params)
    clusters = _clusters(known, values[own], found, figures, tiers=kept, params=params, before=before)
    belongs = {member: cluster.number for cluster in clusters for member in cluster.members}
    past = {member: cluster.number for cluster in before.clusters for member in cluster.members} if before else {}
    return Comparison(
        as_of_date=as_of_date,
        known_at=known_at,
        customers=len(frame),
        compared=len(known),
        left_out={
            str(tier): int(count)
            for tier, count in frame["tier"].value_counts().sort_index().items()
            if tier not in kept
        },
        tiers=tuple(kept),
        figures=tuple(figures),
        clusters=tuple(clusters),
        last_number=max(before.last_number if before else 0, *(cluster.number for cluster in clusters)),
        silhouette=found.silhouette,
        adjusted_rand=float(adjusted_rand_score(known["tier"], found.labels)),
        before=before.version if before else None,
        met_again=len(belongs.keys() & past.keys()),
        stayed=len(belongs.items() & past.items()),
        rules=tuple(rules),
        tree=tree,
        coefficients=coefficients,
        regression=regressed,
        params=asdict(params),
    )


def _sample(frame: pd.DataFrame, params: MethodsParams) -> pd.DataFrame:
    """At most ``max_customers`` rows in the order of their ids, those whose ids have the smallest hashes: the same
    customers month after month. Of each tier at least as many as it needs to be compared."""
    ordered = frame.sort_values("customer_id", ignore_index=True)
    if len(ordered) <= params.max_customers:
        return ordered
    digests = ordered["customer_id"].map(lambda one: hashlib.sha256(str(one).encode()).hexdigest())
    by_hash = ordered.assign(digest=digests).sort_values("digest")
    needed = by_hash.groupby("tier").head(params.min_tier_customers).index
    others = by_hash.index.difference(needed, sort=False)[: params.max_customers - len(needed)]
    return ordered.loc[needed.union(others)].reset_index(drop=True)


def _figures(frame: pd.DataFrame, params: MethodsParams) -> tuple[list[Figure], pd.DataFrame]:
    """What the methods read: each indicator with its nulls filled, and a flag for those that had any; a flag that says
    the same of every customer as an earlier one is left out. One that nobody has is no figure."""
    figures, flags = list[Figure](), list[Figure]()
    values, flagged = dict[str, Floats](), dict[str, Floats]()
    for one in params.indicators:
        given = frame[one.column].to_numpy(dtype=np.float64, na_value=np.nan)
        is_absent = np.isnan(given)
        if is_absent.all():
            continue
        fill = float(np.nanmax(given) if one.unknown == "highest" else np.nanmin(given))
        values[one.column] = np.where(is_absent, fill, given)
        filled = int(is_absent.sum())
        figures.append(Figure(one.column, one.en, one.zh, one.unit, filled, fill if filled else None, "", ""))
        flag = is_absent.astype(np.float64)
        if filled and not any(np.array_equal(flag, other) for other in flagged.values()):
            name = f"{one.column} is unknown"
            flagged[name] = flag
            flags.append(Figure(name, one.absent_en, one.absent_zh, FLAG, 0, None, one.present_en, one.present_zh))
    return [*figures, *flags], pd.DataFrame(values | flagged)


def _clusters(
    known: pd.DataFrame,
    values: pd.DataFrame,
    found: Partition,
    figures: Sequence[Figure],
    *,
    tiers: Sequence[str],
    params: MethodsParams,
    before: Comparison | None,
) -> list[Cluster]:
    """By number. Of new ones the first is the one with the highest tiers."""
    place = known["tier"].map(tiers.index).to_numpy()
    medians = known[list(values.columns)].astype(np.float64).groupby(found.labels).median().to_dict("index")
    inside = [found.labels == label for label in range(len(found.centres))]
    order = sorted(range(len(inside)), key=lambda label: (place[inside[label]].mean(), tuple(found.centres[label])))
    centres = [dict(zip(values.columns, map(float, found.centres[label]), strict=True)) for label in order]
    past = {cluster.number: cluster.centre for cluster in before.clusters} if before else {}
    numbers = kept_numbers(past, centres, params, before.last_number if before else 0)
    clusters = []
    for number, label, centre in zip(numbers, order, centres, strict=True):
        rows = inside[label]
        name_en, name_zh = _name(figures, centre)
        clusters.append(
            Cluster(
                number=number,
                is_new=before is not None and number not in past,
                name_en=name_en,
                name_zh=name_zh,
                customers=int(rows.sum()),
                centre=centre,
                medians={str(name): None if np.isnan(value) else value for name, value in medians[label].items()},
                tiers=tuple(int((place[rows] == tier).sum()) for tier in range(len(tiers))),
                members=tuple(known.loc[rows, "customer_id"]),
            )
        )
    return sorted(clusters, key=lambda cluster: cluster.number)


def _name(figures: Sequence[Figure], centre: Mapping[str, float]) -> tuple[str, str]:
    """The two figures whose mean rank in the cluster is furthest from the middle of all customers, in two languages."""
    own = [figure for figure in figures if figure.name in centre]
    most = sorted(own, key=lambda figure: -abs(centre[figure.name] - MIDDLE))[:2]
    words = [(figure, WORDS[figure.unit][centre[figure.name] > MIDDLE]) for figure in most]
    english = ", ".join(f"{word} {figure.en}" for figure, (word, _) in words)
    return english, "、".join(f"{figure.zh}{word}" for figure, (_, word) in words)
