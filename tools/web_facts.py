"""Write webui/src/shared/facts.ts: the facts that the web UI and the server share, from the
server's declarations, so that each is declared once.

`make docs` runs it; a test checks that the file is up to date.
"""

import json
from pathlib import Path
from typing import Any

from orthanc_dose.records.access import GROUPS
from orthanc_dose.records.ct import DOSE_CHECK
from orthanc_dose.records.task import FINISHED, STATES
from orthanc_dose.retrieve.question import GROUPS as STUDY_KINDS

FILE = Path(__file__).parents[1] / "webui" / "src" / "shared" / "facts.ts"
_WIDTH = 100
_FACTS: tuple[tuple[str, str, Any], ...] = (
    ("GROUPS", "All groups of users, in the order in which people read them.", list(GROUPS)),
    ("TASK_STATES", "States of tasks.", list(STATES)),
    ("FINISHED_STATES", "Those of tasks that are over.", list(FINISHED)),
    (
        "STUDY_KINDS",
        "Kinds of studies that are searched for, by the modalities that make them one.",
        {kind: list(modalities) for kind, modalities in STUDY_KINDS.items()},
    ),
    (
        "DOSE_CHECK",
        "What dose check says: names of fields of a CT event, DLP before CTDIvol.",
        [
            one._asdict()
            | {"limits": [limit._asdict() for limit in one.limits], "more": list(one.more)}
            for one in DOSE_CHECK
        ],
    ),
)


def text() -> str:
    """Return the file's text, formatted as prettier does."""
    out = [
        "// Made by tools/web_facts.py from the server's declarations (make docs): not to be edited."
    ]
    for name, what, value in _FACTS:
        start = f"export const {name} = "
        out.append(
            f"\n/** {what} */\n{start}{_value(value, 0, len(start) + len(' as const;'))} as const;"
        )
    return "\n".join(out) + "\n"


def _value(value: Any, depth: int, beside: int) -> str:
    """Return the TypeScript of a value. beside: number of characters beside it in its line."""
    if isinstance(value, str):
        return json.dumps(value)
    inner, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        lines = (
            f"{inner}{key}: {_value(one, depth + 1, len(inner) + len(key) + 3)},\n"
            for key, one in value.items()
        )
        return "{\n" + "".join(lines) + end + "}"
    if all(isinstance(one, str) for one in value):
        line = f"[{', '.join(map(json.dumps, value))}]"
        if len(line) + beside <= _WIDTH:
            return line
    return (
        "[\n"
        + "".join(f"{inner}{_value(one, depth + 1, len(inner) + 1)},\n" for one in value)
        + end
        + "]"
    )


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
