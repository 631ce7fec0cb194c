"""The OpenAPI description, made from the route declarations."""

from typing import Any

from .. import __version__
from .routes import Parameter, Route
from .schemas import COMPONENTS, ref

_ERRORS = {
    400: "A parameter is wrong; the answer names it.",
    401: "Not signed in.",
    404: "There is no such thing.",
    413: "The body is too large.",
    409: "Not possible in the present state.",
    503: "The store cannot be used now.",
}


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
            "description": "Radiation dose management inside Orthanc. Values are in the units that `/fields` gives; times of"
            " studies and events are local wall time as the modality wrote it, times of the server are UTC.",
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": "/dose/api"}],
        "security": [{"basic": []}],
        "paths": paths,
        "components": {"schemas": COMPONENTS, "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
    }


def _operation(route: Route) -> dict[str, Any]:
    name = "_".join(part.strip("{}") for part in route.path.strip("/").split("/"))
    responses: dict[str, Any] = {
        str(status): {"description": "The answer.", "content": {"application/json": {"schema": schema}}}
        for status, schema in route.answers.items()
    }
    for status in sorted({400, 401, 503, *route.errors}):
        responses[str(status)] = {
            "description": _ERRORS[status],
            "content": {"application/json": {"schema": ref("error")}},
        }
    # Orthanc itself answers a missing sign-in, in its own words.
    responses["401"] = {"description": _ERRORS[401]}
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{name}".replace(".", "_").replace("-", "_"),
        "summary": route.summary,
        "description": route.description or route.summary,
        "tags": [route.tag],
        "parameters": [_parameter(parameter) for parameter in route.parameters],
        "responses": responses,
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": route.body}}}
    if route.raw_body:
        file = {"type": "string", "format": "binary", "maxLength": route.raw_body}
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": file}}}
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "path" if parameter.in_path else "query",
        "required": parameter.in_path,
        "description": parameter.description,
        "schema": parameter.schema(),
    }
