"""The forms of national surveys and the file for openSkin of a real server, read back by other
programs.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pydicom
import pytest
from pydicom.dataset import Dataset

from orthanc_dose import samples
from orthanc_dose.samples import Filter, ProjectionEvent, make_studies
from orthanc_dose.samples import values as v
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.ct import CtEvent, Source, localizer
from orthanc_dose.samples.document import Study
from tests.support.corpus import FOLDER
from tests.support.exports import export, wanted
from tests.support.server import OrthancServer

DAY = datetime(2024, 2, 3, 10, 0, 0)
EVIL = "=cmd|' /C calc'!A0"
XCCM = Concept("399101009", "cranio-caudal exaggerated medially", "SCT", "R-1024B")
# Side, view, protocol, and what the form calls the view; None where the exposure is left out.
MAMMOGRAMS = [
    (v.LEFT, v.CC, "2D", "LCC"),
    (v.RIGHT, v.CC, "2D", "RCC"),
    (v.LEFT, v.CC, "Tactical SCOUT", None),
    (v.LEFT, v.CC, "2D repeated", "LCC2"),
    (v.LEFT, v.MLO, "Stereo -15", None),
    (v.LEFT, v.MLO, "", "LOB"),
    (v.LEFT, v.CC, "2D", "LCC3"),
    (v.RIGHT, XCCM, "2D", "RXCCM"),
    (None, v.CC, "2D", ""),
    (v.LEFT, None, "2D", ""),
]
KV, MAS, MM = 28.5, 71.25, 53.0  # of the first of them; each further has one more


def mammograms() -> list[ProjectionEvent]:
    return [
        ProjectionEvent(
            type=v.STATIONARY,
            uid=samples.uid("nhsbsp", number),
            started=DAY.replace(minute=number),
            protocol=protocol,
            anatomy=v.BREAST,
            laterality=side,
            view=view,
            anode=v.MOLYBDENUM,
            filters=[Filter(v.STRIP_FILTER, v.RHODIUM, 0.025, 0.025)],
            kvp=KV + number,
            exposure=(MAS + number) * 1000,
            compression_thickness=MM + number,
            agd=1.5,
        )
        for number, (side, view, protocol, _) in enumerate(MAMMOGRAMS)
    ]


def fluoroscopy() -> list[ProjectionEvent]:
    """A run with two sheets of copper and one of aluminium, and a scene without any."""
    filters = [
        Filter(v.FLAT_FILTER, v.COPPER, 0.1, 0.1),
        Filter(v.FLAT_FILTER, v.COPPER, 0.2, 0.2),
        Filter(v.WEDGE_FILTER, v.ALUMINUM, 1.0, 1.0),
    ]
    return [
        ProjectionEvent(
            type=v.FLUOROSCOPY,
            uid=samples.uid("openskin", 1),
            started=DAY,
            protocol='=FL, "low"',
            dap=2.5e-5,
            rp_dose=0.0021,
            reference_point=v.RP_15CM,
            fluoro_mode=v.PULSED,
            pulse_rate=7.5,
            pulses=30,
            kvp=[70, 0, 72],
            current=[10, 0, 12],
            exposure_time=120,
            pulse_width=4,
            exposure=1200,
            focal_spot=0.6,
            duration=4.1,
            average_current=11.5,
            filters=filters,
            primary_angle=-12.5,
            secondary_angle=3,
            source_detector=1100,
            source_isocenter=785,
            table=(-10.5, 20.25, 100),
            region=v.HEART,
            comment="one, two",
        ),
        ProjectionEvent(
            type=v.ROTATIONAL,
            uid=samples.uid("openskin", 2),
            started=DAY.replace(second=30),
            protocol="Spin",
            dap=4e-5,
            rp_dose=0.004,
            pulse_rate=30,
            primary_angle=-100,
            secondary_angle=0,
            primary_end_angle=100,
            secondary_end_angle=0,
        ),
    ]


def radiographs(count: int, key: str) -> list[ProjectionEvent]:
    return [
        ProjectionEvent(
            type=v.STATIONARY,
            uid=samples.uid(key, number),
            started=DAY.replace(minute=number),
            protocol=f"View {number}",
            dap=(number + 1) * 1e-6,
            kvp=60.0 + number,
            exposure=2500 + number,
            source_detector=1153,
            view=v.AP,
            exposure_index=410,
            grids=[v.FOCUSED_GRID],
            filters=[
                Filter(v.FLAT_FILTER, v.ALUMINUM, 1, 1),
                Filter(v.FLAT_FILTER, v.COPPER, 0.1, 0.1),
            ],
        )
        for number in range(count)
    ]


def scans() -> list[CtEvent]:
    """A localizer, which the form does not want, and six series, the second with two tubes."""
    sources = [[Source()], [Source(kvp=80), Source(name="B", kvp=140)], *[[Source(kvp=100)]] * 4]
    series = [
        CtEvent(
            uid=samples.uid("phe-ct", n),
            scanning_length=100.5 + n,
            top=50.0 + n,
            bottom=-50.5,
            ctdi=10.25 + n,
            dlp=100.5 + n,
            sources=tubes,
            type=v.SPIRAL if n else v.STATIONARY_CT,
            phantom=v.HEAD_PHANTOM if n == 5 else v.BODY_PHANTOM,
        )
        for n, tubes in enumerate(sources)
    ]
    return [localizer(CtEvent(uid=samples.uid("phe-ct", "localizer"))), *series]


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as running:
        running.send(
            samples.mammography_report(
                mammograms(), key="nhsbsp", study=Study(started=DAY, description="forms")
            ),
            samples.mammography_report(
                2, key="nhsbsp 2", study=Study(started=DAY.replace(day=4), description="forms")
            ),
            samples.fluoroscopy_report(
                fluoroscopy(), key="openskin", study=Study(started=DAY, description=EVIL)
            ),
            samples.radiography_report(
                radiographs(7, "dx"), key="dx", study=Study(started=DAY, description=EVIL)
            ),
            samples.radiography_report(
                radiographs(1, "dx one"), key="dx one", study=Study(started=DAY, description="one")
            ),
            samples.ct_report(scans(), key="phe-ct", study=Study(started=DAY, description="forms")),
            samples.fluoroscopy_report(
                6,
                key="two planes",
                biplane=True,
                study=Study(started=DAY, description="two planes"),
            ),
            make_studies(24, seed=5),
            *(FOLDER.glob("MG-RDSR-*.dcm")),
            *(FOLDER.glob("RF-RDSR-*.dcm")),
        )
        running.wait_until_idle()
        yield running


def lines(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def sheet(raw: bytes) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(raw)).worksheets[0].iter_rows(values_only=True))


def test_the_list_of_mammograms_of_the_nhsbsp(server: OrthancServer) -> None:
    raw = export(server, "nhsbsp", "MG", query={"study_description": "forms"})
    assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n")
    titles, *found = lines(raw)
    assert titles == ["Survey number", "Patient number", "View code", "kV", "Anode", "Filter", "Thickness", "mAs",
                      "large cassette used", "auto/man", "Auto mode", "Density setting", "Age", "Comment",
                      "AEC density mode"]  # fmt: skip
    expected = [
        [
            "1",
            "1",
            view,
            f"{KV + n:g}",
            "Mo",
            "Rh",
            f"{MM + n:g}",
            f"{MAS + n:g}",
            "",
            "",
            "",
            "",
            "55",
            "",
            "",
        ]
        for n, (_, _, _, view) in enumerate(MAMMOGRAMS)
        if view is not None
    ]
    assert found[: len(expected)] == expected
    assert [line[:3] for line in found[len(expected) :]] == [["1", "2", "RCC"], ["1", "2", "LCC"]]


def test_every_patient_of_the_nhsbsp_is_numbered_and_has_each_view_once(
    server: OrthancServer,
) -> None:
    _, *found = lines(export(server, "nhsbsp", "MG"))
    assert [int(line[1]) for line in found] == sorted(int(line[1]) for line in found)
    assert {int(line[1]) for line in found} == set(range(1, len(server.studies(modality="MG")) + 1))
    views = [(line[1], line[2]) for line in found if line[2]]
    assert len(set(views)) == len(views)


def events_of(path: Path) -> Iterator[dict[str, Any]]:
    """The irradiation events of a report by pydicom: the first value of each concept, by code
    value.
    """

    def walk(items: Any, into: dict[str, Any]) -> None:
        for item in items:
            concept = item.ConceptNameCodeSequence[0].CodeValue
            if item.ValueType == "NUM" and item.MeasuredValueSequence:
                into.setdefault(concept, float(item.MeasuredValueSequence[0].NumericValue))
            elif item.ValueType == "CODE":
                into.setdefault(concept, item.ConceptCodeSequence[0].CodeMeaning)
            elif item.ValueType == "TEXT":
                into.setdefault(concept, item.TextValue)
            elif item.ValueType in ("UIDREF", "DATETIME"):
                into.setdefault(concept, item.get("UID") or item.get("DateTime"))
            walk(item.get("ContentSequence", ()), into)

    for item in pydicom.dcmread(path).ContentSequence:
        if item.ValueType == "CONTAINER" and item.ConceptNameCodeSequence[0].CodeValue == "113706":
            found: dict[str, Any] = {}
            walk(item.ContentSequence, found)
            yield found


@pytest.mark.skipif(not FOLDER.is_dir(), reason="real objects are not beside the repository")
def test_a_real_mammography_report(server: OrthancServer) -> None:
    path = FOLDER / "MG-RDSR-Hologic_2D.dcm"
    whole: Dataset = pydicom.dcmread(path)
    of_study = server.studies(modality="MG", study_instance_uid=str(whole.StudyInstanceUID))
    assert len(of_study) == 1
    _, *found = lines(
        export(server, "nhsbsp", "MG", query={"study_instance_uid": str(whole.StudyInstanceUID)})
    )
    expected = []
    for event in events_of(path):
        assert event["111031"].lower().startswith("cranio-caudal") and "Tungsten" in event["111632"]
        side = event.get("G-C171") or event["272741003"]
        expected.append([f"{side[0]}CC", event["113733"], event["111633"], event["113736"] / 1000])
    assert [[line[2], float(line[3]), float(line[6]), float(line[7])] for line in found] == expected
    assert {(line[4], line[5]) for line in found} == {("W", "Rh")}


def test_the_ct_survey(server: OrthancServer) -> None:
    titles, row = sheet(export(server, "phe_ct_2019", "CT", query={"study_description": "forms"}))
    series = (
        "Imaged length (mm)",
        "Start position (mm)",
        "End position (mm)",
        "kV",
        "CTDI phantom",
        "Scan FOV (mm)",
        "CTDIvol (mGy)*",
        "DLP (mGy.cm)*",
    )
    assert titles == (
        "Patient No",
        "Age (yrs)",
        "Weight (kg)",
        "Height (cm)",
        *series * 4,
        "Total DLP* (whole scan) mGy.cm",
        "Patient comments",
        *series * 2,
    )
    assert row[:4] == (1, 55, 71, 168)
    kilovolts = (120, "80 | 140", 100, 100, 100, 100)
    expected = [
        (
            100.5 + n,
            -50.5,
            50.0 + n,
            kilovolts[n],
            "16 cm" if n == 5 else "32 cm",
            None,
            10.25 + n,
            100.5 + n,
        )
        for n in range(6)
    ]
    assert [row[at : at + 8] for at in (4, 12, 20, 28, 38, 46)] == expected
    # Column AL, as the survey's instructions have it.
    assert row[37] == "Series types: Stationary Acquisition" + ", Spiral Acquisition" * 5
    assert row[36] == pytest.approx(sum(100.5 + n for n in range(6)) + scans()[0].dlp)


def test_the_radiography_survey_of_single_projections(server: OrthancServer) -> None:
    titles, row = sheet(
        export(server, "phe_dx_2019_projection", "DX", query={"study_description": "one"})
    )
    assert (
        titles[4:6] == ("Projection DAP dose", "DAP dose units") and len(titles) == len(row) == 31
    )
    cells = dict(zip(titles, row, strict=True))
    assert row[1:6] == (
        1,
        server.studies(study_description="one")[0]["id"],
        DAY.replace(hour=0),
        1.0,
        "cGy x cm2 (or shown as CGYCM2)",
    )
    assert (
        cells["Patient weight (kg)"],
        cells["Patient age"],
        cells["Sex"],
        cells["Height (m)"],
    ) == (71, 55, "F", 1.68)
    assert (cells["FDD (cm)"], cells["kVp"], cells["mAs"]) == (115.3, 60, 2.5)
    assert (cells["Grid used"], cells["Filtration in mm Al"]) == (
        "Focused grid",
        "Al 1 mm + Cu 0.1 mm",
    )
    assert (
        cells["Protocol name"].endswith("one | View 0")
        and cells["Other projection info"] == "EI 410, antero-posterior"
    )
    assert cells["Other information, comments"] is None


def test_the_radiography_survey_of_studies_has_twenty_projections_where_six_are_not_enough(
    server: OrthancServer,
) -> None:
    raw = export(server, "phe_dx_2019_study", "DX", query={"study_description": "cmd|"})
    titles, row = sheet(raw)
    assert [title for title in titles if title.endswith("DAP")] == [
        f"Projection {n} DAP" for n in range(1, 21)
    ]
    at = titles.index("Projection 1 DAP")
    assert row[at - 1] == 7 and row[at : at + 20] == (*range(1, 8), *[None] * 13)
    first, last = titles.index("Projection 7 Name"), titles.index("Projection 8 Name")
    assert (last - first, row[first], row[first + 6]) == (11, "View 6", 66)
    assert row[4] == 28 and row[titles.index("Other information, comments")] is None
    # Text that would be a formula is text: the cell has Excel's own mark.
    marked = (
        openpyxl.load_workbook(io.BytesIO(raw))
        .worksheets[0]
        .cell(2, titles.index("Protocol name") + 1)
    )
    assert marked.value == EVIL and marked.quotePrefix
    titles, row = sheet(
        export(server, "phe_dx_2019_study", "DX", query={"study_description": "one"})
    )
    assert [title for title in titles if title.endswith("DAP")] == [
        f"Projection {n} DAP" for n in range(1, 7)
    ]
    _, row = sheet(
        export(server, "phe_dx_2019_projection", "DX", query={"study_description": "cmd|"})
    )
    assert (row[4], row[-1]) == (1, "First 1 of 7 exposures")


def test_the_fluoroscopy_survey(server: OrthancServer) -> None:
    rows = sheet(export(server, "phe_rf_2019", "RF", query={"study_description": "cmd|"}))
    assert len(rows) == 7 and len(rows[6]) == 43  # column AQ
    assert rows[3][5:9] == ("Gy·m²", None, "seconds", "Gy")
    assert all(value is None for row in (*rows[:3], *rows[4:6]) for value in row)
    row = rows[6]
    assert row[1:5] == (
        1,
        server.studies(modality="RF", study_description="cmd|")[0]["id"],
        DAY.replace(hour=0),
        6.5e-5,
    )
    assert row[5:7] == (2.5e-5, 4e-5) and row[8:11] == (0.0061, 0.0021, 0.004)
    assert (row[11], row[12], row[14], row[15], row[16]) == (EVIL, 71, 55, "F", 1.68)
    assert row[17:22] == ('=FL, "low"', v.PULSED.meaning, 7.5, 30, 1)
    assert row[30:32] == ("0.1 - 0.2 mm", "1 mm") and row[42] is None


def test_doses_of_two_planes_are_not_made_one(server: OrthancServer) -> None:
    rows = {row[2]: row for row in sheet(export(server, "phe_rf_2019", "RF"))[6:]}
    details = server.details(modality="RF")
    assert rows.keys() == {one["id"] for one in details} and {
        len(one["accumulated"]) for one in details
    } >= {1, 2}
    for one in details:
        row = rows[one["id"]]
        assert (row[4], row[7], row[8]) == (
            one["dap_total"],
            one["total_fluoro_time"],
            one["dose_rp_total"],
        )
        plane = one["accumulated"][0]
        single = (plane["fluoro_dose_rp_total"], plane["acquisition_dose_rp_total"])
        assert row[9:11] == (single if len(one["accumulated"]) == 1 else (None, None))
        assert ("Two planes" in (row[42] or "")) == (one["dose_rp_total_b"] is not None)
        rates = {
            event["pulse_rate"]
            for event in one["events"]
            if event["pulse_rate"] and event["irradiation_event_type"]["value"] == "44491008"
        }
        assert row[19] == ("Multiple rates" if len(rates) > 1 else next(iter(rates), None))


def test_the_file_for_openskin(server: OrthancServer) -> None:
    study = server.studies(modality="RF", study_description="cmd|")[0]
    answer = server.request("GET", f"/dose/api/studies/{study['id']}/openskin")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv")
    assert '"' not in answer.text  # its reader splits at commas
    run, spin = (line.split(",") for line in answer.content.decode().splitlines())
    uid = study["study_instance_uid"]
    assert run == ["Anon", "F", uid, "", "Single Plane", "2024-02-03 10:00:00", "Fluoroscopy", "'=FL; low",
                   v.RP_15CM.meaning, samples.uid("openskin", 1), "2.5e-05", "0.0021", "-12.5", "3", "", "", "", "Flat filter",
                   "Copper or Copper compound", "0.3", "0.3", v.PULSED.meaning, "7.5", "30", "71", "11", "120", "4", "1200",
                   "0.6", "4.1", "11.5", "1100", "785", "-10.5", "20.25", "100", "Heart", "one; two"]  # fmt: skip
    assert (
        spin[:2] == ["Anon", "F"]
        and spin[6:8] == ["Rotational Acquisition", "Spin"]
        and len(spin) == len(run) == 39
    )
    assert spin[12:16] == ["-100", "0", "100", "0"] and spin[17:21] == [""] * 4


@pytest.mark.skipif(not FOLDER.is_dir(), reason="real objects are not beside the repository")
def test_a_real_study_for_openskin(server: OrthancServer) -> None:
    path = FOLDER / "RF-RDSR-Philips_Allura.dcm"
    study = server.studies(
        modality="RF", study_instance_uid=str(pydicom.dcmread(path).StudyInstanceUID)
    )[0]
    found = [
        line.split(",")
        for line in server.request(
            "GET", f"/dose/api/studies/{study['id']}/openskin"
        ).text.splitlines()
    ]
    events = {event["113769"]: event for event in events_of(path)}
    assert {line[9] for line in found} == events.keys() and len(found) == len(events)
    places = {
        10: "122130",
        12: "112011",
        13: "112012",
        32: "113750",
        33: "113748",
        34: "113751",
        35: "113752",
        36: "021",
    }
    for line in found:
        for place, concept in places.items():  # 021: the table's height in Philips' own code
            value = events[line[9]].get(concept)
            assert (
                line[place] == ""
                if value is None
                else float(line[place]) == pytest.approx(value, rel=1e-12)
            ), concept


def test_what_is_no_fluoroscopy_has_no_file_for_openskin(server: OrthancServer) -> None:
    study = server.studies(modality="CT")[0]["id"]
    answer = server.request("GET", f"/dose/api/studies/{study}/openskin")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_fluoroscopy")
    assert server.get("/dose/api/studies/999999/openskin")[0] == 404
    done = server.ok("/dose/api/audit-log?action=openSkin%20file%20fetched")["entries"]
    assert done and not any("Anna" in str(one) for one in done)


def test_forms_are_of_one_modality_type(server: OrthancServer) -> None:
    listed = {
        one["name"]: one["modalities"] for one in server.ok("/dose/api/exports/formats")["formats"]
    }
    assert {name: listed[name] for name in listed if listed[name]} == {
        "nhsbsp": ["MG"],
        "phe_ct_2019": ["CT"],
        "phe_dx_2019_projection": ["DX"],
        "phe_dx_2019_study": ["DX"],
        "phe_rf_2019": ["RF"],
    }
    refused = server.request("POST", "/dose/api/exports", json=wanted("nhsbsp", "CT"))
    assert (refused.status_code, refused.json()["error"]["field"]) == (409, "modality")


def test_a_form_of_no_study_is_empty(server: OrthancServer) -> None:
    none = {"study_description": "there is none"}
    assert len(lines(export(server, "nhsbsp", "MG", query=none))) == 1
    assert [row[1] for row in sheet(export(server, "phe_rf_2019", "RF", query=none))] == [None] * 4
    assert len(sheet(export(server, "phe_ct_2019", "CT", query=none))) == 1


def test_dates_are_dates(server: OrthancServer) -> None:
    rows = sheet(export(server, "phe_dx_2019_study", "DX"))
    details = {one["id"]: one["study_date"] for one in server.studies(modality="DX")}
    assert {row[2]: row[3].date() for row in rows[1:] if row[3]} == {
        number: date.fromisoformat(day) for number, day in details.items() if day
    }
