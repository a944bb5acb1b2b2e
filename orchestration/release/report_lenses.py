"""What the report page says of lenses that judge nobody, and of gates that move customers."""

from __future__ import annotations

import duckdb

from orchestration.release.report_queries import Row, fetch


def dark_lenses(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """The lenses that judge nobody, each with why."""
    return fetch(
        connection,
        """
        select coalesce(rules.label_en, lens) as label_en, coalesce(rules.label_zh, '') as label_zh, reason
        from lens_coverage
        left join policy_rules as rules on rules.rule_kind = 'lens' and rules.rule_name = lens
        where is_dark
        order by lens
        """,
    )


def gates(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Every gate of the policy with the customers that it moved, those that moved most first."""
    return fetch(
        connection,
        """
        select rule_name as gate, label_en, coalesce(label_zh, '') as label_zh, count(customer_id) as customers
        from policy_rules left join customer_360 on list_contains(string_split(gates, ', '), rule_name)
        where rule_kind = 'gate'
        group by rule_name, label_en, label_zh
        order by customers desc, rule_name
        """,
    )
