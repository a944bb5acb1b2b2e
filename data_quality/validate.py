"""Judge relations by their rules with Great Expectations on DuckDB: the only file that knows the library.

Rules come in and verdicts go out. GX decides whether a rule holds, by the rule's own SQL: its expectations of a column
read the table's columns first and cost twice as much. Nothing stays open afterwards and no file is written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Any, ClassVar

from data_quality.frames import Frame, look_at, offence
from data_quality.put_off import put_off
from data_quality.rules import RowRule, Rule
from data_quality.table_rules import HasColumns, RowCount, TableRule, Within
from data_quality.verdicts import Verdict

# These errors speak of names and files. Others, such as a failed cast, quote the value and are told by their kind only.
_VALUELESS = re.compile(
    r"\(_?duckdb\.(?:Binder|Catalog|Parser|IO)Exception\) .*|Error: The column .* does not exist\."
    r"|\w+ metrics cannot be computed on column of type .*"
)
_ERROR_KIND = re.compile(r"\w+(?:Error|Exception)\b")
_VIEW = "subject"
_PRIVATE_NAME = "_PERSISTED_CONNECTION_DIALECTS"
# One expectation that no rule becomes imports them: half of what importing GX costs.
_UNUSED = ("altair", "scipy.stats")


class _Dialect(StrEnum):
    DUCKDB = "duckdb"


@dataclass(frozen=True)
class Subject:
    """A relation to judge: a name for the verdicts, an SQL select, and its rules. Raises ValueError on a name twice."""

    name: str
    relation: str
    suite: Sequence[Rule]

    def __post_init__(self) -> None:
        _refuse_repeated(f"suite of {self.name}", [rule.name for rule in self.suite])


def validate(subjects: Sequence[Subject], *, sql_setup: Sequence[str] = ()) -> list[Verdict]:
    """One verdict per rule, in the order given; ``sql_setup`` runs first in the same in-memory DuckDB (``attach`` …).

    A subject or rule that cannot be judged gives status ``error``; a broken ``sql_setup`` raises. Verdicts on the
    table as a whole, and errors, concern every batch of the subject.
    """
    _refuse_repeated("subjects", [subject.name for subject in subjects])
    if not subjects:
        return []
    with _great_expectations() as source, source.get_execution_engine().get_connection() as connection:
        for statement in sql_setup:
            connection.exec_driver_sql(statement)
        connection.commit()
        # A query asset and not a table asset: to reflect a table through the catalog costs more than all the rules.
        asset = source.add_query_asset(_VIEW, query=f"select * from {_VIEW}")
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        return [verdict for subject in subjects for verdict in _judge(batch, connection, subject)]


def admit_duckdb() -> None:
    """Let GX keep its DuckDB connection open, as it does for SQLite: else it reads cursors of closed connections.

    GX has no public way to say so. Raises RuntimeError when the private name is not what it was.
    """
    import great_expectations
    from great_expectations.execution_engine import sqlalchemy_execution_engine as private

    dialects = getattr(private, _PRIVATE_NAME, None)
    if not isinstance(dialects, tuple):
        raise RuntimeError(
            f"great_expectations {great_expectations.__version__}: {_PRIVATE_NAME} is {dialects!r}, "
            "expected the tuple of dialects that 1.24 has; data_quality/validate.py must be adapted"
        )
    if _Dialect.DUCKDB not in dialects:
        setattr(private, _PRIVATE_NAME, (*dialects, _Dialect.DUCKDB))


@contextmanager
def _great_expectations() -> Iterator[Any]:
    """A GX data source over an in-memory DuckDB of its own; every connection is closed at the end."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with put_off(*_UNUSED):
        import great_expectations as gx
    from sqlalchemy.event import listen

    admit_duckdb()
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.variables.save = _nothing_to_keep
    source = context.data_sources.add_sql("duckdb", connection_string="duckdb:///:memory:", create_temp_table=False)
    engine = source.get_execution_engine()
    listen(engine.engine, "handle_error", _end_transaction)
    try:
        yield source
    finally:
        engine.close()
        engine.engine.dispose()
        source.get_engine().dispose()


def _nothing_to_keep() -> None:
    """GX writes down its whole configuration with everything that is added, here for a context that ends at once."""


def _end_transaction(failure: Any) -> None:
    """After an error DuckDB refuses every statement until a rollback: one broken check would darken the next ones."""
    failure.dialect.do_rollback(failure.connection.connection)


def _judge(batch: Any, connection: Any, subject: Subject) -> Iterator[Verdict]:
    from great_expectations import ExpectationSuite
    from sqlalchemy.exc import SQLAlchemyError

    try:
        frame = look_at(connection, _VIEW, subject.relation)
    except SQLAlchemyError as error:
        connection.rollback()
        yield from (_verdict(rule, subject, "error", _reason(str(error))) for rule in subject.suite)
        return
    suite = ExpectationSuite(subject.name, expectations=[_expectation(rule) for rule in subject.suite])
    results = {
        result.expectation_config.meta["rule"]: result
        for result in batch.validate(suite, result_format="BOOLEAN_ONLY").results
    }
    connection.rollback()
    for rule in subject.suite:
        yield _read(results[rule.name], rule, subject, connection, frame)


def _read(result: Any, rule: Rule, subject: Subject, connection: Any, frame: Frame) -> Verdict:
    """GX's result as a verdict. Only a rule about rows that failed costs another query."""
    if messages := _exceptions(result):
        return _verdict(rule, subject, "error", _reason(messages[0]), frame.batches)
    status = "pass" if result.success else "fail" if rule.severity == "error" else "warn"
    if isinstance(rule, TableRule):
        batches = () if result.success else rule.concerned(frame.batches)
        return _verdict(rule, subject, status, rule.observe(frame.rows, frame.columns), batches)
    if isinstance(rule, RowRule) and not result.success:
        return _verdict(rule, subject, status, *offence(connection, frame, rule))
    return _verdict(rule, subject, status, f"0 of {frame.rows} rows")


def _expectation(rule: Rule) -> Any:
    gxe: Any = import_module("great_expectations.expectations")  # it exports nothing by mypy's strict reading
    meta = {"rule": rule.name}
    match rule:
        case RowCount(minimum=low, maximum=high):
            return gxe.ExpectTableRowCountToBeBetween(min_value=low, max_value=high, meta=meta)
        case RowRule() | HasColumns() | Within():
            return _no_unexpected_rows()(unexpected_rows_query=_template(rule), meta=meta)
    raise TypeError(f"rule {rule.name} is a {type(rule).__name__}, expected a kind that GX can judge")


@cache
def _no_unexpected_rows() -> Any:
    """GX's expectation of a query without rows, by the count alone: its own runs the query again to show some rows."""
    gxe: Any = import_module("great_expectations.expectations")
    rows_found = "unexpected_rows_query.row_count"

    class ExpectNoUnexpectedRows(gxe.UnexpectedRowsExpectation):  # type: ignore[misc]
        metric_dependencies: ClassVar[tuple[str, ...]] = (rows_found,)

        def _validate(self, metrics: Mapping[str, int], **_: Any) -> dict[str, bool]:
            return {"success": metrics[rows_found] == 0}

    return ExpectNoUnexpectedRows


def _template(rule: RowRule | HasColumns | Within) -> str:
    """The rule's SQL with GX's ``{batch}``; other braces, and colons (SQLAlchemy's parameters), are escaped."""
    query = rule.violations("\0").replace("{", "{{").replace("}", "}}").replace(":", r"\:")
    return query.replace("\0", "{batch}")


def _exceptions(result: Any) -> list[str]:
    """What an expectation raised, if anything: GX keeps one exception, or one per metric."""
    info = result.exception_info or {}
    raised = [info] if "raised_exception" in info else list(info.values())
    return [str(one["exception_message"]) for one in raised if one["raised_exception"]]


def _reason(message: str) -> str:
    """Why a check could not run, in one line without values of the data."""
    first_line = message.split("\n", 1)[0]
    if _VALUELESS.fullmatch(first_line):
        return f"could not run: {first_line}"
    kind = _ERROR_KIND.search(first_line)
    return f"could not run: {kind[0] if kind else 'unexpected error'}"


def _verdict(rule: Rule, subject: Subject, status: str, observed: str, batch_ids: tuple[str, ...] = ()) -> Verdict:
    return Verdict(
        rule.name, subject.name, status, rule.severity, "great_expectations", observed, rule.expected, batch_ids
    )


def _refuse_repeated(where: str, names: Sequence[str]) -> None:
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{where}: {', '.join(repeated)} is there more than once, expected names to be unique")
