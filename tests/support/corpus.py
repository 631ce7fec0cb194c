"""Real objects beside the repository, where they are there. They are not part of it."""

from pathlib import Path

FOLDER = Path(__file__).parents[3] / "shared" / "corpus"
OBJECTS = sorted(FOLDER.glob("*.dcm"))
# X-Ray Radiation Dose SR of CT and projection X-ray, also where it comes as Enhanced SR.
DOSE_REPORTS = [path for path in OBJECTS if "RDSR" in path.name and "RRDSR" not in path.name or "ESR-GE" in path.name]
