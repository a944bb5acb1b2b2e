"""Other methods beside the policy, for the report page: clusters, rules, agreement and a verdict in words.

The comparison is computed elsewhere (ml/methods.py); here it is only told, in English and Chinese.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from orchestration.release import charts
from orchestration.release import report_format as fmt
from orchestration.release.report_queries import Row

if TYPE_CHECKING:
    from ml.comparison import Agreement, Cluster, Comparison, Condition, Figure, Rule

# Of figures that have bounds; any other says yes or no.
UNITS = ("days", "count", "money", "rate")
# Said of a figure whose bounds hold the value that stands for the unknown.
OR_NONE = (" or none", "或无")


def methods(comparison: Comparison | None, tiers: Sequence[Row]) -> Row | None:
    """What the page tells of a comparison; None without one. ``tiers``: the page's own, for their colours."""
    if comparison is None:
        return None
    figures = {figure.name: figure for figure in comparison.figures}
    bounded = [figure for figure in comparison.figures if figure.unit in UNITS]
    colours = {tier["tier"]: tier["colour"] for tier in tiers}
    bars = [
        (f"cluster {cluster.number}", [part / cluster.customers for part in cluster.tiers])
        for cluster in comparison.clusters
    ]
    known = [(tier, colours.get(tier, fmt.FALLBACK)) for tier in comparison.tiers]
    return {
        "version": comparison.version,
        "as_of_date": comparison.as_of_date,
        "customers": comparison.customers,
        "compared": comparison.compared,
        "left_out": comparison.left_out,
        "before": comparison.before,
        "met_again": comparison.met_again,
        "stayed": fmt.share(comparison.stayed, comparison.met_again),
        "verdict": _verdict(comparison),
        # Safe: charts escape every text they write.
        "picture": Markup(charts.cluster_tiers(bars, known)),
        "figures": bounded,
        "clusters": [_cluster(cluster, comparison, bounded) for cluster in comparison.clusters],
        "rules": [_rule(rule, figures) for rule in comparison.rules],
        "agreement": [
            ("decision tree", "决策树", comparison.tree),
            ("logistic regression", "逻辑回归", comparison.regression),
        ],
        "tiers": comparison.tiers,
        "adjusted_rand": comparison.adjusted_rand,
        "coefficients": _coefficients(comparison, figures),
    }


def _verdict(comparison: Comparison) -> tuple[str, str]:
    """How far the figures alone tell the tier, and where they do not, in two languages."""
    asked = {condition.figure for rule in comparison.rules for condition in rule.conditions}
    policy = [sum(row) for row in comparison.tree.table]
    largest = comparison.tiers[policy.index(max(policy))]
    by_largest = fmt.percent(fmt.share(max(policy), sum(policy)))
    tree, regression = (fmt.percent(Decimal(str(one.share))) for one in (comparison.tree, comparison.regression))
    customers, given, found = _most_disputed(comparison.tree, comparison.tiers)
    rand = f"{comparison.adjusted_rand:.2f}".replace("-", fmt.MINUS)
    english = f"The tree finds the policy's tier of {tree} of customers that it had not seen, by {len(asked)} figures; "
    english += f"to call everyone {largest} would find {by_largest}. "
    chinese = f"决策树仅凭{len(asked)}项指标判出{tree}客户的等级（交叉验证）；若全部判为{largest}则为{by_largest}。"
    if customers:
        english += f"It disagrees most on {given}, of which it takes {fmt.count(customers)} for {found}. "
        chinese += f"分歧最多的是{given}，其中{fmt.count(customers)}名被判为{found}。"
    english += f"Logistic regression finds {regression}. "
    english += f"Clusters, which are not told the tiers, have an adjusted Rand index of {rand} with them: "
    english += "0 is chance, 1 the same groups."
    chinese += f"逻辑回归判出{regression}。聚类与等级的调整兰德指数为{rand}（0为随机，1为完全一致）。"
    return english, chinese


def _most_disputed(agreement: Agreement, tiers: Sequence[str]) -> tuple[int, str, str]:
    """The most customers with one tier of the policy and one other found; of equal ones the first."""
    pairs = [
        (customers, given, found)
        for given, row in zip(tiers, agreement.table, strict=True)
        for found, customers in zip(tiers, row, strict=True)
        if given != found
    ]
    return max(pairs, key=lambda pair: pair[0])


def _cluster(cluster: Cluster, comparison: Comparison, figures: Sequence[Figure]) -> Row:
    most = max(cluster.tiers)
    return {
        "number": cluster.number,
        "is_new": cluster.is_new,
        "name_en": cluster.name_en,
        "name_zh": cluster.name_zh,
        "customers": cluster.customers,
        "share": fmt.share(cluster.customers, comparison.compared),
        "tier": comparison.tiers[cluster.tiers.index(most)],
        "tier_share": fmt.share(most, cluster.customers),
        "medians": [_median(figure, cluster.medians[figure.name]) for figure in figures],
    }


def _median(figure: Figure, median: float | None) -> str:
    if median is None:
        return fmt.NOTHING
    value = Decimal(str(median))
    return fmt.percent(value) if figure.unit == "rate" else fmt.short(value)


def _rule(rule: Rule, figures: Mapping[str, Figure]) -> Row:
    told = [_condition(condition, figures[condition.figure]) for condition in rule.conditions]
    return {
        "en": "; ".join(english for english, _ in told) or "every customer",
        "zh": "；".join(chinese for _, chinese in told) or "全部客户",
        "tier": rule.tier,
        "customers": rule.customers,
        "purity": fmt.share(rule.agreeing, rule.customers),
    }


def _condition(condition: Condition, figure: Figure) -> tuple[str, str]:
    """In the figure's own unit, in two languages."""
    if figure.unit not in UNITS:
        is_absent = condition.above is not None
        return (figure.en, figure.zh) if is_absent else (figure.present_en, figure.present_zh)
    above, at_most = (_bound(bound, figure) for bound in (condition.above, condition.at_most))
    english = " and ".join(part for part in (above and f"over {above}", at_most and f"up to {at_most}") if part)
    chinese = "且".join(part for part in (above and f"大于{above}", at_most and f"不超过{at_most}") if part)
    or_none = OR_NONE if _holds(condition, figure.fill) else ("", "")
    return f"{figure.en} {english}{or_none[0]}", f"{figure.zh}{chinese}{or_none[1]}"


def _bound(bound: float | None, figure: Figure) -> str:
    if bound is None:
        return ""
    value = Decimal(repr(bound))
    return f"{fmt.number(value * 100)} %" if figure.unit == "rate" else fmt.number(value)


def _holds(condition: Condition, fill: float | None) -> bool:
    if fill is None:
        return False
    is_above = condition.above is None or fill > condition.above
    return is_above and (condition.at_most is None or fill <= condition.at_most)


def _coefficients(
    comparison: Comparison, figures: Mapping[str, Figure]
) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Per tier its strongest figures, the strongest first, with their coefficients."""
    shown: Any = comparison.params["coefficients_shown"]
    found = []
    for tier in comparison.tiers:
        strongest = sorted(comparison.coefficients[tier].items(), key=lambda item: (-abs(item[1]), item[0]))[:shown]
        words = [
            (figures[name].en, figures[name].zh, f"{value:+.2f}".replace("-", fmt.MINUS)) for name, value in strongest
        ]
        found.append((tier, words))
    return found
