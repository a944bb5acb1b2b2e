"""A packed file becomes the one file in it, within limits: gzip and zip. What is in it is read elsewhere.

A file of a few bytes can unpack to more than any disk holds. The size that an archive states is not believed.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import IO

from orchestration.extract.physical import HeldFile
from orchestration.settings import Settings

CHUNK = 1 << 20
HARMLESS = 1 << 24  # what unpacks to less is never taken for a bomb, however small it was
PACKINGS = (".gz", ".zip")
BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile)
READ_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 1  # bit of a member's flags


def unpacked(file: Path, target: Path, settings: Settings) -> Path:
    """The file itself, or ``target`` with what it holds when its name says that it is packed.

    Raises HeldFile when it is damaged, holds more or less than one file, or unpacks to more than the settings allow.
    """
    if not file.name.endswith(PACKINGS):
        return file
    try:
        if file.name.endswith(".gz"):
            with gzip.open(file) as source:
                _copy(source, file, target, settings)
        else:
            with zipfile.ZipFile(file) as archive, archive.open(_only_member(archive)) as source:
                _copy(source, file, target, settings)
    except BROKEN as error:
        kind = file.suffix.lstrip(".")
        raise HeldFile(f"cannot be unpacked as {kind}: {(str(error) or 'it is damaged').splitlines()[0]}") from error
    return target


def check_workbook(file: Path, settings: Settings) -> None:
    """Raise HeldFile when a workbook, which is a zip of XML, unpacks to more than the settings allow.

    Its readers stop at the sizes it states.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except BROKEN as error:
        raise HeldFile(f"cannot be read as xlsx: {(str(error) or 'it is damaged').splitlines()[0]}") from error
    _check(size, file, settings)


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    names = archive.namelist()
    if len(names) != 1 or "/" in names[0] or "\\" in names[0]:
        raise HeldFile(f"the zip holds {names[:5]}, expected one file and no folder")
    member = archive.infolist()[0]
    if member.flag_bits & ENCRYPTED or member.compress_type not in READ_COMPRESSIONS:
        raise HeldFile(f"the zip holds {names[0]} encrypted or packed in a rare way, expected it deflated or stored")
    return member


def _copy(source: IO[bytes] | gzip.GzipFile, file: Path, target: Path, settings: Settings) -> None:
    size = 0
    with target.open("wb") as out:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            _check(size, file, settings)
            out.write(chunk)


def _check(size: int, file: Path, settings: Settings) -> None:
    packed = file.stat().st_size
    if size > settings.unpacked_mib << 20:
        raise HeldFile(f"unpacks to more than {settings.unpacked_mib} MiB; expected less, see TIERING_UNPACKED_MIB")
    if size > max(HARMLESS, packed * settings.unpacked_ratio):
        raise HeldFile(
            f"unpacks to more than {settings.unpacked_ratio} times its {packed} bytes; expected less, see "
            "TIERING_UNPACKED_RATIO"
        )
