"""Is anything altered? Every file that was written once, held to what was said of it when it was written.

The log of publications is a chain and holds the hash of each release's manifest; a manifest holds the hashes of the
release's files, of the decisions it made, of the verdicts that let it out, and of the raw manifest up to then, which
holds those of every raw and quarantine file. So one altered byte is named by the first of these that does not agree.
Who can write all of them can write them anew: keep the hash of the log's last line elsewhere (``head``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_quality.verdicts import ForgedVerdict
from orchestration.extract.landing import file_sha256
from orchestration.extract.manifest import Batch, ManifestError, read_manifest
from orchestration.policy import policy_sha256
from orchestration.release.catalogue import MANIFEST, POINTER, read_release
from orchestration.release.manifest import canonical
from orchestration.release.publications import LOG, RETIRED, Event, LogError, read_log, retired
from orchestration.release.retention import LASTING
from orchestration.settings import Settings
from orchestration.verdict_log import verdict_log

OnFile = Callable[[Path], None]
NOTHING = "nothing"


@dataclass(frozen=True)
class Alteration:
    """A file that is not as it was written: altered, gone, or never written by a run. ``file`` is below the home."""

    file: str
    found: str
    expected: str


@dataclass
class Verification:
    """``head`` is the hash of the log's last line: all that was published hangs on it. ``open_ends`` are files that no
    release has named yet: of a run that was stopped or blocked, or landed since."""

    head: str | None = None
    releases: int = 0
    files: int = 0
    alterations: list[Alteration] = field(default_factory=list)
    open_ends: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.alterations


def verify(settings: Settings, head: str | None = None, on_file: OnFile = lambda _: None) -> Verification:
    """Check every write-once file of the home. ``head`` is a hash noted earlier that the log must still contain."""
    return _Check(settings, on_file).run(head)


class _Check:
    """One pass over the home; what it finds is gathered in ``seen``."""

    def __init__(self, settings: Settings, on_file: OnFile) -> None:
        self.settings = settings
        self.on_file = on_file
        self.seen = Verification()

    def run(self, head: str | None) -> Verification:
        seen = self.seen
        try:
            events = read_log(self.settings)
        except LogError as error:
            self.altered(self.settings.releases / LOG, str(error), "the chain of lines as it was written")
            return seen
        lines = [event.line_sha256 for event in events]
        seen.head = lines[-1] if lines else None
        if head is not None and head not in lines:
            self.altered(self.settings.releases / LOG, f"no line {head}", "the line whose hash was noted")
        self.pointer(events)
        manifests = [manifest for event in _last(events) if (manifest := self.manifest(event, retired(events)))]
        seen.releases = len(manifests)
        self.strangers(self.settings.releases, {POINTER, LOG, *(event.release_id for event in events)})
        self.decisions(manifests)
        self.models()
        self.policies(manifests)
        for manifest in manifests:
            self.verdicts(manifest)
        self.raw(manifests)
        return seen

    def pointer(self, events: list[Event]) -> None:
        pointing = [event.release_id for event in events if event.kind != RETIRED]
        pointer = self.settings.releases / POINTER
        content = pointer.read_bytes() if pointer.exists() else b""
        if content != (f"{pointing[-1]}\n".encode() if pointing else b""):
            self.altered(pointer, repr(content), f"{pointing[-1] if pointing else NOTHING}, as the log says")

    def manifest(self, event: Event, gone: set[str]) -> dict[str, Any] | None:
        """The manifest of a published release, whose files are checked; None when it is not as the log says."""
        folder = self.settings.releases / event.release_id
        if not self.same(folder / MANIFEST, event.manifest_sha256):
            return None
        manifest = read_release(folder)
        if canonical(manifest).encode() != (folder / MANIFEST).read_bytes():
            self.altered(folder / MANIFEST, "another form", "the canonical form")
        files: dict[str, str] = manifest["files"]
        if event.release_id in gone:
            files = {name: sha256 for name, sha256 in files.items() if name in LASTING}
        for name, sha256 in files.items():
            self.same(folder / name, sha256)
        self.strangers(folder, {MANIFEST, *files})
        return manifest

    def decisions(self, manifests: list[dict[str, Any]]) -> None:
        decided: dict[str, str] = {}
        for manifest in manifests:
            decided |= {day: sha256 for day, sha256 in manifest["decisions"].items() if day not in decided}
        for day, sha256 in sorted(decided.items()):
            self.same(self.settings.decisions / f"{day}.parquet", sha256)
        self.strangers(self.settings.decisions, {f"{day}.parquet" for day in decided})

    def models(self) -> None:
        for file in sorted(self.settings.models.rglob("*.json")):
            if not file.stem.endswith(found := self.hash(file)[: len(file.stem.rsplit("-", 1)[-1])]):
                self.altered(file, f"sha256 {found}", "the one in its name")

    def policies(self, manifests: list[dict[str, Any]]) -> None:
        """Released versions of the policy never change: each against the first release that was decided under it."""
        released = {m["policy_version"]: m["policy_sha256"] for m in reversed(manifests)}
        for version, sha256 in sorted(released.items()):
            if policy_sha256(self.settings.policy, version) != sha256:
                what = f"rows of policy version {version}"
                self.altered(self.settings.policy, f"other {what}", f"the {what} as they were released")

    def verdicts(self, manifest: dict[str, Any]) -> None:
        log = verdict_log(self.settings, manifest["run_id"])
        if self.same(log.file, manifest["verdicts"]["sha256"]):
            try:
                log.read()
            except ForgedVerdict as error:
                self.altered(log.file, str(error), "the seals of the run, under the key of this installation")

    def raw(self, manifests: list[dict[str, Any]]) -> None:
        """The raw manifest up to each release's seal, then every file that its lines name."""
        told = self.settings.manifest.read_bytes() if self.settings.manifest.exists() else b""
        seals = {m["raw"]["manifest_bytes"]: m["raw"]["manifest_sha256"] for m in manifests}
        start, digest = 0, hashlib.sha256()
        for end, sha256 in sorted(seals.items()):
            digest.update(told[start:end])
            if digest.hexdigest() != sha256:
                first, last = (told[:at].count(b"\n") for at in (start, end))
                what = f"other lines from {first + 1} to {last}"
                self.altered(self.settings.manifest, what, f"sha256 {sha256} of the first {end} bytes")
                return
            start = end
        try:
            batches = read_manifest(self.settings.manifest)
        except ManifestError as error:
            self.altered(self.settings.manifest, str(error), "one batch a line")
            return
        if len(told) > start:
            self.seen.open_ends.append(f"{len(told[start:].splitlines())} batches landed after the last release")
        schemas = {name: sha256 for manifest in manifests for name, sha256 in manifest["raw"]["schemas"].items()}
        for name, sha256 in schemas.items():
            self.same(self.settings.raw / name, sha256)
        named = {self.settings.raw / name for name in schemas} | {self.settings.manifest}
        for file, sha256 in _files_of(self.settings, batches):
            self.same(file, sha256)
            named.add(file)
        for zone in (self.settings.raw, self.settings.quarantine):
            for file in sorted(path for path in zone.rglob("*") if path.is_file() and path not in named):
                self.seen.open_ends.append(self.told(file))

    def same(self, file: Path, sha256: str) -> bool:
        found = self.hash(file) if file.exists() else None
        if found != sha256:
            self.altered(file, f"sha256 {found}" if found else "no file", f"sha256 {sha256}")
        return found == sha256

    def strangers(self, folder: Path, expected: set[str]) -> None:
        """What stands in the folder and no manifest names: a stopped run's, or somebody's."""
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        self.seen.open_ends += [self.told(folder / name) for name in sorted(names - expected)]

    def hash(self, file: Path) -> str:
        self.on_file(file)
        self.seen.files += 1
        return file_sha256(file)

    def altered(self, file: Path, found: str, expected: str) -> None:
        self.seen.alterations.append(Alteration(self.told(file), found, expected))

    def told(self, file: Path) -> str:
        return str(file.relative_to(self.settings.home)) if file.is_relative_to(self.settings.home) else str(file)


def _last(events: list[Event]) -> list[Event]:
    """The last event of each release, in order: it has the hash of its manifest."""
    return list({event.release_id: event for event in events}.values())


def _files_of(settings: Settings, batches: list[Batch]) -> Iterator[tuple[Path, str]]:
    """The raw and the quarantine file of every batch that has one, with the hash it landed with."""
    for batch in batches:
        if batch.raw_file and batch.raw_sha256:
            yield settings.raw / batch.raw_file, batch.raw_sha256
        if batch.quarantine_sha256:
            yield (
                settings.quarantine / batch.family / batch.entity / f"{batch.batch_id}.parquet",
                batch.quarantine_sha256,
            )
