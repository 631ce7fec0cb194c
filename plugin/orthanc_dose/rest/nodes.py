"""The routes of remote nodes: listing, testing, adding, changing and removing them."""

import re
from time import perf_counter
from typing import Any

from ..retrieve.nodes import NAME, FromConfiguration, NodeFields, NoNode
from ..retrieve.remote_node import WOULD_SEND
from .answer_schemas import (
    FLAG,
    INTEGER,
    INTEGER_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
)
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, QUERY_RETRIEVE, Route
from .services import Services


def list_nodes(services: Services) -> dict[str, Any]:
    return {
        "nodes": services.nodes.list_nodes(),
        "own_aet": services.orthanc["dicom_aet"],
        "own_port": services.orthanc["dicom_port"],
    }


def put_node(services: Services, name: str, body: NodeFields) -> dict[str, Any]:
    if not re.fullmatch(NAME, name):
        raise ApiError(
            409,
            "not_possible",
            "The name of a node must consist of 1 to 64 letters, digits, - and _.",
            "name",
        )
    try:
        return services.nodes.put_node(name, body.as_dict())
    except KeyError as error:
        raise ApiError(
            409,
            "not_possible",
            f"A new node must have the field {error.args[0]}, which is missing.",
            error.args[0],
        ) from None
    except FromConfiguration:
        raise _from_configuration() from None


def delete_node(services: Services, name: str) -> dict[str, Any]:
    try:
        services.nodes.remove(name)
    except NoNode:
        raise _no_node() from None
    except FromConfiguration:
        raise _from_configuration() from None
    return {"deleted": name}


def echo_node(services: Services, name: str) -> dict[str, Any]:
    start = perf_counter()
    try:
        reason = services.nodes.node(name).echo()
    except NoNode:
        raise _no_node() from None
    return {
        "name": name,
        "answers": reason is None,
        "reason": reason,
        "elapsed_ms": round((perf_counter() - start) * 1000),
    }


def ask_destination(services: Services, name: str) -> dict[str, Any]:
    try:
        of = services.nodes.listed_node(name)
        verdict, reason = services.nodes.node(name).would_send(of["destination"])
    except NoNode:
        raise _no_node() from None
    destination = of["destination"] or services.orthanc["dicom_aet"]
    return {"name": name, "destination": destination, "verdict": verdict, "reason": reason}


def _no_node() -> ApiError:
    return not_found("Orthanc has no node with this name: check the name, or add the node.", "name")


def _from_configuration() -> ApiError:
    message = (
        'The address of this node is set in Orthanc\'s configuration ("DicomModalities") '
        "and can only be changed there."
    )
    return ApiError(409, "from_configuration", message, "name")


_NAME = Parameter("name", "word", "Name of the node in Orthanc.", maximum=100, in_path=True)
_NODE = any_object(
    **dict.fromkeys(("name", "aet", "host", "title", "calling_aet", "destination"), TEXT),
    port=INTEGER,
    seconds=INTEGER,
    **dict.fromkeys(("modality_too", "added"), FLAG),
)
component("remote_node", _NODE)
_ECHO = component(
    "echo", any_object(name=TEXT, answers=FLAG, reason=TEXT_OR_NULL, elapsed_ms=INTEGER)
)
_WOULD_SEND = component(
    "would_send",
    any_object(
        name=TEXT,
        destination=TEXT_OR_NULL,
        verdict={"enum": list(WOULD_SEND)},
        reason=TEXT_OR_NULL,
    ),
)

NODE_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/nodes",
        list_nodes,
        "List the remote nodes that Orthanc knows",
        {200: any_object(nodes=array(_NODE), own_aet=TEXT_OR_NULL, own_port=INTEGER_OR_NULL)},
        tag="Query-retrieve",
        needs=QUERY_RETRIEVE,
        description='Nodes come from Orthanc\'s "DicomModalities" or were added here. '
        "`calling_aet`: the AE title with which Orthanc calls the node; "
        "`destination`: the AE title to which the node is to send; both are empty "
        "for Orthanc's own AE title. `modality_too`: study-level queries include "
        "Modality, which some nodes require and to which others return no matches. "
        "`seconds`: timeout for an answer, in seconds.",
    ),
    Route(
        "PUT",
        "/nodes/{name}",
        put_node,
        "Add or change a node",
        {200: _NODE},
        (_NAME,),
        (409, 413),
        tag="Query-retrieve",
        body=NodeFields,
        needs=ADMINISTRATION,
        action="node set",
        description="Fields that are not given stay unchanged; a new node requires `aet`, `host` "
        "and `port`. The address of a node from Orthanc's configuration can only be "
        "changed there; otherwise the answer is 409.",
    ),
    Route(
        "DELETE",
        "/nodes/{name}",
        delete_node,
        "Delete a node that was added here",
        {200: any_object(deleted=TEXT)},
        (_NAME,),
        (404, 409),
        tag="Query-retrieve",
        needs=ADMINISTRATION,
        action="node removed",
    ),
    Route(
        "POST",
        "/nodes/{name}/echo",
        echo_node,
        "Test whether a node answers (C-ECHO)",
        {200: _ECHO},
        (_NAME,),
        (404,),
        tag="Query-retrieve",
        needs=QUERY_RETRIEVE,
    ),
    Route(
        "POST",
        "/nodes/{name}/destination",
        ask_destination,
        "Test whether a node would send to Orthanc (C-MOVE of a study that does not exist)",
        {200: _WOULD_SEND},
        (_NAME,),
        (404,),
        tag="Query-retrieve",
        needs=QUERY_RETRIEVE,
        description="DICOM has no request for this, so the node is asked to send a study that "
        "cannot exist to the destination that is set for the node. `unknown`: the "
        "node reports that it does not know the destination. `accepted`: it accepted "
        "the request, so it knows the destination, unless it looks for the study "
        "first; this does not show which address it has for the destination. "
        "`unclear`: it refused for another reason, as do nodes that look for the "
        "study first (including Orthanc). `failed`: it did not answer, or does not "
        "offer C-MOVE to Orthanc.",
    ),
)
