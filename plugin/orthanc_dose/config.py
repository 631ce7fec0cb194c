"""The "Dose" section of orthanc.json as one typed object: names, defaults, limits, and errors that
name the key.

Keys whose changes require a restart of Orthanc are read here; the others are initial values of
settings (manage/settings.py).
"""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol


class ConfigError(Exception):
    """The configuration cannot be used; the message names the key and says what is allowed."""


@dataclass(frozen=True)
class Config:
    """Settings, each with the key of the same name in CamelCase.

    data_directory: folder of the store; created if it does not exist. batch_size: how many changes
    are written in one transaction, 1 to 5000. poll_seconds: interval at which Orthanc is asked for
    changes if nothing wakes the worker, 0.2 to 3600. parquet_directory: folder of the copies of the
    whole dose record as Parquet; if empty, "parquet" in the data directory. log_file: the file of
    the log; if empty, "log/orthanc-dose.log" in the data directory. reconcile_at_start: whether to
    compare what Orthanc holds with the store when Orthanc starts. memory_limit: how much memory
    DuckDB may use, as "2GB"; if empty, DuckDB's own default. orthanc_users: the groups of users of
    "RegisteredUsers", by name, and "orthanc" for Orthanc's own pages and routes; users who are not
    named have all of them. trusted_user_header: the header in which an authenticating proxy names
    the user; none if empty. trusted_proxies: addresses and networks of the proxies in front of
    Orthanc whose headers are trusted. backup_passphrase: encrypts the installation's key in
    backups; if empty, they do not contain it. provider_client_secret: of this server at the OpenID
    Connect provider; empty for a public client. first_values: initial values of settings, by name.
    """

    data_directory: Path = Path("dose")
    batch_size: int = 200
    parquet_directory: str = ""
    log_file: str = ""
    poll_seconds: float = 5.0
    reconcile_at_start: bool = True
    memory_limit: str = ""
    orthanc_users: dict[str, tuple[str, ...]] = field(default_factory=dict)
    trusted_user_header: str = ""
    trusted_proxies: tuple[str, ...] = ()
    backup_passphrase: str = ""
    provider_client_secret: str = ""
    first_values: dict[str, Any] = field(default_factory=dict)


_LIMITS: dict[str, tuple[float, float]] = {"batch_size": (1, 5000), "poll_seconds": (0.2, 3600)}
_MEMORY = re.compile(r"\d+(\.\d+)?([KMGT]i?B|%)")
_ALLOWED = {
    Path: "a path as text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
}


KEYS = {
    one.name.title().replace("_", ""): one for one in fields(Config) if one.name != "first_values"
}

# Keys whose values are never shown, logged or copied, by the names of their fields.
SECRETS = frozenset({"backup_passphrase", "provider_client_secret"})

# Former names of keys, which are still read.
FORMER_KEYS = {"AuditAtStart": "ReconcileAtStart"}


# What the name of a key or of an item within it contains if it is a secret.
_SECRET = re.compile("secret|password|passphrase|token|credential", re.IGNORECASE)


def without_secrets(section: object) -> Any:
    """Return the "Dose" section without its secrets, of which only the names are left."""
    if isinstance(section, dict):
        return {
            key: "(left out)" if _SECRET.search(key) and value else without_secrets(value)
            for key, value in section.items()
        }
    return [without_secrets(one) for one in section] if isinstance(section, list) else section


class First(Protocol):
    """A setting as far as it is needed here: its name, and its check, which raises ValueError."""

    @property
    def name(self) -> str: ...
    def checked(self, value: object) -> Any: ...


def read_configuration(
    section: object, base: Path, settings: Mapping[str, First] = MappingProxyType({})
) -> Config:
    """Return the configuration from the "Dose" section. Raises ConfigError.

    Relative paths are relative to `base`. settings: those that can have an initial value there, by
    key.
    """
    if section is None:
        section = {}
    if not isinstance(section, dict):
        raise ConfigError(
            '"Dose" must be an object, such as "Dose": { "DataDirectory": "/var/lib/orthanc/dose" }'
        )
    values: dict[str, Any] = {}
    first: dict[str, Any] = {}
    known = (*KEYS, *settings)
    for key, value in section.items():
        if key in settings:
            try:
                first[settings[key].name] = settings[key].checked(value)
            except ValueError as error:
                raise ConfigError(
                    f'"Dose.{key}" must be {error}, not {_shown_value(value)}'
                ) from error
        elif (present := FORMER_KEYS.get(key, key)) in KEYS:
            if present != key and present in section:
                raise ConfigError(
                    f'"Dose.{key}" is the former name of "Dose.{present}": only one may be given'
                )
            values[KEYS[present].name] = _value(key, KEYS[present].name, KEYS[present].type, value)
        else:
            close = get_close_matches(key, known, 1, 0.6)
            hint = f'; did you mean "{close[0]}"?' if close else ""
            raise ConfigError(
                f'"Dose" has no setting "{key}"{hint} The settings are: {", ".join(known)}'
            )
    directory = values.get("data_directory", Config.data_directory)
    values["data_directory"] = _writable(directory if directory.is_absolute() else base / directory)
    parquet = values.get("parquet_directory")
    values["parquet_directory"] = str(
        base / parquet if parquet else values["data_directory"] / "parquet"
    )
    log_file = values.get("log_file")
    values["log_file"] = str(
        base / log_file if log_file else values["data_directory"] / "log" / "orthanc-dose.log"
    )
    if values.get("trusted_user_header") and not values.get("trusted_proxies"):
        raise ConfigError(
            '"Dose.TrustedUserHeader" requires "Dose.TrustedProxies", the addresses from which '
            "the header is trusted"
        )
    return Config(**values, first_values=first)


def _users(key: str, value: object) -> dict[str, tuple[str, ...]]:
    wrong = ConfigError(
        f'"Dose.{key}" must be an object of users and their groups, such as {{"anna": ["view", '
        '"export"]}'
    )
    if not isinstance(value, dict) or not all(
        isinstance(groups, list) for groups in value.values()
    ):
        raise wrong
    if not all(isinstance(group, str) for groups in value.values() for group in groups):
        raise wrong
    return {user: tuple(groups) for user, groups in value.items()}


def _header(key: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]*", value):
        raise ConfigError(
            f'"Dose.{key}" must be the name of an HTTP header such as "X-Remote-User", or empty'
        )
    return value


def _networks(key: str, value: object) -> tuple[str, ...]:
    wrong = (
        f'"Dose.{key}" must be a list of addresses and networks, such as ["10.1.2.3", '
        '"10.2.0.0/16"]'
    )
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ConfigError(wrong)
    try:
        return tuple(str(ip_network(one.strip())) for one in value)
    except ValueError as error:
        raise ConfigError(f"{wrong}: {error}") from error


_OF_THEIR_OWN = {
    "orthanc_users": _users,
    "trusted_user_header": _header,
    "trusted_proxies": _networks,
}


def _value(key: str, name: str, kind: Any, value: object) -> object:
    if name in _OF_THEIR_OWN:
        return _OF_THEIR_OWN[name](key, value)
    shown = "what is given there" if name in SECRETS else _shown_value(value)
    wrong = ConfigError(f'"Dose.{key}" must be {_ALLOWED[kind]}, not {shown}')
    if kind is bool:
        if not isinstance(value, bool):
            raise wrong
    elif kind in (int, float):
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not math.isfinite(value)
            or (kind is int and value != int(value))
        ):
            raise wrong
        low, high = _LIMITS[name]
        if not low <= value <= high:
            raise ConfigError(
                f'"Dose.{key}" must be {_ALLOWED[kind]} from {low:g} to {high:g}, not {value:g}'
            )
    elif not isinstance(value, str) or (kind is Path and not value.strip()):
        raise wrong
    elif name == "memory_limit" and value and not _MEMORY.fullmatch(value):
        raise ConfigError(
            f'"Dose.{key}" must be an amount of memory such as "2GB" or "50%", or empty, not '
            f"{_shown_value(value)}"
        )
    return kind(value)


def _shown_value(value: object) -> str:
    return {type(None): "null", list: "a list", dict: "an object"}.get(
        type(value), repr(value)[:60]
    )


def _writable(directory: Path) -> Path:
    """Return the folder, created if needed, after checking that it is writable.

    Raises ConfigError.
    """
    trial = directory / ".writable"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise ConfigError(
            f'"Dose.DataDirectory": cannot write to the folder {directory}: {reason}'
        ) from error
    return directory
