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
from orchestration.policy import PolicyError, check_policy
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


def test_the_version_of_the_current_release_must_stay(settings: Settings) -> None:
    """Where the folder went missing, the shipped policy must not take over unseen."""
    release = settings.releases / "2025-12-30-0123abcd"
    release.mkdir(parents=True)
    (release / "manifest.json").write_text(json.dumps({"policy_version": "house.1"}), encoding="utf-8")
    (settings.releases / "CURRENT").write_text(release.name, encoding="utf-8")
    with pytest.raises(PolicyError, match=r"states 2025\.1, expected house\.1 among them, which the current release"):
        check_policy(settings)
    shutil.copytree(POLICY_SEEDS, settings.own_policy)
    for file in settings.policy.glob("*.csv"):
        file.write_text(file.read_text(encoding="utf-8").replace("2025.1,", "house.1,"), encoding="utf-8")
    assert [version.policy_version for version in check_policy(settings)] == ["house.1"]


def test_a_changed_row_is_another_build_and_a_copy_elsewhere_is_not(own: Settings, tmp_path: Path) -> None:
    elsewhere = Settings(home=tmp_path / "elsewhere")
    assert dbt.build_fingerprint(own) == dbt.build_fingerprint(elsewhere)
    edit("policy_bands.csv", "0.80", "0.70")(own.policy)
    assert dbt.build_fingerprint(own) != dbt.build_fingerprint(elsewhere)
