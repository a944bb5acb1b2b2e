"""Promise of every reader and dialect: whatever a file holds, each of its records ends in one place with a reason, or
the file is held with one; never a traceback. 200 files, 2,000 with PROVE=1."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet
import pytest
from installation import PROVE, rows

from orchestration.extract import landing
from orchestration.extract.candidate import Candidate
from orchestration.extract.duckdb_extensions import connect_with_excel
from orchestration.extract.registry import load_registry
from orchestration.settings import Settings

NAMES = ("nr", "who", "day", "value", "code")
RULES = {"broken_line", "required", "type", "value", "range", "key_conflict"}
Record = list[str]

# How each feed is written and described: the options of sources.yml, how names end, and the encoding of its text.
FEEDS = {
    "comma": ("format: csv", "csv", "utf-8"),
    "semicolon": ('format: csv\n        delimiter: ";"\n        decimal: ","\n        thousands: "."', "csv", "utf-8"),
    "unquoted": ('format: csv\n        delimiter: "\\t"\n        quote: ""', "tsv", "utf-8"),
    "chinese": ("format: csv\n        encoding: gb18030", "csv", "gb18030"),
    "wide": ("format: csv\n        encoding: utf-16", "csv", "utf-16"),
    "lines": ("format: jsonl", "jsonl", "utf-8"),
    "table": ("format: parquet", "parquet", ""),
    "workbook": ("format: xlsx", "xlsx", ""),
    "packed": ("format: csv", "csv.gz", "utf-8"),
    "zipped": ("format: jsonl", "jsonl.zip", "utf-8"),
}
FILES = (2_000 if PROVE else 200) // len(FEEDS)
SOURCES = """
start_date: 2025-01-01
sources:
  shop:
    family: finance
    timezone: Asia/Shanghai
    quarantine: {{share: 1.0, records: 0}}
    tables:
      payment:
        files: "p_{{delivery_date}}.{ending}"
        delivered: daily
        {options}
        columns: {{payment_id: nr, customer_ref: who, received_date: day, amount: value, currency: code}}
"""
TEXTS = [
    "",
    " ",
    "NULL",
    '"',
    "'",
    '""',
    "a,b",
    "a;b\tc",
    "a\nb",
    "a\r\nb",
    "a\rb",
    "\\",
    "\x00",
    "张三",
    "𠮷",
    "\ufeff",
]
TEXTS += [
    "nan",
    "1e400",
    "0x10",
    "1_0",
    "1.234,5",
    "-0",
    "١",
    "1e-9",
    "9" * 30,
    "{}",
    "[1]",
    "=1+1",
    "\u2028",
    "\x1a",
    "#",
]
STRAY = ['"', "'", "\n", "\r", "\r\n", "\n\n", "\x00", ",", ";", "\t", "{", "}", "\\", "\ufeff", " ", "x" * 70_000]
HEADERS = ["", "nr", "NR", " who", "source_line", '"', "nr\nwho", "fault", "a" * 300]


def sound_records(random: Random) -> list[Record]:
    count = random.choice([0, 1, 3, 30])
    return [
        [str(number), random.choice(["A", "张三", "B"]), "2025-01-01", f"{random.randint(-99, 9_999)}.25", "CNY"]
        for number in range(count)
    ]


def with_odd_values(records: list[Record], random: Random) -> None:
    for record in random.sample(records, min(3, len(records))):
        record[random.randrange(len(record))] = random.choice(TEXTS)


def with_repeats(records: list[Record], random: Random) -> None:
    records += [list(record) for record in random.sample(records, min(2, len(records)))]


def with_ragged_lines(records: list[Record], random: Random) -> None:
    for record in random.sample(records, min(2, len(records))):
        record[random.randrange(1, 5) :] = [random.choice(TEXTS)] * random.randrange(7)


def with_a_huge_value(records: list[Record], random: Random) -> None:
    for record in records[:1]:
        record[-1] = "huge" * random.choice([10_000, 50_000, 600_000])


RECORD_DAMAGES: list[Callable[[list[Record], Random], None]] = [
    with_odd_values, with_odd_values, with_repeats, with_ragged_lines, with_a_huge_value
]  # fmt: skip


def damaged_text(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    return random.choice(
        [
            text[:place] + random.choice(STRAY) + text[place:],
            text[:place],
            text.replace("\n", "\r\n", random.randrange(3)),
            text.replace("\n", "\r"),
            "\ufeff" + text,
            text.replace("}", random.choice(["", "}}", "," + "[" * 5_000]), 1),
            text.replace("nr", random.choice(HEADERS), 1),
            "",
        ]
    )


def damaged_bytes(content: bytes, random: Random) -> bytes:
    place, length = random.randint(0, len(content)), random.choice([1, 20, 400])
    noise = random.randbytes(length)
    return random.choice(
        [
            content[:place],
            content[:place] + noise + content[place:],
            content[:place] + noise + content[place + length :],
            content + noise,
            content[place:],
            noise,
            b"",
            bytes(length),
        ]
    )


def as_csv(header: Record, records: list[Record], feed: str) -> str:
    text = io.StringIO()
    if feed == "semicolon":
        csv.writer(text, delimiter=";").writerows([header, *records])
        return text.getvalue().replace(".", ",")
    if feed == "unquoted":
        return "\n".join("\t".join(record) for record in (header, *records))
    csv.writer(text, lineterminator="\n").writerows([header, *records])
    return text.getvalue()


def as_json(header: Record, records: list[Record]) -> str:
    def value(text: str, name: str) -> str:
        is_number = name == "value" and text.removeprefix("-").replace(".", "").isdecimal() and text.isascii()
        return text if is_number else json.dumps(text, ensure_ascii=False)

    lines = [
        ", ".join(f"{json.dumps(name)}: {value(text, name)}" for name, text in zip(header, record, strict=False))
        for record in records
    ]
    return "".join(f"{{{line}}}\n" for line in lines)


def as_table(header: Record, records: list[Record], random: Random) -> bytes:
    names = [*header[:1], *NAMES[1:]]
    values = [[record[place] if place < len(record) else None for record in records] for place in range(5)]
    arrays = [pa.array(texts, pa.string()) for texts in values]
    numbers = [float(text or 0) if (text or "0").replace(".", "").isdecimal() else 0.5 for text in values[3]]
    arrays[3] = random.choice([arrays[3], pa.array(numbers), pa.array([int(number % 1e15) for number in numbers])])
    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_arrays(arrays, names), out)
    return out.getvalue()


def as_workbook(header: Record, records: list[Record], folder: Path) -> bytes:
    file = folder / "table.xlsx"
    values = [[*header[:1], *NAMES[1:]], *([*record, "", "", "", "", ""][:5] for record in records)]
    table = pa.table({f"c{place}": [row[place][:30_000] for row in values] for place in range(5)})
    with connect_with_excel(folder / "extensions") as connection:
        connection.register("cells", table)
        connection.execute(f"copy cells to '{file}' (format xlsx, header false)")
    return file.read_bytes()


def content_of(feed: str, random: Random, folder: Path) -> bytes:
    """A file of the feed with up to three damages: in its records, its text, its bytes, its packing."""
    _, ending, encoding = FEEDS[feed]
    records = sound_records(random)
    header = [random.choice(HEADERS) if random.random() < 0.1 else NAMES[0], *NAMES[1:]]
    for damage in random.sample(RECORD_DAMAGES, random.randrange(3)):
        damage(records, random)
    if encoding:
        text = as_json(header, records) if "jsonl" in ending else as_csv(header, records, feed)
        text = damaged_text(text, random) if random.random() < 0.5 else text
        wrong = random.random() < 0.05
        content = text.encode(random.choice(["utf-8", "gb18030", "utf-16-le"]) if wrong else encoding, "replace")
    elif ending == "parquet":
        content = as_table(header, records, random)
    else:
        content = as_workbook(header, records, folder)
    content = damaged_bytes(content, random) if random.random() < 0.3 else content
    if ending.endswith(".gz"):
        content = gzip.compress(content)
    elif ending.endswith(".zip"):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("p", content)
        content = packed.getvalue()
    is_packed = ending.endswith((".gz", ".zip"))
    return damaged_bytes(content, random) if is_packed and random.random() < 0.3 else content


@pytest.mark.parametrize("feed", FEEDS)
def test_every_record_of_any_file_ends_in_one_place_or_the_file_is_held_with_a_plain_reason(
    settings: Settings, feed: str, tmp_path: Path
) -> None:
    options, ending, _ = FEEDS[feed]
    settings.home.mkdir(parents=True)
    settings.sources.write_text(SOURCES.format(options=options, ending=ending), encoding="utf-8")
    folder = settings.landing / "shop"
    folder.mkdir(parents=True)
    for seed in range(FILES):
        day = date(2025, 1, 1) + timedelta(days=seed)
        content = content_of(feed, Random(f"{feed} {seed}"), tmp_path)
        (folder / f"p_{day:%Y%m%d}.{ending}").write_bytes(content)
    feeds = load_registry(settings.sources).feeds
    candidates = landing.prepare(settings, landing.pending_deliveries(settings, feeds, date.max))
    assert len(candidates) == FILES
    for candidate in candidates:
        check_fate(candidate)
    assert {item.held is None for item in candidates} == {True, False}
    assert any(item.quarantined for item in candidates) or not PROVE
    landing.commit(settings, [item for item in candidates if item.held is None], decided_until=None)
    assert [file.name for file in settings.scratch.rglob("*") if file.is_file()] == []


def check_fate(candidate: Candidate) -> None:
    """The file is held with one line that begins with its name, or each of its records is in one place."""
    name = candidate.delivery.file.name
    if candidate.held is not None:
        assert candidate.held.startswith((f"{name}: ", "shop.payment")), candidate.held
        assert "\n" not in candidate.held
        assert len(candidate.held) < 500, f"{name} {candidate.held[:500]}"
        assert not candidate.held.lower().startswith((f"{name}: internal", f"{name}: binder")), candidate.held
        return
    assert candidate.records == candidate.accepted + candidate.duplicates + candidate.quarantined, name
    accepted = rows("select source_line from read_parquet(?)", str(candidate.data_file)) if candidate.data_file else []
    assert len(accepted) == candidate.accepted
    rejected = []
    if candidate.quarantine_file:
        rejected = rows("select source_line, rule from read_parquet(?)", str(candidate.quarantine_file))
    assert len(rejected) == candidate.quarantined
    assert {rule for _, rule in rejected} <= RULES
    lines = [line for line, *_ in (*accepted, *rejected)]
    assert len(set(lines)) == len(lines)
    assert all(1 <= line <= candidate.records for line in lines)
