"""Write plugin/orthanc_dose/dicom/codes.json, the table of coded concepts that dose reports use.

    python tools/make_codes.py RDSR_CODES.json

RDSR_CODES.json contains the templates and context groups of DICOM PS3.16 that concern dose; the
SNOMED-RT to SNOMED-CT pairs and the other context groups come from pydicom's tables of the
standard. Run by hand when the standard changes.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydicom.sr import _concepts_dict, _snomed_dict

TARGET = Path(__file__).parents[1] / "plugin/orthanc_dose/dicom/codes.json"

# Until 2017, PS3.16 CID 10006 and 10016 had members named "X or X compound"; today's members are
# the elements.
ELEMENTS = {
    "C-120F9": "12503006",  # aluminium
    "C-127F9": "66925006",  # copper
    "C-132F9": "88488004",  # lead
    "C-137F9": "41967008",  # silver
    "C-150F9": "71128006",  # molybdenum
    "C-156F9": "45215009",  # tantalum
    "C-164F9": "26194003",  # tungsten
    "C-167F9": "59801003",  # rhodium
    "C-1190E": "767776000",  # niobium
    "C-1190F": "767775001",  # europium
}
# Pairs that former editions of PS3.16 had: CID 4010, postero-anterior, today paired with R-40888.
FORMER = {"R-10214": "272479007"}
# Context groups that a dose report or an image header with dose can use: patient state and
# position, sides, views, anatomy, roles, and all of the radiation dose groups.
CONTEXT_GROUPS = (
    (2, 30),
    (82, 84),
    (230, 271),
    (3108, 3108),
    (3629, 3629),
    (4009, 4052),
    (6022, 6022),
    (7445, 7460),
    (10000, 10099),
)
# Common Anatomic Region, whose meanings count where groups have different ones: chest, not thorax.
REGIONS = 4031
# Codes of the standard that were replaced by others with the same meaning: Exposure Time; regions of
# the body, for which CID 4031 and annex L had other SNOMED CT concepts until 2020 (SNOMED-RT has no
# code of its own for the new ones: T-D3000 is still the chest); aluminium, see ELEMENTS.
REPLACED = {
    "DCM:113735": "DCM:113824",
    "SCT:51185008": "SCT:816094009",  # chest, T-D3000
    "SCT:113345001": "SCT:818981001",  # abdomen, T-D4000
    "SCT:416949008": "SCT:818982008",  # abdomen and pelvis, R-FAB57
    "SCT:12921003": "SCT:816092008",  # pelvis, T-D6000
    "SCT:297171002": "SCT:1217257000",  # cervico-thoracic spine, T-D00F7
    "SCT:297172009": "SCT:1217256009",  # thoraco-lumbar spine, T-D00F8
    "SCT:297173004": "SCT:1217253001",  # lumbo-sacral spine, T-D00F9
    "SCT:297174005": "SCT:1217254007",  # sacro-coccygeal spine, T-D00FA
    "SCT:105830007": "SCT:12503006",
    "DCM:113710": "SCT:767776000",  # niobium
    "DCM:113711": "SCT:767775001",  # europium
}


def main(source: str) -> None:
    reference = json.loads(Path(source).read_text())
    meanings: dict[str, str] = {}
    regions: dict[str, str] = {}
    standard: dict[str, dict[str, Any]] = _concepts_dict.concepts
    for scheme, concepts in standard.items():
        if scheme in ("DCM", "SCT", "UCUM", "LN"):
            for by_code in concepts.values():
                for code, (meaning, cids) in by_code.items():
                    if any(first <= cid <= last for cid in cids for first, last in CONTEXT_GROUPS):
                        meanings[f"{scheme}:{code}"] = meaning
                    if REGIONS in cids:
                        regions[f"{scheme}:{code}"] = meaning
    meanings |= regions
    for group in reference["context_groups"].values():
        for member in group["members"]:
            meanings.setdefault(f"{member['scheme']}:{member['code']}", member["meaning"])
    for code, entry in reference["all_dcm_dose_codes"].items():
        meanings[f"DCM:{code}"] = entry["meaning"]
    for key, entry in reference["codes"].items():
        meanings[key] = entry["meaning"]
    srt = {k: v for k, v in reference["srt_to_sct"].items() if not k.startswith("_")}
    for code, target in _snomed_dict.mapping["SRT"].items():
        srt.setdefault(code, target)
    for key, entry in reference["aliases"].items():
        if key.startswith("SRT:"):
            srt[key[4:]] = entry["to"].removeprefix("SCT:")
    for template in reference["templates"].values():
        for row in template["rows"]:
            if row.get("alt_scheme") == "SRT":
                srt.setdefault(row["alt_code"], row["code"])
    srt.update(ELEMENTS | FORMER)
    table = {
        "replaced": REPLACED,
        "srt_to_sct": dict(sorted(srt.items())),
        "meanings": dict(sorted(meanings.items())),
    }
    TARGET.write_text(json.dumps(table, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
    print(
        f"{TARGET.name}: {len(srt)} SRT codes, {len(meanings)} meanings, "
        f"{TARGET.stat().st_size // 1024} kB"
    )


if __name__ == "__main__":
    main(sys.argv[1])
