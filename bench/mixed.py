"""A hospital's mixture of objects, end to end: sent to Orthanc with and without the plugin, until
the store has them all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from pydicom.dataset import Dataset

from orthanc_dose import samples
from orthanc_dose.samples import image_ct

from .material import studies
from .results import Results
from .storing import by_rest, timed


def _images(number: int) -> Iterator[Dataset]:
    """Yield the images of one round of the mixture, each kind in a study of its own."""
    yield from samples.radiography_study("siemens-fluorospot", exposures=2, key=f"dx {number}")
    yield from samples.screening("hologic-dimensions", key=f"mg {number}")
    yield from samples.nuclear_images("ge-pet", slices=8, key=f"pt {number}")
    yield from samples.ct_images("siemens", series=(image_ct.THORAX,), key=f"ct {number}")
    yield samples.philips_dose_info(key=f"info {number}")


def _write(folder: Path, total: int) -> int:
    """Write `total` objects and return their total bytes.

    They are repeated rounds of five dose reports and the images above.
    """
    reports = (
        samples.part10(ds) for study in studies(total // 5 + 5, seed=7) for ds in study.datasets
    )
    written = size = 0
    for number in count():
        for raw in (*(next(reports) for _ in range(5)), *map(samples.part10, _images(number))):
            (folder / f"{written:06d}.dcm").write_bytes(raw)
            size += len(raw)
            written += 1
            if written == total:
                return size
    raise AssertionError


def run(quick: bool) -> Iterator[Results]:
    number = 300 if quick else 10_000
    results = Results(
        "mixed", "Mixed objects, end to end",
        f"{number:,} objects by POST over one connection, with the plugin and without: dose "
        f"reports, radiographs, mammograms,"
        " PET and CT slices, dose screens. End to end is from the first object until the store has "
        "the last.",
        ("objects", "kB each", "with, per s", "without, per s", "ratio", "behind s", "end to end, per s", "studies"),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as folder:
        files = Path(folder)
        size = _write(files, number)
        without, with_plugin = timed(False, files, by_rest), timed(True, files, by_rest)
        held = with_plugin.held or {}
        found = held.get("studies", {})
        end_to_end = with_plugin.seconds + with_plugin.behind
        results.add(
            number,
            size / number / 1000,
            number / with_plugin.seconds,
            number / without.seconds,
            without.seconds / with_plugin.seconds,
            with_plugin.behind,
            number / end_to_end,
            sum(found.values()) if isinstance(found, dict) else 0,
            objects=number,
            with_s=with_plugin.seconds,
            without_s=without.seconds,
            behind_s=with_plugin.behind,
            held=held,
        )
    yield results
