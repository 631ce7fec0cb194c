"""Real objects beside the repository, if they exist. They are not part of it."""

from pathlib import Path

FOLDER = Path(__file__).parents[3] / "shared" / "corpus"
OBJECTS = sorted(FOLDER.glob("*.dcm"))
# Dose reports of CT, projection X-ray and nuclear medicine, including those that come as Enhanced
# SR.
DOSE_REPORTS = [path for path in OBJECTS if "RDSR" in path.name or "ESR-GE" in path.name]
