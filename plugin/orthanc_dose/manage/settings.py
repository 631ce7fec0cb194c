"""The settings: each is declared once, for the store, the API, the page of settings, and "Dose".

The last is the section of the configuration, which gives the initial values.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..dicom.not_patient import OF_OPENREM, NotPatient, indicator
from ..records.access import GROUPS
from ..records.study import UNDER_RULES
from ..store import Store, stored_settings
from ..store.disposal import KINDS
from .setting_types import Setting

_LOG = logging.getLogger(__name__)

TOPICS = {
    "identity": "Patient identity",
    "test data": "Not-patient patterns",
    "sources": "Dose sources",
    "objects": "Objects in Orthanc",
    "access": "Access",
    "region": "Dates and times",
    "estimates": "Estimates",
    "charts": "Charts",
    "sql": "SQL",
    "exports": "Exports",
    "backup": "Backups",
    "query-retrieve": "Query-retrieve",
    "log": "Logs and tasks",
}

_IN_ORTHANC = (("keep", "kept in Orthanc"), ("delete", "deleted from Orthanc after import"))
_OR_DROPPED = (*_IN_ORTHANC, ("drop", "not stored at all and not read"))
_OF_KIND: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "reports": ("Dose reports of all templates.", _IN_ORTHANC),
    "mammography": (
        "Mammography and breast tomosynthesis. Images that are not stored give no dose data.",
        _OR_DROPPED,
    ),
    "radiography": (
        "Computed and digital radiography, intra-oral X-ray, volumes of cone-beam CT. Images that "
        "are not stored give no dose data.",
        _OR_DROPPED,
    ),
    "captures": ("Philips Dose Info and other CT dose screens that have been read.", _IN_ORTHANC),
    "nuclear": (
        "PET and NM images, once one image of the series has been read. Images that are not "
        "stored give no dose data.",
        _OR_DROPPED,
    ),
    "unmatched": (
        "All objects that are ignored: those without dose data, of other SOP classes or from "
        "ignored systems, and CT images, which are only rejected as long as no setting reads "
        "them. Objects of SOP classes that can contain dose data are deleted instead of rejected.",
        _OR_DROPPED,
    ),
}
_WILDCARDS = (
    " Wildcards * ? [seq] [!seq]; case is ignored. Applies to new objects; earlier objects can "
    "be re-imported."
)

_KEPT = (
    ("none", "not stored: cannot be searched for; the safest choice"),
    (
        "stored",
        "plain text: any part of it can be searched for; visible to those who may see patient "
        "identity",
    ),
    (
        "hashed",
        "keyed hash (HMAC-SHA-256): only found by exactly the same text; cannot be guessed by "
        "trial without the installation's key",
    ),
    (
        "sha256",
        "plain hash (SHA-256), as in OpenREM: only found by exactly the same text; numbers can "
        "be guessed by trial",
    ),
)


def _kept(name: str, title: str, default: str, about: str) -> Setting:
    later = "A change applies to new data; a task applies it to existing data."
    return Setting(name, "identity", title, "choice", default, f"{about} {later}", choices=_KEPT)


_OWN_TABLE = ("own", "the installation's own table")
_WRITTEN = (("error", "errors"), ("warning", "errors and warnings"))

SETTINGS: tuple[Setting, ...] = (
    _kept("patient_name", "Patient name", "none",
          "How it is stored in studies and in the kept content of objects."),
    _kept("patient_id", "Patient ID", "none",
          "How it is stored in studies and in the kept content of objects. Patient history "
          "requires it, in any of the forms."),
    _kept("patient_birth_date", "Date of birth", "none",
          "How it is stored. The age at the study is calculated before the date is dropped. "
          "Hashes are of YYYY-MM-DD."),
    _kept("accession_number", "Accession number", "stored",
          "How it is stored, wherever it appears in an object. It identifies the request and "
          "therefore, for anyone with access to the RIS, the patient."),
    Setting("not_patient_names", "test data", "Not-patient names", "patterns", (),
            "Objects whose patient name matches one of these patterns are possible test data, "
            "which lists and overviews exclude unless it is requested. Names are compared as "
            "written (Family^Given) and with spaces instead of ^. Wildcards: * ? [seq] [!seq]; "
            "case is ignored. Studies show the pattern, so do not use a real name as a pattern.", example="*phantom*"),
    Setting("not_patient_ids", "test data", "Not-patient IDs", "patterns", (),
            "The same for patient IDs. Wildcards: * ? [seq] [!seq]; case is ignored.", example="qa[0-9]*"),
    Setting("dose_from_ct_images", "sources", "CT images", "flag", False,
            "For CT studies without a dose report, create a dose record from the headers of "
            "their images. Includes dental cone-beam CT that is stored as CT images."),
    Setting("dose_screens", "sources", "Dose screens", "patterns", (),
            "Manufacturers and models whose dose screens (values in the pixels) are read by OCR.",
            example="TOSHIBA*/Aquilion*",
            form=(r"^[^\n\x00]*\S[^\n\x00]*/[^\n\x00]*$",
                  'a list of "MANUFACTURER/MODEL", such as ["TOSHIBA*/Aquilion*"]')),
    Setting("count_rejected_for_safety", "sources", "Rejected for patient safety", "flag", False,
            "Count objects that a rejection note excludes for reasons of patient safety (113037). By "
            "default, they are left out of sums, since the patient or the side may be wrong and the "
            "note does not say which. A change is applied to existing studies by a task."),
    *(Setting(f"{kind}_in_orthanc", "objects", KINDS[kind], "choice", "keep", description, choices=choices)
      for kind, (description, choices) in _OF_KIND.items()),
    *(Setting(f"ignored_{name}", "objects", f"Ignored {words}", "patterns", (),
              "Objects from matching systems are ignored." + _WILDCARDS, example=example)
      for name, words, example in (
          ("manufacturers", "manufacturers", "Acme*"), ("models", "models", "*Phantom*"),
          ("stations", "stations", "TEST?"), ("software_versions", "software versions", "VA10*"),
          ("serial_numbers", "serial numbers", "0000*"))),
    *(Setting(name, "objects", title, "patterns", (),
              "Studies of matching patients are physics studies: they are never deleted from "
              "Orthanc and not read." + _WILDCARDS,
              example=example)
      for name, title, example in (("physics_names", "Physics studies, by patient "
"name", "*PHYSICS*"),
                                   ("physics_ids", "Physics studies, by patient ID", "PHY-*"))),
    Setting("effective_dose_weights", "estimates", "Effective dose", "choice", "none",
            "Whether effective doses are estimated, and with which tissue weighting factors. A table "
            "with other factors gives no values, so that the two are never mixed. The estimates are for "
            "a reference person, not for the patient.",
            choices=(("none", "not estimated"), ("ICRP 60", "ICRP 60"), ("ICRP 103", "ICRP 103"))),
    Setting("effective_dose_ct", "estimates", "Table for CT", "choice", "none",
            "Coefficients from DLP to effective dose, by region, age, phantom and tube voltage.",
            choices=(("none", "none"), ("aapm96", "AAPM report 96 (ICRP 60)"),
                     ("nci2012_icrp60", "Lee et al. 2012 (ICRP 60)"),
                     ("nci2012_icrp103", "Lee et al. 2012 (ICRP 103)"), _OWN_TABLE)),
    Setting("effective_dose_nm", "estimates", "Table for nuclear medicine", "choice", "none",
            "Coefficients from administered activity to effective dose, by agent and age.",
            choices=(("none", "none"), ("andersson2015", "Andersson et al., erratum of 2015 (ICRP 103)"),
                     _OWN_TABLE)),
    Setting("effective_dose_projection", "estimates", "Table for fluoroscopy and radiography", "choice",
            "none",
            "Coefficients from dose area product to effective dose, by protocol and age. There are "
            "only those that you enter yourself, with their source.",
            choices=(("none", "none"), _OWN_TABLE)),
    Setting("session_hours", "access", "Length of a session", "number", 12,
            "Users are signed out after this time of inactivity.", minimum=1, maximum=168, unit="h"),
    Setting("second_step_groups", "access", "Two-step sign-in required", "patterns", (),
            "Groups whose members need a code from an authenticator app in addition to the password. "
            "Members who have not set it up can do nothing else until they have. It applies to users whom an "
            "administrator added; users in Orthanc's configuration have no second step.",
            example="administration",
            form=(f"^({'|'.join(GROUPS)})$", f"a list of groups, of: {', '.join(GROUPS)}")),
    Setting("password_sign_in", "access", "Sign-in with a password", "choice", "everybody",
            "Who can sign in with a password of this server if there is a provider. Administrators always can, and so can "
            "users in Orthanc's configuration, so that nobody is locked out if the provider is away.",
            choices=(("everybody", "all users of this server"), ("administrators", "administrators only"))),
    Setting("provider_issuer", "access", "Provider: issuer", "text", "",
            "Address of the OpenID Connect provider, exactly as it calls itself, such as "
            "https://login.example.org/realms/hospital. It must also be listed under the servers that may be asked.",
            maximum=500),
    Setting("provider_client_id", "access", "Provider: client ID", "text", "",
            "Name of this server at the provider. Its secret, if it has one, is ProviderClientSecret in the "
            "configuration.", maximum=500),
    Setting("public_address", "access", "Address of this server", "text", "",
            "As browsers know it, such as https://dose.example.org. Register it at the provider, followed by "
            "/dose/api/session/provider/callback, and by /dose/app/sign-in for signing out.", maximum=500),
    Setting("provider_name", "access", "Provider: name", "text", "Single sign-on",
            "Shown on the button of the sign-in page.", maximum=60),
    Setting("provider_scopes", "access", "Provider: scopes", "text", "openid profile",
            "What the provider is asked for; some require another scope for groups.", maximum=500),
    Setting("provider_name_claim", "access", "Provider: claim of the name", "text", "preferred_username",
            "Claim that contains the user name.", maximum=100),
    Setting("provider_groups_claim", "access", "Provider: claim of the groups", "text", "groups",
            "Claim that contains the user's groups, as a list of texts; dots lead into nested claims, as in "
            "realm_access.roles.", maximum=200),
    Setting("provider_groups", "access", "Provider: groups", "patterns", (),
            "The provider's groups and the group here to which each leads. Users without any of them are not admitted.",
            example="dose-physicists = view",
            form=(f"^[^\\n\\x00]*[^\\s\\x00][^\\n\\x00]*= *({'|'.join(GROUPS)})$",
                  'a list of "GROUP OF THE PROVIDER = GROUP", the latter of: ' + ", ".join(GROUPS))),
    Setting("outgoing_hosts", "access", "Servers that may be asked", "patterns", (),
            "Servers to which this server may send requests by HTTPS, such as the provider: HOST, or HOST:PORT if the "
            "port is not 443. Redirects are not followed.",
            example="login.example.org",
            form=(r"^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$",
                  'a list of "HOST" or "HOST:PORT", such as ["login.example.org"]')),
    Setting("date_format", "region", "Dates", "choice", "language",
            "Date format on pages and in exports.",
            choices=(("language", "as is usual in the language of the page"),
                     ("dd/mm/yyyy", "31/01/2026"), ("dd.mm.yyyy", "31.01.2026"), ("yyyy-mm-dd", "2026-01-31"),
                     ("mm/dd/yyyy", "01/31/2026"))),
    Setting("first_day_of_week", "region", "First day of the week", "choice", "monday", "",
            choices=(("monday", "Monday"), ("sunday", "Sunday"), ("saturday", "Saturday"))),
    Setting("time_zone", "region", "Time zone", "time zone", "",
            "Time zone in which pages show times of the server. Times of studies are those of "
            "the systems that created them."),
    Setting("export_days", "exports", "Exports", "number", 14,
            "How long the files of exports can be downloaded before they are deleted.",
            minimum=1, maximum=3650, unit="d"),
    Setting("parquet_copy", "exports", "Nightly Parquet copy", "flag", False,
            "Write the whole dose record to a folder as Parquet every night, for DuckDB, Spark, "
            "Polars and R."),
    Setting("parquet_copy_hour", "exports", "Hour of the copy", "number", 2,
            "Hour of the server's clock at which the copy starts. After the copy was switched "
            "on, or if the server was down at that hour, it starts as soon as possible.", minimum=0, maximum=23),
    Setting("parquet_copy_identity", "exports", "Patients in the copy", "flag", False,
            "Include patients' names, IDs and birth dates, as they are stored. Anyone who can "
            "read the folder can read them."),
    Setting("backup_folder", "backup", "Folder of backups", "folder", "",
            "An existing folder on the server, preferably on another disk or machine. If it is a "
            "mounted target, choose a folder within it, so that nothing is written beside the "
            "target while it is not mounted. Empty: \"backups\" in the data directory.",
            example="/mnt/backup/dose"),
    Setting("backup_schedule", "backup", "Schedule of backups", "cron", "",
            "When backups are made: a cron expression with minute, hour, day of the month, month "
            "and day of the week, in the time zone of the installation. Empty: never.",
            example="30 2 * * *"),
    Setting("backups_kept", "backup", "Kept backups", "number", 14,
            "After each backup, the oldest ones of this installation beyond this number are "
            "deleted.", minimum=1, maximum=10_000),
    Setting("moves_at_once", "query-retrieve", "Parallel C-MOVEs", "number", 2,
            "Number of C-MOVEs of a retrieval that run in parallel, each for a series or for "
            "several series of one study. Orthanc's \"ConcurrentJobs\" limits how many jobs it "
            "runs at the same time.", minimum=1, maximum=20),
    Setting("move_pause", "query-retrieve", "Pause before a retry", "number", 5,
            "A failed C-MOVE is retried three times: after this pause, then after 4 and 12 times "
            "as long. If nothing at all can be fetched from the node, everything waits in the "
            "same way.", minimum=0, maximum=3600, unit="s"),
    Setting("sql_seconds", "sql", "Time limit", "number", 30,
            "A statement on the SQL page is stopped after this time; a statement that exports a "
            "file, after ten times as long.",
            minimum=1, maximum=600, unit="s"),
    Setting("sql_memory", "sql", "Memory limit", "number", 2_000,
            "A statement that requires more memory is ended. At most, it gets a quarter of the "
            "machine's memory.",
            minimum=200, maximum=100_000, unit="MB"),
    Setting("sql_age", "sql", "Maximum age of the data", "number", 5,
            "Statements read a copy of the dose data. The copy is rebuilt for the next statement "
            "if it is older than this and something has changed since; 0: whenever something has "
            "changed.",
            minimum=0, maximum=1_440, unit="min"),
    Setting("sql_rows", "sql", "Rows on the page", "number", 10_000,
            "Maximum number of rows shown.",
            minimum=10, maximum=100_000),
    Setting("sql_file_rows", "sql", "Rows in a file", "number", 1_000_000,
            "Maximum number of rows in the file of a statement.",
            minimum=10, maximum=100_000_000),
    Setting("log_level", "log", "Log level", "choice", "info",
            "What is written to the log. Lines name systems, users, and the numbers of studies, "
            "objects and tasks, but never patients.",
            choices=(*_WRITTEN, ("info", "activity, warnings and errors"),
                     ("debug", "everything, including each request"))),
    Setting("log_level_in_orthanc", "log", "Entries in Orthanc's log", "choice", "warning",
            "What is also written to Orthanc's own log, which shows entries below the level of a "
            "warning only with --verbose.",
            choices=(*_WRITTEN, ("info", "activity, warnings and errors"), ("debug", "everything"))),
    Setting("log_to_file", "log", "Log file", "flag", True,
            "Write the log to a file: log/orthanc-dose.log in the data directory, or the file "
            "that LogFile in the configuration names. Without a file, only the last 2,000 lines "
            "since the start are available."),
    Setting("log_file_megabytes", "log", "Size of the log file", "number", 10,
            "A new log file is started when this size is reached.",
            minimum=1, maximum=100, unit="MB"),
    Setting("log_files_kept", "log", "Earlier log files", "number", 5,
            "Number of earlier log files that are kept in addition to the current one.",
            minimum=1, maximum=20),
    Setting("audit_days", "log", "Audit log", "number", 730,
            "How long entries of the audit log are kept.",
            minimum=30, maximum=36_500, unit="d"),
    Setting("task_days", "log", "Finished tasks", "number", 90,
            "How long finished tasks and their results are listed.",
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
            for name, value in stored_settings.list_settings(connection, _EVERYBODY, _KIND).items():
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
        stored_settings.write_setting(self._store, _EVERYBODY, _KIND, name, checked)
        with self._lock:
            self._set[name] = checked
        self._changed(name)
        return before

    def reset(self, name: str) -> Any:
        """Restore the configuration's value, and return the previous value."""
        before = self.value(name)
        stored_settings.delete_setting(self._store, _EVERYBODY, _KIND, name)
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
