"""One page with every check behind a release: self-contained, offline, the same bytes for the same verdicts.

``render_quality`` turns verdicts into HTML; ``write_quality_page`` gathers what it shows. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Template

from data_quality.verdicts import Verdict
from data_quality.waivers import Waiver, load_waivers
from orchestration.extract.manifest import read_manifest
from orchestration.release.catalogue import read_release
from orchestration.release.publications import releases
from orchestration.release.report_format import page_templates
from orchestration.settings import Settings

QUALITY_PAGE = "quality.html"
STATUSES = ("error", "fail", "warn", "waived", "pass")
# Presentation only: how far back the history goes, and how many files of one check are named.
RELEASES_SHOWN = 10
FILES_SHOWN = 5
# Owner → its name in Chinese and the question it answers.
OWNERS = {
    "landing": ("入库检查", "could every file be read, once, in time, with its columns?"),
    "great_expectations": ("质量套件", "may this delivery enter, and does this mart look like the last one?"),
    "dbt": ("数据测试", "keys, relationships, accepted values and accounting identities"),
    "reconciliation": ("对账", "do totals agree by two paths, from the files to the marts?"),
    "waivers": ("豁免", "does every waiver still hold?"),
}


@dataclass(frozen=True)
class PastRelease:
    """How the checks of a release ended: status → how many."""

    release_id: str
    as_of_date: str
    counts: Mapping[str, int]


def write_quality_page(
    settings: Settings,
    folder: Path,
    manifest: Mapping[str, Any],
    verdicts: Sequence[Verdict],
) -> None:
    """Write the page of a release that is being made into its ``folder``."""
    files = {batch.batch_id: batch.file for batch in read_manifest(settings.manifest)}
    page = render_quality(manifest, verdicts, files, load_waivers(settings.waivers), _published(settings))
    (folder / QUALITY_PAGE).write_text(page, encoding="utf-8")


def render_quality(
    manifest: Mapping[str, Any],
    verdicts: Sequence[Verdict],
    files: Mapping[str, str],
    waivers: Sequence[Waiver],
    before: Sequence[PastRelease],
) -> str:
    """The page as HTML. ``files``: the file of each batch; ``before``: releases before this one, newest first."""
    as_of_date = date.fromisoformat(manifest["as_of_date"])
    checks = [_check(verdict, files) for verdict in verdicts]
    counts = _counted(check["status"] for check in checks)
    this = PastRelease(manifest["release_id"], manifest["as_of_date"], counts)
    others = [past for past in before if past.release_id != this.release_id]
    return _template().render(
        release=manifest,
        checks=checks,
        counts=counts,
        open=[check for check in sorted(checks, key=_worst_first) if check["status"] != "pass"],
        waivers=[{"row": waiver, "state": _state(waiver, as_of_date)} for waiver in waivers],
        history=[this, *others][:RELEASES_SHOWN],
        owners=[_owner(name, checks) for name in OWNERS if any(check["owner"] == name for check in checks)],
        statuses=STATUSES,
        files_shown=FILES_SHOWN,
    )


@cache
def _template() -> Template:
    return page_templates(Path(__file__).parent).get_template("quality.html.j2")


def _check(verdict: Verdict, files: Mapping[str, str]) -> dict[str, Any]:
    """A verdict with the names of its files, none where the check passed. What did not land was named by the check."""
    names = sorted(files[batch] for batch in verdict.batch_ids if batch in files)
    return asdict(verdict) | {"files": names if verdict.status != "pass" else []}


def _worst_first(check: Mapping[str, Any]) -> tuple[int, str, str]:
    return STATUSES.index(check["status"]), check["subject"], check["check_name"]


def _owner(name: str, checks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    label_zh, question = OWNERS[name]
    own = sorted((check for check in checks if check["owner"] == name), key=lambda check: str(check["subject"]))
    subjects = []
    for subject, grouped in groupby(own, key=lambda check: check["subject"]):
        of_subject = sorted(grouped, key=_worst_first)
        counts = _counted(check["status"] for check in of_subject)
        subjects.append({"name": subject, "checks": of_subject, "counts": counts})
    return {"name": name, "label_zh": label_zh, "question": question, "subjects": subjects}


def _counted(statuses: Iterable[str]) -> dict[str, int]:
    found = list(statuses)
    return {status: found.count(status) for status in STATUSES}


def _state(waiver: Waiver, as_of_date: date) -> str:
    if waiver.until_date < as_of_date:
        return "expired"
    return "in force" if waiver.from_date <= as_of_date else "to come"


def _published(settings: Settings) -> list[PastRelease]:
    """The releases published last, newest first, with the counts their manifests tell."""
    found = []
    for release in reversed(releases(settings)[-RELEASES_SHOWN:]):
        counts = read_release(settings.releases / release.release_id)["verdicts"]["by_status"]
        every = {status: counts.get(status, 0) for status in STATUSES}
        found.append(PastRelease(release.release_id, str(release.as_of_date), every))
    return found
