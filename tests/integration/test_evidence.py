"""Promises to an auditor: what was written once is as it was written, or the file that is not is named."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from installation import PROVE, Published, copy_of, current, settings_of, tiering

from orchestration.audit.verify import verify
from orchestration.release.catalogue import NoRelease, connect, connect_to, read_release, rollback
from orchestration.release.publications import LOG, read_log
from orchestration.release.retention import LASTING, retire
from orchestration.settings import POLICY_SEEDS, Settings

# What is written once: the place, and how many of its files there must be for the draw to mean something.
WRITTEN_ONCE = {
    "raw/manifest.jsonl": 1,
    "raw/*/*/*/*.parquet": 20,
    "raw/*/*/_schema.parquet": 10,
    "quarantine/*/*/*.parquet": 1,
    "decisions/*.parquet": 4,
    "models/*.json": 1,
    "runs/*.jsonl": 2,
    "releases/CURRENT": 1,
    "releases/log.jsonl": 1,
    "releases/*/manifest.json": 2,
    "releases/*/*.parquet": 30,
    "releases/*/*.*": 40,
}


@pytest.fixture
def home(published_home: Published, tmp_path: Path) -> Settings:
    return settings_of(copy_of(published_home, tmp_path))


@pytest.fixture(scope="module")
def altered_home(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One copy for all alterations: each is taken back."""
    return settings_of(copy_of(published_home, tmp_path_factory.mktemp("altered")))


def write(file: Path, content: bytes) -> None:
    """As somebody would who may do anything."""
    file.parent.chmod(0o755)
    file.chmod(0o644)
    file.write_bytes(content)


def drawn(home: Path, count: int) -> Iterator[tuple[Path, int]]:
    """Files and places in them: each kind in turn, the file and the byte by lot."""
    lot = random.Random(20251231)
    for number in range(count):
        pattern = list(WRITTEN_ONCE)[number % len(WRITTEN_ONCE)]
        file = lot.choice(sorted(home.glob(pattern)))
        yield file, lot.randrange(file.stat().st_size)


def test_a_published_home_is_sound_and_every_file_in_it_is_accounted_for(published_home: Published) -> None:
    done = verify(published_home.settings)
    assert (done.alterations, done.open_ends, done.releases) == ([], [], 2)
    for pattern, least in WRITTEN_ONCE.items():
        assert len(list(published_home.home.glob(pattern))) >= least, pattern
    written_once = [
        path
        for zone in ("raw", "decisions", "releases", "quarantine", "models")
        for path in (published_home.home / zone).rglob("*")
        if path.is_file()
    ]
    assert done.files >= len(written_once) - 3  # log, pointer and raw manifest are read and not hashed whole


def test_single_altered_bytes_are_named_each(altered_home: Settings) -> None:
    silent = []
    for file, place in drawn(altered_home.home, 50 if PROVE else 12):
        written = file.read_bytes()
        write(file, written[:place] + bytes([written[place] ^ 0x55]) + written[place + 1 :])
        found = [alteration.file for alteration in verify(altered_home).alterations]
        write(file, written)
        if str(file.relative_to(altered_home.home)) not in found:
            silent.append((file, place, found))
    assert silent == []
    assert verify(altered_home).is_sound


def test_a_file_that_is_gone_or_was_exchanged_or_was_added_is_named(home: Settings) -> None:
    first, second = sorted(home.releases.glob("[0-9]*"))
    for release in (first, second):
        release.chmod(0o755)
    (first / "customer_tiers.parquet").unlink()
    write(second / "customer_abc.parquet", (second / "customer_rfm.parquet").read_bytes())
    (second / "customer_vip.parquet").write_bytes(b"")
    (home.raw / "sales" / "order" / "more.parquet").write_bytes(b"")
    done = verify(home)
    assert [(alteration.file, alteration.found[:7]) for alteration in done.alterations] == [
        (f"releases/{first.name}/customer_tiers.parquet", "no file"),
        (f"releases/{second.name}/customer_abc.parquet", "sha256 "),
    ]
    assert done.open_ends == [f"releases/{second.name}/customer_vip.parquet", "raw/sales/order/more.parquet"]


def test_a_released_policy_version_that_was_edited_is_named_and_a_new_one_is_not(home: Settings) -> None:
    shutil.copytree(POLICY_SEEDS, home.own_policy)
    weights = home.own_policy / "policy_weights.csv"
    released = weights.read_text(encoding="utf-8")
    header, *lines = released.splitlines()
    weights.write_text("\n".join([header, *reversed(lines), *(line.replace("2025.1", "2026.1") for line in lines), ""]))
    assert verify(home).is_sound
    weights.write_text(released.replace("0.3", "0.4"), encoding="utf-8")
    (alteration,) = verify(home).alterations
    assert (alteration.file, alteration.found) == ("policy", "other rows of policy version 2025.1")


def test_who_writes_the_chain_anew_is_betrayed_by_a_head_that_was_noted(home: Settings) -> None:
    noted = verify(home).head
    release = current(home.home)
    report = release / "report.html"
    write(report, report.read_bytes().replace(b"T1", b"T2"))
    manifest = read_release(release)
    manifest["files"]["report.html"] = hashlib.sha256(report.read_bytes()).hexdigest()
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write(release / "manifest.json", text.encode())
    log = home.releases / LOG
    *before, last = log.read_text(encoding="utf-8").splitlines()
    fields = json.loads(last) | {"manifest_sha256": hashlib.sha256(text.encode()).hexdigest()}
    del fields["sha256"]
    own = hashlib.sha256(json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    anew = json.dumps(fields | {"sha256": own}, ensure_ascii=False, sort_keys=True)
    log.write_text("\n".join([*before, anew, ""]), encoding="utf-8")
    assert verify(home).is_sound
    assert [alteration.file for alteration in verify(home, noted).alterations] == [f"releases/{LOG}"]


def test_the_front_door_names_an_alteration_and_ends_with_1(home: Settings) -> None:
    sound = tiering(home.home, "audit", "verify")
    assert (sound.returncode, sound.stdout.split(" ")[0]) == (0, "0"), sound.stderr
    decided = sorted(home.decisions.iterdir())[0]
    write(decided, decided.read_bytes()[:-1] + b"?")
    altered = tiering(home.home, "audit", "verify")
    assert altered.returncode == 1
    assert f"ALTERED  decisions/{decided.name}" in altered.stdout
    assert json.loads(tiering(home.home, "audit", "verify", "--json").stdout)["is_sound"] is False


def test_a_manifest_says_what_the_release_was_made_from_and_by(published_home: Published) -> None:
    manifest = read_release(published_home.release)
    text = (published_home.release / "manifest.json").read_text(encoding="utf-8")
    assert text == json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    events = read_log(published_home.settings)
    assert manifest["previous"] == {"release_id": events[0].release_id, "manifest_sha256": events[0].manifest_sha256}
    assert read_release(published_home.home / "releases" / events[0].release_id)["previous"] is None
    for name in ("code_version", "lock_sha256", "policy_sha256", "policy_version", "model", "raw", "verdicts"):
        assert manifest[name], name
    assert sum(manifest["verdicts"]["by_status"].values()) == manifest["verdicts"]["checks"]
    assert set(manifest["files"]) == {file.name for file in published_home.release.iterdir()} - {"manifest.json"}
    with connect_to(published_home.release) as release:
        inputs = release.sql("select file_name, sha256 from audit_inputs").fetchall()
    landed = [json.loads(line) for line in (published_home.home / "raw" / "manifest.jsonl").open(encoding="utf-8")]
    known = [
        batch
        for batch in landed
        if datetime.fromisoformat(batch["known_at"]) <= datetime.fromisoformat(manifest["known_at"])
    ]
    assert sorted(inputs) == sorted((batch["file"], batch["sha256"]) for batch in known)


def test_releases_are_read_only_on_disk(published_home: Published) -> None:
    release = published_home.release
    assert oct(release.stat().st_mode & 0o777) == oct(0o555)
    assert {oct(file.stat().st_mode & 0o777) for file in release.iterdir()} == {oct(0o444)}


def test_a_rollback_points_back_keeps_decisions_and_is_in_the_log(home: Settings, published_home: Published) -> None:
    first, second = (event.release_id for event in read_log(home))
    done = tiering(home.home, "rollback")
    assert (done.returncode, current(home.home).name) == (0, first), done.stderr
    assert tiering(home.home, "rollback").returncode == 1, "there is none before the first"
    assert rollback(home, second).name == second
    assert [event.kind for event in read_log(home)] == ["published", "published", "rolled back", "rolled back"]
    assert verify(home).is_sound
    with pytest.raises(NoRelease, match="no release 2020-01-01-x to go back to, expected one of: " + first):
        rollback(home, "2020-01-01-x")


def test_a_connection_stays_with_the_release_it_opened(home: Settings) -> None:
    query = "select any_value(as_of_date) from customer_tiers"
    with connect(home.home) as before:
        rollback(home, None)
        with connect(home.home) as after:
            (old,), (new,) = before.sql(query).fetchall()[0], after.sql(query).fetchall()[0]
    assert old - new == timedelta(days=1)


def test_a_replaced_release_goes_after_the_days_of_grace_and_its_manifest_stays(home: Settings) -> None:
    first, second = (event.release_id for event in read_log(home))
    replaced_at = read_log(home)[1].at
    assert retire(home, replaced_at + timedelta(days=home.keep_days)) == []
    assert retire(home, replaced_at + timedelta(days=home.keep_days, seconds=1)) == [first]
    assert sorted(file.name for file in (home.releases / first).iterdir()) == sorted(LASTING)
    assert len(list((home.releases / second).iterdir())) > 20
    assert (verify(home).alterations, verify(home).open_ends) == ([], [])
    with pytest.raises(NoRelease, match=r"no release before .* to go back to"):
        rollback(home, None)
    told = tiering(home.home, "explain", "A000001", "--date", first[:10])
    assert (told.returncode, "was retired: its data are gone" in told.stderr) == (1, True)
    altered = home.releases / first / "audit_inputs.parquet"
    write(altered, altered.read_bytes()[:-1] + b"?")
    assert [alteration.file for alteration in verify(home).alterations] == [f"releases/{first}/{altered.name}"]


def test_the_current_release_and_the_last_of_a_month_stay(home: Settings) -> None:
    rollback(home, None)
    assert retire(home, datetime(2099, 1, 1, tzinfo=UTC)) == []


def test_a_retirement_that_was_stopped_is_ended_by_the_next(home: Settings) -> None:
    first = read_log(home)[0].release_id
    far = datetime(2099, 1, 1, tzinfo=UTC)
    retire(home, far)
    (home.releases / first).chmod(0o755)
    shutil.copyfile(current(home.home) / "report.html", home.releases / first / "report.html")
    retire(home, far)
    assert sorted(file.name for file in (home.releases / first).iterdir()) == sorted(LASTING)
