"""Promises of landing: every record ends in exactly one place, nothing lands twice, no damaged file is a traceback."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from installation import KEY, rows, settings_of

from orchestration.extract import landing
from orchestration.extract.candidate import Candidate
from orchestration.extract.contract import load_contract
from orchestration.extract.duckdb_extensions import connect_with_excel
from orchestration.extract.manifest import Amounts, Batch, read_manifest
from orchestration.extract.registry import Feed, load_registry
from orchestration.extract.vault import Pseudonymiser
from orchestration.settings import Settings

DAY = date(2025, 1, 1)
TOKEN = Pseudonymiser(KEY.encode()).token
CONTACT = ("contact_id", "account_id", "full_name", "email", "phone", "role", "decision_role")
PERSONAL = {"full_name", "email", "phone"}
SPACES = " \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
DECISION_ROLES = {"decides", "influences", "uses", "buys"}
SOURCES = """
company: Acme
start_date: 2025-01-01
sources:
  crm:
    family: crm
    timezone: Asia/Shanghai
    tables:
      contact:
        files: ["contact_{delivery_date}.csv", "contact_{delivery_date}_at_{extracted_at}.csv"]
        format: csv
        delivered: daily
        encoding: ENCODING
        columns: {contact_id: contact_id, account_id: account_id, full_name: full_name, email: email, phone: phone,
          role: role, decision_role: decision_role}
  finance:
    family: finance
    timezone: Asia/Shanghai
    tables:
      payment:
        {files: "payment_{delivery_date}.FORMAT", format: FORMAT, delivered: daily, columns: {payment_id: nr,
        customer_ref: who, received_date: day, amount: value, currency: {constant: cny}}}
  shop:
    family: sales
    timezone: Asia/Shanghai
    tables:
      return_line:
        {files: "return_{delivery_date}.csv", format: csv, delivered: daily, columns: {return_line_id: nr,
        returned_at: {column: at, timezone: Asia/Shanghai}, business_date: {local_date_of: at},
        quantity: {column: qty, sign: negate}, net_amount: {column: net, sign: negate}, currency: {constant: CNY}}}
"""


def feeds(settings: Settings, encoding: str = "utf-8", form: str = "csv") -> tuple[Feed, ...]:
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.sources.write_text(SOURCES.replace("ENCODING", encoding).replace("FORMAT", form), encoding="utf-8")
    return load_registry(settings.sources).feeds


def deliver(settings: Settings, name: str, content: bytes | str) -> Path:
    file = settings.landing / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def prepare(settings: Settings, known: Sequence[Feed]) -> list[Candidate]:
    return landing.prepare(settings, landing.pending_deliveries(settings, known, date.max))


def land(settings: Settings, known: Sequence[Feed]) -> list[Batch]:
    return landing.commit(settings, prepare(settings, known), decided_until=None)


def raw(settings: Settings, batch: Batch) -> list[dict[str, Any]]:
    if batch.raw_file is None:
        return []
    names = [row[0] for row in rows("describe from read_parquet(?)", str(settings.raw / batch.raw_file))]
    found = rows("from read_parquet(?) order by source_line", str(settings.raw / batch.raw_file))
    return [dict(zip(names, row, strict=True)) for row in found]


def quarantined(settings: Settings, batch: Batch) -> list[tuple[Any, ...]]:
    file = settings.quarantine / batch.family / batch.entity / f"{batch.batch_id}.parquet"
    query = "select source_line, rule, column_name, raw_text from read_parquet(?) order by source_line"
    return rows(query, str(file)) if file.exists() else []


def vault(settings: Settings, batch: Batch) -> set[tuple[str, ...]]:
    file = settings.vault / batch.family / batch.entity / f"{batch.batch_id}.parquet"
    return set(rows("from read_parquet(?)", str(file))) if file.exists() else set()


def csv_text(records: Sequence[Sequence[str]], quoting: Any = csv.QUOTE_ALL, newline: str = "\n") -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting, lineterminator=newline)
    writer.writerow(CONTACT)
    writer.writerows(records)
    return text.getvalue()


def trimmed(text: str) -> str | None:
    return text.strip(SPACES) or None


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "",
        " ",
        "NULL",
        "null",
        '"',
        '""',
        "a,b",
        "a\nb",
        "a\r\nb",
        "\\",
        "'",
        "　全角　",
        "𠮷野家",
        "0012",
        "-",
        "NaN",
        "#",
    ]
)
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "03", "3", ""]) | TEXT,
        st.sampled_from(["A", "A", "B"]) | TEXT,
        *[TEXT] * 4,
        st.sampled_from(["decides", "buys", "", "robot"]),
    ),
    max_size=8,
)


def expected_fates(
    records: Sequence[Sequence[str]], kept: set[int]
) -> tuple[dict[int, tuple[str | None, ...]], Counter[str]]:
    """By the contract alone: the accepted records by line, and how many of the others met which fate.

    Of different records with one key any may be ``kept``, but only one, and the first of its content.
    """
    accepted: dict[int, tuple[str | None, ...]] = {}
    fates: Counter[str] = Counter()
    same_key: dict[str, dict[int, tuple[str | None, ...]]] = {}
    for line, record in enumerate(records, start=1):
        values = tuple(trimmed(value) for value in record)
        if values[0] is None or values[1] is None:
            fates["required"] += 1
        elif values[6] is not None and values[6] not in DECISION_ROLES:
            fates["value"] += 1
        else:
            same_key.setdefault(values[0], {})[line] = values
    for lines in same_key.values():
        (line,) = kept & lines.keys()
        accepted[line] = lines[line]
        assert line == min(other for other, values in lines.items() if values == lines[line])
        fates["duplicate"] += sum(values == lines[line] for values in lines.values()) - 1
        fates["key_conflict"] += sum(values != lines[line] for values in lines.values())
    return accepted, fates


@given(
    records=RECORDS,
    encoding=st.sampled_from(["utf-8", "gb18030"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
@example(
    records=[("1", "A", "a, b", "c", "", "", ""), ("1", "A", "a", "b, c", "", "", "")], encoding="utf-8", newline="\n"
)
@example(records=[("1", "A", "NULL", "", "", "", ""), ("1", "A", "", "", "", "", "")], encoding="utf-8", newline="\n")
def test_every_record_of_any_csv_ends_in_exactly_one_place_and_accepted_values_are_those_of_the_file(
    records: list[tuple[str, ...]], encoding: str, newline: str
) -> None:
    with TemporaryDirectory() as folder:
        settings = settings_of(Path(folder))
        known = feeds(settings, encoding)
        deliver(settings, "crm/contact_20250101.csv", csv_text(records, newline=newline).encode(encoding))
        (candidate,) = prepare(settings, known)
        assert candidate.held is None
        (batch,) = landing.commit(settings, [candidate], decided_until=None)
        accepted, fates = expected_fates(records, {row["source_line"] for row in raw(settings, batch)})
        assert batch.records == len(records) == batch.accepted + batch.duplicates + batch.quarantined
        assert {row["source_line"]: tuple(row[name] for name in CONTACT) for row in raw(settings, batch)} == {
            line: tuple(
                TOKEN(value) if value is not None and name in PERSONAL else value
                for name, value in zip(CONTACT, values, strict=True)
            )
            for line, values in accepted.items()
        }
        assert batch.duplicates == fates["duplicate"]
        rules = Counter(rule for _, rule, _, _ in quarantined(settings, batch))
        assert rules == Counter({rule: n for rule, n in fates.items() if rule != "duplicate" and n})
        assert vault(settings, batch) == {
            (name, TOKEN(value), value)
            for values in accepted.values()
            for name, value in zip(CONTACT, values, strict=True)
            if name in PERSONAL and value is not None
        }


def test_equal_repeats_of_a_key_are_duplicates_and_different_ones_are_quarantined(settings: Settings) -> None:
    one, other = ("1", "A", "", "", "", "buyer", ""), ("1", "A", "", "", "", "boss", "")
    known = feeds(settings)
    deliver(settings, "crm/contact_20250101.csv", csv_text([one, one, other, one, ("2", "A", "", "", "", "", "")]))
    (batch,) = land(settings, known)
    assert (batch.records, batch.accepted + batch.duplicates, batch.quarantined) in {(5, 4, 1), (5, 2, 3)}
    assert {fate[1:] for fate in quarantined(settings, batch)} == {("key_conflict", "source_record_id", "1")}


def test_a_file_that_repeats_its_delivery_adds_no_rows_and_counts_as_duplicates(settings: Settings) -> None:
    known = feeds(settings)
    content = csv_text([("1", "A", "", "", "", "", ""), ("2", "", "", "", "", "", "")])
    deliver(settings, "crm/contact_20250101.csv", content)
    deliver(settings, "crm/contact_20250101_at_20250102T090000.csv", content)
    first, second = land(settings, known)
    deliver(settings, "crm/contact_20250101.csv", content)  # written anew: another time of change, equal bytes
    deliver(settings, "crm/contact_20250101_at_20250103T090000.csv", content)
    (third,) = land(settings, known)
    assert (first.duplicate_of, first.accepted, first.quarantined) == (None, 1, 1)
    for repeat in (second, third):
        assert repeat.duplicate_of == first.batch_id
        assert (repeat.records, repeat.accepted, repeat.duplicates, repeat.raw_file) == (2, 0, 2, None)
    assert len({batch.batch_id for batch in (first, second, third)}) == 3
    assert prepare(settings, known) == []


def test_the_same_bytes_are_another_delivery_in_another_feed(settings: Settings) -> None:
    text = SOURCES.replace("ENCODING", "utf-8").replace("FORMAT", "csv")
    contact = text[text.index("  crm:") : text.index("  finance:")]
    settings.home.mkdir(parents=True)
    settings.sources.write_text(text + contact.replace("  crm:", "  crm_two:").lstrip("\n"), encoding="utf-8")
    known = load_registry(settings.sources).feeds
    content = csv_text([("1", "A", "", "", "", "", "")])
    deliver(settings, "crm/contact_20250101.csv", content)
    deliver(settings, "crm_two/contact_20250101.csv", content)
    assert sorted(batch.source_system for batch in land(settings, known)) == ["crm", "crm_two"]


def test_two_quiet_days_with_equal_empty_files_both_land(settings: Settings) -> None:
    known = feeds(settings)
    deliver(settings, "crm/contact_20250101.csv", csv_text([]))
    deliver(settings, "crm/contact_20250102.csv", csv_text([]))
    assert [(batch.delivery_date.day, batch.records) for batch in land(settings, known)] == [(1, 0), (2, 0)]
    assert prepare(settings, known) == []


def test_a_day_without_a_new_file_opens_no_engine(settings: Settings) -> None:
    assert landing.prepare(settings, []) == []
    assert not (settings.home / "extensions").exists()  # which every engine for landing is given
    assert not settings.scratch.exists()


def test_a_changed_file_of_a_landed_day_lands_as_another_version_of_its_delivery(settings: Settings) -> None:
    known = feeds(settings)
    landed = []
    for role in ("buyer", "boss"):
        deliver(settings, "crm/contact_20250101.csv", csv_text([("1", "A", "", "", "", role, "")]))
        landed += land(settings, known)
    assert [(batch.delivery, batch.accepted) for batch in landed] == [(("crm", "contact", DAY), 1)] * 2
    assert landed[0].batch_id != landed[1].batch_id


def test_a_file_that_comes_after_a_decision_is_known_from_the_instant_after_it(settings: Settings) -> None:
    known = feeds(settings)
    deliver(settings, "crm/contact_20250101.csv", csv_text([("1", "A", "", "", "", "", "")]))
    deliver(settings, "crm/contact_20250103.csv", csv_text([("1", "B", "", "", "", "", "")]))
    decided = datetime(2025, 1, 2, 16, tzinfo=UTC)
    late, timely = landing.commit(settings, prepare(settings, known), decided)
    assert (late.known_at, timely.known_at) == (decided + timedelta(microseconds=1), timely.extracted_at)
    assert late.extracted_at < decided


def test_broken_records_are_quarantined_with_their_number_in_the_file_and_a_token_for_their_text(
    settings: Settings,
) -> None:
    known = feeds(settings)
    whole = csv_text([("1", "A", "two\nlines", "", "", "", "")]).encode()
    deliver(settings, "crm/contact_20250101.csv", whole + b"2,B\n3,C,,,,,\n4,D,,,,,,,surplus\n")
    deliver(settings, "finance/payment_20250101.csv", "nr,who,day,value\n1,A,2025-01-01,5,9\n2,A,2025-01-01,6\n")
    contacts, payments = land(settings, known)
    assert [row["source_line"] for row in raw(settings, contacts)] == [1, 3]
    assert quarantined(settings, contacts) == [
        (2, "broken_line", None, TOKEN("2,B")),
        (4, "broken_line", None, TOKEN("4,D,,,,,,,surplus")),
    ]
    assert quarantined(settings, payments) == [(1, "broken_line", None, "1,A,2025-01-01,5,9")]
    assert (payments.records, payments.accepted, payments.quarantined) == (2, 1, 1)


def test_every_amount_of_a_file_is_accepted_repeated_or_set_aside_per_currency(settings: Settings) -> None:
    known = feeds(settings)
    lines = ["1,A,2025-01-01,5.5", "1,A,2025-01-01,5.5", "2,,2025-01-01,7", "3,A,2025-01-01,-0.00005", "4,A,x,1"]
    deliver(settings, "finance/payment_20250101.csv", "\n".join(["nr,who,day,value", *lines, ""]))
    (batch,) = land(settings, known)
    assert batch.amounts == (
        Amounts("CNY", Decimal("18.9999"), Decimal("5.4999"), Decimal("5.5000"), Decimal("8.0000"), Decimal()),
    )


def test_a_file_with_too_many_rejected_records_is_held(settings: Settings) -> None:
    known = feeds(settings)
    allowed = load_contract().tolerance.records
    for day, bad in ((1, allowed), (2, allowed + 1)):
        lines = ["1,A,2025-01-01,5", *(f"{number},,2025-01-01,5" for number in range(2, bad + 2))]
        deliver(settings, f"finance/payment_2025010{day}.csv", "\n".join(["nr,who,day,value", *lines, ""]))
    sound, held = prepare(settings, known)
    assert (sound.held, sound.quarantined) == (None, allowed)
    assert "payment_20250102.csv: 21 of 22 records break a rule" in str(held.held)


def test_a_source_may_bear_fewer_rejected_records_than_the_contract(settings: Settings) -> None:
    text = SOURCES.replace("    family: finance\n", "    family: finance\n    quarantine: {share: 0.5, records: 1}\n")
    assert text != SOURCES
    settings.home.mkdir(parents=True)
    settings.sources.write_text(text.replace("ENCODING", "utf-8").replace("FORMAT", "csv"), encoding="utf-8")
    for day, bad in ((1, 2), (2, 3)):
        lines = ["1,A,2025-01-01,5", "2,A,2025-01-01,5", *(f"{number},,2025-01-01,5" for number in range(3, bad + 3))]
        deliver(settings, f"finance/payment_2025010{day}.csv", "\n".join(["nr,who,day,value", *lines, ""]))
    sound, held = prepare(settings, load_registry(settings.sources).feeds)
    assert (sound.held, sound.quarantined) == (None, 2)
    assert "3 of 5 records break a rule, more than 50% and 1" in str(held.held)


def test_dates_may_be_written_in_the_ways_the_map_names_and_in_no_other(settings: Settings) -> None:
    text = SOURCES.replace("received_date: day", 'received_date: {column: day, formats: ["%Y-%m-%d", "%d.%m.%Y"]}')
    settings.home.mkdir(parents=True)
    settings.sources.write_text(text.replace("ENCODING", "utf-8").replace("FORMAT", "csv"), encoding="utf-8")
    lines = ["1,A,2025-01-31,5", "2,A,31.01.2025,5", "3,A,01/31/2025,5"]
    deliver(settings, "finance/payment_20250101.csv", "\n".join(["nr,who,day,value", *lines, ""]))
    (batch,) = land(settings, load_registry(settings.sources).feeds)
    assert [row["received_date"] for row in raw(settings, batch)] == [date(2025, 1, 31)] * 2
    assert quarantined(settings, batch) == [(3, "type", "received_date", "01/31/2025")]


def test_the_order_of_rows_in_a_file_decides_nothing(settings: Settings) -> None:
    known = feeds(settings)
    one, other = ("1", "A", "", "", "", "buyer", ""), ("1", "A", "", "", "", "boss", "")
    for day, records in ((1, [one, other]), (2, [other, one])):
        deliver(settings, f"crm/contact_2025010{day}.csv", csv_text(records))
    first, second = land(settings, known)
    assert [row["role"] for row in raw(settings, first)] == [row["role"] for row in raw(settings, second)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "header"),
        ("联系人,姓名\n".encode("gb18030"), "contact_20250101.csv|UTF-8|utf-8"),
        (csv_text([]).encode() + "1,A,张三,,,,\n".encode("gb18030"), "UTF-8|utf-8|unicode"),
        (b"contact_id,account_id\n1,A\n", "full_name.*not in the file"),
        (csv_text([]).encode() + b'1,A,"never closed,,,,\n', "quote"),
        (b"contact_id,contact_id,account_id,full_name,email,phone,role,decision_role\n", "contact_id"),
        (b"PAR1" + bytes(range(256)), "header|UTF-8|utf-8|not in the file"),
    ],
    ids=[
        "no bytes",
        "header in another encoding",
        "row in another encoding",
        "columns missing",
        "quote never closed",
        "a column twice",
        "not text",
    ],
)
def test_a_csv_that_cannot_be_read_is_held_with_a_message(settings: Settings, content: bytes, says: str) -> None:
    known = feeds(settings)
    deliver(settings, "crm/contact_20250101.csv", content)
    deliver(settings, "finance/payment_20250101.csv", "nr,who,day,value\n1,A,2025-01-01,5\n")
    held, sound = prepare(settings, known)
    assert held.held is not None
    assert "\n" not in held.held
    assert re.search(r"contact_20250101\.csv|crm\.contact", held.held)
    assert re.search(says, held.held, re.IGNORECASE)
    assert (sound.held, sound.accepted) == (None, 1)
    with pytest.raises(ValueError, match="is held"):
        landing.commit(settings, [held], decided_until=None)
    assert read_manifest(settings.manifest) == []


def test_a_file_that_is_not_in_the_encoding_of_its_source_says_where(settings: Settings) -> None:
    known = feeds(settings, "gb18030")
    deliver(settings, "crm/contact_20250101.csv", csv_text([]).encode() + b"1,\xff\xff\n")
    (held,) = prepare(settings, known)
    assert held.held is not None
    assert "contact_20250101.csv: byte" in held.held
    assert "gb18030" in held.held
    assert not list(settings.scratch.glob("*.utf8"))


def _table_file(settings: Settings, name: str, form: str, records: int = 2_000) -> Path:
    file = deliver(settings, name, b"")
    options = f"format {form}" if form == "parquet" else f"format {form}, header true"
    values = "('0' || i) as nr, 'A' as who, '2025-01-01' as day, md5(i::varchar) as note, '1.5' as value"
    with connect_with_excel(settings.home / "extensions") as connection:
        connection.execute(f"copy (select {values} from range({records}) r(i)) to '{file}' ({options})")
    return file


@pytest.mark.parametrize("form", ["parquet", "xlsx"])
@pytest.mark.parametrize("damage", ["empty", "truncated", "other bytes", "damaged inside"])
def test_a_damaged_table_file_is_held_with_a_message(settings: Settings, form: str, damage: str) -> None:
    known = feeds(settings, form=form)
    file = _table_file(settings, f"finance/payment_20250101.{form}", form)
    content = file.read_bytes()
    third = len(content) // 3
    inside = content[:third] + bytes(byte ^ 0xFF for byte in content[third : third + 400]) + content[third + 400 :]
    damaged = {"empty": b"", "truncated": content[:-third], "other bytes": b"hello" * 99, "damaged inside": inside}
    file.write_bytes(damaged[damage])
    (held,) = prepare(settings, known)
    assert held.held
    assert "\n" not in held.held


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_leading_zeros_are_kept_and_a_constant_fills_its_column(settings: Settings, form: str) -> None:
    known = feeds(settings, form=form)
    _table_file(settings, f"finance/payment_20250101.{form}", form, records=3)
    (batch,) = land(settings, known)
    assert [(row["payment_id"], row["source_record_id"], row["currency"]) for row in raw(settings, batch)] == [
        ("00", "00", "CNY"),
        ("01", "01", "CNY"),
        ("02", "02", "CNY"),
    ]


def test_text_in_a_number_is_quarantined_with_its_line_column_and_text(settings: Settings) -> None:
    known = feeds(settings)
    deliver(
        settings,
        "finance/payment_20250101.csv",
        "nr,who,day,value\n1,A,2025-01-01,5\n2,A,2025-01-01,12a\n3,A,31/12/2025,5\n4,A,2025-01-01,\n5,,2025-01-01,x\n",
    )
    (batch,) = land(settings, known)
    assert quarantined(settings, batch) == [
        (2, "type", "amount", "12a"),
        (3, "type", "received_date", "31/12/2025"),
        (4, "required", "amount", None),
        (5, "required", "customer_ref", None),
    ]
    assert [row["source_line"] for row in raw(settings, batch)] == [1]


def test_personal_values_are_in_clear_in_the_vault_only(settings: Settings) -> None:
    """A rejected person's value is a token too, and is in clear in the landing folder only."""
    known = feeds(settings)
    deliver(
        settings,
        "crm/contact_20250101.csv",
        csv_text([("1", "A", "Zhang San", "zhang@example.org", "139", "", ""), ("2", "", "Li Si", "", "", "", "")]),
    )
    (batch,) = land(settings, known)
    assert vault(settings, batch) == {
        ("full_name", TOKEN("Zhang San"), "Zhang San"),
        ("email", TOKEN("zhang@example.org"), "zhang@example.org"),
        ("phone", TOKEN("139"), "139"),
    }
    elsewhere = [
        file
        for folder in (settings.raw, settings.quarantine, settings.scratch)
        for file in folder.rglob("*.parquet")
        if any("Zhang" in str(row) or "Li Si" in str(row) for row in rows("from read_parquet(?)", str(file)))
    ]
    assert elsewhere == []


def test_a_rejected_personal_value_is_a_token_in_quarantine(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    settings.sources.write_text(
        """
start_date: 2025-01-01
sources:
  crm:
    family: crm
    timezone: Asia/Shanghai
    tables:
      account:
        {files: "account_{delivery_date}.csv", format: csv, delivered: daily, columns: {account_id: id,
        account_name: name, account_kind: kind, created_at: at, tax_id: tax}}
""",
        encoding="utf-8",
    )
    deliver(
        settings,
        "crm/account_20250101.csv",
        "id,name,kind,at,tax\n1,Zhang San,person,2025-01-01,T1\n2,Acme,company,2025-01-01,T2\n"
        "3,Wang Wu,robot,2025-01-01,\n",
    )
    (batch,) = land(settings, load_registry(settings.sources).feeds)
    assert [(row["account_name"], row["tax_id"]) for row in raw(settings, batch)] == [
        (TOKEN("Zhang San"), TOKEN("T1")),
        ("Acme", "T2"),
    ]
    assert quarantined(settings, batch) == [(3, "value", "account_kind", "robot")]
    assert {value for _, _, value in vault(settings, batch)} == {"Zhang San", "T1"}


def test_gb18030_text_beyond_the_basic_plane_survives(settings: Settings) -> None:
    known = feeds(settings, "gb18030")
    content = csv_text([("1", "𠮷野家", "", "", "", "😀 Ω 龘", "")]).encode("gb18030")
    assert b"\x95\x34\xb2\x35" in content  # four bytes for 𠮷
    deliver(settings, "crm/contact_20250101.csv", content)
    (batch,) = land(settings, known)
    assert [(row["account_id"], row["role"]) for row in raw(settings, batch)] == [("𠮷野家", "😀 Ω 龘")]


def test_a_byte_order_mark_is_no_part_of_the_first_column(settings: Settings) -> None:
    known = feeds(settings)
    deliver(settings, "crm/contact_20250101.csv", b"\xef\xbb\xbf" + csv_text([("1", "A", "", "", "", "", "")]).encode())
    (batch,) = land(settings, known)
    assert batch.accepted == 1


def test_signs_are_turned_round_and_local_dates_are_taken_before_the_zone(settings: Settings) -> None:
    known = feeds(settings)
    deliver(
        settings,
        "shop/return_20250101.csv",
        "nr,at,qty,net\n1,2025-01-01 00:30:00,3,10.05\n2,2024-12-31 23:59:59,0,0\n3,2025-01-01 08:00:00,-1,1\n",
    )
    (batch,) = land(settings, known)
    assert [
        (str(row["quantity"]), str(row["net_amount"]), str(row["business_date"]), row["returned_at"].isoformat())
        for row in raw(settings, batch)
    ] == [
        ("-3.0000", "-10.0500", "2025-01-01", "2024-12-31T16:30:00+00:00"),
        ("0.0000", "0.0000", "2024-12-31", "2024-12-31T15:59:59+00:00"),
    ]
    assert quarantined(settings, batch) == [(3, "range", "quantity", "-1")]


def test_a_batch_is_known_at_the_end_of_its_day_in_the_zone_of_its_system(settings: Settings) -> None:
    known = feeds(settings)
    deliver(settings, "crm/contact_20250101.csv", csv_text([("1", "A", "", "", "", "", "")]))
    (batch,) = land(settings, known)
    assert batch.known_at.isoformat() == "2025-01-01T16:00:00+00:00"
    assert [row["extracted_at"] for row in raw(settings, batch)] == [batch.known_at]


def test_files_are_in_place_before_the_manifest_says_so_and_a_crash_between_leaves_nothing_visible(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = feeds(settings)
    deliver(
        settings,
        "crm/contact_20250101.csv",
        csv_text([("1", "A", "Zhang", "", "", "", ""), ("2", "", "", "", "", "", "")]),
    )
    in_place: list[bool] = []

    def crash(path: Path, batches: Sequence[Batch]) -> None:
        for batch in batches:
            in_place.append((settings.raw / batch.raw_file).exists())
            in_place.append(bool(quarantined(settings, batch)) and bool(vault(settings, batch)))
        raise OSError("killed between the files and the manifest")

    with monkeypatch.context() as patched:
        patched.setattr(landing, "append_batches", crash)
        with pytest.raises(OSError, match="killed between"):
            land(settings, known)
    assert in_place == [True, True]
    assert read_manifest(settings.manifest) == []
    (batch,) = land(settings, known)
    assert read_manifest(settings.manifest) == [batch]
    assert (batch.accepted, batch.quarantined) == (1, 1)
    assert landing.file_sha256(settings.raw / batch.raw_file) == batch.raw_sha256
    assert len(list((settings.raw / "crm" / "contact").rglob("*.parquet"))) == 1


def test_a_torn_last_manifest_line_is_ignored_and_overwritten(settings: Settings) -> None:
    known = feeds(settings)
    deliver(settings, "crm/contact_20250101.csv", csv_text([("1", "A", "", "", "", "", "")]))
    (first,) = land(settings, known)
    whole = settings.manifest.read_bytes()
    for kept in (1, len(whole) // 2, len(whole) - 1):
        settings.manifest.write_bytes(whole + whole[:kept])
        assert read_manifest(settings.manifest) == [first]
    deliver(settings, "crm/contact_20250102.csv", csv_text([("2", "B", "", "", "", "", "")]))
    (second,) = land(settings, known)
    assert read_manifest(settings.manifest) == [first, second]
    assert settings.manifest.read_bytes().startswith(whole)
    assert settings.manifest.read_bytes().count(b"\n") == 2


def test_nothing_is_left_in_the_scratch_folder(settings: Settings) -> None:
    known = feeds(settings, "gb18030")
    deliver(settings, "crm/contact_20250101.csv", csv_text([("1", "A", "Zhang", "", "", "", "")] * 2).encode("gb18030"))
    deliver(settings, "finance/payment_20250101.csv", "nr,who,day,value\n1,A,2025-01-01,5\n1,A,2025-01-01,6\n")
    assert len(land(settings, known)) == 2
    again = (settings.landing / "crm/contact_20250101.csv").read_bytes()
    deliver(settings, "crm/contact_20250101_at_20250103T000000.csv", again)
    landing.discard(prepare(settings, known))
    assert [file.name for file in settings.scratch.rglob("*") if file.is_file()] == []
