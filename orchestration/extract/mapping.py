"""From a system's own columns to the contract's: SQL for the accepted rows and for the rejected ones.

A row is rejected by its first fault, named ``rule:column``. Rules: ``required`` (empty where the contract wants a
value), ``type`` (text that is not of the column's type), ``value`` (outside the closed list), ``range``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from orchestration.extract.column_sql import original, text_of, typed
from orchestration.extract.contract import Column, Table
from orchestration.extract.physical import HeldFile
from orchestration.extract.readers import SourceRows, identifier, quoted
from orchestration.extract.registry import Feed
from orchestration.extract.suggest import renamed


@dataclass(frozen=True)
class Projection:
    """SQL for one file. ``accepted`` has the raw file's columns; ``rejected`` has line, rule, column and raw text;
    ``filtered`` the amount and currency of the rows that the feed leaves out, None where it leaves out none; ``told``
    the totals of all others by day and currency: records, their amount, how many have none, how many are of an unread
    day or currency.
    """

    accepted: str
    rejected: str
    filtered: str | None
    told: str
    personal: str | None


def projection(feed: Feed, rows: SourceRows, batch_id: str, extracted_at: str, kept: str) -> Projection:
    """Build the SQL for one file; ``kept`` is the relation of rows that stay once repeated keys are gone.

    Raises HeldFile naming the columns that the map needs and the file lacks.
    """
    _require_sources(feed, rows.columns)
    table = feed.table
    judged = _judged(feed, rows.relation)
    masked = {column.name: _masked(column, column.name) for column in table.columns}
    record_id = " || '|' || ".join(f"cast({masked[column]} as varchar)" for column in table.key)
    accepted = f"""
        select
            {quoted(feed.source_system)} as source_system,
            {record_id} as source_record_id,
            cast(source_line as bigint) as source_line,
            {quoted(batch_id)} as batch_id,
            cast({quoted(extracted_at)} as timestamptz) as extracted_at,
            is_deleted,
            {", ".join(f"{sql} as {name}" for name, sql in masked.items())}
        from {judged}
        where fault is null and not is_filtered"""  # in the file's order, which DuckDB keeps; sorting costs a tenth
    rejected = f"""
        select
            cast(source_line as bigint) as source_line,
            split_part(fault, ':', 1) as rule,
            split_part(fault, ':', 2) as column_name,
            case split_part(fault, ':', 2) {_original_texts(table)} end as raw_text,
            {control_columns(table)}
        from {judged}
        where fault is not null and not is_filtered
        order by source_line"""
    filtered = f"select {control_columns(table)} from {judged} where is_filtered" if feed.filters else None
    return Projection(accepted, rejected, filtered, _totals(table, judged), _personal(table, judged, kept))


def _totals(table: Table, judged: str) -> str:
    day, currency, amount = table.event_date, table.control_currency, table.control_amount
    unread = " or ".join(f"{name} is null" for name in (day, currency) if name) or "false"
    return f"""
        select day, currency, count(*), sum(amount), count(*) - count(amount), count(*) filter (where is_unread)
        from (select cast({day or "null"} as date) as day, cast({currency or "null"} as varchar) as currency,
            cast({amount or "null"} as decimal(18, 4)) as amount, {unread} as is_unread
            from {judged} where not is_filtered)
        group by day, currency"""


def _judged(feed: Feed, relation: str) -> str:
    """Every record with its canonical values, what they were made from, whether it is left out, and its first fault."""
    table = feed.table
    specs = {column.name: feed.columns.get(column.name) for column in table.columns}
    originals = {column.name: original(specs[column.name], column, table) for column in table.columns}
    gone = typed(feed.deleted, "boolean", text_of(feed.deleted) if feed.deleted else "null", feed)
    values = ",\n".join(
        f"{typed(specs[column.name], column.kind, originals[column.name], feed)} as {column.name}"
        for column in table.columns
    )
    sources = ",\n".join(f"{sql} as original_{name}" for name, sql in originals.items())
    mapped = f"""(select source_line, coalesce({gone}, false) as is_deleted, {_left_out(feed)} as is_filtered,
        {values}, {sources} from {relation})"""
    return f"(select *, {_first_fault(feed, table)} as fault from {mapped})"


def _left_out(feed: Feed) -> str:
    """Whether a row is one that the feed is told to leave out. Case and blanks around a word do not matter."""
    conditions = []
    for rule in feed.filters:
        text = f"lower(coalesce(trim(cast({identifier(rule.column)} as varchar)), ''))"
        listed = f"{text} in ({', '.join(quoted(value.lower()) for value in rule.values)})"
        conditions.append(f"not {listed}" if rule.keeps else listed)
    return " or ".join(conditions) or "false"


def control_columns(table: Table) -> str:
    """The control amount of a row and its currency, null where the table has none, as ``amount`` and ``currency``."""
    return f"""cast({table.control_amount or "null"} as decimal(18, 4)) as amount,
            cast({(table.control_amount and table.control_currency) or "null"} as varchar) as currency"""


def broken_rows(table: Table, broken: str) -> str:
    """Broken records as rejected rows; their text is a token where the table has private columns."""
    text = "pseudonymise(raw_text)" if any(column.is_private for column in table.columns) else "raw_text"
    return f"""
        select source_line, 'broken_line' as rule, cast(null as varchar) as column_name, {text} as raw_text,
            cast(null as decimal(18, 4)) as amount, cast(null as varchar) as currency
        from {broken}"""


def unknown_columns(feed: Feed, present: Collection[str]) -> tuple[str, ...]:
    """Columns of the file that the map does not read."""
    return tuple(name for name in present if name not in feed.sources)


def _require_sources(feed: Feed, present: Collection[str]) -> None:
    missing = sorted(feed.sources - set(present))
    if missing:
        unread = unknown_columns(feed, present)
        mends = "".join(f"; {mend}" for name in missing if (mend := _mend(feed, name, unread)))
        raise HeldFile(f"{feed.name}: columns {missing} are not in the file{mends}; it has {sorted(present)}")


def _mend(feed: Feed, missing: str, unread: Sequence[str]) -> str | None:
    """The line of the map that would read the file again, where a column seems renamed or may be left out."""
    goals = [name for name, spec in feed.columns.items() if missing in spec.sources]
    taken = renamed(feed.table, goals, missing, unread)
    if taken is not None:
        name = taken if taken.isidentifier() else repr(taken)
        return f"{taken!r} may be {missing!r} renamed: {', '.join(goals) or 'deleted'}: {name}"
    required = {column.name for column in feed.table.columns if column.is_required}
    if goals and required.isdisjoint(goals):
        return (
            f"if {missing!r} is no longer sent, say so in sources.yml: {', '.join(f'{name}: null' for name in goals)}"
        )
    return None


def _first_fault(feed: Feed, table: Table) -> str:
    """The first fault of a row in column order; of a record that is gone only the key must be sound.

    Texts are only looked at where typing gave nothing: it is cheap.
    """
    mapped = [column for column in table.columns if column.name in feed.columns]  # of the others nothing is read
    of_any = ", ".join(_fault(column) for column in mapped)
    if feed.deleted is None:
        return f"coalesce({of_any})"
    of_key = ", ".join(_fault(column) for column in mapped if column.name in table.key)
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
    """The rejected value as quarantine may hold it: a token where the contract may call it personal or sensitive."""
    return "\n".join(
        f"when {quoted(column.name)} then "
        + (f"pseudonymise(original_{column.name})" if column.is_private else f"cast(original_{column.name} as varchar)")
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
