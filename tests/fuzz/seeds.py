"""The objects that are damaged: as files, and as trees of elements."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import BytesIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian

from orthanc_dose import samples
from orthanc_dose.samples.hostile import FATAL, HOSTILE, STORABLE
from orthanc_dose.samples.image_volume import ANGIOGRAPHIC, CRANIOFACIAL
from orthanc_dose.samples.nuclear import BLADDER, BRAIN
from orthanc_dose.samples.values import CT_PROCEDURE
from tests.support import corpus

from .tree import Tree, decode

LARGEST_SEED = 300_000  # bytes; larger reports only cost time


@cache
def seeds() -> dict[str, bytes]:
    """Files by name: reports of all makers, bad input, and the corpus of real objects where it is
    there.
    """
    found: dict[str, bytes] = {}
    for vendor in samples.VENDORS.values():
        for kind in vendor.kinds:
            made = {
                "ct": samples.ct_report,
                "rf": samples.fluoroscopy_report,
                "dx": samples.radiography_report,
                "mg": samples.mammography_report,
            }[kind](2, vendor=vendor, key=f"fuzz|{kind}|{vendor.key}")
            found[f"{kind} {vendor.key}"] = samples.part10(made)
    for name, made in (
        ("rf biplane", samples.fluoroscopy_report(4, biplane=True, participants=True)),
        ("rf pulse-level", samples.fluoroscopy_report(1, pulse_level=True)),
        ("ct dose check", samples.ct_report(3, participants=True)),
        ("ct unknown items", samples.report_with_unknown_items()),
        ("rf without events", samples.report_without_events("rf")),
        ("rf xper", samples.xper_report()),
        ("enhanced", samples.enhanced_report()),
        ("enhanced ct", samples.enhanced_report(procedure=CT_PROCEDURE)),
        (
            "patient dose",
            samples.patient_dose_report(
                [samples.Estimate(BRAIN, 2.1, 4.2), samples.Estimate(BLADDER, 3)],
                ["1.2.3"],
                ["1.2.4"],
            ),
        ),
        (
            "nm",
            samples.radiopharmaceutical_report(
                state=samples.PatientState(glucose=5.4, filtration_rates=(88, 91))
            ),
        ),
        ("no dose", samples.non_dose_sr()),
    ):
        found[name] = samples.part10(made)
    found |= {f"image {name}": samples.part10(made) for name, made in _images()}
    found |= {path.stem: path.read_bytes() for path in corpus.OBJECTS}
    return {name: raw for name, raw in found.items() if len(raw) <= LARGEST_SEED}


def _images() -> Iterator[tuple[str, Dataset]]:
    for kind in ("standard", "kodak-dr7500", "drgem", "newtom-px"):
        yield kind, samples.radiography_image(kind)
    for kind in ("ge-ds", "hologic-tomo", "hologic-dbt"):
        yield kind, samples.mammography_image(kind)
    yield "unknown vr", samples.mammography_image("hologic-tomo", unknown_vrs="implicit")
    for kind in ("ge-pet", "siemens-nm"):
        yield kind, samples.nuclear_images(kind, slices=1)[0]
    for kind in ("siemens", "toshiba"):
        yield f"ct {kind}", samples.ct_images(kind)[-1]
    yield "dose info", samples.philips_dose_info()
    yield "enhanced ct", samples.enhanced_ct_image([samples.CtFrame(second_tube=(140, 200))])
    yield "legacy ct", samples.enhanced_ct_image(legacy=True)
    for kind in (ANGIOGRAPHIC, CRANIOFACIAL):
        runs = [samples.ConeBeamRun(0.3), samples.ConeBeamRun(0.4)]
        yield f"volume {kind}", samples.cone_beam_volume(kind, runs)
    yield "cone-beam ct", samples.cone_beam_slices(slices=1)[0]


@cache
def trees() -> dict[str, Tree]:
    """The seeds as trees of elements, in explicit encoding."""
    found = {}
    for name, raw in seeds().items():
        try:
            explicit = ExplicitVRLittleEndian.encode() + b"\0" in raw[:1000]
            found[name] = decode(raw if explicit else _written(raw, ExplicitVRLittleEndian))
        except Exception:  # noqa: BLE001  a real object with a fault in form stays a seed for damage to its bytes
            continue
    return found


@cache
def files() -> dict[str, bytes]:
    """The seeds as files: as they are, bad input, and one in each other transfer syntax."""
    found = dict(seeds())
    found |= {f"hostile {name}": HOSTILE[name](1) for name in sorted(STORABLE | FATAL)}
    found["implicit"] = samples.part10(samples.ct_report(2), implicit=True)
    found["big endian"] = _written(samples.part10(samples.ct_report(2)), ExplicitVRBigEndian)
    found["deflated"] = _written(
        samples.part10(samples.ct_report(2)), DeflatedExplicitVRLittleEndian
    )
    return {name: raw for name, raw in found.items() if len(raw) <= LARGEST_SEED}


def _written(raw: bytes, syntax: str) -> bytes:
    ds, buffer = pydicom.dcmread(BytesIO(raw)), BytesIO()
    for _ in ds.iterall():  # decoded first, else pydicom copies the bytes of the other encoding
        pass
    ds.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(buffer, ds, implicit_vr=False, little_endian=syntax != ExplicitVRBigEndian)
    return buffer.getvalue()
