"""Promises of each single rule of the suites: rows that break it are seen, and it blocks or warns as it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from data_quality.rules import Between, InSet, NoRowsWhere, NotNull, Rule, Unique
from data_quality.suites.candidates import contract_suite
from data_quality.suites.marts import mart_suites
from data_quality.table_rules import HasColumns, RowCount
from data_quality.validate import Subject, validate
from data_quality.verdicts import Verdict
from orchestration import dbt
from orchestration.extract.contract import load_contract
from orchestration.release.dictionary import marts_of
from orchestration.settings import Settings

Columns = Mapping[str, str]


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Columns, Sequence[Rule]]]:
    """Name → columns with their types, and the suite, of every contract table and every mart."""
    marts = marts_of(dbt.manifest_document(dbt.manifest_path(Settings(home=tmp_path_factory.mktemp("home")))))
    return {table.name: (table.raw_columns, contract_suite(table)) for table in load_contract().tables} | {
        mart.name: ({column.name: column.sql_type for column in mart.columns}, mart_suites()[mart.name])
        for mart in marts
    }


def beyond(rule: Between) -> str:
    return str(rule.maximum + 1 if rule.maximum is not None else (rule.minimum or 0) - 1)


def relation(columns: Columns, values: Mapping[str, str], rows: int) -> str:
    shown = [f"cast({values.get(name, 'null')} as {kind}) as {name}" for name, kind in columns.items()]
    return f"select {', '.join(shown)} from range({rows})"


def broken(name: str, columns: Columns, suite: Sequence[Rule]) -> list[Subject]:
    """The suite on two equal rows of values it does not want, on a row of nothing, and on no row of other columns."""
    unwanted = {rule.column: "'never heard of'" for rule in suite if isinstance(rule, InSet)}
    unwanted |= {rule.column: beyond(rule) for rule in suite if isinstance(rule, Between)}
    on_values = [rule for rule in suite if isinstance(rule, InSet | Between | Unique)]
    on_nothing = [rule for rule in suite if isinstance(rule, NotNull)]
    on_no_row = [rule for rule in suite if isinstance(rule, RowCount | HasColumns)]
    subjects = [
        Subject(f"{name} values", relation(columns, unwanted, 2), on_values),
        Subject(f"{name} nothing", relation(columns, {}, 1), on_nothing),
        Subject(f"{name} no row", "select 1 as another_column where false", on_no_row),
    ]
    return [subject for subject in subjects if subject.suite]


def test_every_rule_about_columns_keys_and_counts_fails_on_rows_that_break_it(
    suites: dict[str, tuple[Columns, Sequence[Rule]]],
) -> None:
    subjects = [subject for name, (columns, suite) in suites.items() for subject in broken(name, columns, suite)]
    verdicts = validate(subjects)
    assert len(verdicts) > 150
    expected = {"error": ("fail", True), "warning": ("warn", False)}
    silent = [verdict for verdict in verdicts if (verdict.status, verdict.blocks) != expected[verdict.severity]]
    assert [told(verdict) for verdict in silent] == []
    # What is left has cases of its own, rule by rule, in tests/unit/test_suites.py.
    rest = {type(rule) for _, suite in suites.values() for rule in suite} - {
        type(rule) for subject in subjects for rule in subject.suite
    }
    assert rest == {NoRowsWhere}


def told(verdict: Verdict) -> str:
    return f"{verdict.subject}: {verdict.check_name} is {verdict.status} ({verdict.observed})"
