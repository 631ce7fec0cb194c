"""Real objects beside the repository, where they are there. They are not part of it."""

from pathlib import Path

FOLDER = Path(__file__).parents[3] / "shared" / "corpus"
OBJECTS = sorted(FOLDER.glob("*.dcm"))
# Dose reports of CT, projection X-ray and nuclear medicine, also where they come as Enhanced SR.
DOSE_REPORTS = [path for path in OBJECTS if "RDSR" in path.name or "ESR-GE" in path.name]
