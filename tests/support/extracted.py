"""The data that the present extractors read from a fixed set of stored contents, as digests.

tests/data/kept-contents.jsonl.xz has contents as the store keeps them, one JSON object per line:
`name`, and `content`, the JSON of `Kept.pack`. They never change, whatever becomes of the makers of
samples. tests/data/extracted.json has what is read from them: EXTRACTOR_VERSION, and a digest for
each content and each study.

    python -m tests.support.extracted                write extracted.json, for the present version
    python -m tests.support.extracted more NAME FILE add the contents of DICOM files, for a new source
"""

from __future__ import annotations

import hashlib
import json
import lzma
import sys
import zlib
from dataclasses import fields, is_dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from orthanc_dose import extract
from orthanc_dose.assemble import Part, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.dataset import Unreadable, first
from orthanc_dose.dicom.sr import Item
from orthanc_dose.extract import Ignored

DATA = Path(__file__).parents[1] / "data"
CONTENTS, DIGESTS = DATA / "kept-contents.jsonl.xz", DATA / "extracted.json"
VERSION_IN = "plugin/orthanc_dose/extract/__init__.py"


def contents() -> dict[str, dict[str, Any]]:
    """Return the stored contents by name."""
    with lzma.open(CONTENTS, "rt", encoding="utf-8") as file:
        return {line["name"]: line["content"] for line in map(json.loads, file)}


def digests() -> dict[str, str]:
    """Return a digest of what is read from each content, and of the records of each study."""
    out: dict[str, str] = {}
    studies: dict[str, list[Part]] = {}
    for name, content in contents().items():
        kept = extract.unpack(zlib.compress(json.dumps(content).encode(), 0))
        sop_class = first(kept.dataset, "0008,0016") or ""
        try:
            found = extract.extract_object(kept, sop_class)
        except (Ignored, Unreadable) as error:
            out[name] = digest([type(error).__name__, getattr(error, "rule", None), str(error)])
            continue
        out[name] = digest(found)
        if found.rejects is not None:
            continue
        study = first(kept.dataset, "0020,000d") or ""
        studies.setdefault(study, []).append(Part(first(kept.dataset, "0008,0018") or "", found))
    for study, parts in studies.items():
        out[f"study {study}"] = digest(put_together(parts))
    return dict(sorted(out.items()))


def digest(value: Any) -> str:
    """Return a short hash of a value that is the same in every version of Python.

    From 3.12 on `sum` rounds differently, so only 12 digits of a number are used.
    """
    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return f"number {value:.12g}"
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(_plain(one), sort_keys=True) for one in value)
    if isinstance(value, Item):
        return _plain(value.as_dict())
    if isinstance(value, (date, time)):
        return value.isoformat()
    if value is None or isinstance(value, (str, int)):
        return value
    raise TypeError(f"{type(value)} is no value of a record")


def recorded() -> dict[str, Any]:
    """Return what extracted.json says: `version` and `digests`."""
    return json.loads(DIGESTS.read_text(encoding="utf-8"))


def changed(now: dict[str, str]) -> list[str]:
    """Return the names of contents and studies whose digest differs from the recorded one."""
    before = recorded()["digests"]
    return [name for name, found in now.items() if before.get(name, found) != found]


def fault(now: dict[str, str]) -> str:
    """Return what to do so that the record and the version match what is read; empty if they do."""
    then = recorded()
    write = "run `python -m tests.support.extracted`, and commit tests/data/extracted.json."
    others = changed(now)
    if others and then["version"] == extract.EXTRACTOR_VERSION:
        return (
            f"What is read is no longer what extractor {then['version']} read. It differs for: "
            f"{', '.join(others[:8])} ({len(others)} in all). If that is intended, raise "
            f"EXTRACTOR_VERSION in {VERSION_IN}, so that installations know what to read again; "
            f"then {write}"
        )
    if then["version"] != extract.EXTRACTOR_VERSION or set(then["digests"]) != set(now):
        return f"tests/data/extracted.json is for another version or for other contents: {write}"
    return ""


def add(name: str, path: Path) -> None:
    """Add the content of a DICOM file to the contents, under a new name."""
    known = contents() if CONTENTS.exists() else {}
    if name in known:
        raise SystemExit(f"There is a content {name!r} already, and contents never change.")
    kept = extract.keep(part10.read_any(path.read_bytes()))
    write_contents(known | {name: json.loads(zlib.decompress(kept.pack()[0]))})


def write_contents(found: dict[str, dict[str, Any]]) -> None:
    """Write the file of contents."""
    with lzma.open(CONTENTS, "wt", encoding="utf-8", preset=9) as file:
        for name, content in found.items():
            line = json.dumps({"name": name, "content": content}, separators=(",", ":"))
            file.write(f"{line}\n")


def main(arguments: list[str]) -> None:
    if arguments:
        _, name, path = arguments
        add(name, Path(path))
    now = digests()
    if DIGESTS.exists() and changed(now) and recorded()["version"] == extract.EXTRACTOR_VERSION:
        raise SystemExit(fault(now))
    record = {"version": extract.EXTRACTOR_VERSION, "digests": now}
    DIGESTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
