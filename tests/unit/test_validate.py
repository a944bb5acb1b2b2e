"""What the quality suites promise, judged by the real Great Expectations on small frames."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data_quality.rules import Between, InSet, NoRowsWhere, NotNull, Rule, Unique
from data_quality.suites.marts import mart_suites
from data_quality.table_rules import HasColumns, RowCount
from data_quality.validate import Subject, _great_expectations, admit_duckdb, validate
from data_quality.verdicts import Verdict

COLUMNS = (("batch_id", "varchar"), ("id", "varchar"), ("kind", "varchar"), ("amount", "decimal(18,4)"), ("d", "date"))
CLEAN = (
    "('b1', '1', 'person', 10, '2025-01-01'), ('b1', '2', 'company', null, '2025-01-02'), ('b2', '1', null, 0, null)"
)
RULES: tuple[Rule, ...] = (
    HasColumns(COLUMNS),
    RowCount(minimum=1, maximum=10),
    NotNull("id"),
    InSet("kind", ("person", "company")),
    Between("amount", 0, 100),
    Unique(("batch_id", "id")),
    NoRowsWhere("persons_spend_something", "kind = 'person' and amount <= 0 and kind not like '%{:x}'"),
)


@dataclass(frozen=True)
class Case:
    """One row that breaks exactly one rule; it arrives in a batch of its own."""

    row: str
    broken: Rule


ROW_CASES = (
    Case("('b9', null, 'person', 1, null)", RULES[2]),
    Case("('b9', '7', 'Zhang San', 1, null)", RULES[3]),
    Case("('b9', '7', 'company', -0.5, null)", RULES[4]),
    Case("('b9', '7', 'company', 100.5, null)", RULES[4]),
    Case("('b9', '7', 'company', 1, null), ('b9', '7', 'company', 2, null)", RULES[5]),
    Case("('b9', '7', 'person', 0, null)", RULES[6]),
)


def frame(*rows: str) -> str:
    names = ", ".join(name for name, _ in COLUMNS)
    typed = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in COLUMNS)
    return f"select {typed} from (values {', '.join(rows)}) v({names})"


def judge(relation: str, *suite: Rule) -> list[Verdict]:
    return validate([Subject("frame", relation, suite)])


def test_a_clean_frame_passes_every_rule_and_names_no_batch() -> None:
    verdicts = judge(frame(CLEAN), *RULES)
    assert [(verdict.status, verdict.batch_ids, verdict.blocks) for verdict in verdicts] == [("pass", (), False)] * 7
    assert [verdict.check_name for verdict in verdicts] == [rule.name for rule in RULES]
    assert [verdict.observed for verdict in verdicts[:3]] == ["5 of 5 columns", "3 rows", "0 of 3 rows"]


def test_a_row_that_breaks_a_rule_fails_that_rule_alone_and_names_only_its_batch() -> None:
    subjects = [Subject(f"case {i}", frame(CLEAN, case.row), RULES) for i, case in enumerate(ROW_CASES)]
    failed = [verdict for verdict in validate(subjects) if verdict.status != "pass"]
    assert [(verdict.check_name, verdict.status, verdict.batch_ids) for verdict in failed] == [
        (case.broken.name, "fail", ("b9",)) for case in ROW_CASES
    ]
    assert all(verdict.blocks and verdict.owner == "great_expectations" for verdict in failed)
    assert failed[0].observed == "1 of 4 rows (25.0%)"
    assert failed[4].observed == "2 of 5 rows (40.0%)"


def test_a_broken_promise_about_the_whole_table_concerns_every_batch() -> None:
    wrong_columns = HasColumns((*COLUMNS[:3], ("amount", "double"), ("colour", "varchar")))
    verdicts = judge(frame(CLEAN), wrong_columns, RowCount(minimum=4), NotNull("id"))
    assert [(verdict.status, verdict.batch_ids) for verdict in verdicts[:2]] == [("fail", ("b1", "b2"))] * 2
    assert verdicts[0].observed == "3 of 5 columns; amount DECIMAL(18,4), colour missing"
    assert verdicts[1].observed == "3 rows"
    assert verdicts[2].status == "pass"


def test_an_empty_frame_still_has_its_columns_and_too_few_rows() -> None:
    verdicts = judge(frame(CLEAN) + " where false", *RULES)
    assert [verdict.status for verdict in verdicts] == ["pass", "fail", *["pass"] * 5]


def test_a_row_without_a_batch_id_holds_every_batch() -> None:
    (verdict,) = judge(frame(CLEAN, "(null, '7', 'robot', 1, null)"), RULES[3])
    assert (verdict.status, verdict.batch_ids) == ("fail", ("b1", "b2"))


def test_keys_that_share_their_hash_are_told_apart_and_equal_ones_with_empty_parts_are_not() -> None:
    """The macro stands for a hash that gives every key the same number."""
    same = "select * from (values ('1', null), ('2', null)) v(id, kind)"
    always_equal = "create macro hash(a, b) as 1"
    suite = (Unique(("id", "kind")),)
    apart = validate([Subject("frame", same, suite)], sql_setup=[always_equal])
    twice = validate([Subject("frame", f"{same} union all {same}", suite)])
    assert [(verdict.status, verdict.observed) for verdict in (*apart, *twice)] == [
        ("pass", "0 of 2 rows"),
        ("fail", "4 of 4 rows (100.0%)"),
    ]


def test_a_failing_warning_warns_and_blocks_nothing() -> None:
    (verdict,) = judge(frame(CLEAN), NotNull("kind", severity="warning"))
    assert (verdict.status, verdict.severity, verdict.blocks) == ("warn", "warning", False)
    assert verdict.batch_ids == ("b2",)


def test_a_check_that_cannot_run_is_an_error_and_leaves_its_neighbours_alone() -> None:
    broken = (
        NotNull("no_such_column"),
        NoRowsWhere("asks_an_unknown_column", "no_such_column > 1"),
        NoRowsWhere("is_not_sql", "selec t"),
        Between("kind", 0, 1),
        NoRowsWhere("casts_what_cannot_be_cast", "cast(kind as integer) > 1"),
    )
    sound = (NotNull("id"), InSet("kind", ("person",)), RowCount(minimum=1), NoRowsWhere("last", "amount = 0"))
    verdicts = judge(frame(CLEAN), *broken, *sound)
    assert [verdict.status for verdict in verdicts] == [*["error"] * 5, "pass", "fail", "pass", "fail"]
    assert all(verdict.blocks and verdict.batch_ids == ("b1", "b2") for verdict in verdicts[:5])
    assert "no_such_column" in verdicts[0].observed
    assert verdicts[4].observed == "could not run: ConversionException"


def test_a_relation_that_cannot_be_read_is_an_error_on_each_of_its_rules_and_the_next_is_judged() -> None:
    missing = Subject("missing", "select * from read_parquet('/no/such/file.parquet')", RULES[:3])
    uncastable = Subject(
        "uncastable", "select cast(name as integer) as id from (values ('Zhang San')) v(name)", RULES[2:3]
    )
    verdicts = validate([missing, uncastable, Subject("frame", frame(CLEAN), RULES[2:3])])
    assert [verdict.status for verdict in verdicts] == ["error", "error", "error", "error", "pass"]
    assert verdicts[3].observed == "could not run: ConversionException"


def test_no_value_of_the_data_appears_in_what_was_observed() -> None:
    person = "('b9', 'Zhang San', 'Zhang San', 999, null)"
    suite = (*RULES, Between("kind", 0, 1), NoRowsWhere("casts_a_name", "cast(kind as integer) > 1"))
    verdicts = judge(frame(person, person), *suite)
    assert {verdict.status for verdict in verdicts} == {"pass", "fail", "error"}
    assert not [verdict for verdict in verdicts if "Zhang" in str(verdict) or "999" in str(verdict)]


def test_an_attached_database_is_judged_and_can_be_opened_for_writing_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "build.duckdb"
    with duckdb.connect(str(path)) as build:
        build.execute("create table customer_360 as select * from (values ('c1'), ('c2'), ('c2')) v(customer_id)")
    subject = Subject("customer_360", "select * from build.customer_360", mart_suites()["customer_360"])
    verdicts = validate([subject], sql_setup=[f"attach '{path}' as build (read_only)"])
    assert [(verdict.status, verdict.observed) for verdict in verdicts] == [
        ("pass", "3 rows"),
        ("fail", "2 of 3 rows (66.7%)"),
    ]
    with duckdb.connect(str(path)) as build:
        build.execute("insert into customer_360 values ('c3')")


def test_the_file_is_released_even_when_the_set_up_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "build.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(Exception, match="no_such_statement"):
        validate(
            [Subject("frame", frame(CLEAN), RULES)],
            sql_setup=[f"attach '{path}' as build (read_only)", "no_such_statement"],
        )
    with duckdb.connect(str(path)) as build:
        build.execute("create table t (i integer)")


def test_great_expectations_still_has_the_private_name_that_duckdb_is_added_to(monkeypatch: pytest.MonkeyPatch) -> None:
    from great_expectations.execution_engine import sqlalchemy_execution_engine as private

    shipped = tuple(dialect for dialect in private._PERSISTED_CONNECTION_DIALECTS if dialect.value != "duckdb")
    assert {dialect.value for dialect in shipped} >= {"sqlite", "mssql"}
    monkeypatch.setattr(private, "_PERSISTED_CONNECTION_DIALECTS", shipped)
    assert not private._dialect_requires_persisted_connection(connection_string="duckdb:///:memory:")
    admit_duckdb()
    admit_duckdb()
    assert private._dialect_requires_persisted_connection(connection_string="duckdb:///:memory:")
    assert len(private._PERSISTED_CONNECTION_DIALECTS) == len(shipped) + 1
    monkeypatch.delattr(private, "_PERSISTED_CONNECTION_DIALECTS")
    with pytest.raises(RuntimeError, match="_PERSISTED_CONNECTION_DIALECTS is None, expected the tuple"):
        admit_duckdb()


def test_great_expectations_does_not_write_down_a_configuration_that_nobody_reads() -> None:
    with _great_expectations() as source:
        source.add_query_asset("frame", query=frame(CLEAN))
        variables = source.data_context.variables
        assert variables.store.list_keys() == []
        type(variables).save(variables)
        assert len(variables.store.list_keys()) == 1, "what GX writes down is no longer seen here"


def test_what_great_expectations_imports_for_no_rule_of_ours_is_left_out_and_there_when_asked_for() -> None:
    asked = """
import sys
from data_quality.rules import NotNull
from data_quality.validate import Subject, validate

(verdict,) = validate([Subject("frame", "select 1 as id", [NotNull("id")])])
print(verdict.status, "scipy.stats" in sys.modules, "altair" in sys.modules)
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as corner
print(corner.stats.entropy([1.0]), corner.alt.Chart.__name__, "scipy.stats" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-W", "ignore", "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["pass False False", "0.0 Chart True"]


@pytest.mark.parametrize(("field", "value"), [("status", "ok"), ("severity", "fatal"), ("owner", "nobody")])
def test_a_verdict_refuses_words_it_does_not_know(field: str, value: str) -> None:
    words: dict[str, Any] = {"status": "pass", "severity": "error", "owner": "dbt"} | {field: value}
    with pytest.raises(ValueError, match=f"{field} is '{value}', expected one of"):
        Verdict("check", "subject", observed="", expected="", **words)


def test_two_rules_of_one_name_and_two_subjects_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="id_is_not_null is there more than once"):
        Subject("frame", frame(CLEAN), (NotNull("id"), NotNull("id", severity="warning")))
    with pytest.raises(ValueError, match="frame is there more than once"):
        validate([Subject("frame", frame(CLEAN), ()), Subject("frame", frame(CLEAN), ())])
