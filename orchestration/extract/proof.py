"""What a file must prove before its rows are taken: nothing is lost, and not too much is set aside."""

from __future__ import annotations

from collections.abc import Sequence

from orchestration.extract.contract import Tolerance
from orchestration.extract.manifest import Amounts
from orchestration.extract.physical import HeldFile


def prove(tolerance: Tolerance, records: int, places: Sequence[int], amounts: Sequence[Amounts]) -> None:
    """Raise HeldFile unless each record that another reader counts, and each amount it sums, went to exactly one place,
    and not more are set aside than the source may have.

    ``places``: how many records are accepted, duplicates, quarantined and filtered.
    """
    if records != sum(places):
        accepted, duplicates, quarantined, filtered = places
        raise HeldFile(
            f"{records} records are in the file, but {accepted} accepted + {duplicates} duplicates + {quarantined} "
            f"quarantined + {filtered} filtered were read; a workbook must not have empty rows between others"
        )
    for part in amounts:
        if part.delivered != part.accepted + part.duplicates + part.quarantined + part.filtered:
            raise HeldFile(f"the amounts read in {part.currency} are not those in the file: {part}")
    quarantined = places[2]
    if not tolerance.bears(quarantined, records):
        raise HeldFile(
            f"{quarantined} of {records} records break a rule, more than {tolerance.share:.0%} and "
            f"{tolerance.records}; mend the map or ask for the file again"
        )
