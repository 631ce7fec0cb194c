"""Objects and records that several benchmarks use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from pydicom.uid import UID

from orthanc_dose import extract, samples
from orthanc_dose.assemble import Part, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.sop_classes import XRAY_DOSE_SR
from orthanc_dose.samples import SampleStudy, make_studies
from orthanc_dose.store import Batch

LARGEST = 20  # events of a report in the mix: a normal day, without the few very long procedures


def studies(count: int, seed: int = 1) -> Iterator[SampleStudy]:
    """Yield made-up studies of 1 to 20 events, of all kinds."""
    number = 0
    for study in make_studies(count * 2 + 50, seed):
        if study.events <= LARGEST:
            yield study
            number += 1
            if number == count:
                return


def write_reports(folder: Path, count: int) -> int:
    """Write dose reports as files and return their total bytes."""
    size = 0
    for study in studies(count):
        for number, ds in enumerate(study.datasets):
            raw = samples.part10(ds)
            (folder / f"{study.index:06d}-{number}.dcm").write_bytes(raw)
            size += len(raw)
    return size


def write_slices(folder: Path, count: int, pixels: int) -> int:
    """Write CT images of `pixels` by `pixels` as files and return their total bytes.

    One image is made, and its instance UID is varied.
    """
    ds = samples.ct_slice(1)
    if pixels != 16:
        ds.Rows = ds.Columns = pixels
        ds.PixelData = Random("slice").randbytes(pixels * pixels * 2)
    of_all = UID("2.25.100000")
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = of_all
    raw = samples.part10(ds)
    for number in range(count):
        (folder / f"{number:06d}.dcm").write_bytes(
            raw.replace(of_all.encode(), f"2.25.{200_000 + number}".encode())
        )
    return len(raw) * count


def batch(of: list[SampleStudy], first_change: int = 1) -> Batch:
    """Return what the worker would write for these studies: extracted, merged and packed."""
    out = Batch(state={"cursor": "0"})
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    for number, study in enumerate(of, first_change):
        for ds in study.datasets:
            raw = samples.part10(ds)
            kept = extract.keep(part10.read_any(raw))
            found = extract.extract_object(kept, XRAY_DOSE_SR)
            packed, digest = kept.pack()
            sop = str(ds.SOPInstanceUID)
            out.studies.setdefault(study.study_instance_uid, []).extend(
                put_together([Part(sop, found)])
            )
            out.objects.append(
                {
                    "handle": f"{digest[:40]}",
                    "sop_instance_uid": sop,
                    "sop_class_uid": str(ds.SOPClassUID),
                    "study_instance_uid": study.study_instance_uid,
                    "modality": found.modality,
                    "outcome": "imported",
                    "received_at": now,
                    "processed_at": now,
                    "size": len(raw),
                    "change": number,
                    "attempts": 1,
                    "content": packed,
                    "content_digest": digest,
                    "extractor_version": extract.EXTRACTOR_VERSION,
                }
            )
    return out
