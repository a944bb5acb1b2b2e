"""A home to begin with: sources.yml from the contract, the example policy as the company's own, folders for extracts.

What is proposed of the extracts comes as ``Proposal``s: here the tables that every company needs, under the contract's
own names. Nothing is read from an extract, and nothing that is there is written over.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orchestration.errors import PlainError
from orchestration.extract.column_map import LOCAL, known_zone
from orchestration.extract.contract import Column, Contract, Table, load_contract
from orchestration.extract.registry import load_registry
from orchestration.new_policy import take_policy, weigh, write_rows
from orchestration.policy import VERSIONS, read_rows
from orchestration.policy_rules import delivered_names, missing_feeds
from orchestration.settings import POLICY_SEEDS, Settings

# Without these nobody has a tier; the other tables add to what is known of a customer.
NEEDED = ("sales.customer", "sales.order", "sales.order_line")
# To be replaced by the day of the first file; a policy that was in force before any of them.
START, EVER = date(2025, 1, 1), "2000-01-01"
FIRST_VERSION = "2025-1"
# Figures for whoever delivers no costs, in place of those that need them.
WITHOUT_COSTS = {
    "margin_amount_365d": "net_amount_365d",
    "potential_margin_amount_90d": "expected_net_amount_90d",
}
COSTS = "sales.order_line.cost_amount"
LOCAL_DATE = re.compile(r"Local date of (\w+)")


class InitError(PlainError):
    """The home cannot be begun there."""


@dataclass(frozen=True)
class Proposal:
    """A table as a system seems to deliver it. ``columns`` and ``options`` are what sources.yml says of it."""

    system: str
    table: Table
    files: tuple[str, ...]
    format: str = "csv"
    delivered: str = "daily"
    columns: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Company:
    """What is asked of a company: how reports call it, whose clock its systems show, the currency of its reports, and
    the first day that is graded."""

    name: str
    timezone: str
    currency: str
    start_date: date = START


def init_home(home: Path, company: Company, proposals: Sequence[Proposal] | None = None) -> Settings:
    """Write the home; an empty folder of that name may be there. Raises InitError or SourcesError, with nothing
    written, for a folder that holds something and for a currency or a zone that is none."""
    if not re.fullmatch("[A-Z]{3}", company.currency):
        raise InitError(f"init: --currency is {company.currency!r}, expected the three letters of ISO 4217, like EUR")
    known_zone("init: --timezone", company.timezone)
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise InitError(f"init: {home} holds something, expected a new folder: a home is begun once and never again")
    contract = load_contract()
    told = needed(contract, company) if proposals is None else proposals
    systems = list(dict.fromkeys(proposal.system for proposal in told))
    home.parent.mkdir(parents=True, exist_ok=True)
    incoming = Settings(home=home.with_name(f".{home.name}.incoming"))
    shutil.rmtree(incoming.home, ignore_errors=True)
    for system in {*systems, *(table.family for table in contract.tables)}:
        (incoming.landing / system).mkdir(parents=True)
    incoming.sources.write_text(render_sources(contract, company, told), encoding="utf-8")
    readme = _rendered("init_readme.md.j2", home=home, version=FIRST_VERSION, systems=systems)
    (incoming.home / "README.md").write_text(readme, encoding="utf-8")
    write_policy(
        incoming,
        {
            "policy_version": FIRST_VERSION,
            "effective_from": EVER,
            "approved_at": f"{EVER}T00:00:00Z",
            "approved_by": "nobody yet",
            "reporting_currency": company.currency,
            "note": "The shipped example, to begin with",
        },
    )
    incoming.home.rename(home)
    return Settings(home=home)


def needed(contract: Contract, company: Company) -> list[Proposal]:
    """The tables nobody can do without, as if the extracts called every column as the contract does."""
    return [_by_contract(contract, contract.table(name), company) for name in NEEDED]


def render_sources(contract: Contract, company: Company, proposals: Sequence[Proposal]) -> str:
    """``sources.yml``: each proposal in force, and every other table of the contract as lines to be taken into use, in
    the first system of its family where there is one."""
    systems: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        systems.setdefault(proposal.system, []).append(proposal)
    proposed = {proposal.table.name for proposal in proposals}
    others: dict[str, list[Proposal]] = {}
    for table in contract.tables:
        if table.name not in proposed:
            others.setdefault(table.family, []).append(_by_contract(contract, table, company))
    blocks = []
    for name, told in systems.items():
        also = others.pop(told[0].table.family, [])
        blocks.append([*_system(name, told[0], company), *_tables(told), *_kept_back(_tables(also))])
    for name, told in others.items():
        blocks.append(_kept_back([*_system(name, told[0], company), *_tables(told)]))
    text = "\n\n".join("\n".join(lines) for lines in blocks)
    return _rendered("init_sources.yml.j2", company=_flow(company.name), start_date=company.start_date, blocks=text)


def render_table(proposal: Proposal) -> str:
    """The lines of one table, to stand below ``tables:`` of its system."""
    return "\n".join(_table(proposal)) + "\n"


def _by_contract(contract: Contract, table: Table, company: Company) -> Proposal:
    """The table under the contract's own names; what may be left out is named and not yet delivered.

    What has neither days nor amounts is sent when it changes.
    """
    links = {key for other in contract.family(table.family) for key in other.key}
    columns = {
        column.name: _entry(column, company) if column.is_required or column.name in links else None
        for column in table.columns
        if column.null_policy != "O"
    }
    delivered = "daily" if table.event_date or table.control_amount else "on_change"
    return Proposal(table.family, table, (f"{table.entity}_{{delivery_date}}.csv",), "csv", delivered, columns)


def _entry(column: Column, company: Company) -> object:
    if column.kind == "currency":
        return {"constant": company.currency}
    if match := LOCAL_DATE.match(column.description):
        return {"local_date_of": match[1]}
    if column.kind == "timestamp":
        return {"column": column.name, "timezone": LOCAL}
    return column.name


def _system(name: str, of: Proposal, company: Company) -> list[str]:
    return [f"  {name}:", f"    family: {of.table.family}", f"    timezone: {company.timezone}", "    tables:"]


def _tables(proposals: Sequence[Proposal]) -> list[str]:
    return [line for proposal in proposals for line in _table(proposal)]


def _kept_back(lines: Sequence[str]) -> list[str]:
    return [f"#{line}" for line in lines]


def _table(proposal: Proposal) -> list[str]:
    """A table's entry with what each column means beside it."""
    table, files = proposal.table, proposal.files[0] if len(proposal.files) == 1 else list(proposal.files)
    lines = [f"      # {table.grain} Key: {', '.join(table.key)}.", f"      {table.entity}:"]
    said = {"files": files, "format": proposal.format, "delivered": proposal.delivered, **proposal.options}
    lines += [f"        {name}: {_flow(value)}" for name, value in said.items()]
    lines.append("        columns:")
    for column in table.columns:
        if column.name in proposal.columns:
            entry = proposal.columns[column.name]
            line = f"          {column.name}:{'' if entry is None else ' ' + _flow(entry)}"
            lines.append(f"{line:<60} # {_meaning(column)}")
    if optional := [column.name for column in table.columns if column.name not in proposal.columns]:
        lines.append(f"          # and, where you have them: {', '.join(optional)}")
    return lines


def _meaning(column: Column) -> str:
    need = "" if column.is_required else ", may be left empty"
    words = f": {' '.join(column.values)}" if column.values else ""
    return f"{column.description} ({column.kind}{need}){words}"


def _rendered(template: str, **facts: object) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template(template).render(facts)


def _flow(value: object) -> str:
    """A value as YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=float("inf"), sort_keys=False)
    return str(text).removesuffix("...\n").strip()


def write_policy(settings: Settings, version: Mapping[str, str]) -> None:
    """The home's own policy: the shipped rows under a version of the company's, its row in ``version``.

    What ``sources.yml`` does not deliver has no weight, and net sales stand for margin where it has no costs.
    """
    take_policy(POLICY_SEEDS, settings.own_policy)
    shipped = max((row for _, row in read_rows(POLICY_SEEDS / VERSIONS)), key=lambda row: row["effective_from"])
    delivered = delivered_names(load_registry(settings.sources))
    tables = {
        file.stem: [
            row | {"policy_version": version["policy_version"]}
            for _, row in read_rows(file)
            if row["policy_version"] == shipped["policy_version"]
        ]
        for file in sorted(settings.own_policy.glob("*.csv"))
    }
    tables["policy_versions"] = [tables["policy_versions"][0] | {"effective_to": ""} | dict(version)]
    if COSTS not in delivered:
        for lens in tables["policy_lenses"]:
            lens["indicator"] = WITHOUT_COSTS.get(lens["indicator"], lens["indicator"])
    missing = missing_feeds(tables["policy_lenses"], delivered)
    unfed = {lens for lens in missing if missing[lens]}
    # What a gate reads keeps all its tests: nobody is to be lifted for having passed fewer.
    gated = {row["lens"] for row in tables["policy_gates"]}
    tables["policy_weights"] = weigh(tables["policy_weights"], unfed, gated)
    for table, rows in tables.items():
        write_rows(settings.own_policy / f"{table}.csv", rows)
