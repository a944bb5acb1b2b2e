"""Plants what real systems do wrong into the delivered files, and tells of each fault what must find it.

The company's own records stay as they are, in their places; planted ones stand after them. A file that cannot be
read is sent again by its system in the same evening, so that no run is held up.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import duckdb

from orchestration.demo.deliver import CSV_ENCODINGS, WRITTEN_AS, Deliveries
from orchestration.demo.faults import Customer, Fault, Fields, Record, planted_records, restated_lines

# Local times of extraction, as file names tell them.
EVENING, LATE_EVENING, MORNING = "T200000", "T213000", "T090000"
UNREAD = "every_delivered_file_can_be_read"


@dataclass(frozen=True)
class Planted:
    """One fault. ``source_line``: record number in the file, the header not counted; None where the file is at fault.

    ``record`` is the record's number in its system; ``found_as`` as in faults.Fault.
    """

    kind: str
    source: str
    entity: str
    file: str
    source_line: int | None
    column: str | None
    record: str | None
    found_as: str


def plant_faults(connection: duckdb.DuckDBPyConnection, deliveries: Deliveries, landing: Path, told: Path) -> int:
    """Plant every kind of fault and write one line for each to ``told``; returns how many files came to be."""
    first, second, third = days = deliveries.faulty_days
    customer = _customer(connection, deliveries.initial)
    files = _Files(connection, landing)
    records = sorted(planted_records(days, customer), key=lambda record: (record.feed, record.day))
    for (feed, day), of_one_file in groupby(records, key=lambda record: (record.feed, record.day)):
        files.append(files.of(feed, day), list(of_one_file))
    files.restate(third, deliveries.last)
    files.send_again("sales.order", first, second)
    files.send_again("crm.opportunity", third, deliveries.last)
    files.copy_by_hand("sales.order_line", first)
    files.send_late("crm.activity", second, second + timedelta(days=2))
    files.send_in_utf8("crm.account", third)
    files.rename_column("finance.credit_note", second, "amount", "note_amount")
    files.add_column("sales.customer", second, "loyalty_card")
    lines = (json.dumps(asdict(planted), ensure_ascii=False) + "\n" for planted in files.planted)
    told.write_text("".join(lines), encoding="utf-8")
    return files.added


def _customer(connection: duckdb.DuckDBPyConnection, known_on: date) -> Customer:
    query = """select crm_code(p), sales_code(p), debtor_code(p) from party
        where in_crm and in_sales and in_finance and kind = 'company' and currency = 'CNY' and sales_on <= ?
        order by p limit 1"""
    ((crm, sales, finance),) = connection.execute(query, [known_on]).fetchall()
    return Customer(crm, sales, finance)


class _Files:
    """The delivered files while faults are planted into them; ``added`` counts those that were not there before."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, landing: Path) -> None:
        self.connection = connection
        self.landing = landing
        self.planted: list[Planted] = []
        self.added = 0

    def of(self, feed: str, day: date) -> Path:
        """The file as it is named when it comes in time."""
        source, entity = feed.split(".")
        (file,) = (self.landing / source).glob(f"{entity}_{day:%Y%m%d}.*")
        return file

    def append(self, file: Path, records: Sequence[Record]) -> None:
        add = self._append_to_text if file.suffix == ".csv" else self._append_to_table
        for line, record in enumerate(records, start=add(file, [record.fields for record in records])):
            if record.fault is not None:
                self._tell(file, record.fault, line, record.number)

    def restate(self, day: date, corrected_on: date) -> None:
        """The lines of a day are sent with an amount too high and a line too many, and later as they were meant."""
        first = self.of("sales.order_line", day)
        corrected = self._again(first, corrected_on, MORNING)
        sent, meant = restated_lines(day)
        self.append(first, sent)
        self.append(corrected, meant)
        self._tell(corrected, Fault("restated_delivery", "no_delivery_is_restated"))

    def send_again(self, feed: str, day: date, next_day: date) -> None:
        again = self._again(self.of(feed, day), next_day, MORNING)
        self._tell(again, Fault("delivered_twice", "no_file_is_delivered_twice"))

    def copy_by_hand(self, feed: str, day: date) -> None:
        file = self.of(feed, day)
        copy = file.with_stem(f"{file.stem} (1)")
        shutil.copyfile(file, copy)
        self.added += 1
        self._tell(copy, Fault("unexpected_name", "every_file_is_expected"))

    def send_late(self, feed: str, day: date, sent_on: date) -> None:
        file = self.of(feed, day)
        late = file.replace(_extracted(file, sent_on, MORNING))
        self._tell(late, Fault("late_delivery", "no_delivery_is_late"))

    def send_in_utf8(self, feed: str, day: date) -> None:
        file = self.of(feed, day)
        self._mend_later(file, day, file.read_bytes().decode(_encoding(file)).encode(), Fault("wrong_encoding", UNREAD))

    def rename_column(self, feed: str, day: date, name: str, new_name: str) -> None:
        file = self.of(feed, day)
        header, _, rows = file.read_bytes().decode(_encoding(file)).partition("\n")
        names = [new_name if column == name else column for column in header.split(",")]
        renamed = "\n".join((",".join(names), rows)).encode(_encoding(file))
        self._mend_later(file, day, renamed, Fault("column_renamed", UNREAD, name))

    def add_column(self, feed: str, day: date, name: str) -> None:
        file = self.of(feed, day)
        self.connection.execute(f"create or replace temp table widened as select *, 'none' as {name} from '{file}'")
        self.connection.execute(f"copy widened to '{file}' ({WRITTEN_AS['parquet']})")
        self._tell(file, Fault("column_added", "no_column_is_unknown", name))

    def _again(self, file: Path, day: date, time: str) -> Path:
        again = _extracted(file, day, time)
        shutil.copyfile(file, again)
        self.added += 1
        return again

    def _mend_later(self, file: Path, day: date, unreadable: bytes, fault: Fault) -> None:
        """The file is sent so that it cannot be read; an hour and a half later it comes as it should be."""
        first = self._again(file, day, EVENING)
        first.write_bytes(unreadable)
        file.replace(_extracted(file, day, LATE_EVENING))
        self._tell(first, fault)

    def _append_to_text(self, file: Path, records: Sequence[Fields]) -> int:
        """Append to a CSV file; returns the source line of the first."""
        encoding = _encoding(file)
        lines = file.read_bytes().decode(encoding).splitlines()
        header = lines[0].split(",")
        with file.open("a", encoding=encoding, newline="") as text:
            csv.writer(text, lineterminator="\n").writerows(
                [record.get(name, "") for name in header] if isinstance(record, Mapping) else record
                for record in records
            )
        return len(lines)

    def _append_to_table(self, file: Path, records: Sequence[Fields]) -> int:
        """Append to a Parquet or XLSX file, in the types it has; returns the source line of the first."""
        form = file.suffix.removeprefix(".")
        reader = {
            "parquet": f"read_parquet('{file}')",
            "xlsx": f"read_xlsx('{file}', header = true, all_varchar = true)",
        }
        self.connection.execute(f"create or replace temp table appended as from {reader[form]}")
        ((line,),) = self.connection.execute("select count(*) + 1 from appended").fetchall()
        for record in (record for record in records if isinstance(record, Mapping)):
            places = ", ".join("nullif(?, '')" for _ in record)
            into = f"insert into appended ({', '.join(record)}) values ({places})"
            self.connection.execute(into, list(record.values()))
        self.connection.execute(f"copy appended to '{file}' ({WRITTEN_AS[form]})")
        return int(line)

    def _tell(self, file: Path, fault: Fault, line: int | None = None, record: str | None = None) -> None:
        entity = file.stem.partition("_20")[0]
        self.planted.append(
            Planted(fault.kind, file.parent.name, entity, file.name, line, fault.column, record, fault.found_as)
        )


def _extracted(file: Path, day: date, time: str) -> Path:
    """The name of the same delivery when it was taken from its system at that time."""
    return file.with_stem(f"{file.stem}_at_{day:%Y%m%d}{time}")


def _encoding(file: Path) -> str:
    return CSV_ENCODINGS[file.parent.name]
