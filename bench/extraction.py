"""Extraction of one report, compared with pydicom's full read and walk of the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from statistics import median
from time import perf_counter

import pydicom
from pydicom.dataset import Dataset

from orthanc_dose import extract, samples
from orthanc_dose.dicom import part10

from .results import Results


def run(quick: bool) -> Iterator[Results]:
    results = Results(
        "extraction",
        "Extraction of a dose report, or of the header of an image",
        "From bytes to records, as in the worker, alternating with pydicom reading the same "
        "bytes and accessing every value (for images, all except the pixels, which the plugin "
        "skips as well); medians. Targets: 5 times faster for reports; CT with 4 events below 5 "
        "ms, 316 events below 300 ms.",
        (
            "object",
            "events",
            "kB",
            "ours ms",
            "and packing ms",
            "pydicom ms",
            "times faster",
            "aim",
        ),
    )
    objects: tuple[tuple[str, str, int, Callable[[], Dataset]], ...] = (
        ("CT", "5", 4, lambda: samples.ct_report(4)),
        ("CT", "5", 20, lambda: samples.ct_report(20)),
        ("radiography", "5", 2, lambda: samples.radiography_report(2)),
        ("mammography", "5", 4, lambda: samples.mammography_report(4)),
        ("fluoroscopy", "5", 49, lambda: samples.fluoroscopy_report(49)),
        (
            "fluoroscopy, pulse-level",
            "5",
            12,
            lambda: samples.fluoroscopy_report(12, pulse_level=True),
        ),
        ("fluoroscopy", "5", 316, lambda: samples.fluoroscopy_report(316)),
        ("nuclear medicine", "5", 1, lambda: samples.radiopharmaceutical_report()),
        ("DX image", "", 1, lambda: samples.radiography_image("standard")),
        (
            "DX image, 2000 x 2000",
            "",
            1,
            lambda: samples.radiography_image("standard", pixels=2000),
        ),
        (
            "MG image, 3000 x 3000",
            "",
            1,
            lambda: samples.mammography_image("hologic-dimensions", pixels=3000),
        ),
        ("PET image", "", 1, lambda: samples.nuclear_images("ge-pet", slices=1, pixels=192)[0]),
        ("Philips dose screen", "", 3, lambda: samples.philips_dose_info(pixels=512)),
    )
    for name, aim, events, make in objects:
        if quick and events > 100:
            continue
        made = make()
        raw, sop_class = samples.part10(made), str(made.SOPClassUID)
        turns = 3 if quick else max(5, min(40, 8_000_000 // len(raw)))
        kept = extract.keep(part10.read_any(raw))
        ours, theirs, ratios = [], [], []
        for _ in range(turns):
            ours.append(_time(partial(_ours, raw, sop_class)))
            theirs.append(_time(partial(_pydicom, raw)))
            ratios.append(theirs[-1] / ours[-1])
        packing = median(_time(kept.pack) for _ in range(turns))
        results.add(
            name,
            events,
            len(raw) / 1000,
            median(ours) * 1e3,
            packing * 1e3,
            median(theirs) * 1e3,
            median(ratios),
            aim,
            report=name,
            events=events,
            bytes=len(raw),
            turns=turns,
            ours_ms=median(ours) * 1e3,
            packing_ms=packing * 1e3,
            pydicom_ms=median(theirs) * 1e3,
            times_faster=median(ratios),
        )
    yield results


def _ours(raw: bytes, sop_class: str) -> None:
    extract.extract(extract.keep(part10.read_any(raw)), sop_class)


def _pydicom(raw: bytes) -> None:
    for element in pydicom.dcmread(BytesIO(raw), stop_before_pixels=True).iterall():
        element.value  # noqa: B018  the value is decoded when it is asked for


def _time(do: Callable[[], object]) -> float:
    start = perf_counter()
    do()
    return perf_counter() - start
