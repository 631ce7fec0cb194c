"""Make plugin/orthanc_dose/skindose/half_value_layers.json: half value layers of X-ray beams.

Run when the grid changes: `python -m venv x; x/bin/pip install spekpy==2.5.4;
x/bin/python tools/make_half_value_layers.py`. SpekPy (MIT; Poludniowski, Omar, Bujila, Andreo 2021,
Med Phys 48:3630) calculates the spectrum of a tungsten anode of 12 degrees; here the spectrum of
each tube voltage is filtered by aluminium and copper, and the first half value layer of its air
kerma is kept. A few seconds for each voltage.
"""

import json
from importlib.metadata import version
from pathlib import Path

import spekpy  # type: ignore[import-not-found]

TARGET = Path(__file__).parents[1] / "plugin/orthanc_dose/skindose/half_value_layers.json"
ANODE = 12.0  # degrees
KV = (40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150)
ALUMINIUM = (0.5, 1.0, 1.5, 2.0, 2.5, 3.1, 4.0, 5.0, 6.5, 8.0, 10.0, 13.0)  # mm
COPPER = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.9, 1.2, 1.6, 2.0)  # mm


def half_value_layers(kv: float) -> list[list[float]]:
    """Return the half value layers in mm Al of one voltage: one row for each aluminium thickness,
    one number for each copper thickness.
    """
    tube = spekpy.Spek(kvp=kv, th=ANODE, dk=0.5)
    rows = []
    for aluminium in ALUMINIUM:
        row = []
        for copper in COPPER:
            beam = spekpy.Spek.clone(tube)
            beam.multi_filter([("Al", aluminium), ("Cu", copper)])
            row.append(round(float(beam.get_hvl1()), 4))
        rows.append(row)
    return rows


def main() -> None:
    TARGET.write_text(
        json.dumps(
            {
                "source": f"SpekPy {version('spekpy')}, tungsten, {ANODE:g} degrees; made by "
                "tools/make_half_value_layers.py",
                "unit": "mm Al",
                "kv": KV,
                "aluminium_mm": ALUMINIUM,
                "copper_mm": COPPER,
                "half_value_layers": [half_value_layers(kv) for kv in KV],
            }
        )
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
