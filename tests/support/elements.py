"""Elements of an object as dcmtk and pydicom show them, for tests of the makers."""

import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pydicom
from pydicom.dataset import Dataset

from orthanc_dose.samples import part10


class Element(NamedTuple):
    """An element as dcmdump shows it."""

    vr: str
    value: str
    length: str


def dcmdump(data: bytes, folder: Path, *, fails: bool = False) -> dict[str, list[Element]]:
    """Return the elements by tag (on all levels) as dcmtk reads them."""
    tool = shutil.which("dcmdump")
    assert tool, "dcmdump of dcmtk is needed: apt-get install dcmtk"
    path = folder / "object.dcm"
    path.write_bytes(data)
    run = subprocess.run([tool, "+L", "-q", str(path)], capture_output=True, check=False)
    assert (run.returncode != 0) == fails, run.stderr
    found: dict[str, list[Element]] = {}
    for line in run.stdout.decode("latin-1").splitlines():
        match = re.match(r"\s*\((\w{4},\w{4})\) (\S\S) (.*?) *#\s*(\S+),", line)
        if match:
            value = match[3].removeprefix("[").removesuffix("]").removeprefix("=").strip()
            found.setdefault(match[1], []).append(
                Element(match[2], "" if "no value" in value else value, match[4])
            )
    return found


def reread(ds: Dataset) -> Dataset:
    return pydicom.dcmread(BytesIO(part10(ds)))


def number(ds: Dataset, keyword: str) -> float | None:
    """Return the single number of an attribute as its text gives it, None if absent or empty."""
    value = ds.get(keyword)
    return None if value in (None, "") else float(value)


def raw(ds: Dataset, keyword: str) -> bytes | None:
    """Return the bytes of an attribute of a data set that was read, before anything decodes them."""
    element = ds._dict.get(pydicom.tag.Tag(keyword))
    return None if element is None else element.value
