"""The lineage as a page to look around in: one file, no network. It finds nothing out that lineage.json does not say.

``lineage.html#customer_tiers.tier_score`` shows what a column comes from, ``lineage.html#down:<column>`` what comes
from it. The page follows the main edges; a condition on the way makes what is behind it one step less direct.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from orchestration.release.report_format import page_templates

# From left to right; the kinds and folders that share a place are those that the first name stands for.
LAYERS = (
    ("Sources, policy, run", "来源与规则", ("source", "policy", "run")),
    ("Staging", "贴源层", ("staging",)),
    ("Intermediate", "中间层", ("intermediate",)),
    ("Models", "预测", ("ml",)),
    ("Customer facts", "客户事实", ("customer",)),
    ("Scoring", "评分", ("scoring",)),
    ("Tiering", "分级", ("tiering",)),
    ("Audit", "审计", ("audit",)),
)
# What is shown where the address names no column.
START = "customer_tiers.tier_score"


def render_lineage(document: Mapping[str, Any]) -> str:
    """The page as HTML. Raises KeyError for a node of a layer that has no place."""
    template = page_templates(Path(__file__).parent).get_template("lineage.html.j2")
    return template.render(data=_embedded(_packed(document)), layers=LAYERS, start=START)


def _packed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document in rows and numbers, a third of its size; the places in rows are told in the page's script."""
    place = {layer: number for number, (_, _, layers) in enumerate(LAYERS) for layer in layers}
    nodes = [
        [node["name"], place[node["layer"]], node["kind"], node["description"], node["relation"]]
        for node in document["nodes"]
    ]
    number_of_node = {node[0]: number for number, node in enumerate(nodes)}
    columns = [
        [
            number_of_node[column["node"]],
            column["name"],
            column["type"],
            column["description"],
            column.get("pii", ""),
            column.get("personal_when", ""),
            column.get("delivered_as", []),
            column["texts"],
        ]
        for column in document["columns"]
    ]
    columns += [[number, "*", "", "Which rows there are", "", "", [], []] for number in range(len(nodes))]
    number_of_column = {f"{nodes[column[0]][0]}.{column[1]}": number for number, column in enumerate(columns)}
    edges = [
        [
            number_of_column[edge["from"]],
            number_of_column[edge["to"]],
            int(edge["kind"] == "value"),
            int(edge["is_main"]),
            " ".join(edge["by"]),
        ]
        for edge in document["edges"]
    ]
    return {"nodes": nodes, "columns": columns, "edges": edges, "unresolved": document["unresolved"]}


def _embedded(data: Mapping[str, Any]) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))
