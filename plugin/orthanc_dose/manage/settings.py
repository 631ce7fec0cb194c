"""The settings: each is declared once, for the store, the API, the page of settings, and "Dose".

The last is the section of the configuration, which gives the initial values.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..dicom.not_patient import OF_OPENREM, NotPatient, indicator
from ..records.study import UNDER_RULES
from ..store import Store, settings
from ..store.disposal import KINDS
from .setting import Setting

_LOG = logging.getLogger(__name__)

TOPICS = {
    "identity": "Patient identity",
    "test data": "Not-patient patterns",
    "sources": "Sources of dose",
    "objects": "Objects in Orthanc",
    "access": "Access",
    "region": "Dates and times",
    "charts": "Charts",
    "sql": "SQL",
    "exports": "Exports",
    "query-retrieve": "Query-retrieve",
    "log": "Logs and tasks",
}

_IN_ORTHANC = (("keep", "kept in Orthanc"), ("delete", "deleted from Orthanc after reading"))
_OR_DROPPED = (*_IN_ORTHANC, ("drop", "not stored at all, and not read"))
_OF_KIND: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "reports": ("Dose reports of all templates.", _IN_ORTHANC),
    "mammography": (
        "Mammography and breast tomosynthesis. Dropped ones give no dose.",
        _OR_DROPPED,
    ),
    "radiography": (
        "Computed and digital radiography, intra-oral X-ray. Dropped ones give no dose.",
        _OR_DROPPED,
    ),
    "captures": ("Philips Dose Info and other dose screens of CT that were read.", _IN_ORTHANC),
    "nuclear": (
        "PET and NM images, once one image of the series is read. Dropped ones give no dose.",
        _OR_DROPPED,
    ),
    "unmatched": (
        "Whatever is left alone: objects without dose, of other SOP classes, of ignored systems; "
        "CT images, which are"
        " dropped only while no setting reads them. Objects of SOP classes that can hold dose are "
        "deleted instead of"
        " dropped.",
        _OR_DROPPED,
    ),
}
_WILDCARDS = (
    " Wildcards * ? [seq] [!seq]; case is ignored. For objects that come in; those that "
    "came before can be read again."
)

_KEPT = (
    ("none", "not stored: never found, and the safest"),
    ("stored", "as written: found by any part of it, read by those who may see patients' identity"),
    (
        "hashed",
        "keyed hash (HMAC-SHA-256): found by the same text alone; nobody can try texts without the "
        "installation's key",
    ),
    (
        "sha256",
        "plain hash (SHA-256), as OpenREM has it: found by the same text alone; numbers can be "
        "found out by trying",
    ),
)


def _kept(name: str, title: str, default: str, about: str) -> Setting:
    later = "A change is for what comes in from then on; a task brings to it what is there."
    return Setting(name, "identity", title, "choice", default, f"{about} {later}", choices=_KEPT)


_WRITTEN = (("error", "errors"), ("warning", "errors and warnings"))

SETTINGS: tuple[Setting, ...] = (
    _kept("patient_name", "Patient name", "none", "What is kept of it, in studies and in the "
"content of objects."),
    _kept("patient_id", "Patient ID", "none",
          "What is kept of it, in studies and in the content of objects. A patient's history needs "
          "it, in any of the forms."),
    _kept("patient_birth_date", "Date of birth", "none",
          "What is kept of it. The age at the study is worked out before it is dropped. Hashes are "
          "of YYYY-MM-DD."),
    _kept("accession_number", "Accession number", "stored",
          "What is kept of it, wherever it stands in an object. It finds the request and so, for "
          "those who have the RIS, the"
          " patient."),
    Setting("not_patient_names", "test data", "Names that are no patient's", "patterns", (),
            "Objects whose patient name is like one of these are possible test data: left out of "
            "lists and overviews unless"
            " asked for. Compared as written (Family^Given) and with spaces for ^. Wildcards: * ? "
            "[seq] [!seq]; upper and lower"
            " case are the same. Studies show the pattern, so put no real name into "
"it.", example="*phantom*"),
    Setting("not_patient_ids", "test data", "IDs that are no patient's", "patterns", (),
            "The same for patient IDs. Wildcards: * ? [seq] [!seq]; upper and lower case are the "
"same.", example="qa[0-9]*"),
    Setting("dose_from_ct_images", "sources", "CT images", "flag", False,
            "Make a dose record of CT studies that have no dose report from the headers of their "
            "images."),
    Setting("dose_screens", "sources", "Dose screens", "patterns", (),
            "Makers and models whose dose screens (values in the pixels) are read by OCR.",
            example="TOSHIBA*/Aquilion*",
            form=(r"^[^\n\x00]*\S[^\n\x00]*/[^\n\x00]*$", 'a list of "MANUFACTURER/MODEL", as '
'["TOSHIBA*/Aquilion*"]')),
    *(Setting(f"{kind}_in_orthanc", "objects", KINDS[kind], "choice", "keep", description, choices=choices)
      for kind, (description, choices) in _OF_KIND.items()),
    *(Setting(f"ignored_{name}", "objects", f"Ignored {words}", "patterns", (),
              "Objects of systems that match are left alone." + _WILDCARDS, example=example)
      for name, words, example in (
          ("manufacturers", "manufacturers", "Acme*"), ("models", "models", "*Phantom*"),
          ("stations", "stations", "TEST?"), ("software_versions", "software versions", "VA10*"),
          ("serial_numbers", "serial numbers", "0000*"))),
    *(Setting(name, "objects", title, "patterns", (),
              "Studies of patients that match are physics: never deleted from Orthanc, and not "
"read." + _WILDCARDS,
              example=example)
      for name, title, example in (("physics_names", "Physics studies, by patient "
"name", "*PHYSICS*"),
                                   ("physics_ids", "Physics studies, by patient ID", "PHY-*"))),
    Setting("session_hours", "access", "Length of a session", "number", 12,
            "Who does nothing for so long is signed out.", minimum=1, maximum=168, unit="h"),
    Setting("date_format", "region", "Dates", "choice", "language", "How dates are written on "
"pages and in exports.",
            choices=(("language", "as is usual in the language of the page"),
                     ("dd/mm/yyyy", "31/01/2026"), ("dd.mm.yyyy", "31.01.2026"), ("yyyy-mm-dd", "2026-01-31"),
                     ("mm/dd/yyyy", "01/31/2026"))),
    Setting("first_day_of_week", "region", "First day of the week", "choice", "monday", "",
            choices=(("monday", "Monday"), ("sunday", "Sunday"), ("saturday", "Saturday"))),
    Setting("time_zone", "region", "Time zone", "time zone", "",
            "In which pages show times of the server. Times of studies are those of the systems "
            "that made them."),
    Setting("export_days", "exports", "Exports", "number", 14, "How long their files can be "
"fetched; then they are deleted.",
            minimum=1, maximum=3650, unit="d"),
    Setting("parquet_copy", "exports", "Nightly Parquet copy", "flag", False,
            "Write the whole dose record as Parquet into a folder each night, for DuckDB, Spark, "
            "Polars and R."),
    Setting("parquet_copy_hour", "exports", "Hour of the copy", "number", 2,
            "When it begins, by the server's clock. After it was switched on, or when the server "
            "was down at that hour, it"
            " begins as soon as it can.", minimum=0, maximum=23),
    Setting("parquet_copy_identity", "exports", "Patients in the copy", "flag", False,
            "With patients' names, IDs and birth dates, as the store has them. Whoever reads the "
            "folder reads them."),
    Setting("moves_at_once", "query-retrieve", "Moves at once", "number", 2,
            "So many moves of a retrieval run at the same time, each of a series, or of several of "
            "one study. Orthanc does as"
            " many jobs at once as its \"ConcurrentJobs\" says.", minimum=1, maximum=20),
    Setting("move_pause", "query-retrieve", "Pause before a retry", "number", 5,
            "A move that fails is tried again three times: after this pause, then after 4 and 12 "
            "times as long. When nothing"
            " can be fetched from the node at all, everything waits in the same "
"way.", minimum=0, maximum=3600, unit="s"),
    Setting("sql_seconds", "sql", "Longest run", "number", 30,
            "A statement on the page SQL is stopped after it; one that makes a file after ten "
            "times as long.",
            minimum=1, maximum=600, unit="s"),
    Setting("sql_memory", "sql", "Memory of a statement", "number", 2_000,
            "A statement that needs more is ended. It gets a quarter of what the machine has at most.",
            minimum=200, maximum=100_000, unit="MB"),
    Setting("sql_age", "sql", "Age of the data", "number", 5,
            "Statements read a copy of the dose data. It is made anew for the next statement when it is "
            "older than this and something has changed since; 0: whenever something has changed.",
            minimum=0, maximum=1_440, unit="min"),
    Setting("sql_rows", "sql", "Rows on the page", "number", 10_000, "At most so many are shown.",
            minimum=10, maximum=100_000),
    Setting("sql_file_rows", "sql", "Rows of a file", "number", 1_000_000, "At most so many are in "
"a file of a statement.",
            minimum=10, maximum=100_000_000),
    Setting("log_level", "log", "Log", "choice", "info",
            "What is written to it. A line names systems, users, and numbers of studies, objects and "
            "tasks, and no patient.",
            choices=(*_WRITTEN, ("info", "also what is done"), ("debug", "also each request, and more of what is "
"done"))),
    Setting("log_level_in_orthanc", "log", "Log in Orthanc's", "choice", "warning",
            "What of it is written to Orthanc's own log, too, which shows what is below a warning with "
            "--verbose only.",
            choices=(*_WRITTEN, ("info", "also what is done"), ("debug", "all of it"))),
    Setting("log_to_file", "log", "Log in a file", "flag", True,
            "Write it to a file: log/orthanc-dose.log in the data directory, or what LogFile in the "
            "configuration names. Without it the log goes back 2,000 lines, and no further than the "
            "start."),
    Setting("log_file_megabytes", "log", "Size of the file", "number", 10, "A new one is begun "
"above it.",
            minimum=1, maximum=100, unit="MB"),
    Setting("log_files_kept", "log", "Files kept", "number", 5, "How many are kept beside the one "
"that is written.",
            minimum=1, maximum=20),
    Setting("audit_days", "log", "Audit log", "number", 730, "How long its entries are kept.",
            minimum=30, maximum=36_500, unit="d"),
    Setting("task_days", "log", "Finished tasks", "number", 90, "How long they are listed, with "
"what came of them.",
            minimum=1, maximum=3650, unit="d"),
)  # fmt: skip
BY_NAME = {setting.name: setting for setting in SETTINGS}
BY_KEY = {setting.key: setting for setting in SETTINGS}

_KIND, _EVERYBODY = "setting", ""


class Settings:
    """The present values.

    first: those of the configuration, by name; values set by an administrator override them.

    Safe to be read from several threads; `version` grows with each change.
    """

    def __init__(self, store: Store, first: Mapping[str, Any]) -> None:
        self._store = store
        self._first = dict(first)
        self._lock = threading.Lock()
        self._watching: list[Callable[[], None]] = []
        self.version = 0
        self._set: dict[str, Any] = {}
        with store.reading() as connection:
            for name, value in settings.listed(connection, _EVERYBODY, _KIND).items():
                try:
                    self._set[name] = BY_NAME[name].checked(value)
                except (KeyError, ValueError):
                    continue  # set by another version: the default applies until it is set again

    def value(self, name: str) -> Any:
        """Return the present value."""
        with self._lock:
            return self._set.get(name, self.first(name))

    def first(self, name: str) -> Any:
        """Return the value without changes by an administrator: the configuration's, or the
        default.
        """
        return self._first.get(name, BY_NAME[name].default)

    def is_set(self, name: str) -> bool:
        """Return whether an administrator changed the setting."""
        return name in self._set

    def set(self, name: str, value: object) -> Any:
        """Change a setting, and return its previous value.

        Raises ValueError if the new value is not allowed.
        """
        checked = BY_NAME[name].checked(value)
        before = self.value(name)
        settings.put(self._store, _EVERYBODY, _KIND, name, checked)
        with self._lock:
            self._set[name] = checked
        self._changed(name)
        return before

    def reset(self, name: str) -> Any:
        """Restore the configuration's value, and return the previous value."""
        before = self.value(name)
        settings.remove(self._store, _EVERYBODY, _KIND, name)
        with self._lock:
            self._set.pop(name, None)
        self._changed(name)
        return before

    def watch(self, changed: Callable[[], None]) -> None:
        """Register a function to call after each change, on the thread that made it."""
        self._watching.append(changed)

    def _changed(self, name: str) -> None:
        _LOG.info("setting changed: %s", name)
        self.version += 1
        for tell in self._watching:
            tell()


def not_patient(settings: Settings) -> NotPatient:
    """Return the patterns given by the settings."""
    return NotPatient(settings.value("not_patient_names"), settings.value("not_patient_ids"))


def identity_rules(settings: Settings) -> dict[str, str]:
    """Return what is kept of each item, by the field of the study."""
    return {name: settings.value(name) for name in UNDER_RULES}


__all__ = [
    "BY_KEY",
    "BY_NAME",
    "OF_OPENREM",
    "SETTINGS",
    "Settings",
    "TOPICS",
    "identity_rules",
    "indicator",
    "not_patient",
]
