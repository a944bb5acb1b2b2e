"""Promises of the dossier: it recomputes what was published, names rows in their files, sees what was altered."""

from __future__ import annotations

import json
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from installation import PROVE, Published, copy_of, current, rows, settings_of, tiering

from orchestration.audit.dossier import dossier, page
from orchestration.audit.mart_rows import NoRow, rows_behind
from orchestration.settings import POLICY_SEEDS, Settings

TOKEN = re.compile(r"[0-9a-f]{8}:[0-9a-f]{32}")
# What only other customers' rows tell, and the lenses that rest on figures of persons or on balances.
TOLD_BY_OTHERS = {"referred_customer_count", "whitespace_category_count"}
PRIVATE = {
    *("bank_borrower", "bank_profit", "bank_tier", "bank_tier_1", "bank_tier_2", "bank_total", "bank_wealth"),
    *("products_held", "loans_held", "household_class", "household_stage", "pay_ability", "operating_state"),
    *("profit_state", "profit_trend", "segment_demographic", "segment_psychographic"),
}
# Customers of every kind: a condition on customer_indicators, as i, and what else there is.
KINDS = {
    "no purchase ever": "i.order_count_all = 0",
    "no purchase in the year": "i.order_count_365d = 0 and i.order_count_all > 0",
    "many orders": "i.order_count_365d >= 8",
    "returns": "i.returned_amount_365d > 0",
    "unknown cost": "i.costless_amount_365d > 0",
    "merged of three accounts": "i.account_count >= 3",
    "one account": "i.account_count = 1",
    "overdue": "i.overdue_amount > 0",
    "late payer": "i.late_payment_rate_365d > 0",
    "opportunities": "i.pipeline_amount > 0",
    "never contacted": "i.days_since_contact is null",
    "foreign currency": "i.customer_id in (select customer_id from orders where currency <> 'CNY' and is_counted)",
    "cancelled order": "i.customer_id in (select customer_id from orders where not is_counted)",
    "person": "i.customer_id in (select customer_id from described where kind = 'person')",
}
EACH = 10 if PROVE else 2


def customers(release: Path, condition: str, count: int = EACH) -> list[str]:
    query = (
        f"with orders as (from '{release}/customer_orders.parquet'), "
        f"described as (from '{release}/customer_360.parquet') "
        f"select customer_id from '{release}/customer_indicators.parquet' as i where {condition} "
        "order by hash(customer_id) limit ?"
    )
    return [row[0] for row in rows(query, count)]


def of(settings: Settings, customer: str, language: str = "en") -> dict[str, Any]:
    return dossier(settings, current(settings.home), customer, language)


def unkept(document: dict[str, Any]) -> list[str]:
    return [seal["what"] for seal in document["seals"] if not seal["is_kept"]]


def steps(document: dict[str, Any], verdict: bool | None) -> set[str]:
    return {step["what"] for step in document["steps"] if step["is_equal"] is verdict}


@pytest.fixture(scope="module")
def buyer(published_home: Published) -> str:
    """A customer of several accounts that bought, returned and was billed."""
    wanted = "i.account_count >= 3 and i.returned_amount_365d > 0 and i.due_amount_730d > 0"
    return customers(published_home.release, wanted, 1)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_of_customers_of_every_kind_comes_out_as_published(published_home: Published, kind: str) -> None:
    found = customers(published_home.release, KINDS[kind])
    assert found, f"the demo has no customer of the kind {kind}"
    for customer in found:
        document = of(published_home.settings, customer)
        assert unkept(document) == []
        assert document["recomputed_tier"] == document["tier"]
        assert steps(document, None) <= {"accounts", *TOLD_BY_OTHERS, *PRIVATE}, "a part was not computed again"
        assert len(steps(document, True)) >= 100


def test_the_document_is_the_same_when_it_is_written_again(published_home: Published, buyer: str) -> None:
    first, second = (page(of(published_home.settings, buyer)) for _ in range(2))
    assert first == second


def test_rows_stand_in_the_delivered_files_at_the_lines_they_name(published_home: Published, buyer: str) -> None:
    """Read by other means: the sender's own file, its n-th record."""
    document = of(published_home.settings, buyer)
    landing = published_home.home / "landing"
    checked = 0
    for row in document["rows"]:
        if row["table"] == "sales.order":
            lines = rows("select * from read_parquet(?)", str(landing / row["file"]))
            assert row["record_id"] in [str(value) for value in lines[row["source_line"] - 1]]
            checked += 1
        if row["table"] == "crm.activity":
            text = (landing / row["file"]).read_text(encoding="gb18030").splitlines()
            assert text[row["source_line"]].startswith(f"{row['record_id']},")
            checked += 1
    assert checked > 2


def test_the_page_needs_nothing_else_and_carries_the_document(
    published_home: Published, buyer: str, tmp_path: Path
) -> None:
    file = tmp_path / "dossier.html"
    told = tiering(published_home.home, "audit", "export", buyer, "--to", str(file))
    assert told.returncode == 0, told.stderr
    assert f"dossier  {file}" in told.stdout
    assert "FAIL" not in told.stdout
    html = file.read_text(encoding="utf-8")
    assert not re.findall(r"https?:|src=|<link|@import|url\(", html)
    (carried,) = re.findall(r'<script type="application/json" id="dossier">(.*?)</script>', html, re.DOTALL)
    assert html.count("<script") == 1
    printed = json.loads(tiering(published_home.home, "audit", "export", buyer, "--json").stdout)
    assert json.loads(carried) == printed
    assert printed["recomputed_tier"] == printed["tier"]
    assert printed["how_to_check"][1] == f"tiering reproduce {published_home.release.name}"


def test_a_dossier_of_an_earlier_day_knows_what_was_known_then(
    published_home: Published, buyer: str, tmp_path: Path
) -> None:
    third = published_home.days[2]
    document = json.loads(tiering(published_home.home, "audit", "export", buyer, "--date", str(third), "--json").stdout)
    known_at = datetime.fromisoformat(document["release"]["known_at"])
    assert document["as_of_date"] == str(third)
    assert unkept(document) == []
    assert all(datetime.fromisoformat(row["known_from"]) <= known_at for row in document["rows"])


def test_words_are_spoken_in_either_language_and_nobody_is_said_so(published_home: Published, buyer: str) -> None:
    assert any("合计" in sentence for sentence in of(published_home.settings, buyer, "zh")["words"])
    told = tiering(published_home.home, "audit", "export", "nobody")
    assert (told.returncode, "no customer 'nobody' has a tier" in told.stderr) == (1, True)


def test_no_personal_value_and_no_token_of_one_is_in_a_dossier(published_home: Published) -> None:
    """Of persons, against everything that the vault holds."""
    files = [str(file) for file in published_home.settings.vault.rglob("*.parquet")]
    personal = {row[0] for row in rows("select distinct value from read_parquet(?)", files) if len(row[0]) > 2}
    assert len(personal) > 50
    for customer in customers(published_home.release, KINDS["person"], 3):
        html = page(of(published_home.settings, customer))
        assert not TOKEN.search(html)
        assert [value for value in personal if value in html] == []


def test_one_altered_line_amount_is_seen(published_home: Published, buyer: str, tmp_path: Path) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    as_of = rows(f"select as_of_date from '{published_home.release}/customer_tiers.parquet' limit 1")[0][0]
    before = of(settings, buyer)
    line = next(
        row
        for row in before["rows"]
        if row["table"] == "sales.order_line" and row["adds"] and (as_of - row["adds"][0]["from_date"]).days < 365
    )
    batch = next(file for file in before["files"] if file["batch_id"] == line["batch_id"])
    file = settings.raw / batch["raw_file"]
    changed = (
        f"case when source_line = {line['source_line']} then net_amount + 0.0001 else net_amount end as net_amount"
    )
    with duckdb.connect() as other:
        source = f"read_parquet('{file}', hive_partitioning = false)"
        other.execute(f"copy (select * replace ({changed}) from {source}) to '{file}' (format parquet)")
    after = of(settings, buyer)
    assert "net_amount_365d" in steps(after, False)
    assert unkept(after) == [
        "Every step computed again equals what was published",
        "The raw files behind the rows hold the bytes that landed",
    ]
    assert [told["file"] for told in after["files"] if not told["is_as_landed"]] == [batch["file"]]
    assert "DIFFERS" in page(after)


def test_one_altered_policy_cell_is_seen_in_the_release_and_in_the_files(
    published_home: Published, buyer: str, tmp_path: Path
) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    shutil.copytree(POLICY_SEEDS, settings.own_policy)
    weights = settings.own_policy / "policy_weights.csv"
    text = weights.read_text(encoding="utf-8")
    weights.write_text(text.replace("2025.1,tier,abc,0.2500", "2025.1,tier,abc,0.2600"), encoding="utf-8")
    document = of(settings, buyer)
    assert unkept(document) == ["The policy's files still state every rule of the release"]
    assert [rule["rule_name"] for rule in document["rules"] if not rule["is_as_written"]] == ["abc"]

    shutil.rmtree(settings.own_policy)
    rules = current(settings.home) / "policy_rules.parquet"
    rules.chmod(0o644)
    changed = "case when rule_kind = 'weight' and rule_name = 'abc' then 0.26 else rule_value end as rule_value"
    with duckdb.connect() as other:
        other.execute(f"copy (select * replace ({changed}) from read_parquet('{rules}')) to '{rules}' (format parquet)")
    document = of(settings, buyer)
    assert {"abc", "tier_score"} <= steps(document, False)
    assert "The marts of the release hold the bytes that were published" in unkept(document)


def test_a_decision_that_the_ledger_tells_otherwise_is_seen(
    published_home: Published, buyer: str, tmp_path: Path
) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    file = settings.decisions / f"{published_home.days[3]}.parquet"
    with duckdb.connect() as other:
        other.execute(
            f"copy (select * replace ('T9' as tier) from read_parquet('{file}')) to '{file}' (format parquet)"
        )
    assert unkept(of(settings, buyer)) == ["The ledger of decisions says the same tier"]
    told = tiering(settings.home, "audit", "export", buyer, "--to", str(tmp_path / "dossier.html"))
    assert told.returncode == 1
    assert "FAIL The ledger of decisions says the same tier: T9" in told.stdout


def test_rows_behind_a_mart_row_are_those_it_rests_on(published_home: Published, buyer: str) -> None:
    settings, release = published_home.settings, published_home.release

    def behind(mart: str, **keys: str) -> set[tuple[str, str]]:
        return {(place.of, place.record) for place in rows_behind(settings, release, mart, keys).places}

    everything = behind("customer_tiers", customer_id=buyer)
    month, order = rows(
        f"select cast(month_date as varchar), order_id from '{release}/customer_orders.parquet' as o inner join "
        f"'{release}/customer_months.parquet' as m on o.customer_id = m.customer_id "
        "and date_trunc('month', order_date) = month_date where o.customer_id = ? order by all limit 1",
        buyer,
    )[0]
    of_order = behind("customer_orders", order_id=order)
    of_month = behind("customer_months", customer_id=buyer, month_date=month)
    assert ("sales.order", order) in of_order <= of_month < everything
    assert {table for table, _ in of_month} <= {"sales.order", "sales.order_line", "sales.return_line"}
    assert {table for table, _ in behind("customer_identity", customer_id=buyer)} == {
        *("crm.account", "sales.customer", "finance.customer"),
    }
    unattributed = rows(f"select order_id from '{release}/customer_orders.parquet' where customer_id is null limit 1")
    assert ("sales.order", unattributed[0][0]) in behind("customer_orders", order_id=unattributed[0][0])


def test_rows_behind_a_rule_and_behind_a_rejected_row_are_their_lines(published_home: Published) -> None:
    settings, release = published_home.settings, published_home.release
    rule = {"rule_kind": "band", "subject": "abc", "rule_name": "B"}
    (place,) = rows_behind(settings, release, "policy_rules", rule).places
    text = (POLICY_SEEDS / place.file).read_text(encoding="utf-8").splitlines()[place.line - 1]
    assert text.startswith("2025.1,abc,B,2,0.80,0.95")
    rejected = rows(f"select file_name, source_line from '{release}/audit_quarantine.parquet' order by all limit 1")
    keys = {"file_name": rejected[0][0], "source_line": str(rejected[0][1])}
    assert [(p.file, p.line) for p in rows_behind(settings, release, "audit_quarantine", keys).places] == rejected


@pytest.mark.parametrize(
    ("mart", "keys", "said"),
    [
        ("customer_money", {}, "no mart 'customer_money' in"),
        ("customer_tiers", {"name": "x"}, "customer_tiers has no column name, expected some of: as_of_date"),
        ("customer_tiers", {"customer_id": "x"}, "no row of customer_tiers in"),
        ("customer_tiers", {"tier": "T1"}, "expected one: rows over all customers"),
        ("lifecycle_transitions", {"from_stage": "growth"}, "0 customers, expected one"),
    ],
)
def test_what_has_no_rows_of_its_own_is_said_so(
    published_home: Published, mart: str, keys: dict[str, str], said: str
) -> None:
    with pytest.raises(NoRow, match=re.escape(said)):
        rows_behind(published_home.settings, published_home.release, mart, keys)


def test_the_command_lists_rows_and_says_how_narrow_the_answer_is(published_home: Published, buyer: str) -> None:
    told = tiering(published_home.home, "audit", "rows", "customer_tiers", f"customer_id={buyer}")
    assert told.returncode == 0, told.stderr
    assert "sales/order_line_" in told.stdout
    assert "All rows of the customer." in told.stdout
    assert tiering(published_home.home, "audit", "rows", "customer_tiers", "T1").returncode == 2


def test_a_policy_folder_that_lost_the_version_is_told_plainly(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    shutil.copytree(POLICY_SEEDS, home / "policy")
    for file in (home / "policy").glob("*.csv"):
        file.write_text(file.read_text(encoding="utf-8").replace("2025.1,", "2026.1,"), encoding="utf-8")
    customer = customers(current(home), "true", 1)[0]
    told = tiering(home, "audit", "export", customer)
    assert told.returncode == 1
    assert "states no version 2025.1, expected it: the release was decided under it" in told.stderr
