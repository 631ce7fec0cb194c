"""The OpenAPI description, generated from the route declarations."""

from typing import Any

from .. import LICENCE, __version__
from ..manage.access import COOKIE
from .answer_schemas import COMPONENTS, ref
from .bodies import schema
from .parameters import Parameter
from .routes import Route
from .sharing import Shared, shared
from .shortening import LONGEST

_JSON = "application/json"
_ERRORS = {
    400: "A parameter or field is invalid; the answer names it.",
    401: "The caller is not signed in.",
    403: "The caller is not permitted to do this, or the request did not come from a page of "
    "this server.",
    404: "What was requested does not exist.",
    413: "The request body is too large.",
    423: "Too many wrong passwords were entered; `seconds` is the time to wait, or the code is "
    "`proof_needed`.",
    409: "The request is not possible in the current state.",
    503: "The dose database is currently unavailable.",
}

_WAYS = {
    "basic": {"type": "http", "scheme": "basic"},
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token created by POST /tokens.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "A session created by POST /session.",
    },
}
_SIGNED_IN: list[dict[str, list[str]]] = [{name: []} for name in _WAYS]


def document(routes: tuple[Route, ...]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these routes. What several routes share is a component."""
    groups = dict.fromkeys(one.group for route in routes for one in route.parameters if one.group)
    single = Shared(
        (one.name, _parameter(one)) for route in routes for one in route.parameters if not one.group
    )
    paths: dict[str, dict[str, Any]] = {}
    of_bodies: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, single)
        if route.body is not None:
            of_bodies |= schema(route.body)[1]
    schemas = COMPONENTS | of_bodies
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Orthanc Dose",
            "version": __version__,
            "description": "Radiation dose management inside Orthanc. Values are in the units "
            "that `/fields` lists; times of studies and events are local "
            "wall-clock time as the modality wrote it, times of the server are "
            f"UTC. Texts in answers are truncated after {LONGEST:,} characters; "
            f"`/studies/{{id}}/content?whole=yes` returns the full content of "
            "objects. Request bodies must not contain NaN, infinity, NUL "
            "characters, surrogates or duplicate names.",
            "license": {"name": LICENCE, "identifier": LICENCE},
        },
        "servers": [{"url": "/dose/api"}],
        "security": _SIGNED_IN,
        "paths": shared(paths, schemas),
        "components": {
            "schemas": {name: shared(of, schemas, name) for name, of in schemas.items()},
            "parameters": {name: _group(name) for name in groups}
            | shared(single.components, schemas),
            "responses": {
                str(status): {"description": words, "content": {_JSON: {"schema": ref("error")}}}
                for status, words in sorted(_ERRORS.items())
            },
            "securitySchemes": _WAYS,
        },
    }


def _operation(route: Route, single: Shared) -> dict[str, Any]:
    name = "_".join(part.strip("{}") for part in route.path.strip("/").split("/"))
    responses: dict[str, Any] = {
        str(status): {"description": "The answer.", "content": _content(schema)}
        for status, schema in route.answers.items()
    }
    refusals = {401, *([403] if route.needs or route.method != "GET" else [])}
    for status in sorted({400, 503, *refusals, *route.errors}):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{name}".replace(".", "_").replace("-", "_"),
        "summary": route.summary,
        "tags": [route.tag],
        "responses": responses,
    }
    former = f"A former address of {route.replaced_by}." if route.replaced_by else ""
    if former or route.description:
        operation["description"] = " ".join(filter(None, (former, route.description)))
    if former:
        operation["deprecated"] = True
    if route.parameters:
        alone = [single.of(_parameter(one)) for one in route.parameters if not one.group]
        groups = dict.fromkeys(one.group for one in route.parameters if one.group)
        operation["parameters"] = alone + [
            {"$ref": f"#/components/parameters/{name}"} for name in groups
        ]
    if route.needs is None:
        operation["security"] = []
    elif route.needs:
        operation["x-groups"] = list(route.needs)  # one of these is enough
    if route.body is not None:
        content = {_JSON: {"schema": schema(route.body)[0]}}
        operation["requestBody"] = {"required": route.body_default is None, "content": content}
    if route.raw_body:
        file = {"type": "string", "format": "binary", "maxLength": route.raw_body}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/octet-stream": {"schema": file}},
        }
    return operation


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the media types of an answer, each with its schema.

    A file may have one of several media types, and a schema for its JSON form.
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
        **({"required": True} if parameter.in_path else {}),
        "description": parameter.description,
        "schema": parameter.schema(),
    }


def _group(name: str) -> dict[str, Any]:
    """Return a group of parameters as a single one.

    It is an object, each property of which is a separate query parameter (style form, exploded).
    """
    return {
        "name": name,
        "in": "query",
        "description": COMPONENTS[name]["description"],
        "style": "form",
        "explode": True,
        "schema": ref(name),
    }
