"""What a published mart must keep before a release goes out: one suite per mart.

The shape of a mart is its dbt contract's business, its keys the data tests', its logic the unit tests'; here is what a
reader relies on. How it may differ from the last release is told in ``drift.py`` and ``thresholds.csv``.
"""

from __future__ import annotations

from collections.abc import Mapping

from data_quality.rules import Between, InSet, NoRowsWhere, NotNull, Rule, Unique
from data_quality.table_rules import RowCount
from data_quality.verdicts import STATUSES

# What changes a score, and what changes a tier though the score does not.
CAUSES = ("policy", "model", "identity", "correction", "fx", "returns", "behaviour", "roll_off", "drift")
VERDICTS = ("first", "promoted", "kept", "forced")
OWN_STEPS = ("hold", "gate", "override")


def mart_suites() -> Mapping[str, tuple[Rule, ...]]:
    """Mart name → its rules. Every published mart is here; the audit marts are still filling when they are judged."""
    return {
        "audit_checks": (InSet("status", STATUSES),),
        "audit_inputs": (
            RowCount(minimum=1),
            NoRowsWhere(
                "every_record_is_accounted_for",
                "record_count <> accepted_count + duplicate_count + quarantined_count + filtered_count",
            ),
        ),
        "audit_drift": (InSet("level", ("steady", "warn", "alarm")),),
        "audit_models": (InSet("verdict", VERDICTS),),
        "audit_quarantine": (NotNull("rule"),),
        "audit_reconciliation": (NoRowsWhere("residual_is_the_difference", "residual <> observed - expected"),),
        "audit_releases": (Between("customer_count", minimum=0),),
        "contribution_waterfall": (NotNull("step"),),
        "customer_360": (
            RowCount(minimum=1),
            Unique(("customer_id",)),
        ),
        "customer_abc": (Between("share_before_rate", maximum=1), Between("abc_score", 0, 100)),
        "customer_bands": (
            Unique(("customer_id", "as_of_date", "lens")),
            NotNull("lens"),
            Between("score", 0, 100),
        ),
        "customer_credit_grade": (
            Unique(("customer_id", "as_of_date")),
            InSet("binding_limit", ("collection", "payment_period", "both")),
        ),
        "customer_identity": (Between("account_count", minimum=1),),
        "customer_indicators": (
            Between("order_count_365d", minimum=0),
            Between("recency_days", minimum=0),
            Between("return_rate_365d", 0, 1, severity="warning"),
            Between("purchase_stability_rate_365d", 0, 1),
            Between("days_to_pay_p50_730d", minimum=0),
            Between("whitespace_category_count", minimum=0),
            Between("campaign_response_rate_365d", 0, 1),
            Between("renewal_rate_730d", 0, 1),
        ),
        "customer_key_accounts": (Unique(("customer_id", "as_of_date")), Between("key_account_score", 0, 100)),
        "customer_lifecycle": (NotNull("relation"), Between("lifecycle_score", 0, 100)),
        "customer_months": (Between("order_count", minimum=0),),
        "customer_orders": (Unique(("source_system", "order_id")),),
        "customer_relationship_levels": (
            Unique(("customer_id", "as_of_date")),
            Between("segment_customer_count", minimum=1),
        ),
        "customer_rfm": (Between("rfm_score", 0, 100),),
        "customer_scores": (
            Unique(("customer_id", "as_of_date", "horizon_days")),
            Between("inactive_probability", 0, 1),
            Between("expected_purchases", minimum=0),
        ),
        "customer_tier_history": (
            NotNull("tier"),
            NoRowsWhere("an_interval_ends_after_it_begins", "valid_to_date <= valid_from_date"),
        ),
        "customer_tiers": (
            RowCount(minimum=1),
            Unique(("customer_id", "as_of_date")),
            NotNull("tier"),
            Between("tier_score", 0, 100),
        ),
        "indicator_dictionary": (NotNull("definition_en"), NotNull("definition_zh"), NotNull("label_zh")),
        "lead_grades": (Unique(("source_system", "lead_id", "as_of_date")), Between("lead_score", 0, 100)),
        "lens_coverage": (NoRowsWhere("nobody_is_judged_twice", "judged_count > customer_count"),),
        "lifecycle_transitions": (Between("customer_count", minimum=1),),
        "policy_rules": (RowCount(minimum=1), NotNull("provenance")),
        "score_reasons": (
            Unique(("customer_id", "as_of_date", "horizon_days", "score_name", "factor")),
            NotNull("factor"),
        ),
        "tier_explanations": (NotNull("factor"), NotNull("contribution")),
        "tier_gaps": (
            Unique(("customer_id", "as_of_date")),
            Between("one_order_amount", minimum=0),
            Between("usual_order_count", minimum=1),
        ),
        "tier_gates": (
            Unique(("customer_id", "as_of_date", "gate")),
            NoRowsWhere("a_gate_holds_something", "floor_rank is null and ceiling_rank is null"),
        ),
        "tier_kpi": (
            Between("customer_rate", 0, 1),
            NoRowsWhere("no_more_lead_back_than_change", "reversed_change_count_365d > change_count_365d"),
        ),
        "tier_policy_kpi": (
            Between("customer_rate", 0, 1),
            NoRowsWhere("no_more_lead_back_than_change", "reversed_change_count > change_count"),
            NoRowsWhere("no_more_is_the_policy_s_than_changes", "policy_change_count > change_count"),
        ),
        "tier_causes": (InSet("cause", CAUSES), NoRowsWhere("a_cause_has_points", "points = 0")),
        "tier_changes": (
            InSet("main_cause", (*CAUSES, *OWN_STEPS)),
            NoRowsWhere("a_change_leads_to_another_tier", "from_tier = to_tier"),
        ),
        "tier_movements": (NoRowsWhere("a_movement_leads_to_another_tier", "from_tier = to_tier"),),
        "tier_overrides": (
            Unique(("source_system", "override_id", "as_of_date")),
            NoRowsWhere(
                "an_override_is_in_force",
                "as_of_date < valid_from_date or coalesce(as_of_date >= valid_to_date, false)",
            ),
        ),
        "tier_standings": (
            Unique(("customer_id", "as_of_date", "tier_rank")),
            NoRowsWhere("what_is_earned_is_held", "is_earned and not is_held"),
        ),
    }
