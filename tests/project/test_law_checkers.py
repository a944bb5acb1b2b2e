"""The checkers behind test_laws.py see what they must see, and let through what they must let through."""

from __future__ import annotations

import pytest
from laws import Model, column_offence, layer_offences, name_offence, source_offences, stray_text
from laws_python import code_running_formats, environment_reads, import_circle, import_offences, python_clocks
from laws_sql import business_numbers, engine_words, narrow_windows, sql_clocks


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select a from t where amount > 1000", ["1000"]),
        ("select a * 0.35 as b, a * .5 as c, a * 1e3 as d from t", ["0.35", ".5", "1e3"]),
        ("select {{ add_days('due_date', 30) }} from t", ["30"]),
        ("{% set bound = 80 %}select a from t where b >= {{ bound }}", ["80"]),
        ("select a from t where d > date '2025-01-01' or a = '42'", ["2025", "01", "01", "42"]),
        ("select round(a, 2) as b, round(a * (b + 4), 6) as c from t", ["2", "4"]),
        ("select cast(round(\n    a / (b - 1), 4\n) as decimal(9, 4)) as c, coalesce(d, 0) as e2 from t", []),
        ("{#- 80 % -#} select order_count_365d, '90d' as w, t1.a -- 7 days\nfrom t1 where {{ money('x1') }} > 0", []),
        ("select {{ each_measure('cast(sum({m}) as decimal(18, 4)) as {m}') }} from t", []),
    ],
)
def test_a_business_number_is_seen(sql: str, found: list[str]) -> None:
    assert [what for _, what in business_numbers(sql)] == found


def test_a_named_constant_is_let_through_and_lines_are_counted() -> None:
    sql = "{#- two\nlines -#}\n{% set rounds = 6 %}\nselect 7"
    assert business_numbers(sql, ["6"]) == [(4, "7")]


@pytest.mark.parametrize(
    ("sql", "clocks"),
    [
        ("select current_date, now(), getdate() from t", 3),
        ("select cast('now' as timestamp), 'today'::date", 2),
        ("select a from t where d = (select max(order_date) from t)", 1),
        ("with d as (select max(t.loaded_at) as latest from t) select a from d", 1),
        ("select max(event_date) over () as today from t", 1),
        ("select '{{ run_started_at }}' as x, {{ modules.datetime.date.today() }} as y", 3),
        ("select customer_id, max(order_date) as last_order_date from t group by customer_id", 0),
        ("select max(order_date) as last_date from t group by customer_id", 0),
        ("-- now() is not asked\nselect known_at, 'now() or never' as note, is_current from t", 0),
    ],
)
def test_a_clock_in_sql_is_seen(sql: str, clocks: int) -> None:
    assert len(sql_clocks(sql)) == clocks


@pytest.mark.parametrize(
    ("sql", "narrow"),
    [
        ("select row_number() over (partition by a order by b) as n from t", 1),
        ("select row_number() over (partition by a, b) as n from t", 1),
        ("select lead(x) over w as n from t window w as (partition by a, b order by coalesce(c, d))", 1),
        ("select sum(x) over (order by a rows between unbounded preceding and current row) as n from t", 1),
        ("select first_value(x) over (order by a, b) as n, lag(x) over (order by f(a, b), c) as m from t", 0),
        ("select rank() over (order by a) as n, sum(x) over (partition by a) as m, min(x) as o from t", 0),
    ],
)
def test_a_window_without_a_total_order_is_seen(sql: str, narrow: int) -> None:
    assert len(narrow_windows(sql)) == narrow


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_parquet('x')", "select a::date from t", "select a from t qualify n = 1",
        "select * exclude (a) from t", "select list_sort(a) from t", "select unnest(a) from t",
        "select a from t asof join u", "select a // b from t", "select strftime(a, b) from t", "select epoch(a) from t",
        "select date_trunc(a, b) from t", "select sha256(a) from t", "with x as (from t) select a from x",
        "from t select a",
    ],
)  # fmt: skip
def test_an_engine_word_is_seen(sql: str) -> None:
    assert engine_words(sql)


def test_words_that_only_look_like_an_engine_are_let_through() -> None:
    sql = "-- a::b\nselect sha256, 'a // b' as c, sum(a) filter (where b) as d, extract(year from e) as f from t"
    assert engine_words(sql) == []


def test_reads_against_the_way_of_the_data_are_seen() -> None:
    models = [
        Model("stg_sales__orders", "staging/sales", sources=("raw_sales__order",)),
        Model("stg_run__dates", "staging/run", sources=("run_dates",)),
        Model("policy_bands", "policy"),
        Model("int_orders__counted", "intermediate", refs=("stg_sales__orders", "stg_run__dates", "policy_bands")),
        Model("customer_orders", "marts/customer", refs=("int_orders__counted", "stg_run__dates")),
        Model("customer_indicators", "marts/customer", refs=("customer_orders",)),
        Model("stg_ml__trials", "staging/ml", sources=("trials",)),
        Model("customer_bands", "marts/scoring", refs=("customer_indicators", "policy_bands", "stg_ml__trials")),
        Model("customer_tiers", "marts/tiering", refs=("customer_bands", "policy_bands")),
        Model("audit_checks", "marts/audit", refs=("customer_tiers", "stg_sales__orders", "stg_ml__trials")),
        Model("customer_360", "marts/customer", refs=("customer_tiers", "policy_bands")),
    ]
    sound = {model.name: model for model in models}
    assert layer_offences(sound) == []
    assert source_offences(sound) == []
    wrong = {
        "intermediate": ("customer_orders", "audit_checks"),
        "marts/customer": ("customer_bands", "customer_tiers", "stg_sales__orders", "customer_360", "policy_bands"),
        "marts/scoring": ("customer_tiers", "audit_checks", "stg_sales__orders", "customer_orders"),
        "marts/tiering": ("customer_360", "audit_checks", "stg_sales__orders", "stg_ml__trials"),
        "marts/audit": ("audit_checks", "customer_360"),
    }
    for folder, refs in wrong.items():
        assert len(layer_offences(sound | {"wrong": Model("wrong", folder, refs=refs)})) == len(refs), folder
    for model in (
        Model("wrong", "intermediate", sources=("run_dates",)),
        Model("wrong", "staging/crm", sources=("a", "b")),
        Model("wrong", "staging/crm", sources=("a",), refs=("policy_bands",)),
    ):
        assert len(source_offences({"wrong": model})) == 1


@pytest.mark.parametrize(
    ("name", "folder", "is_sound"),
    [
        ("raw_crm__account", "raw", True),
        ("raw_crm__accounts", "raw", False),
        ("raw_erp__account", "raw", False),
        ("stg_crm__accounts", "staging/crm", True),
        ("stg_crm__account", "staging/crm", False),
        ("stg_crm__accounts", "staging/sales", False),
        ("int_orders__counted", "intermediate", True),
        ("int_orders", "intermediate", False),
        ("int_account_days", "intermediate", True),
        ("customer_bands", "marts/scoring", True),
        ("dim_customer", "marts/customer", False),
        ("mart_tiers", "marts/tiering", False),
    ],
)
def test_a_name_of_another_layer_is_seen(name: str, folder: str, is_sound: bool) -> None:
    assert (name_offence(name, folder) is None) == is_sound


@pytest.mark.parametrize(
    ("name", "data_type", "is_sound"),
    [
        ("known_at", "timestamp with time zone", True),
        ("known_at", "timestamp", False),
        ("known", "timestamptz", False),
        ("order_date", "date", True),
        ("order_day", "date", False),
        ("is_anchor", "boolean", True),
        ("anchor", "boolean", False),
        ("order_count_365d", "bigint", True),
        ("order_count_all", "integer", False),
        ("net_amount_365d", "decimal(18, 4)", True),
        ("net_amount", "double", False),
        ("net_amount_original", "decimal(38,4)", False),
        ("return_rate_365d", "decimal(18,6)", True),
        ("return_rate", "double", False),
        ("recency_days", "integer", False),
        ("days_since_contact", "bigint", True),
        ("r_score", "bigint", True),
        ("rfm_score", "double", False),
        ("band", "varchar", True),
    ],
)
def test_a_column_whose_name_and_type_disagree_is_seen(name: str, data_type: str, is_sound: bool) -> None:
    assert (column_offence(name, data_type) is None) == is_sound


@pytest.mark.parametrize(
    ("source", "clocks"),
    [
        ("import datetime\nx = datetime.date.today()", 1),
        ("from datetime import datetime as dt\nx = dt.now(dt.UTC)", 1),
        ("from datetime import datetime\nfield(default_factory=datetime.utcnow)", 1),
        ("import time as t\nx = t.time()", 1),
        ("from time import time\nx = time()", 1),
        ("import pandas as pd\nx = pd.Timestamp.now()", 1),
        ("x = 'select current_date, now()'", 2),
        ("from time import perf_counter\nfrom datetime import date\nx = perf_counter()\ny = date(2025, 1, 1)", 0),
        ("class today:\n    def now(self): return self.today", 0),
    ],
)
def test_a_clock_in_python_is_seen(source: str, clocks: int) -> None:
    assert len(python_clocks(source)) == clocks


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("import os\nx = os.environ['A']", 1),
        ("import os\nx = os.getenv('A')", 1),
        ("from os import environ as e\nx = e.get('A')", 1),
        ("import os\nos.environ['A'] = os.environ['B']", 1),
        ("import os\nos.environ['A'] = 'b'", 0),
    ],
)
def test_a_read_of_the_environment_is_seen(source: str, reads: int) -> None:
    assert len({line for line, _ in environment_reads(source)}) == reads


@pytest.mark.parametrize(
    ("path", "source", "is_sound"),
    [
        ("orchestration/assets/delivery.py", "import dagster as dg", True),
        ("orchestration/definitions.py", "from dagster_dbt import DbtProject", True),
        ("orchestration/extract/landing.py", "import dagster as dg", False),
        ("orchestration/release/publish.py", "def f():\n    from dagster_dbt import x", False),
        ("orchestration/demo/company.py", "from dagster import asset", False),
        ("ml/train.py", "import dagster", False),
        ("ml/train.py", "from orchestration.settings import Settings", False),
        ("data_quality/rules.py", "def f():\n    import orchestration.plan", False),
        ("data_quality/rules.py", "import great_expectations as gx", False),
        ("data_quality/validate.py", "import great_expectations as gx", True),
        ("orchestration/checks.py", "from great_expectations.core import x", False),
        ("ml/store.py", "import joblib", False),
        ("orchestration/cli.py", "import pickle", False),
    ],
)
def test_an_import_that_a_department_may_not_make_is_seen(path: str, source: str, is_sound: bool) -> None:
    assert (import_offences(path, source) == []) == is_sound


@pytest.mark.parametrize(
    ("source", "is_sound"),
    [
        ("import pickle", False),
        ("def f():\n    from joblib import load", False),
        ("import json\nfrom pickles import jar", True),
    ],
)
def test_a_format_that_runs_code_is_seen_wherever_it_is_imported(source: str, is_sound: bool) -> None:
    assert (code_running_formats(source) == []) == is_sound


def test_a_circle_of_imports_is_seen_also_inside_functions() -> None:
    line = {"a.x": "from a import y", "a.y": "import a.z", "a.z": "import os", "a": ""}
    assert import_circle(line) == []
    assert import_circle(line | {"a.z": "def f():\n    from a.x import thing"}) == ["a.x", "a.y", "a.z", "a.x"]


# In pieces, so that this file is not its own offender.
@pytest.mark.parametrize(
    "text",
    [
        "# TO" + "DO later", "FIX" + "ME", "https://files.python" + "hosted.org/x", "--index" + "-url x",
        "open('/" + "tmp/x')", "path: /" + "home/someone/data", "/" + "work/main", "C:" + "\\Users",
    ],
)  # fmt: skip
def test_stray_text_is_seen(text: str) -> None:
    assert stray_text("first line\n" + text)[0][0] == 2


def test_text_that_only_looks_stray_is_let_through() -> None:
    assert (
        stray_text(
            "$TIERING_HOME/tm"
            + "p/x, ~/wo"
            + "rk/x, models/home/x, https://example.org/home/x, --no-emit-index"
            + "-url"
        )
        == []
    )
