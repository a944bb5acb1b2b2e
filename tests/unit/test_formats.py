"""Promises of the readers: a table reads the same in every format, dialect and packing, and no file reads too much."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from installation import rows

from orchestration.extract import landing, readers
from orchestration.extract.candidate import Candidate
from orchestration.extract.dialect import Dialect
from orchestration.extract.duckdb_extensions import connect_with_excel
from orchestration.extract.json_lines import flat_record
from orchestration.extract.manifest import Batch
from orchestration.extract.registry import SourcesError, load_registry
from orchestration.settings import Settings

SOURCES = """
start_date: 2025-01-01
sources:
  shop:
    family: finance
    timezone: Asia/Shanghai
    quarantine: {{share: 0.9, records: 20}}
    tables:
      payment:
        files: "{file}"
        delivered: daily
        {options}
        columns: {{payment_id: nr, customer_ref: {who}, received_date: day, amount: {{column: {value}, sign: keep}},
          currency: code}}
"""
NAMES = ("nr", "who", "day", "value", "code")
PAYMENTS = (
    ("01", "A; B", "2025-01-01", "1234.5", "CNY"),
    ("02", "张三", "2025-01-01", "-0.00005", "cny"),
    ("03", "x,y", "2025-01-02", "7", "USD"),
)
AMOUNTS = {"CNY": Decimal("1234.4999"), "USD": Decimal("7.0000")}


def settings_with(
    settings: Settings, options: str, file: str = "p_{delivery_date}.txt", who: str = "who", value: str = "value"
) -> Settings:
    settings.home.mkdir(parents=True, exist_ok=True)
    text = SOURCES.format(options=options, file=file, who=who, value=value)
    settings.sources.write_text(text, encoding="utf-8")
    return settings


def prepare(settings: Settings, name: str, content: bytes) -> Candidate:
    file = settings.landing / "shop" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    feeds = load_registry(settings.sources).feeds
    (candidate,) = landing.prepare(settings, landing.pending_deliveries(settings, feeds, date.max))
    assert not list(settings.scratch.glob("*.copies"))
    return candidate


def land(settings: Settings, name: str, content: bytes) -> Batch:
    candidate = prepare(settings, name, content)
    assert candidate.held is None
    (batch,) = landing.commit(settings, [candidate], decided_until=None)
    return batch


def landed(settings: Settings, batch: Batch) -> list[tuple[Any, ...]]:
    query = "select payment_id, customer_ref, received_date, amount, currency from read_parquet(?) order by source_line"
    return rows(query, str(settings.raw / str(batch.raw_file)))


def quarantined(settings: Settings, batch: Batch) -> list[tuple[Any, ...]]:
    file = settings.quarantine / batch.family / batch.entity / f"{batch.batch_id}.parquet"
    return rows("select source_line, rule, column_name, raw_text from read_parquet(?) order by 1", str(file))


def delimited(delimiter: str = ",", quote: str = '"', decimal: str = ".", group: str = "", end: str = "\n") -> str:
    def amount(text: str) -> str:
        whole, point, cents = text.partition(".")
        grouped = f"{int(whole):,}".replace(",", group) if whole not in ("-0",) else whole
        return grouped + (decimal + cents if point else "")

    lines = [NAMES, *((nr, who, day, amount(value), code) for nr, who, day, value, code in PAYMENTS)]
    return end.join(delimiter.join(f"{quote}{value}{quote}" for value in line) for line in lines) + end


DIALECTS = {
    "comma": ("format: csv", delimited(), "utf-8"),
    "byte order mark": ("format: csv", delimited(), "utf-8-sig"),
    "semicolon, decimal comma": (
        'format: csv, delimiter: ";", decimal: ",", thousands: "."', delimited(";", decimal=",", group="."), "utf-8"),
    "single quotes": ("format: csv, quote: \"'\"", delimited(quote="'"), "utf-8"),
    "no quotes, a bar": ('format: csv, delimiter: "|", quote: ""', delimited("|", ""), "utf-8"),
    "a tabulator": ('format: csv, delimiter: "\\t", thousands: "\u00a0"', delimited("\t", group="\u00a0"), "utf-8"),
    "GB 18030": ("format: csv, encoding: gb18030", delimited(), "gb18030"),
    "UTF-16 with a mark": ("format: csv, encoding: utf-16", delimited(), "utf-16"),
    "UTF-16 without one": ("format: csv, encoding: utf-16-le", delimited(), "utf-16-le"),
    "line ends of another system": ("format: csv", delimited(end="\r\n"), "utf-8"),
    "mixed line ends": ("format: csv", delimited().replace("\n", "\r\n", 2), "utf-8"),
    "old line ends": ("format: csv", delimited(end="\r"), "utf-8"),
    "no last line end": ("format: csv", delimited().rstrip("\n"), "utf-8"),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_table_reads_the_same_in_every_dialect(settings: Settings, dialect: str) -> None:
    options, text, encoding = DIALECTS[dialect]
    settings_with(settings, options.replace(", ", "\n        "))
    check_payments(settings, land(settings, "p_20250101.txt", text.encode(encoding)))


def check_payments(settings: Settings, batch: Batch) -> None:
    """What landed are PAYMENTS, and the control amounts are theirs, whoever counted them."""
    assert landed(settings, batch) == [
        (nr, who, date.fromisoformat(day), Decimal(value).quantize(Decimal("0.0001"), "ROUND_HALF_UP"), code.upper())
        for nr, who, day, value, code in PAYMENTS
    ]
    assert {part.currency: (part.delivered, part.accepted) for part in batch.amounts} == {
        code: (amount, amount) for code, amount in AMOUNTS.items()
    }
    assert (batch.records, batch.accepted) == (3, 3)


JSON_LINES = "\n".join(
    f'{{"nr": "{nr}", "payer": {{"name": "{who}"}}, "day": "{day}", "sum": {{"value": {value}, "in": "{code}"}},'
    f' "tags": [1.10, {{"a": null}}]}}'
    for nr, who, day, value, code in PAYMENTS
)


@pytest.mark.parametrize("packing", ["plain", "gz", "zip"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_table_reads_the_same_in_every_format_and_packing(
    settings: Settings, tmp_path: Path, form: str, packing: str
) -> None:
    ending = form if packing == "plain" else f"{form}.{packing}"
    settings_with(settings, f"format: {form}", f"p_{{delivery_date}}.{ending}")
    file = tmp_path / f"table.{form}"
    if form == "csv":
        file.write_text(delimited(), encoding="utf-8")
    elif form == "jsonl":
        settings_with(settings, "format: jsonl", f"p_{{delivery_date}}.{ending}", "payer.name", "sum.value")
        settings.sources.write_text(settings.sources.read_text("utf-8").replace("currency: code", "currency: sum.in"))
        file.write_text(JSON_LINES, encoding="utf-8")
    else:
        values = ", ".join(str(payment) for payment in PAYMENTS)
        options = "" if form == "parquet" else ", header true"
        with connect_with_excel(tmp_path / "extensions") as connection:
            table = f"(values {values}) as p ({', '.join(NAMES)})"
            connection.execute(f"copy (from {table}) to '{file}' (format {form}{options})")
    content = file.read_bytes()
    if packing == "gz":
        content = gzip.compress(content)
    elif packing == "zip":
        content = zipped({f"p.{form}": content})
    batch = land(settings, f"p_20250101.{ending}", content)
    check_payments(settings, batch)
    assert batch.unknown_columns == (("tags",) if form == "jsonl" else ())


MANY = 300_000


@pytest.mark.parametrize("form", ["csv", "csv with a broken record", "parquet"])
def test_records_of_a_large_file_have_their_numbers_in_it_on_several_threads(settings: Settings, form: str) -> None:
    """A column may be called as DuckDB calls the number of a table's row."""
    settings_with(settings, f"format: {form.split(maxsplit=1)[0]}", who="rowid")
    numbers = range(1, MANY + 1)
    columns = {
        "nr": [str(nth) for nth in numbers],
        "rowid": [f"N{MANY - nth:0>20}" for nth in numbers],
        "day": ["2025-01-01"] * MANY,
        "value": ["no number" if nth == 100_001 else "7.25" for nth in numbers],
        "code": ["CNY"] * MANY,
        "unread": ["张" * 8] * MANY,
    }
    buffer = io.BytesIO()
    if form == "parquet":
        pyarrow.parquet.write_table(pa.table(columns), buffer, compression=None, use_dictionary=False)
    else:
        lines = [",".join(columns), *(",".join(record) for record in zip(*columns.values(), strict=True))]
        lines[200_000] = "broken" if "broken" in form else lines[200_000]
        buffer.write("\n".join(lines).encode())
    assert len(buffer.getvalue()) > 2 * readers.PARALLEL_BYTES
    batch = land(settings, "p_20250101.txt", buffer.getvalue())
    raw = f"read_parquet('{settings.raw / str(batch.raw_file)}')"
    reference = f"'N' || lpad(cast({MANY} - source_line as varchar), 20, '0')"
    in_order = f"""
        select payment_id = cast(source_line as varchar) and customer_ref = {reference}
            and source_line > lag(source_line, 1, 0) over (order by file_row_number) as is_right
        from {raw}"""
    assert rows(f"select count(*), bool_and(is_right) from ({in_order})") == [(batch.accepted, True)]
    broken = [(200_000, "broken_line", None, "broken")] if "broken" in form else []
    assert quarantined(settings, batch) == [(100_001, "type", "amount", "no number"), *broken]
    assert batch.accepted == MANY - 1 - len(broken)


def test_a_file_larger_than_the_memory_spills_within_the_home_and_leaves_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".tmp").write_text("in the way of DuckDB's own choice")
    limited = replace(settings_with(settings, "format: csv"), memory_limit="100MB")
    lines = "".join(f"{nth},{hashlib.sha256(b'%d' % nth).hexdigest()},2025-01-01,7,CNY\n" for nth in range(MANY))
    candidate = prepare(limited, "p_20250101.txt", f"{','.join(NAMES)}\n{lines}".encode())
    assert (candidate.held, candidate.accepted) == (None, MANY)
    landing.discard([candidate])
    assert not [file for file in limited.scratch.rglob("*") if file.is_file()]


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_a_number_in_json_keeps_every_digit_and_an_array_stays_json() -> None:
    line = (
        '{"a": {"b": 12345678901234.56789, "c": {"d": -1.10}}, "e": [1.10, "x\\"", {"f": [true]}], "g": {}, "h": null}'
    )
    assert flat_record(line) == {
        "a.b": "12345678901234.56789",
        "a.c.d": "-1.10",
        "e": '[1.10, "x\\"", {"f": [true]}]',
        "h": None,
    }


@pytest.mark.parametrize(
    "line", ["", "[1]", "7", "{", '{"a": 1, "a": 2}', '{"a.b": 1, "a": {"b": 2}}', '{"a": "\\ud800"}', "[" * 9_999]
)
def test_a_line_that_is_no_json_object_or_says_a_thing_twice_is_no_record(line: str) -> None:
    assert flat_record(line) is None


def test_a_broken_line_of_json_is_quarantined_with_its_number_and_the_rest_lands(settings: Settings) -> None:
    settings_with(settings, "format: jsonl", "p_{delivery_date}.jsonl")
    lines = [
        '{"nr": 1, "who": "A", "day": "2025-01-01", "value": "1,5", "code": "CNY"}', "",
        '{"nr": 2, "who": "A", "day": "2025-01-01", "value": 12345678901234.5678, "code": "CNY"}',
        '{"nr": 3, "who": "A"', '{"nr": 4, "who": "A", "day": "2025-01-01", "code": "CNY"}',
    ]  # fmt: skip
    batch = land(settings, "p_20250101.jsonl", "\r\n".join(lines).encode())
    assert [(row[0], row[3]) for row in landed(settings, batch)] == [("2", Decimal("12345678901234.5678"))]
    assert quarantined(settings, batch) == [
        (1, "type", "amount", "1,5"),
        (3, "broken_line", None, '{"nr": 3, "who": "A"'),
        (4, "required", "amount", None),
    ]
    assert (batch.records, batch.accepted, batch.quarantined) == (4, 1, 3)


def test_numbers_are_those_of_the_dialect_and_no_others(settings: Settings) -> None:
    settings_with(settings, 'format: csv\n        decimal: ","\n        thousands: "."')
    values = ["1.234,5", "1234,5", "1.23", "12,3,4", "1,234.5", "-1.234.567", ",5", "12.3456", ""]
    lines = [f'{number},A,2025-01-01,"{value}",CNY' for number, value in enumerate(values, start=1)]
    batch = land(settings, "p_20250101.txt", "\n".join([",".join(NAMES), *lines]).encode())
    assert [row[3] for row in landed(settings, batch)] == [
        Decimal("1234.5"), Decimal("1234.5"), Decimal("-1234567"), Decimal("0.5")
    ]  # fmt: skip
    assert quarantined(settings, batch) == [
        (number, "type" if values[number - 1] else "required", "amount", values[number - 1] or None)
        for number in (3, 4, 5, 8, 9)
    ]


NUMBERISH = st.from_regex(r"[-+ ]?[0-9_.,]{0,20}([eE][-+]?[0-9_]{1,3})?[ \t\x0b]?", fullmatch=True) | st.sampled_from(
    ["99999999999999.99995", "1_000", "0x1F", "1e14", "NaN", "inf", "5\xa0", "-.5", "0.00004999999999999999999999", "-"]
)


@given(values=st.lists(NUMBERISH, max_size=20), options=st.sampled_from(["", 'thousands: ","', 'decimal: ","']))
def test_both_readers_take_the_same_texts_for_the_same_numbers(
    tmp_path_factory: pytest.TempPathFactory, values: list[str], options: str
) -> None:
    settings = Settings(home=tmp_path_factory.mktemp("home"), environment="test", pseudonym_key="key")
    settings_with(settings, f"format: csv\n        delimiter: ';'\n        {options}")
    settings.sources.write_text(settings.sources.read_text("utf-8").replace("records: 20", "records: 99"))
    lines = [f"{number};A;2025-01-01;{value};CNY" for number, value in enumerate(values)]
    assert prepare(settings, "p_20250101.txt", "\n".join([";".join(NAMES), *lines]).encode()).held is None


@given(values=st.lists(st.floats(), max_size=20))
def test_both_readers_take_a_binary_fraction_for_the_same_amount(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    settings = Settings(home=tmp_path_factory.mktemp("home"), environment="test", pseudonym_key="key")
    settings_with(settings, "format: parquet")
    settings.sources.write_text(settings.sources.read_text("utf-8").replace("records: 20", "records: 99"))
    same = {name: ["2025-01-01"] * len(values) for name in ("who", "day", "code")}
    table = pa.table(same | {"nr": list(range(len(values))), "value": pa.array(values, pa.float64())})
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    assert prepare(settings, "p_20250101.txt", out.getvalue()).held is None


def encrypted(archive: bytes) -> bytes:
    """The archive as if its one member had a password: a bit in the member's header and one in the directory."""
    flags = (6, archive.index(b"PK\x01\x02") + 8)
    return bytes(byte | 1 if place in flags else byte for place, byte in enumerate(archive))


BOMB = gzip.compress(b"nr,who,day,value,code\n" + b"0" * (30 << 20))
DAMAGED = {
    "a bomb of digits": ("csv.gz", BOMB, r"unpacks to more than 200 times its \d+ bytes.*TIERING_UNPACKED_RATIO"),
    "more than is allowed": ("csv.gz", BOMB, r"unpacks to more than 3 MiB.*TIERING_UNPACKED_MIB"),
    "a half-written gzip": ("csv.gz", gzip.compress(bytes(range(256)) * 99)[:-20], "cannot be unpacked as gz"),
    "no gzip": ("csv.gz", b"nr,who", "cannot be unpacked as gz"),
    "no zip": ("csv.zip", b"nr,who", "cannot be unpacked as zip"),
    "two files in a zip": ("csv.zip", zipped({"a": b"1", "b": b"2"}), r"the zip holds \['a', 'b'\], expected one file"),
    "no file in a zip": ("csv.zip", zipped({}), r"the zip holds \[\], expected one file"),
    "a zip with a password": ("csv.zip", encrypted(zipped({"a": b"1"})), "holds a encrypted or packed in a rare way"),
    "a zip of bzip2": ("csv.zip", zipped({"a": b"1"}, zipfile.ZIP_BZIP2), "expected it deflated or stored"),
    "a zip of lzma": ("csv.zip", zipped({"a": b"1"}, zipfile.ZIP_LZMA), "expected it deflated or stored"),
    "a path in a zip": ("csv.zip", zipped({"../../evil": b"1"}), r"the zip holds \['../../evil'\], expected"),
    "a bomb of a workbook": ("xlsx", zipped({"xl/a.xml": b"0" * (30 << 20)}), "unpacks to more than 200 times"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_packed_file_that_is_damaged_or_too_large_is_held_and_leaves_nothing(settings: Settings, damage: str) -> None:
    ending, content, says = DAMAGED[damage]
    limited = replace(settings, unpacked_mib=3 if "3 MiB" in says else 10_240)
    settings_with(limited, f"format: {ending.split('.')[0]}", f"p_{{delivery_date}}.{ending}")
    held = prepare(limited, f"p_20250101.{ending}", content)
    assert held.held is not None
    assert re.search(says, held.held), held.held
    assert not [file for file in limited.scratch.rglob("*") if file.is_file()]


def test_a_text_without_line_ends_is_held_before_it_fills_the_memory(settings: Settings) -> None:
    for form in ("csv", "jsonl"):
        settings_with(settings, f"format: {form}")
        held = prepare(settings, "p_20250101.txt", b"7" * (5 << 20))
        assert "line 1 is longer than 2097152 characters" in str(held.held)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("nr,NR,who,day,value,code", r"header names \['NR', 'nr'\] more than once"),
        ("nr,source_line,who,day,value,code", "header names source_line.*expected another name"),
    ],
)
def test_a_header_that_sql_cannot_tell_apart_is_held(settings: Settings, header: str, says: str) -> None:
    settings_with(settings, "format: csv")
    assert re.search(says, str(prepare(settings, "p_20250101.txt", f"{header}\n".encode()).held))


def test_a_column_without_a_name_is_called_after_its_place(settings: Settings) -> None:
    settings_with(settings, "format: csv")
    batch = land(settings, "p_20250101.txt", b"nr,,who,day,value,code,\n1,x,A,2025-01-01,5,CNY,\n")
    assert (batch.accepted, batch.unknown_columns) == (1, ("column_2", "column_7"))


@pytest.mark.parametrize("points_to", ["file outside", "folder outside", "nothing"])
def test_a_link_out_of_the_landing_folder_is_unexpected_and_not_read(
    settings: Settings, tmp_path: Path, points_to: str
) -> None:
    settings_with(settings, "format: csv")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text(delimited(), encoding="utf-8")
    links: dict[str, Callable[[], Path]] = {
        "file outside": lambda: outside / "secret",
        "folder outside": lambda: outside,
        "nothing": lambda: outside / "absent",
    }
    folder = settings.landing / "shop"
    folder.mkdir(parents=True)
    (folder / "p_20250101.txt").symlink_to(links[points_to]())
    (folder / "stored").write_text(delimited(), encoding="utf-8")
    (folder / "p_20250102.txt").symlink_to(folder / "stored")
    feeds = load_registry(settings.sources).feeds
    assert [item.file.name for item in landing.pending_deliveries(settings, feeds, date.max)] == ["p_20250102.txt"]
    assert landing.unexpected_files(settings, feeds, feeds) == ["shop/p_20250101.txt", "shop/stored"]


MISTAKES = {
    'format: csv; delimiter: ";;"': "delimiter is ';;', expected one character",
    "format: csv; delimiter: a": "delimiter is 'a', expected one character",
    'format: csv; delimiter: "\\n"': "delimiter is '\\n', expected one character",
    "format: csv; quote: x": "quote is 'x', expected",
    "format: csv; quote: '|'; delimiter: '|'": "quote is '|', expected",
    'format: csv; decimal: "٫"': "decimal is '٫', expected . or ,",
    'format: csv; decimal: ","; thousands: ","': "thousands and decimal are both ',', expected two",
    "format: csv; thousands: 0": "thousands is '0', expected one of",
    "format: csv; encoding: base64": "encoding is 'base64', expected one like utf-8",
    "format: csv; encoding: utf-99": "encoding is 'utf-99', expected one like utf-8",
    'format: parquet; delimiter: ";"': "['delimiter'] are given for parquet, expected only for csv",
    'format: jsonl; decimal: ","': "['decimal'] are given for jsonl, expected only for csv",
}


@pytest.mark.parametrize("options", MISTAKES)
def test_a_wrong_option_is_told_with_its_place_what_it_is_and_what_was_expected(
    settings: Settings, options: str
) -> None:
    settings_with(settings, "\n        ".join(options.split("; ")))
    with pytest.raises(SourcesError) as told:
        load_registry(settings.sources)
    assert f"shop.payment: {MISTAKES[options]}" in str(told.value)


def test_a_system_must_have_the_name_of_a_folder(settings: Settings) -> None:
    settings_with(settings, "format: csv")
    text = settings.sources.read_text("utf-8").replace("  shop:", '  "../elsewhere":')
    settings.sources.write_text(text, encoding="utf-8")
    with pytest.raises(SourcesError, match=r"the system is '\.\./elsewhere', expected the name of a folder"):
        load_registry(settings.sources)


def test_a_dialect_is_that_of_plain_csv_where_nothing_is_said() -> None:
    assert Dialect.of("csv", {}) == Dialect("utf-8", ",", '"', ".", "")
