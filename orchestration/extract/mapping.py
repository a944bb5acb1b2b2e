"""From a system's own columns to the contract's: SQL for the accepted rows and for the rejected ones.

A row is rejected by its first fault, named ``rule:column``. Rules: ``required`` (empty where the contract wants a
value), ``type`` (text that is not of the column's type), ``value`` (outside the closed list), ``range``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orchestration.extract.contract import SQL_TYPES, Column, Table
from orchestration.extract.dialect import NUMBER_KINDS, Dialect
from orchestration.extract.physical import HeldFile
from orchestration.extract.readers import SourceRows, identifier, quoted
from orchestration.extract.registry import ColumnMap, Feed


@dataclass(frozen=True)
class Projection:
    """SQL for one file. ``accepted`` has the raw file's columns; ``rejected`` has line, rule, column and raw text."""

    accepted: str
    rejected: str
    personal: str | None


def projection(feed: Feed, rows: SourceRows, batch_id: str, extracted_at: str, kept: str) -> Projection:
    """Build the SQL for one file; ``kept`` is the relation of rows that stay once repeated keys are gone.

    Raises HeldFile naming the columns that the map needs and the file lacks.
    """
    _require_sources(feed, rows.columns)
    table = feed.table
    specs = {column.name: feed.columns.get(column.name) for column in table.columns}
    originals = {column.name: _original(specs[column.name], column.kind) for column in table.columns}
    typed = {
        column.name: _typed(specs[column.name], column.kind, originals[column.name], feed.dialect)
        for column in table.columns
    }
    deleted = _typed(feed.deleted, "boolean", _original(feed.deleted, "boolean"), feed.dialect)
    values = ",\n".join(f"{sql} as {name}" for name, sql in typed.items())
    sources = ",\n".join(f"{sql} as original_{name}" for name, sql in originals.items())
    mapped = f"(select source_line, coalesce({deleted}, false) as is_deleted, {values}, {sources} from {rows.relation})"
    judged = f"(select *, {_first_fault(feed, table)} as fault from {mapped})"
    record_id = " || '|' || ".join(f"cast({column} as varchar)" for column in table.key)
    accepted = f"""
        select
            {quoted(feed.source_system)} as source_system,
            {record_id} as source_record_id,
            cast(source_line as bigint) as source_line,
            {quoted(batch_id)} as batch_id,
            cast({quoted(extracted_at)} as timestamptz) as extracted_at,
            is_deleted,
            {", ".join(f"{_masked(column, column.name)} as {column.name}" for column in table.columns)}
        from {judged}
        where fault is null"""  # in the file's order, which DuckDB keeps; sorting costs a tenth
    rejected = f"""
        select
            cast(source_line as bigint) as source_line,
            split_part(fault, ':', 1) as rule,
            split_part(fault, ':', 2) as column_name,
            case split_part(fault, ':', 2) {_original_texts(table)} end as raw_text,
            {control_columns(table)}
        from {judged}
        where fault is not null
        order by source_line"""
    return Projection(accepted=accepted, rejected=rejected, personal=_personal(table, judged, kept))


def control_columns(table: Table) -> str:
    """The control amount of a row and its currency, null where the table has none, as ``amount`` and ``currency``."""
    return f"""cast({table.control_amount or "null"} as decimal(18, 4)) as amount,
            cast({(table.control_amount and table.control_currency) or "null"} as varchar) as currency"""


def unknown_columns(feed: Feed, present: Collection[str]) -> tuple[str, ...]:
    """Columns of the file that the map does not read."""
    read = {
        name for spec in (*feed.columns.values(), feed.deleted) if spec for name in (spec.column, spec.local_date_of)
    }
    return tuple(name for name in present if name not in read)


def _require_sources(feed: Feed, present: Collection[str]) -> None:
    specs = [*feed.columns.values(), *([feed.deleted] if feed.deleted else [])]
    needed = {spec.column or spec.local_date_of for spec in specs} - {None}
    missing = sorted(str(name) for name in needed - set(present))
    if missing:
        raise HeldFile(f"{feed.name}: columns {missing} are not in the file, which has {sorted(present)}")


def _original(spec: ColumnMap | None, kind: str) -> str:
    """The source value before typing, empty text as null."""
    if spec is None:
        return "cast(null as varchar)"
    if spec.constant is not None:
        return quoted(spec.constant)
    source = identifier(spec.column or spec.local_date_of or "")
    if kind in ("text", "currency") or spec.values or spec.formats:
        return f"nullif(trim(cast({source} as varchar)), '')"
    return source


def _typed(spec: ColumnMap | None, kind: str, original: str, dialect: Dialect) -> str:
    sql_type = SQL_TYPES[kind]
    if spec is None:
        return f"cast(null as {sql_type})"
    is_number = kind in NUMBER_KINDS and spec.constant is None
    value = dialect.number_sql(original) if is_number else original
    if spec.values:
        cases = " ".join(f"when {quoted(key)} then {quoted(target)}" for key, target in spec.values)
        value = f"case {original} {cases} else {value} end"
    if kind == "text":
        return value
    if kind == "currency":
        return f"upper({value})"
    if spec.formats:
        value = f"try_strptime({value}, [{', '.join(quoted(form) for form in spec.formats)}])"
    if spec.local_date_of:
        return f"cast(try_cast({value} as timestamp) as date)"
    if kind == "timestamp" and spec.timezone:
        return f"timezone({quoted(spec.timezone)}, try_cast({value} as timestamp))"
    sql = f"try_cast({value} as {sql_type})"
    return f"-({sql})" if spec.negate else sql


def _first_fault(feed: Feed, table: Table) -> str:
    """The first fault of a row in column order; of a record that is gone only the key must be sound.

    Texts are only looked at where typing gave nothing: it is cheap.
    """
    of_any = ", ".join(_fault(column) for column in table.columns)
    if feed.deleted is None:
        return f"coalesce({of_any})"
    of_key = ", ".join(_fault(column) for column in table.columns if column.name in table.key)
    return f"case when is_deleted then coalesce({of_key}, null) else coalesce({of_any}) end"


def _fault(column: Column) -> str:
    name = column.name
    has_text = f"nullif(trim(cast(original_{name} as varchar)), '') is not null"
    empty = f"case when {has_text} then {quoted(f'type:{name}')}"
    empty += f" else {quoted(f'required:{name}')} end" if column.is_required else " end"
    cases = f"when {name} is null then {empty}"
    if column.values:
        allowed = ", ".join(quoted(value) for value in column.values)
        cases += f" when {name} not in ({allowed}) then {quoted(f'value:{name}')}"
    bounds = [f"{name} < {column.minimum}"] if column.minimum is not None else []
    bounds += [f"{name} > {column.maximum}"] if column.maximum is not None else []
    if bounds:
        cases += f" when {' or '.join(bounds)} then {quoted(f'range:{name}')}"
    return f"case {cases} end"


def _masked(column: Column, value: str) -> str:
    """The value as raw may hold it: a token where the contract calls it personal."""
    if column.pii != "P2":
        return value
    token = f"pseudonymise({value})"
    return token if column.personal_when is None else f"case when {column.personal_when} then {token} else {value} end"


def _original_texts(table: Table) -> str:
    """The rejected value as quarantine may hold it: always a token where the contract may call it personal."""
    return "\n".join(
        f"when {quoted(column.name)} then "
        + (
            f"pseudonymise(original_{column.name})"
            if column.pii == "P2"
            else f"cast(original_{column.name} as varchar)"
        )
        for column in table.columns
    )


def _personal(table: Table, judged: str, kept: str) -> str | None:
    """Each personal value of the accepted rows once, with its token; None for a table without any."""
    found = [
        f"""case when {column.name} is not null and {column.personal_when or "true"}
            then {{'column_name': {quoted(column.name)}, 'value': {column.name}}} end"""
        for column in table.columns
        if column.pii == "P2"
    ]
    if not found:
        return None
    personal = f"(select unnest([{', '.join(found)}]) as found from {judged} where fault is null "
    personal += f"and source_line in (select kept.source_line from {kept} as kept))"
    return f"""
        select distinct found.column_name, pseudonymise(found.value) as token, found.value
        from {personal} where found is not null order by all"""
