"""What a route is: its declaration, from which dispatch, checking of parameters, and OpenAPI follow."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .errors import ApiError, bad_parameter

_INTEGER = re.compile(r"-?\d{1,18}")
LARGEST_INTEGER = 10**18 - 1  # by the pattern above
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a route. kind: integer, text, uid, choice, or sort (a name of `allowed`, "-" before it turns it)."""

    name: str
    kind: str
    description: str
    default: Any = None
    minimum: int | None = None
    maximum: int | None = None
    allowed: tuple[str, ...] = ()
    in_path: bool = False

    def parse(self, raw: str) -> Any:
        """The value. Raises ApiError 400 that names the parameter and what is allowed."""
        if self.kind == "integer":
            low, high = self.minimum, self.maximum
            if not _INTEGER.fullmatch(raw) or (low is not None and int(raw) < low) or (high is not None and int(raw) > high):
                limits = f" from {low}" if high is None else f" from {low} to {high}"
                raise bad_parameter(self.name, f"{self.name} must be a whole number{limits if low is not None else ''}.")
            return int(raw)
        if self.kind == "uid":
            if not _UID.fullmatch(raw):
                raise bad_parameter(self.name, f"{self.name} must be a DICOM UID: up to 64 digits and dots.")
        elif self.kind == "choice":
            if raw not in self.allowed:
                raise bad_parameter(self.name, f"{self.name} must be one of: {', '.join(self.allowed)}.")
        elif self.kind == "sort":
            if raw.removeprefix("-") not in self.allowed:
                raise bad_parameter(self.name, f"{self.name} must be the name of a column, with - before it to turn the order.")
        elif len(raw) > (self.maximum or 1000):
            raise bad_parameter(self.name, f"{self.name} must not be longer than {self.maximum or 1000} characters.")
        return raw

    def schema(self) -> dict[str, Any]:
        """The parameter's JSON schema."""
        if self.kind == "integer":
            out: dict[str, Any] = {"type": "integer", "format": "int64"}
            out |= {"minimum": self.minimum} if self.minimum is not None else {}
            out |= {"maximum": LARGEST_INTEGER if self.maximum is None else self.maximum}
        elif self.kind == "uid":
            out = {"type": "string", "pattern": r"^[0-9.]{1,64}$"}
        elif self.kind == "choice":
            out = {"type": "string", "enum": list(self.allowed)}
        elif self.kind == "sort":
            out = {"type": "string", "enum": [f"{sign}{name}" for name in self.allowed for sign in ("", "-")]}
        else:
            out = {"type": "string", "maxLength": self.maximum or 1000}
        return out | ({"default": self.default} if self.default is not None else {})


@dataclass(frozen=True)
class Route:
    """One route: GET or POST, a path below /dose/api with {parameters}, what answers it, and what the answer looks like.

    handler: takes the application's services and the parsed parameters; gives what becomes the JSON answer, or a tuple
    (status, JSON). answers: JSON schema by status. errors: the error statuses it can have beside 400 for bad parameters.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    summary: str
    answers: dict[int, dict[str, Any]]
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    tag: str = "Studies"
    description: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))

    def arguments(self, in_path: dict[str, str], query: dict[str, str]) -> dict[str, Any]:
        """Parsed values of all parameters. Raises ApiError 400 for a bad or unknown one."""
        known = {parameter.name for parameter in self.parameters if not parameter.in_path}
        for name in query:
            if name not in known:
                shown = ", ".join(sorted(known)) or "none"
                raise ApiError(400, "unknown_parameter", f"This route knows no such parameter. Known are: {shown}.", name[:100])
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            raw = in_path.get(parameter.name) if parameter.in_path else query.get(parameter.name)
            values[parameter.name] = parameter.default if raw is None else parameter.parse(raw)
        return values
