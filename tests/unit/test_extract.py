"""Dose reports to records, against the same objects read by DCMTK."""

import hashlib
import json
import zlib
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from orthanc_dose import extract
from orthanc_dose.dicom import part10
from orthanc_dose.extract import Extract, Ignored
from orthanc_dose.records import MODALITIES, STUDY, Field
from orthanc_dose.samples import fluoroscopy_report, make_studies, non_dose_sr
from orthanc_dose.samples import part10 as as_bytes
from tests.support import independent
from tests.support.corpus import DOSE_REPORTS

SR = "1.2.840.10008.5.1.4.1.1.88.67"
# The retired code of Exposure Time is the same concept as today's; Philips Xper's own codes of
# table positions and angles; SNOMED-RT codes of nuclear medicine.
SAME = {
    "113735": "113824",
    "021": "113753",
    "020": "113761",
    "022": "128763",
    "019": "128765",
    "R-42806": "304283002",
    "G-D701": "118538004",
    "F-01860": "60621009",
    "F-70210": "80274001",
}
# Values that the report does not hold.
NOT_READ = {"computed", "carried", "private_item"}


def read(raw: bytes) -> Extract:
    return extract.extract_object(extract.keep(part10.read_part10(raw)), SR)


def recorded_numbers(found: Extract) -> dict[str, list[Decimal]]:
    """Every number in the records and in what is not used, in base units, by code value of its
    concept.
    """
    out: dict[str, list[Decimal]] = defaultdict(list)
    modality = MODALITIES[found.modality]

    def take(row: dict, fields: tuple[Field, ...], above: str = "") -> None:
        not_read = {entry["field"] for entry in row.get("marks", ()) if entry["mark"] in NOT_READ}
        for field in fields:
            value = row.get(field.name)
            if (
                value is None
                or field.name in not_read
                or not (field.paths or above or field.name.endswith("_values"))
            ):
                continue  # the last: read from the text of a comment
            if field.type == "structs":
                for part in value:
                    take(part, field.fields, field.paths[0][-1] if field.paths else above)
            elif field.type in ("number", "numbers") and not (
                field.per_pulse and row.get(f"{field.name}_values")
            ):
                code = field.paths[0][-1] if field.paths else above
                if field.name.endswith("_values"):
                    code = next(
                        f for f in fields if f.name == field.name.removesuffix("_values")
                    ).paths[0][-1]
                for one in value if isinstance(value, list) else [value]:
                    out[code.split(":")[1]].append(independent.in_base(repr(one), field.unit))

    for row in found.events:
        take(row, modality.events.fields)
    for row in found.accumulated:
        take(row, modality.accumulated.fields)
    take(found.study, (STUDY.field("patient_characteristics"),))
    for item in found.unused:
        if item.vt == "NUM" and item.value is not None and item.unit in independent.UNITS:
            out[(item.concept or ":").split(":")[1]].append(
                independent.in_base(item.value, item.unit)
            )
    return out


def check_numbers(path: Path) -> None:
    written = defaultdict(list)
    for code, values in independent.numbers(path).items():
        written[SAME.get(code, code)] += [
            independent.in_base(*value) for value in values if value[1] in independent.UNITS
        ]
    recorded = recorded_numbers(read(path.read_bytes()))
    for code, values in written.items():
        assert [float(v) for v in sorted(recorded[code])] == pytest.approx(
            [float(v) for v in sorted(values)], rel=1e-12
        ), code
    assert recorded.keys() <= written.keys()


@pytest.mark.parametrize("path", DOSE_REPORTS, ids=lambda path: path.stem)
def test_every_number_of_a_real_report_is_in_its_records_or_listed_as_not_used(path: Path) -> None:
    check_numbers(path)


def test_every_number_of_made_up_reports_is_in_their_records(tmp_path: Path) -> None:
    for number, study in enumerate(make_studies(40, seed=11)):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(as_bytes(study.datasets[0]))
        check_numbers(path)
        found = read(path.read_bytes())
        assert found.modality == study.kind.upper()
        assert len(found.events) == study.events


def test_pulse_level_values_are_all_kept_and_their_mean_leaves_out_zeros(tmp_path: Path) -> None:
    path = tmp_path / "pulses.dcm"
    path.write_bytes(
        as_bytes(fluoroscopy_report(3, vendor="siemens-xa", biplane=True, pulse_level=True, seed=3))
    )
    check_numbers(path)
    for row in read(path.read_bytes()).events:
        values = row["kvp_values"]
        given = [value for value in values if value]
        assert row["kvp"] == pytest.approx(sum(given) / len(given))
        assert {"field": "kvp", "mark": "mean", "raw": f"{len(values)} values"} in row["marks"]


def test_a_report_of_something_else_is_left_alone_with_the_reason() -> None:
    with pytest.raises(Ignored, match="is that of no dose report") as caught:
        read(as_bytes(non_dose_sr()))
    assert caught.value.rule == "not_a_dose_report"


def test_kept_content_gives_the_same_records_again_and_names_no_patient() -> None:
    for study in make_studies(8, seed=5):
        dataset = study.datasets[0]
        kept = extract.keep(part10.read_part10(as_bytes(dataset)))
        packed, digest = kept.pack()
        again = extract.unpack(packed)
        assert again.pack()[1] == digest
        first, second = extract.extract_object(kept, SR), extract.extract_object(again, SR)
        assert (first.study, first.events, first.accumulated) == (
            second.study,
            second.events,
            second.accumulated,
        )
        text = str(again.dataset)
        assert (
            str(dataset.PatientID) not in text
            and str(dataset.PatientName).split("^")[1] not in text.split()
        )
        assert "0010,0010" not in again.dataset and "0010,0030" not in again.dataset


@pytest.mark.parametrize(
    "odd", ["", '"\\/\x1b\x7f\u2028\U0001f600 \x00\r\n\t', "bytes \udc80 that are no text"]
)
def test_kept_content_is_the_same_bytes_of_json_whoever_writes_it(odd: str) -> None:
    """Stores of older versions hold the digests that Python's own json gave."""
    for study in make_studies(5, seed=7):
        kept = extract.keep(part10.read_part10(as_bytes(study.datasets[0])))
        kept.dataset["0008,1030"] = odd
        packed, digest = kept.pack()
        raw = zlib.decompress(packed)
        whole = json.loads(raw)
        assert whole["dataset"]["0008,1030"] == odd
        again = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
        assert raw == again.encode("utf-8", "surrogatepass")
        assert digest == hashlib.sha256(raw).hexdigest()
        assert extract.unpack(packed).dataset == kept.dataset
