"""openSkin's rules against its recorded map of the Siemens Zee report, and its two files."""

from __future__ import annotations

import json
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from orthanc_dose.skindose.openskin import OpenSkinMap, Refused, openskin_map, picture, results_text
from orthanc_dose.skindose.phantom import cuboid_size
from tests.support.corpus import FOLDER
from tests.support.skin import event
from tests.unit.test_skin_studies import records_of

RECORDED = Path(__file__).parents[3] / "shared" / "reference" / "skin_dose_openskin.json"


@pytest.mark.skipif(
    not FOLDER.is_dir() or not RECORDED.is_file(), reason="corpus or reference is not beside"
)
def test_the_map_of_the_zee_report_is_openskins() -> None:
    recorded = json.loads(RECORDED.read_text("utf-8"))
    expected = np.array(recorded["skin_map"], float).reshape(94, 90)
    (record,) = records_of((FOLDER / "RF-RDSR-Siemens-Zee.dcm").read_bytes())
    made = openskin_map(record.events)
    assert made.dose.shape == expected.shape
    assert np.abs(made.dose - expected).max() < 1e-8
    assert ((made.dose > 0) == (expected > 0)).all()
    size = made.size
    assert (size.width, size.depth, size.flat, size.curved, size.torso, size.head) == pytest.approx(
        [recorded[f"phantom_{name}"] for name in ("width", "depth", "flat_dist", "curved_dist", "height", "head_height")]
    )  # fmt: skip


AT = {"table_height_position": 150.0, "table_lateral_position": 600.0, "dap": 0.008}


def test_one_field_by_hand() -> None:
    """PA with 80 kV without copper: the back is 11 cm below the isocentre, 67.5 cm from the focus; of the table
    0.68, of backscatter 1.4 for 80 to 100 cells (10 cm)."""
    made = openskin_map([event(**AT)])
    on_axis = (63.5 / 67.5) ** 2 * 0.68 * 1.4
    # A corner on the axis: 14 + 31 + 7 columns from the front's right end; 60 - 5 cm from the vertex. A cell has the
    # mean of corners 0, 1, 1 and sqrt 2 cm from the axis.
    corners = [1 / (1 + r2 / 67.5**2) for r2 in (0, 1, 1, 2)]
    assert made.dose[55, 52] == pytest.approx(on_axis * sum(corners) / 4, rel=1e-6)
    # From above: 19.735 cm of body and 4 of pad are 8.735 cm above the isocentre; no table.
    above = openskin_map([event(**AT, positioner_primary_angle=180.0)])
    assert above.dose[55, 7] == pytest.approx(
        (63.5 / (78.5 - (19.735212943 - 11.0))) ** 2 * 1.4, rel=1e-3
    )


def test_what_openskin_cannot_do_is_refused() -> None:
    turned = event(**AT, positioner_primary_end_angle=90.0)
    prone = event(**AT, patient_position="HFP")
    incomplete = event(**AT)
    del incomplete["positioner_primary_angle"]
    cases: list[tuple[list[dict[str, Any]], str]] = [
        ([turned], "rotation"),
        ([event(**AT), prone], "position_not_modelled"),
        ([incomplete], "no_angles"),
        ([event(dap=0.0, dose_rp=0.0)], "no_events"),
        ([], "no_events"),
    ]
    for rows, reason in cases:
        with pytest.raises(Refused, match=f"^{reason}$"):
            openskin_map(rows)


def test_its_text_and_picture() -> None:
    dose = np.zeros((94, 90))
    dose[24, 0], dose[25, 3], dose[93, 89], dose[24, 89] = 12.0, 10.0, 5.0, 3.5
    made = OpenSkinMap(cuboid_size(178.6, 73.2), dose)
    lines = results_text(made, "exposures.csv", datetime(2026, 11, 30, 17, 44, 55)).splitlines()
    told = dict(line.split(":", 1) for line in lines)
    told = {name.strip(): value.strip() for name, value in told.items()}
    assert told["Data file"] == "exposures.csv" and told["File created"] == "11/30/26 17:44:55"
    assert float(told["Peak dose (Gy)"]) == 12.0
    assert [told[f"Cells > {level} Gy"] for level in (3, 5, 10)] == ["4", "2", "1"]
    shown = Image.open(BytesIO(picture(made)))
    assert shown.size == (70, 90) and shown.mode in ("I;16", "I")
    grey = np.asarray(shown)
    # The head's end is left; 12 Gy is white as 10 Gy is; 5 Gy is half of it.
    assert grey[0, 0] == 65535 and grey[3, 1] == 65535
    assert grey[89, 69] == pytest.approx(65535 / 2, abs=1)
    assert grey[89, 0] == pytest.approx(65535 * 0.35, abs=1)
    assert np.count_nonzero(grey) == 4
