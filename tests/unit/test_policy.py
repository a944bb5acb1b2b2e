"""Promises of the policy folder: a home's own replaces the shipped one as a whole, or is refused with its mend."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration import dbt
from orchestration.definitions import build_defs
from orchestration.doctor import examine
from orchestration.policy import PolicyError, check_policy, policy_sha256
from orchestration.release.catalogue import flip
from orchestration.scratch import scratch_home
from orchestration.settings import POLICY_SEEDS, Settings


@pytest.fixture
def own(settings: Settings) -> Settings:
    """A home whose policy folder is a copy of the shipped one."""
    shutil.copytree(POLICY_SEEDS, settings.own_policy)
    return settings


def edit(file: str, before: str, after: str) -> Callable[[Path], None]:
    """Replace a text that the file must hold once at least."""

    def harm(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert before in text
        (folder / file).write_text(text.replace(before, after, 1), encoding="utf-8")

    return harm


def write(file: str, content: bytes) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        (folder / file).write_bytes(content)

    return harm


def remove(folder: Path) -> None:
    (folder / "policy_weights.csv").unlink()


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def replace_by_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("not a folder", encoding="utf-8")


def point_nowhere(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.with_name("moved"))


REFUSED = [
    (remove, r"policy has no policy_weights\.csv, expected all of .*; begin with a copy of"),
    (empty, r"has no policy_versions\.csv, .*policy_bands\.csv"),
    (replace_by_a_file, "is no folder, expected one that holds policy_versions.csv"),
    (point_nowhere, "is no folder, expected one that holds policy_versions.csv"),
    (write("policy_band.csv", b""), r"holds policy_band\.csv, expected no file but .*: nothing would read it"),
    (
        edit("policy_bands.csv", "lower_bound,upper_bound", "upper_bound,lower_bound"),
        r"policy_bands\.csv has the columns .*upper_bound,lower_bound.*, expected .*lower_bound,upper_bound",
    ),
    (edit("policy_windows.csv", ",provenance\n", "\n"), r"policy_windows\.csv has the columns .*, expected .*,prov"),
    (write("policy_weights.csv", b""), r"policy_weights\.csv has the columns , expected policy_version,target"),
    (write("policy_weights.csv", "核心".encode("gb18030")), r"policy_weights\.csv cannot be read .*, expected .*UTF-8"),
    (
        edit("policy_weights.csv", "Recency,", "Recency, days,"),
        r"policy_weights\.csv line 2 has 8 values, expected 7: .* double quotes",
    ),
    (
        edit("policy_bands.csv", "abc,B,2,0.80", "abc,B,2,four fifths"),
        r"policy_bands\.csv line 3: lower_bound is 'four fifths', expected decimal\(18,6\)",
    ),
    (
        edit("policy_order_statuses.csv", "open,false", "open,perhaps"),
        r"policy_order_statuses\.csv line 3: is_counted is 'perhaps', expected boolean",
    ),
    (
        edit("policy_versions.csv", "2025-01-01", "2025/1/1"),
        r"policy_versions\.csv line 2: Invalid isoformat string: '2025/1/1', expected ISO 8601",
    ),
    (
        edit("policy_versions.csv", "T02:00:00Z", "T02:00:00"),
        r"policy_versions\.csv line 2: approved_at is '2024-12-20T02:00:00', expected an instant with its zone",
    ),
]


@pytest.mark.parametrize(("harm", "message"), REFUSED)
def test_a_folder_that_cannot_be_graded_by_is_refused_with_file_got_and_expected(
    own: Settings, harm: Callable[[Path], None], message: str
) -> None:
    harm(own.own_policy)
    with pytest.raises(PolicyError, match=message) as refused:
        check_policy(own)
    assert str(refused.value).startswith(f"policy: {own.own_policy}")
    (finding,) = (finding for finding in examine(own) if finding.what == "policy")
    assert (finding.found, finding.is_ok) == (str(refused.value), False)
    assert finding.mend


@pytest.mark.parametrize("use", [build_defs, lambda settings: scratch_home(settings, []).__enter__()])
def test_nothing_is_built_or_computed_again_by_a_refused_folder(own: Settings, use: Callable[[Settings], None]) -> None:
    remove(own.own_policy)
    with pytest.raises(PolicyError, match=re.escape(f"{own.own_policy} has no policy_weights.csv")):
        use(own)
    assert {path.name for path in own.home.iterdir()} == {"policy"}


def test_a_home_without_a_folder_is_graded_by_the_shipped_one(settings: Settings) -> None:
    assert settings.policy == POLICY_SEEDS
    assert [version.policy_version for version in check_policy(settings)] == ["2025.1"]


def test_what_a_spreadsheet_leaves_is_read(own: Settings) -> None:
    """A byte order mark, Windows line ends and empty lines at the end; and hidden files beside."""
    for file in own.policy.glob("*.csv"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    (own.policy / ".git").mkdir()
    assert own.policy == own.own_policy
    assert [version.policy_version for version in check_policy(own)] == ["2025.1"]


@pytest.fixture
def released(own: Settings) -> Settings:
    """A home with a policy of its own under which a release was published."""
    for file in own.policy.glob("*.csv"):
        file.write_text(file.read_text(encoding="utf-8").replace("2025.1,", "house.1,"), encoding="utf-8")
    release = own.releases / "2025-12-30-0123abcd"
    release.mkdir(parents=True)
    manifest = {
        "release_id": release.name,
        "as_of_date": "2025-12-30",
        "known_at": "2025-12-30T16:00:00+00:00",
        "policy_version": "house.1",
        "policy_sha256": policy_sha256(own.policy, "house.1"),
        "customer_count": 1,
        "net_amount_365d": "1.0000",
        "published_at": "2025-12-31T03:00:00+00:00",
    }
    (release / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    flip(own, release.name)
    return own


def test_a_version_that_was_released_must_stay(released: Settings) -> None:
    """Where the folder went missing, the shipped policy must not take over unseen."""
    assert [version.policy_version for version in check_policy(released)] == ["house.1"]
    shutil.rmtree(released.own_policy)
    message = r"states 2025\.1, expected house\.1 among them, which 2025-12-30-0123abcd was decided under"
    with pytest.raises(PolicyError, match=message):
        check_policy(released)


RELEASED_ROWS = [
    ("policy_weights.csv", "0.3000", "0.3001"),
    ("policy_bands.csv", "Class A,", "Klasse A,"),
    ("policy_versions.csv", "policy board", "somebody else"),
    ("policy_matrices.csv", "house.1,value_potential,value,low,potential,low,low,,derived\n", ""),
]


@pytest.mark.parametrize(("file", "before", "after"), RELEASED_ROWS)
def test_a_released_version_whose_rows_were_edited_is_refused(
    released: Settings, file: str, before: str, after: str
) -> None:
    edit(file, before, after)(released.policy)
    message = (
        r"states other rows of version house\.1 than 2025-12-30-0123abcd was decided under, .*`tiering policy new`"
    )
    with pytest.raises(PolicyError, match=message):
        check_policy(released)
    (finding,) = (finding for finding in examine(released) if finding.what == "policy")
    assert not finding.is_ok


def test_where_a_released_version_ends_may_be_said_and_another_may_follow(released: Settings) -> None:
    edit("policy_versions.csv", "2025-01-01,,", "2025-01-01,2026-01-01,")(released.policy)
    for file in released.policy.glob("*.csv"):
        header, *lines = file.read_text(encoding="utf-8").splitlines()
        later = [line.replace("house.1,", "house.2,").replace("2025-01-01,2026-01-01", "2026-01-01,") for line in lines]
        file.write_text("\n".join([header, *reversed(lines), *later, ""]), encoding="utf-8")
    assert [version.policy_version for version in check_policy(released)] == ["house.1", "house.2"]


def test_a_log_of_publications_that_cannot_be_read_is_a_finding(released: Settings) -> None:
    log = released.releases / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"house.1", b"house.2"))
    (finding,) = (finding for finding in examine(released) if finding.what == "policy")
    assert (finding.is_ok, "line 1 of" in finding.found) == (False, True)


def test_a_changed_row_is_another_build_and_a_copy_elsewhere_is_not(own: Settings, tmp_path: Path) -> None:
    elsewhere = Settings(home=tmp_path / "elsewhere")
    assert dbt.build_fingerprint(own) == dbt.build_fingerprint(elsewhere)
    edit("policy_bands.csv", "0.80", "0.70")(own.policy)
    assert dbt.build_fingerprint(own) != dbt.build_fingerprint(elsewhere)
