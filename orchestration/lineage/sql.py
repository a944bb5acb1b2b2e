"""What each column of one query is computed from. Trees of SQL in, origins out; nothing here knows dbt or files.

What decides the rows of the whole result is told once, as its ``rows``, not with every column. What a join compares
decides the rows, and the columns taken from its right side, since it chooses them. One thing is taken on trust: outside
of aggregates a left join finds at most one row, as the tests of grains hold, and so decides no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from sqlglot import exp, parse_one

from orchestration.lineage.origins import NOTHING, Origins, Relation, as_condition, equal, merged, not_followed

NOT_FOLLOWED = ("laterals", "pivots", "connect", "match")
Tables = Callable[[str], Relation | None]


def trace(sql: str, tables: Tables) -> Relation:
    """The result of a query in DuckDB's dialect; ``tables`` answers to ``schema.table``."""
    return _query(parse_one(sql, dialect="duckdb"), _Names(tables))


@dataclass(frozen=True)
class _Names:
    """What a query may call by name: tables, the with-queries before it, and the sources around it."""

    tables: Tables
    queries: Mapping[str, Relation] = field(default_factory=dict)
    around: _Sources | None = None

    def find(self, node: exp.Table) -> Relation:
        if not node.db and node.name in self.queries:
            return self.queries[node.name]
        name = f"{node.db}.{node.name}"
        return self.tables(name) or Relation({}, not_followed(f"{name} is not a table of the project"))


class _Sources:
    """What one select reads, by alias. What a join compares is kept with the columns it brings."""

    def __init__(self, names: _Names) -> None:
        self.names = names
        self.relations: dict[str, Relation] = {}
        self.brought: dict[str, Origins] = {}
        self.rows: Origins = NOTHING
        self.shared: set[str] = set()
        self.own: dict[str, exp.Expr] = {}
        self.windows: dict[str, exp.Expr] = {}

    def column(self, node: exp.Column) -> Origins:
        name, source = node.name, node.table
        if source:
            if source in self.relations:
                return self.of(source, name)
        else:
            found = [alias for alias, relation in self.relations.items() if name in relation.columns]
            if len(found) == 1 or (found and name in self.shared):
                return merged(self.of(alias, name) for alias in found)
            if found:
                return not_followed(f"{name} may be of {' or '.join(found)}")
            if name in self.own:
                return _origins(self.own[name], self)
        if self.names.around:
            return self.names.around.column(node)
        return not_followed(f"no column {node.sql()} where it is read")

    def of(self, source: str, name: str) -> Origins:
        return merged([self.relations[source].column(name), self.brought.get(source, NOTHING)])


def _query(node: exp.Expr, names: _Names) -> Relation:
    queries = dict(names.queries)
    for query in node.ctes if isinstance(node, exp.Query) else ():
        queries[query.alias] = _query(query.this, _Names(names.tables, queries, names.around))
    names = _Names(names.tables, queries, names.around)
    if isinstance(node, exp.Subquery):
        return _query(node.this, names)
    if isinstance(node, exp.SetOperation):
        return _set_operation(node, names)
    if isinstance(node, exp.Select):
        return _select(node, names)
    reason = f"a {type(node).__name__.lower()} is not followed"
    return Relation({}, not_followed(reason), unknown=reason)


def _set_operation(node: exp.SetOperation, names: _Names) -> Relation:
    left, right = _query(node.left, names), _query(node.right, names)
    pairs = {name: name for name in left.columns}
    if not node.args.get("by_name"):
        pairs = dict(zip(left.columns, right.columns, strict=False))
    columns = {name: merged([left.column(name), right.column(other)]) for name, other in pairs.items()}
    texts = {
        name: tuple(dict.fromkeys((*left.texts.get(name, ()), *right.texts.get(other, ()))))
        for name, other in pairs.items()
    }
    rows = [left.rows, right.rows]
    if node.args.get("distinct") or not isinstance(node, exp.Union):
        rows += [as_condition(origins, "group") for origins in columns.values()]
    return Relation(columns, merged(rows), texts, left.unknown or right.unknown)


def _select(node: exp.Select, names: _Names) -> Relation:
    sources = _Sources(names)
    sources.own = {item.alias: item.this for item in node.expressions if isinstance(item, exp.Alias)}
    sources.windows = {window.name: window for window in node.args.get("windows") or ()}
    joins = node.args.get("joins") or []
    is_aggregate = bool(node.args.get("group") or node.args.get("distinct")) or any(map(_aggregates, node.expressions))
    rows = [not_followed(f"{part} of a select are not followed") for part in NOT_FOLLOWED if node.args.get(part)]
    if start := node.args.get("from_"):
        rows.append(_source(start.this, sources).rows)
    for join in joins:
        relation = _source(join.this, sources)
        decides = _conditions(join.args.get("on"), sources, "join")
        for column in join.args.get("using") or ():
            decides += [as_condition(sources.of(alias, column.name), "match") for alias in sources.relations]
            sources.shared.add(column.name)
        if join.side == "LEFT" and not is_aggregate:
            decides.append(relation.rows)
        else:
            rows += [*decides, relation.rows]
        sources.brought[join.this.alias_or_name] = merged(decides)
    for part in ("where", "having", "qualify"):
        rows += _conditions(node.args.get(part), sources, "filter")
    for part in ("group", "distinct"):
        rows += [as_condition(_origins(item, sources), "group") for item in _parts(node, part)]
    if node.args.get("order") and (node.args.get("limit") or node.args.get("distinct")):
        rows.append(_origins(node.args["order"], sources))
    sources.rows = merged(rows)
    columns: dict[str, Origins] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for item in node.expressions:
        if item.is_star:
            columns |= _starred(item, sources)
        else:
            columns[item.alias_or_name] = _origins(item.unalias(), sources)
            texts[item.alias_or_name] = _texts(item.unalias(), sources)
    unknown = next((relation.unknown for relation in sources.relations.values() if relation.unknown), "")
    return Relation(columns, sources.rows, texts, unknown)


def _texts(node: exp.Expr, sources: _Sources) -> tuple[str, ...]:
    """How an expression is written; of a column that is only passed on, how it was written where it was made."""
    if isinstance(node, exp.Column) and node.table in sources.relations:
        return sources.relations[node.table].texts.get(node.name, ())
    return (node.sql(dialect="duckdb"),)


def _parts(node: exp.Select, part: str) -> list[exp.Expr]:
    """What is grouped by, or made distinct: the columns of the select where they are not named."""
    found = node.args.get(part)
    if found is None:
        return []
    chosen = found.args["on"].expressions if found.args.get("on") else found.expressions
    if chosen and not any(isinstance(item, exp.Literal) for item in chosen):
        return list(chosen)
    return [item.unalias() for item in node.expressions if not item.is_star and not _aggregates(item)]


def _source(node: exp.Expr, sources: _Sources) -> Relation:
    """Add what a from or a join names to the sources."""
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        relation = sources.names.find(node)
    elif isinstance(node, exp.Subquery):
        relation = _query(node, sources.names)
    else:
        reason = f"{node.sql(dialect='duckdb')} is not followed"
        relation = Relation({}, not_followed(reason), unknown=reason)
    sources.relations[node.alias_or_name] = relation
    return relation


def _starred(item: exp.Expr, sources: _Sources) -> dict[str, Origins]:
    """The columns that a star stands for; of the same name the first."""
    star = item.this if isinstance(item, exp.Column) else item
    left_out = {column.name for column in star.args.get("except_") or ()}
    if star.args.get("replace") or star.args.get("rename"):
        return {"*": not_followed("a star that replaces is not followed")}
    chosen = [item.table] if isinstance(item, exp.Column) and item.table else list(sources.relations)
    columns: dict[str, Origins] = {}
    for alias in chosen:
        for name in sources.relations[alias].columns:
            if name not in left_out:
                columns.setdefault(name, sources.of(alias, name))
    return columns


def _conditions(node: exp.Expr | None, sources: _Sources, mark: str) -> list[Origins]:
    """The origins of a condition, each of its parts by itself: two equal columns are a match, or a lookup of a rule."""
    inner = node.this if isinstance(node, exp.Where | exp.Having | exp.Qualify) else node
    found = []
    for part in inner.flatten() if isinstance(inner, exp.And) else filter(None, (inner,)):
        origins, sides = _origins(part, sources), (part.this, part.args.get("expression"))
        is_equal = isinstance(part, exp.EQ | exp.NullSafeEQ) and all(isinstance(side, exp.Column) for side in sides)
        found.append(equal(origins) if is_equal else as_condition(origins, mark))
    return found


def _origins(node: exp.Expr, sources: _Sources) -> Origins:
    """The origins of an expression."""
    here = partial(_origins, sources=sources)
    if isinstance(node, exp.Column):
        return sources.column(node)
    if isinstance(node, exp.Star):
        return not_followed("a star within an expression is not followed")
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
        return {column: marks | {"count"} for column, marks in sources.rows.items()}
    if isinstance(node, exp.Case):
        tests = [node.this, *(branch.this for branch in node.args["ifs"])]
        results = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
        parts = [as_condition(here(test), "case") for test in tests if test]
        parts += [here(result) for result in results if result]
    elif isinstance(node, exp.Window):
        parts = [here(node.this), *_window(node, sources)]
    elif isinstance(node, exp.Order):
        parts = [as_condition(here(part), "order") for part in node.expressions]
    elif isinstance(node, exp.ArgMax | exp.ArgMin):
        parts = [here(node.this), as_condition(here(node.expression), "order")]
    elif isinstance(node, exp.Filter):
        parts = [here(node.this), *_conditions(node.expression, sources, "filter")]
    elif isinstance(node, exp.Query):
        found = _query(node, _Names(sources.names.tables, sources.names.queries, sources))
        parts = [*found.columns.values(), found.rows]
    else:
        parts = [here(part) for part in node.iter_expressions()]
    return merged(parts)


def _window(node: exp.Expr, sources: _Sources) -> list[Origins]:
    """What a window is partitioned and ordered by, itself or where its name is explained."""
    parts = [as_condition(_origins(part, sources), "group") for part in node.args.get("partition_by") or ()]
    if order := node.args.get("order"):
        parts.append(_origins(order, sources))
    if name := node.args.get("alias"):
        parts += _window(sources.windows[name.name], sources)
    return parts


def _aggregates(node: exp.Expr) -> bool:
    """Whether the select is an aggregate by this item: it aggregates outside of a window and of a query within."""
    if isinstance(node, exp.Query):
        return False
    if isinstance(node, exp.Window):
        return any(map(_aggregates, (node.find(exp.Func) or node.this).iter_expressions()))
    return isinstance(node, exp.AggFunc) or any(map(_aggregates, node.iter_expressions()))
