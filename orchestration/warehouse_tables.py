"""The tables of the build file that no model makes: what a run is told (schema ``run``) and what it learns (``ml``)."""

RUN_TABLES = {
    "run_dates": "as_of_date date, known_at timestamptz, policy_version varchar, model_version varchar, "
    "is_release_date boolean, run_id varchar",
    "run_builds": "known_at timestamptz, as_of_date date, as_of_known_at timestamptz",
    "run_cutoffs": "as_of_date date, cutoff_date date, customer_limit bigint",
    "run_accounts": "source_system varchar, source_id varchar, family varchar, customer_id varchar",
    "run_batches": "place bigint, batch_id varchar, source_system varchar, family varchar, entity varchar, "
    "file varchar, sha256 varchar, raw_sha256 varchar, delivery_date date, extracted_at timestamptz, mode varchar, "
    "known_at timestamptz, duplicate_of varchar, records bigint, accepted bigint, duplicates bigint, "
    "quarantined bigint, filtered bigint",
    "run_batch_amounts": "batch_id varchar, currency varchar, delivered decimal(38,4), accepted decimal(38,4), "
    "duplicates decimal(38,4), quarantined decimal(38,4), filtered decimal(38,4)",
    "run_fingerprints": "family varchar, entity varchar, fingerprint hugeint",
    "run_quarantined_rows": "batch_id varchar, source_line bigint, rule varchar, column_name varchar, raw_text varchar",
    "run_checks": "check_name varchar, subject varchar, as_of_date date, status varchar, severity varchar, "
    "owner varchar, observed varchar, expected varchar, checked_at timestamptz, run_id varchar",
    "run_reconciliations": "subject varchar, measure varchar, expected decimal(38,4), observed decimal(38,4), "
    "residual decimal(38,4), status varchar",
    "run_decision_intervals": "scheme varchar, customer_id varchar, band varchar, valid_from date, valid_to date, "
    "main_cause varchar",
    "run_standings": "customer_id varchar, tier_rank bigint, is_held boolean, last_earned_date date, "
    "last_kept_date date",
    "run_decided_customers": "as_of_date date, known_at timestamptz, policy_version varchar, model_version varchar, "
    "customer_id varchar, tier_score decimal(9,4), score_tier varchar, held_tier varchar, decided_tier varchar, "
    "tier varchar",
    "run_decided_factors": "customer_id varchar, factor varchar, score decimal(9,4), weight decimal(9,4), "
    "contribution decimal(18,4), is_dropped boolean",
    "run_decided_accounts": "account_key varchar, customer_id varchar",
    "run_releases": "release_id varchar, as_of_date date, known_at timestamptz, policy_version varchar, "
    "customer_count bigint, net_amount_365d decimal(18,4), published_at timestamptz",
}

# What assets/modelling.py fills between the two halves of the dbt project.
ML_TABLES = {
    "documents": "model_version varchar, document varchar",
    "models": "as_of_date date, horizon_days bigint, model_version varchar, rung varchar, reason varchar, "
    "grade varchar, grade_reason varchar",
    "trials": "trained_date date, horizon_days bigint, model_version varchar, champion_version varchar, "
    "spoken_version varchar, rung varchar, grade varchar, verdict varchar, sentence_en varchar, sentence_zh varchar, "
    "cutoff_count bigint, auc_gain decimal(9,6), auc_gain_low decimal(9,6), brier_gain decimal(9,6), "
    "brier_gain_high decimal(9,6), gini_gain decimal(9,6), gini_gain_low decimal(9,6), count_bias decimal(18,6), "
    "champion_count_bias decimal(18,6), value_bias decimal(18,6), champion_value_bias decimal(18,6), "
    "ece decimal(9,6), champion_ece decimal(9,6)",
    "drifts": "horizon_days bigint, model_version varchar, topic varchar, measure varchar, since_date date, "
    "predicted_to_came decimal(18,6), figure decimal(18,6), warn_limit decimal(9,6), level varchar",
    "scores": "as_of_date date, customer_id varchar, horizon_days bigint, inactive_probability decimal(9,6), "
    "expected_purchase_count decimal(18,4), expected_net_amount decimal(18,4), "
    "potential_margin_amount decimal(18,4), next_purchase_p10_date date, next_purchase_p50_date date, "
    "next_purchase_p90_date date, base_inactive_probability decimal(9,6), "
    "base_expected_purchase_count decimal(18,4), base_expected_net_amount decimal(18,4)",
    "reasons": "as_of_date date, customer_id varchar, horizon_days bigint, score_name varchar, factor varchar, "
    "figure decimal(18,4), contribution decimal(18,12), cell varchar",
    "gaps": "as_of_date date, customer_id varchar, tier_score decimal(9,4), score_tier varchar, next_tier varchar, "
    "usual_margin_rate decimal(28,6), one_order_amount decimal(18,4), one_order_cost_amount decimal(18,4), "
    "one_order_tier varchar, one_order_reason varchar, usual_order_amount decimal(18,4), "
    "usual_order_cost_amount decimal(18,4), usual_order_count bigint, usual_orders_tier varchar, "
    "usual_orders_reason varchar, unforeseen_lens varchar",
    "comparisons": "as_of_date date, comparison_version varchar, document varchar, reason varchar",
}

# Of schema run: brought up to the raw zone and the ledger, never written anew.
KEPT_BETWEEN_RUNS = (
    "run_batches",
    "run_batch_amounts",
    "run_fingerprints",
    "run_quarantined_rows",
    "run_decision_intervals",
)
