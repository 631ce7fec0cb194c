"""What a route is: its declaration, from which dispatch, checking of parameters, and OpenAPI
follow.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any, TypeAlias

from ..manage.access import Caller
from ..records.given import Given
from .bodies import Body
from .errors import ApiError, bad_parameter
from .parameters import Parameter, is_text

# What a route asks of its caller: one of these groups (keys of GROUPS in records/access.py) is
# enough; with none, whoever is signed in; None is for everybody.
Needs: TypeAlias = tuple[str, ...] | None
ANYBODY: Needs = None
SIGNED_IN: Needs = ()
VIEW: Needs = ("view",)
IMPORT_SIZES: Needs = ("import sizes",)
QUERY_RETRIEVE: Needs = ("query-retrieve",)
EXPORT: Needs = ("export",)
ADMINISTRATION: Needs = ("administration",)
WATCHING: Needs = (
    "view",
    "administration",
)  # what came in and how the work goes, which says nothing of doses


@dataclass(frozen=True)
class Route:
    """One route: a method, a path below /dose/api with {parameters}, what answers it, and what the
    answer looks like.

    handler: takes the application's services and the parsed parameters; gives what becomes the JSON
    answer, or a tuple (status, JSON). answers: JSON schema by status. errors: the error statuses it
    can have beside 400 for bad parameters. body: the class of the body, of which the handler gets an
    object as `body`; body_default: what an empty one stands for. raw_body: for a body that is a file, how
    many bytes it may have; the handler gets them as `body`. with_caller: the handler gets who asks
    as `caller`. action: what the audit log calls it, with the path's parameters as what it was done
    to; empty for what is not noted, or what the handler notes itself."""

    method: str
    path: str
    handler: Callable[..., Any]
    summary: str
    answers: dict[int, dict[str, Any]]
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    tag: str = "Studies"
    description: str = ""
    body: Body | None = None
    body_default: Given | None = None
    raw_body: int = 0
    with_caller: bool = False
    action: str = ""
    needs: Needs = field(kw_only=True)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        # Orthanc decodes addresses: a text, which stands last, may hold slashes.
        texts = {
            parameter.name
            for parameter in self.parameters
            if parameter.in_path and parameter.kind == "text"
        }
        part = re.compile(r"\{(\w+)\}")
        return re.compile(
            part.sub(
                lambda name: f"(?P<{name[1]}>{'.' if name[1] in texts else '[^/]'}+)", self.path
            ),
            re.DOTALL,
        )

    def arguments(
        self, in_path: dict[str, str], query: dict[str, str], caller: Caller
    ) -> dict[str, Any]:
        """Parsed values of all parameters. Raises ApiError 400 for a bad or unknown one, 403 for
        one that tells who a patient is, where the caller may not know it."""
        known = {parameter.name for parameter in self.parameters if not parameter.in_path}
        # An address that ends with "?" or "&" has a parameter without name and value.
        query = {name: raw for name, raw in query.items() if name or raw}
        for name, raw in query.items():
            if not is_text(name) or not is_text(raw):
                raise bad_parameter(
                    name.encode("ascii", "replace").decode()[:100],
                    "Parameters are percent-encoded UTF-8, without NUL characters.",
                )
            if name not in known:
                raise ApiError(400, "unknown_parameter", _unknown(name, known), name[:100])
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            given = in_path.get(parameter.name) if parameter.in_path else query.get(parameter.name)
            values[parameter.name] = parameter.default if given is None else parameter.parse(given)
            if given is not None and not caller.sees_identity:
                parameter.refuse_identity(values[parameter.name])
        return values


def _unknown(name: str, known: set[str]) -> str:
    if not known:
        return "This route has no parameters."
    close = get_close_matches(name, sorted(known), 3, 0.5) if len(known) > 20 else sorted(known)
    hint = (
        f" Known are: {', '.join(close)}."
        if len(known) <= 20
        else f" Close to it are: {', '.join(close)}."
        if close
        else ""
    )
    return f"This route knows no such parameter.{hint} /dose/api/openapi.json lists all."


__all__ = [
    "ADMINISTRATION", "ANYBODY", "EXPORT", "IMPORT_SIZES", "QUERY_RETRIEVE", "SIGNED_IN", "VIEW", "WATCHING", "Caller", "Needs",
    "Route",
]  # fmt: skip
