"""The declaration of a route, from which dispatch, parameter checks and OpenAPI are derived."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any, TypeAlias

from ..manage.access import Caller
from ..records.given import Given
from .bodies import Body
from .errors import ApiError, bad_parameter
from .parameters import Parameter, is_text

# The groups (keys of GROUPS in records/access.py) of which the caller must be in at least one. An
# empty tuple admits whoever is signed in; None admits everybody.
Needs: TypeAlias = tuple[str, ...] | None
ANYBODY: Needs = None
SIGNED_IN: Needs = ()
VIEW: Needs = ("view",)
IMPORT_SIZES: Needs = ("import sizes",)
QUERY_RETRIEVE: Needs = ("query-retrieve",)
EXPORT: Needs = ("export",)
ADMINISTRATION: Needs = ("administration",)
MONITORING: Needs = ("monitoring", "administration")
WATCHING: Needs = (
    "view",
    "administration",
)  # what arrived and how processing is going, which reveals no doses


@dataclass(frozen=True)
class Route:
    """A route: a method, a path below /dose/api with {parameters}, a handler, and its answers.

    handler: takes the application's services and the parsed parameters; returns what becomes the
    JSON answer, or a tuple (status, JSON). answers: JSON schema by status. errors: the possible
    error statuses besides 400 for bad parameters. body: the class of the body; the handler gets an
    object of it as `body`; body_default: the value of an empty body. raw_body: for a body that is a
    file, its largest size in bytes; the handler gets the bytes as `body`. with_caller: whether the
    handler gets the caller as `caller`. action: how the audit log names the request, with the
    path's parameters as its subject; empty for requests that are not logged or that the handler
    logs itself. replaced_by: for a former address that still answers, the present one.
    ignores_others: whether parameters that are not declared are ignored instead of refused.
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
    body: Body | None = None
    body_default: Given | None = None
    raw_body: int = 0
    with_caller: bool = False
    action: str = ""
    replaced_by: str = ""
    ignores_others: bool = False
    needs: Needs = field(kw_only=True)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        # Orthanc decodes addresses: a text, which is always last, may contain slashes.
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
        """Return the parsed values of all parameters.

        Raises ApiError 400 for a bad or unknown parameter, and 403 for one that reveals who a
        patient is if the caller may not know it.
        """
        known = {parameter.name for parameter in self.parameters if not parameter.in_path}
        # An address that ends with "?" or "&" has a parameter with neither name nor value.
        query = {name: raw for name, raw in query.items() if name or raw}
        if self.ignores_others:
            query = {name: raw for name, raw in query.items() if name in known}
        for name, raw in query.items():
            if not is_text(name) or not is_text(raw):
                raise bad_parameter(
                    name.encode("ascii", "replace").decode()[:100],
                    "Parameters must be percent-encoded UTF-8 without NUL characters.",
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


def formerly(path: str, route: Route) -> Route:
    """Return the route at a former address, which the OpenAPI description calls deprecated."""
    return replace(route, path=path, replaced_by=route.path)


def _unknown(name: str, known: set[str]) -> str:
    if not known:
        return "This route has no parameters."
    close = get_close_matches(name, sorted(known), 3, 0.5) if len(known) > 20 else sorted(known)
    hint = (
        f" Its parameters are: {', '.join(close)}."
        if len(known) <= 20
        else f" Similar parameters are: {', '.join(close)}."
        if close
        else ""
    )
    return (
        f"This route has no parameter with this name.{hint} /dose/api/openapi.json lists all "
        "of them."
    )


__all__ = [
    "ADMINISTRATION", "ANYBODY", "EXPORT", "IMPORT_SIZES", "MONITORING", "QUERY_RETRIEVE", "SIGNED_IN", "VIEW", "WATCHING",
    "Caller", "Needs", "Route", "formerly",
]  # fmt: skip
