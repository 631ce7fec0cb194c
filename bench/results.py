"""The results of a benchmark, the machine it ran on, and how both are printed."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import orthanc_dose


@dataclass
class Line:
    """One row of a table.

    cells: by column, as numbers or text; values: the same and more, for JSON.
    """

    cells: tuple[str, ...]
    values: dict[str, object]


@dataclass
class Results:
    """A part's table: title, what was done in a sentence, columns, rows."""

    part: str
    title: str
    how: str
    columns: tuple[str, ...]
    lines: list[Line] = field(default_factory=list)

    def add(self, *cells: object, **values: object) -> None:
        self.lines.append(Line(tuple(shown(cell) for cell in cells), values))

    def text(self) -> str:
        rows = [self.columns, *(line.cells for line in self.lines)]
        widths = [max(len(row[at]) for row in rows) for at in range(len(self.columns))]
        lines = [self.title, self.how, ""]
        for number, row in enumerate(rows):
            cells = [row[0].ljust(widths[0])] + [
                cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)
            ]
            lines.append("  " + "  ".join(cells).rstrip())
            if number == 0:
                lines.append("  " + "  ".join("-" * width for width in widths))
        return "\n".join(lines)


def shown(value: object) -> str:
    """Return a number with three significant digits; anything else unchanged."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> dict[str, str]:
    """Return the properties of the machine on which the figures depend."""
    release = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    system = release.get("PRETTY_NAME", platform.system()).strip('"')
    processor = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    orthanc = subprocess.run(
        ["/usr/sbin/Orthanc", "--version"], capture_output=True, text=True, check=False
    ).stdout
    return {
        "processor": f"{processor}, {os.cpu_count()} cores, {memory:.0f} GB",
        "system": f"{system}, Linux {platform.release()}",
        "orthanc": orthanc.split("\n")[0].split()[-1],
        "python": platform.python_version(),
        **{name: version(name) for name in ("duckdb", "pyarrow", "pydicom")},
        "orthanc-dose": orthanc_dose.__version__,
        "load at start": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def write_results(path: Path, of: dict[str, str], results: list[Results]) -> None:
    """Write all figures as JSON."""
    parts = [{**asdict(part), "lines": [line.values for line in part.lines]} for part in results]
    path.write_text(json.dumps({"machine": of, "parts": parts}, indent=1) + "\n")
