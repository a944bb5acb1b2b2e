"""Promises of docs/audit.md: every command of it answers on a published home, and no answer holds a personal value."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from installation import Published, copy_of, rows, tiering

from orchestration.settings import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
QUESTIONS = 11


@pytest.fixture(scope="module")
def person(published_home: Published) -> str:
    """A customer that is a person and has a tier."""
    identity, tiers = (
        str(published_home.release / f"{mart}.parquet") for mart in ("customer_identity", "customer_tiers")
    )
    accounts = str(published_home.home / "raw" / "crm" / "account" / "*" / "*.parquet")
    ((code,), *_) = rows(
        "select min(accounts.account_id) from read_parquet(?) as accounts "
        "inner join read_parquet(?) as identity on identity.source_id = accounts.account_id "
        "inner join read_parquet(?) as tiers using (customer_id) where accounts.account_kind = 'person'",
        accounts,
        identity,
        tiers,
    )
    return str(code)


@pytest.fixture(scope="module")
def personal_values(published_home: Published) -> set[str]:
    vault = str(published_home.home / "vault" / "*" / "*" / "*.parquet")
    return {value for (value,) in rows("select distinct value from read_parquet(?)", vault) if len(value) > 3}


def test_the_page_has_every_question_with_a_command() -> None:
    questions = re.findall(r"^## (\d+)\. .*\?$", PAGE, re.MULTILINE)
    assert questions == [str(number) for number in range(1, QUESTIONS + 1)]
    assert all("```sh" in part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1 : QUESTIONS + 1])
    assert PAGE.split("\n## ")[-1].startswith("What this does not prove")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_answers_and_shows_nobody(
    published_home: Published, person: str, personal_values: set[str], tmp_path: Path, command: str
) -> None:
    page = tmp_path / "dossier.html"
    told = command.replace("CUSTOMER", person).replace("dossier.html", str(page))
    name, *arguments = shlex.split(told)
    assert name == "tiering"
    done = tiering(published_home.home, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
    written = page.read_text(encoding="utf-8") if page.exists() else ""
    assert {value for value in personal_values if value in done.stdout + written} == set()


def test_what_the_vault_keeps_of_a_person_is_counted_until_it_is_gone(
    published_home: Published, person: str, tmp_path: Path
) -> None:
    def kept(home: Path) -> dict[str, tuple[int, int]]:
        told = json.loads(tiering(home, "audit", "personal", person, "--json").stdout)
        return {row["column"]: (row["tokens"], row["values"]) for row in told}

    home = copy_of(published_home, tmp_path)
    before = kept(home)
    assert before["crm.account.account_name"] == (1, 1)
    assert all(tokens == values for tokens, values in before.values())
    for file in (home / "vault" / "crm" / "account").iterdir():
        file.unlink()
    assert kept(home)["crm.account.account_name"] == (1, 0)


def test_no_value_of_a_column_that_is_always_personal_flows_into_a_mart(published_home: Published) -> None:
    told = json.loads(tiering(published_home.home, "audit", "personal", "--json").stdout)
    assert {row["column"]: row["marts"] for row in told if not row["when"] and row["marts"]} == {}
    there = {row["column"]: row["readable_by"] for row in told if row["readable_by"] != "not there"}
    in_the_vault = {row["column"] for row in told if row["pii"] == "P2"} & there.keys()
    assert {there[column].split(" ")[1] for column in in_the_vault} == {"drwx------"}
    delivered = {column.rpartition(".")[0] for column in in_the_vault}
    accounts = {"crm.account", "sales.customer", "finance.customer"}
    assert delivered == accounts | {"crm.owner", "crm.contact", "reference.override"}
    assert {tuple(row["marts"]) for row in told if row["column"].endswith("_name") and row["when"]} == {
        ("customer_360.customer_name",)
    }
