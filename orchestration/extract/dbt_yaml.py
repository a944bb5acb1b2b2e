"""What dbt is told of the contract, as YAML: the sources of the raw zone, and the contracts of the staging models.

Run as a module it writes the files. A staging model is SQL written by hand; which columns it has, and what each is
called, is read from there, their types and meanings from the contract. dbt holds the SQL to the types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from orchestration.extract.contract import ENVELOPE, KNOWLEDGE, Contract, ContractError, Table, load_contract
from orchestration.settings import DBT_PROJECT

STAGING = DBT_PROJECT / "models" / "staging"
HEADER = "# Generated from orchestration/extract/contract.yml: python -m orchestration.extract.dbt_yaml\n"
# One column a line, the last part of a staging model: an expression with its name, or a column as it is called.
SELECTED = re.compile(r"^    (?:(?P<expression>.+) as )?(?P<name>\w+),?$", re.MULTILINE)


def dbt_files(contract: Contract) -> dict[Path, str]:
    """Every generated file of the dbt project with its content.

    Raises ContractError for a staging model with a column that is of no column of its table.
    """
    families = dict.fromkeys(table.family for table in contract.tables)
    staged = {
        STAGING / family / f"_{family}.yml": [
            _model(table, staging_file(table)) for table in contract.family(family) if staging_file(table).exists()
        ]
        for family in families
    }
    sources = {"sources": [{"name": "raw", "schema": "raw", "tables": [_source(table) for table in contract.tables]}]}
    return {STAGING / "_sources.yml": _text(sources)} | {
        file: _text({"models": models}) for file, models in staged.items() if models
    }


def staging_file(table: Table) -> Path:
    """Where the staging model of a table stands, if models read the table."""
    entity = table.entity
    plural = entity[:-1] + "ies" if entity.endswith("y") else entity + ("es" if entity.endswith("ch") else "s")
    return STAGING / table.family / f"stg_{table.family}__{plural}.sql"


def _source(table: Table) -> dict[str, Any]:
    return {
        "name": table.raw_name,
        "description": f"{table.grain} Every version is kept, with the interval in which it was the newest.",
        "config": {"meta": {"dagster": {"asset_key": ["raw", table.raw_name]}}},
        "columns": [{"name": name, **told} for name, told in _documented(table).items()],
    }


def _model(table: Table, file: Path) -> dict[str, Any]:
    return {
        "name": file.stem,
        "description": f"{table.grain} Every delivered version, valid in [known_from, known_to); deleted records are "
        "left out.",
        "config": {"contract": {"enforced": True}},
        "columns": list(_selected(table, file)),
    }


def _selected(table: Table, file: Path) -> Iterator[dict[str, str]]:
    """The columns of a staging model: those of its table, some under another name."""
    known = _documented(table) | {name: _told(*said) for name, said in KNOWLEDGE.items()}
    _, _, final = file.read_text(encoding="utf-8").rpartition("\nselect\n")
    for match in SELECTED.finditer(final.partition("\nfrom ")[0]):
        name, expression = match["name"], match["expression"]
        if name not in known and expression not in known:
            raise ContractError(f"{file.name}: {match[0].strip()} is of no column of {table.name}")
        yield {"name": name, **known[name if name in known else expression]}


def _documented(table: Table) -> dict[str, dict[str, str]]:
    """The columns of a raw file: what they hold, their null policy and their PII class."""
    envelope = {name: _told(*said) for name, said in ENVELOPE.items()}
    return envelope | {
        column.name: _told(column.sql_type, f"{column.description} [{column.null_policy} {column.pii}]")
        for column in table.columns
    }


def _told(data_type: str, description: str) -> dict[str, str]:
    return {"data_type": data_type, "description": description}


def _text(document: dict[str, Any]) -> str:
    return HEADER + yaml.safe_dump({"version": 2, **document}, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    for file, text in dbt_files(load_contract()).items():
        file.write_text(text, encoding="utf-8")
