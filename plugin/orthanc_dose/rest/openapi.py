"""The OpenAPI description, made from the route declarations."""

from typing import Any

from .. import __version__
from ..manage.access import COOKIE
from .routes import Parameter, Route
from .schemas import COMPONENTS, ref
from .shortening import LONGEST

_JSON = "application/json"
_ERRORS = {
    400: "A parameter is wrong; the answer names it.",
    401: "Not signed in.",
    403: "The caller may not do this, or it did not come from a page of this server.",
    404: "There is no such thing.",
    413: "The body is too large.",
    423: "Too many wrong passwords; `seconds` says how long to wait, or the code is proof_needed.",
    409: "Not possible in the present state.",
    503: "The store cannot be used now.",
}

_WAYS = {
    "basic": {"type": "http", "scheme": "basic"},
    "token": {"type": "http", "scheme": "bearer", "description": "A token of POST /tokens."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "A session of POST /session.",
    },
}
_SIGNED_IN: list[dict[str, list[str]]] = [{name: []} for name in _WAYS]


def document(routes: tuple[Route, ...]) -> dict[str, Any]:
    """OpenAPI 3.1 of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Orthanc Dose",
            "version": __version__,
            "description": "Radiation dose management inside Orthanc. Values are in the units that "
            "`/fields` gives; times of"
            " studies and events are local wall time as the modality wrote it, times of the server "
            "are UTC. Texts of an answer are cut after "
            f"{LONGEST:,} characters; `/studies/{{id}}/content?whole=yes` has all of what an object "
            "says. Bodies must not hold NaN, infinity, NUL characters, surrogates, or a name twice.",
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": "/dose/api"}],
        "security": _SIGNED_IN,
        "paths": paths,
        "components": {"schemas": COMPONENTS, "securitySchemes": _WAYS},
    }


def _operation(route: Route) -> dict[str, Any]:
    name = "_".join(part.strip("{}") for part in route.path.strip("/").split("/"))
    responses: dict[str, Any] = {
        str(status): {"description": "The answer.", "content": _content(schema)}
        for status, schema in route.answers.items()
    }
    refusals = {401, *([403] if route.needs or route.method != "GET" else [])}
    for status in sorted({400, 503, *refusals, *route.errors}):
        responses[str(status)] = {
            "description": _ERRORS[status],
            "content": {_JSON: {"schema": ref("error")}},
        }
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{name}".replace(".", "_").replace("-", "_"),
        "summary": route.summary,
        "description": route.description or route.summary,
        "tags": [route.tag],
        "parameters": [_parameter(parameter) for parameter in route.parameters],
        "responses": responses,
    }
    if route.needs is None:
        operation["security"] = []
    elif route.needs:
        operation["x-groups"] = list(route.needs)  # one of these is enough
    if route.body is not None:
        content = {_JSON: {"schema": route.body}}
        operation["requestBody"] = {"required": route.body_default is None, "content": content}
    if route.raw_body:
        file = {"type": "string", "format": "binary", "maxLength": route.raw_body}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/octet-stream": {"schema": file}},
        }
    return operation


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    """The media types of an answer with the schema of each: a file can have one of several, and
    what it is as JSON.
    """
    if schema.get("type") != "string":
        return {_JSON: {"schema": schema}}
    file = {
        name: value for name, value in schema.items() if name not in ("x-media-types", "x-json")
    }
    mimes = schema.get("x-media-types", [schema.get("contentMediaType", "text/csv")])
    return {
        mime: {"schema": schema.get("x-json", file) if mime == _JSON else file} for mime in mimes
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "path" if parameter.in_path else "query",
        "required": parameter.in_path,
        "description": parameter.description,
        "schema": parameter.schema(),
    }
