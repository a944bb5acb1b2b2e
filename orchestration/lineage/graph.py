"""The lineage of every column of the warehouse: what it is computed from, down to source columns and policy rows.

Two files of a release say it: ``lineage.json`` for programs, ``lineage.html`` for people. What depends on the project
alone is computed once for each state of it and kept beside dbt's manifest. How one query is read is sql.py's.

``lineage.json`` has four lists. ``nodes``: name, kind (source, run, policy, ml, model), layer, description, relation.
``columns``: id (``<node>.<name>``), type, description, ``texts`` (the expressions that make it), and for source columns
their PII class and ``delivered_as``, the names they have in each system. ``edges``: from, to (ids of columns), kind
(value or condition), ``by``, what makes it a condition, in the words of origins.py, and ``model`` for what a
model says, and ``is_main``: values and conditions that choose, which a reader follows first; where a column has none,
all it has. The column ``<node>.*`` stands for which rows a node has: it decides over all its columns, and a constant is
said to come from it. ``unresolved``: column and reason; nothing is guessed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import dbt
from orchestration.extract.contract import CONTRACT_FILE, ENVELOPE, KNOWLEDGE, load_contract
from orchestration.extract.registry import Registry
from orchestration.lineage.page import render_lineage
from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.lineage.origins import Origins, Relation

LINEAGE = "lineage.json"
PAGE = "lineage.html"
ROWS = "*"

# What makes an edge a main one.
MAIN = {"value", "case", "filter", "join", "lookup", "order", "model"}

Document = dict[str, Any]


def write_lineage(folder: Path, settings: Settings, registry: Registry | None) -> None:
    """Put both files into a release folder."""
    document = delivered(project_lineage(settings), registry)
    (folder / LINEAGE).write_text(_lines(document), encoding="utf-8")
    (folder / PAGE).write_text(render_lineage(document), encoding="utf-8")


def project_lineage(settings: Settings) -> Document:
    """The lineage of the project as it is now, from the cache where its state has been computed before."""
    manifest_file = dbt.manifest_path(settings)
    file = manifest_file.with_name(f"lineage-{_state()}.json")
    if not file.exists():
        computed = compute(json.loads(manifest_file.read_text(encoding="utf-8")), dbt.compiled_models(settings))
        for outdated in file.parent.glob("lineage-*.json"):
            outdated.unlink(missing_ok=True)
        incoming = file.with_suffix(f".{os.getpid()}")
        incoming.write_text(json.dumps(computed), encoding="utf-8")
        os.replace(incoming, file)
    document: Document = json.loads(file.read_text(encoding="utf-8"))
    return document


def delivered(document: Document, registry: Registry | None) -> Document:
    """The document with the names that source columns have in each system that delivers them."""
    names: dict[str, list[str]] = {}
    for feed in registry.feeds if registry else ():
        for column, spec in feed.columns.items():
            names.setdefault(f"{feed.table.name}.{column}", []).append(f"{feed.source_system}: {spec.described}")
    columns = [
        column | {"delivered_as": names[column["id"]]} if column["id"] in names else column
        for column in document["columns"]
    ]
    return document | {"columns": columns}


def compute(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> Document:
    """The lineage of a dbt project. ``compiled``: the SQL of every model of the manifest by unique id."""
    from orchestration.lineage.origins import RULE, UNKNOWN, VALUE, table
    from orchestration.lineage.sql import trace

    nodes: list[Document] = []
    columns: list[Document] = []
    edges: list[Document] = []
    unresolved: list[Document] = []
    known: dict[str, Relation] = {}

    def connect(target: str, origins: Origins) -> None:
        chosen_by = [origin for origin, marks in origins.items() if marks & MAIN]
        for origin, marks in sorted(origins.items()):
            if origin.startswith(UNKNOWN):
                unresolved.append({"column": target, "reason": origin.removeprefix(UNKNOWN)})
                continue
            kind, is_main = "value" if VALUE in marks else "condition", not chosen_by or origin in chosen_by
            by = sorted(marks - {VALUE, RULE})
            edges.append({"from": origin, "to": target, "kind": kind, "by": by, "is_main": is_main})

    for node, parts in _leaves(manifest):
        nodes.append(node)
        columns += parts
        is_policy = node["kind"] == "policy"
        known[node["relation"]] = table(node["name"], [part["name"] for part in parts], is_policy=is_policy)
    for unique_id in _in_order(manifest, compiled):
        model = manifest["nodes"][unique_id]
        name, traced = model["name"], trace(compiled[unique_id], known.get)
        nodes.append(_node(name, "model", _layer(model), model["description"], f"{model['schema']}.{name}"))
        known[nodes[-1]["relation"]] = table(name, traced.columns)
        for column, origins in traced.columns.items():
            columns.append(_column(name, column, model["columns"].get(column, {}), traced.texts.get(column, ())))
            connect(f"{name}.{column}", origins or {f"{name}.{ROWS}": frozenset({"rows"})})
        connect(f"{name}.{ROWS}", traced.rows)
        if traced.unknown:
            unresolved.append({"column": f"{name}.{ROWS}", "reason": traced.unknown})
    for name, origins in _said_by_models(known):
        connect(name, origins)
    return {"nodes": nodes, "columns": columns, "edges": edges, "unresolved": unresolved}


def _leaves(manifest: Mapping[str, Any]) -> Iterator[tuple[Document, list[Document]]]:
    """What no SQL makes: canonical source tables, what a run is told, policy rows, and what models say."""
    from orchestration.warehouse_tables import ML_TABLES, RUN_TABLES

    for table in load_contract().tables:
        node = _node(table.name, "source", "source", table.grain, f"raw.{table.raw_name}")
        own = [
            _column(table.name, column.name, {"data_type": column.sql_type, "description": column.description})
            | {"pii": column.pii}
            | ({"personal_when": column.personal_when} if column.personal_when else {})
            for column in table.columns
        ]
        added = [
            _column(table.name, name, {"data_type": kind, "description": text})
            for name, (kind, text) in (ENVELOPE | KNOWLEDGE).items()
        ]
        yield node, own + added
    described = {(source["schema"], source["name"]): source["description"] for source in manifest["sources"].values()}
    for kind, tables in (("run", RUN_TABLES), ("ml", ML_TABLES)):
        for name in (name for name in tables if (kind, name) in described):
            full = f"ml.{name}" if kind == "ml" else name
            node = _node(full, kind, kind, described[kind, name], f"{kind}.{name}")
            parts = [part.split(" ", 1) for part in tables[name].replace(", ", ",\n").split(",\n")]
            yield node, [_column(full, column, {"data_type": data_type}) for column, data_type in parts]
    for seed in manifest["nodes"].values():
        if seed["resource_type"] == "seed":
            node = _node(seed["name"], "policy", "policy", seed["description"], f"{seed['schema']}.{seed['name']}")
            types = seed["config"]["column_types"]
            yield node, [_column(seed["name"], name, {"data_type": kind}) for name, kind in types.items()]


def _said_by_models(known: Mapping[str, Relation]) -> Iterator[tuple[str, Origins]]:
    """The edges of schema ml, which Python fills: what is copied, and what a model says of what it was given."""
    from orchestration.gaps.rules import FIGURES, RULED_BY
    from orchestration.scoring import COPIED, FEATURES, INDICATORS, PANEL

    given = {column: frozenset({"value", "model"}) for column in _given(known[FEATURES], COPIED)}
    given |= {column: frozenset({"model"}) for column in _given(known[PANEL], COPIED)}
    # A gap is told by the model, by the other figures that lenses ask for, and by the rules they are judged by.
    asked = {origin: marks for name in FIGURES for origin, marks in known[INDICATORS].columns[name].items()}
    ruled = {origin: marks for name in RULED_BY for origin, marks in _column_of(known, f"policy.{name}").items()}
    for relation in (name for name in known if name.startswith("ml.")):
        said = given | asked | ruled if relation == "ml.gaps" else given
        for column in known[relation].columns:
            copied = COPIED.get(column)
            if copied:
                yield f"{relation}.{column}", _column_of(known, copied)
            elif copied is None:
                yield f"{relation}.{column}", said
        yield f"{relation}.{ROWS}", {**known[FEATURES].rows, **known["run.run_dates"].rows}


def _column_of(known: Mapping[str, Relation], name: str) -> Origins:
    """Of a column by its full name."""
    relation, _, column = name.rpartition(".")
    return known[relation].columns[column]


def _given(relation: Relation, copied: Collection[str]) -> list[str]:
    """What a model is given of a relation: what is not copied."""
    return [origin for name, origins in relation.columns.items() if name not in copied for origin in origins]


def _in_order(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> list[str]:
    """The models, each after those it reads."""
    placed: dict[str, None] = {}

    def place(unique_id: str) -> None:
        if unique_id in compiled and unique_id not in placed:
            for parent in manifest["nodes"][unique_id]["depends_on"]["nodes"]:
                place(parent)
            placed[unique_id] = None

    for unique_id in sorted(compiled):
        place(unique_id)
    return list(placed)


def _layer(model: Mapping[str, Any]) -> str:
    """intermediate, the folder of marts, staging; ml for what staging reads of it, which comes after intermediate."""
    top, below = Path(model["path"]).parts[:2]
    return below if top == "marts" or below == "ml" else top


def _node(name: str, kind: str, layer: str, description: str, relation: str) -> Document:
    return {"name": name, "kind": kind, "layer": layer, "relation": relation, "description": description}


def _column(node: str, name: str, told: Mapping[str, Any], texts: tuple[str, ...] = ()) -> Document:
    return {
        "id": f"{node}.{name}",
        "node": node,
        "name": name,
        "type": told.get("data_type") or "",
        "description": told.get("description") or "",
        "texts": [text for text in texts if text.lower() != name],
    }


def _state() -> str:
    """Digits that stand for all that the lineage is computed from: the parsed project, and the code that reads it."""
    from sqlglot import __version__

    folder = Path(__file__).parent
    read = [
        CONTRACT_FILE,
        *(folder.parent / name for name in ("warehouse.py", "scoring.py", "gaps/rules.py", "extract/contract.py")),
    ]
    digest = hashlib.sha256((dbt.project_fingerprint() + __version__).encode())
    for path in (*read, *sorted(folder.glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _lines(document: Document) -> str:
    """JSON with one node, column or edge a line, so that two releases can be compared by eye."""
    lists = [
        f'"{name}": [\n' + ",\n".join(json.dumps(item, ensure_ascii=False) for item in items) + "\n]"
        for name, items in document.items()
    ]
    return "{\n" + ",\n".join(lists) + "\n}\n"
