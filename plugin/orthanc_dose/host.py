"""The interface to Orthanc for the rest of the program. The only module that imports `orthanc`.

Facts it takes care of: callbacks must be module-level functions that stay referenced; Python
threads may only be started after Orthanc has started and must be joined before it ends; Orthanc's
configuration contains passwords and is never passed on; the threads on which Orthanc answers HTTP
have a stack of some 100 kB, which the planning of a long SQL statement overflows.
"""

import json
import logging
import mmap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import orthanc
import pyarrow as pa

from .loopback import is_own

_LOG = logging.getLogger(__name__)


class Gone(Exception):
    """The instance is no longer in Orthanc."""


@dataclass(frozen=True)
class Change:
    """A new instance in Orthanc's log of changes: the change's number and the instance's ID."""

    number: int
    instance: str


@dataclass(frozen=True)
class Changes:
    """A page of the log of changes.

    It has its new instances, the number of its last change, whether the log ends there, and, if
    requested, the study that became stable with that last change. newest: for an empty page, the
    number of the last change that Orthanc ever logged: those of deleted objects are no longer in
    the log.
    """

    instances: list[Change]
    last: int
    done: bool
    stable_study: str | None = None
    newest: int = 0


@dataclass(frozen=True)
class Origin:
    """The origin of an instance; fields are empty if Orthanc does not give them.

    way: Orthanc's name for it, as DicomProtocol or RestApi; aet, called: the calling and the called
    AE title; address: the sender's.
    """

    way: str = ""
    aet: str = ""
    called: str = ""
    address: str = ""


@dataclass(frozen=True)
class Details:
    """Orthanc's own data about an instance, known without reading it.

    received_at is UTC; series is Orthanc's identifier of its series.
    """

    instance: str
    sop_instance_uid: str | None
    sop_class_uid: str | None
    received_at: datetime | None
    size: int
    series: str | None = None
    origin: Origin = Origin()


@dataclass
class Request:
    """A request.

    path and query values are decoded; header names are in lower case; address: the peer's, which is
    a proxy's if there is one in front of Orthanc.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    address: str = ""


@dataclass
class Answer:
    """The answer to the client.

    body: bytes, or the file that contains them. headers: a list is sent as several headers.
    """

    body: bytes | Path = b""
    mime: str = "application/json"
    status: int = 200
    headers: dict[str, str | list[str]] = field(default_factory=dict)


_UNKNOWN_RESOURCE, _INEXISTENT_ITEM, _INEXISTENT_FILE = 17, 7, 12


def configuration() -> dict[str, Any]:
    """Return Orthanc's configuration, passwords included: use it, never log or serve it."""
    found: dict[str, Any] = json.loads(orthanc.GetConfiguration())
    return found


def configuration_directory() -> Path:
    """Return the folder of the configuration file, to which relative paths refer."""
    path = Path(orthanc.GetConfigurationPath())
    return path if path.is_dir() else path.parent


def log(level: int, message: str) -> None:
    """Write to Orthanc's log.

    level: of Python's logging; Orthanc shows messages below a warning only with --verbose.
    """
    warning = orthanc.LogWarning if level >= logging.WARNING else orthanc.LogInfo
    (orthanc.LogError if level >= logging.ERROR else warning)(f"Dose: {message}")


def changes(since: int, limit: int, stable_studies: bool = False) -> Changes:
    """Return the new instances among at most `limit` changes after change number `since`.

    With `stable_studies` the page ends with the first study that became stable.
    """
    page = json.loads(orthanc.RestApiGet(f"/changes?since={since}&limit={limit}"))
    found: list[Change] = []
    for change in page["Changes"]:
        if change["ChangeType"] == "NewInstance":
            found.append(Change(change["Seq"], change["ID"]))
        elif stable_studies and change["ChangeType"] == "StableStudy":
            return Changes(found, change["Seq"], False, change["ID"])
    last = page["Changes"][-1]["Seq"] if page["Changes"] else since
    return Changes(found, last, page["Done"], newest=page["Last"])


def last_change() -> int:
    """Return the number of the last change in the log, or 0 if there is none."""
    page = json.loads(orthanc.RestApiGet("/changes?last"))
    return int(page["Last"]) if page["Changes"] else 0


def instances(since: int, limit: int) -> list[str]:
    """Return a page of the identifiers of all instances that Orthanc holds."""
    found: list[str] = json.loads(orthanc.RestApiGet(f"/instances?since={since}&limit={limit}"))
    return found


def instances_of(sop_instance_uid: str) -> list[str]:
    """Return Orthanc's identifiers of the instances with a SOP Instance UID.

    There are several if it is stored under several patients or studies.
    """
    return _looked_up(sop_instance_uid, "Instance")


def instances_of_study(study: str) -> list[str]:
    """Return the identifiers of a study's instances; none if the study is gone."""
    try:
        found = json.loads(orthanc.RestApiGet(f"/studies/{study}/instances?expand=false"))
    except orthanc.OrthancException:
        return []
    return [entry if isinstance(entry, str) else entry["ID"] for entry in found]


def complete_study(instance: str) -> str | None:
    """Return the study of an instance if Orthanc considers it complete.

    None while more of its objects may arrive.
    """
    try:
        study = json.loads(orthanc.RestApiGet(f"/instances/{instance}/study"))
    except orthanc.OrthancException:
        return None
    return study["ID"] if study.get("IsStable") else None


def modalities() -> dict[str, dict[str, Any]]:
    """Return the remote nodes by name, with AET, Host and Port."""
    found: dict[str, dict[str, Any]] = json.loads(orthanc.RestApiGet("/modalities?expand"))
    return found


def put_modality(name: str, aet: str, host: str, port: int) -> None:
    """Add or change a remote node. name: letters, digits, - and _."""
    orthanc.RestApiPut(f"/modalities/{name}", json.dumps({"AET": aet, "Host": host, "Port": port}))


def delete_modality(name: str) -> None:
    orthanc.RestApiDelete(f"/modalities/{name}")


def call(method: str, path: str, body: Any = None) -> Any:
    """Return the JSON that one of Orthanc's routes answers to GET or POST, or None.

    None stands for an empty answer. Only for calls that take Orthanc no time, since they hold
    Python's lock meanwhile (use loopback.py for the rest). Raises orthanc.OrthancException.
    """
    found = (
        orthanc.RestApiGet(path) if method == "GET" else orthanc.RestApiPost(path, json.dumps(body))
    )
    return json.loads(found) if found else None


def studies_of(study_instance_uid: str) -> list[str]:
    """Return Orthanc's identifiers of the studies with this UID; several if patient IDs differ."""
    return _looked_up(study_instance_uid, "Study")


def _looked_up(uid: str, level: str) -> list[str]:
    found = json.loads(orthanc.RestApiPost("/tools/lookup", uid))
    return [entry["ID"] for entry in found if entry["Type"] == level]


def details(ids: list[str]) -> dict[str, Details]:
    """Return details by identifier, without instances that are gone."""
    if not ids:
        return {}
    asked = {"Resources": ids, "Level": "Instance", "Metadata": True, "Short": True}
    found = json.loads(orthanc.RestApiPost("/tools/bulk-content", json.dumps(asked)))
    return {entry["ID"]: _details(entry) for entry in found}


def _details(entry: dict[str, Any]) -> Details:
    metadata = entry.get("Metadata", {})
    try:
        received = datetime.strptime(metadata.get("ReceptionDate", ""), "%Y%m%dT%H%M%S")
    except ValueError:
        received = None
    uid = entry.get("MainDicomTags", {}).get("0008,0018")
    size, series = int(entry.get("FileSize", 0)), entry.get("ParentSeries")
    origin = Origin(
        *(metadata.get(name, "") for name in ("Origin", "RemoteAET", "CalledAET", "RemoteIP"))
    )
    return Details(entry["ID"], uid, metadata.get("SopClassUid"), received, size, series, origin)


# Larger objects are images, of which only the header is needed: their file is mapped, not copied.
_LARGE = 1_000_000


def dicom(instance: str, size: int) -> "bytes | mmap.mmap":
    """Return the instance's bytes. Raises Gone.

    For a large instance, this is its mapped file in Orthanc's storage, of which only what is
    accessed is read.
    """
    mapped = _mapped(instance) if size > _LARGE else None
    if mapped is not None:
        return mapped
    try:
        return orthanc.GetDicomForInstance(instance)
    except orthanc.OrthancException as error:
        if error.args and error.args[0] in (_UNKNOWN_RESOURCE, _INEXISTENT_ITEM, _INEXISTENT_FILE):
            raise Gone(instance) from error
        raise


def delete(instance: str) -> None:
    """Delete an instance, and its parents if it was their last one. Raises Gone."""
    try:
        orthanc.RestApiDelete(f"/instances/{instance}")
    except orthanc.OrthancException as error:
        if error.args and error.args[0] in (_UNKNOWN_RESOURCE, _INEXISTENT_ITEM):
            raise Gone(instance) from error
        raise


def _mapped(instance: str) -> "mmap.mmap | None":
    """Return the file in which Orthanc's own storage keeps an instance.

    None if another storage is used, or a compressed one.
    """
    try:
        found = json.loads(orthanc.RestApiGet(f"/instances/{instance}/attachments/dicom/info"))
        uuid, size = found["Uuid"], found["UncompressedSize"]
        with open(_storage() / uuid[:2] / uuid[2:4] / uuid, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return mapped if len(mapped) == size and mapped[128:132] == b"DICM" else None
    except (orthanc.OrthancException, OSError, KeyError, ValueError):
        return None


@cache
def _storage() -> Path:
    settings = configuration()
    return configuration_directory() / (settings.get("StorageDirectory") or "OrthancStorage")


# The handlers of Orthanc's callbacks, set once at start.
_handlers: dict[str, Callable[..., Any]] = {}


def listen(
    stored: Callable[[], None],
    deleted: Callable[[str], None],
    started: Callable[[], None],
    job_ended: Callable[[], None],
    ending: Callable[[], None],
) -> None:
    """Register handlers for events of Orthanc.

    They are called when instances were stored, for each instance that was deleted (with Orthanc's
    identifier), when Orthanc has started, when one of its jobs has ended, and when its shutdown
    begins: its servers then stop one after the other, while jobs may go on for long. Uses the
    callback for changes, which has its own thread, instead of that for stored instances: the latter
    runs on the thread that stores, which would wait for Python's lock with every instance.
    """
    _handlers["stored"], _handlers["started"], _handlers["job ended"] = stored, started, job_ended
    _handlers["deleted"], _handlers["ending"] = deleted, ending
    orthanc.RegisterOnChangeCallback(_on_change)


KEEP, DROP, REFUSE = "keep", "drop", "refuse"
# Orthanc takes this for the object that it is to store, and rejects it: the sender is told so by
# status 400 or 0xA700. For an object that it is to discard, the REST API answers with the tags, and
# crashes on those of a deeply nested object.
_NO_DICOM = b"refused by Orthanc Dose, whose Activity page says why"


def watch_door(decide: Callable[[bytes], str]) -> None:
    """Have each incoming object, however it arrives, checked before Orthanc reads and stores it.

    decide: returns KEEP; DROP: the object is not stored, and its sender gets a success status;
    REFUSE: it is not stored, and its sender is told so.

    For each object this costs a copy and Python's lock. Only one plugin can have this callback:
    raises orthanc.OrthancException if another one has it.

    Orthanc holds a mutex while it calls back, and so while it waits for Python's lock. A route that
    takes this mutex, as /system does, must therefore be asked over HTTP: a direct call holds
    Python's lock, and both would wait for each other forever.
    """
    _handlers["door"] = decide
    orthanc.RegisterReceivedInstanceCallback(_on_received)


def _on_received(raw: bytes, origin: int) -> "tuple[int, bytes | None]":
    try:
        decided = _handlers["door"](raw)
    except Exception as error:  # noqa: BLE001  an object is never lost to an error of ours
        _LOG.error("an object was stored without the plugin being notified", exc_info=error)
        decided = KEEP
    if decided == REFUSE:
        return orthanc.ReceivedInstanceAction.MODIFY, _NO_DICOM
    if decided == DROP:
        return orthanc.ReceivedInstanceAction.DISCARD, None
    return orthanc.ReceivedInstanceAction.KEEP_AS_IS, None


_STACK = 16 * 2**20  # bytes; memory is allocated as it is used
_AT_ONCE = 32  # requests that are answered at the same time; further ones wait


def serve(handle: Callable[[Request], Answer]) -> None:
    """Answer all requests to /dose and below, on threads of our own: see above."""
    threading.stack_size(_STACK)
    pool = ThreadPoolExecutor(_AT_ONCE, "dose-http")
    _handlers["request"] = lambda request: pool.submit(handle, request).result()
    _handlers["later"] = pool.submit
    _handlers["stop serving"] = lambda: pool.shutdown(cancel_futures=True)
    orthanc.RegisterRestCallback("/dose", _on_request)
    orthanc.RegisterRestCallback("/dose/(.*)", _on_request)


def later(do: Callable[[], object]) -> None:
    """Run a function soon, on a thread of `serve`."""
    _handlers["later"](do)


def guard(opens: Callable[[Request], bool]) -> None:
    """Have each request to Orthanc's own routes checked before it may pass.

    One that may not is answered with 403, which is all that a plugin can do there. The check runs
    on Orthanc's threads, without query and body. Calls by the plugin itself to Orthanc are not
    checked.
    """
    _handlers["guard"] = opens
    orthanc.RegisterIncomingHttpRequestFilter(_on_incoming)


def stop_serving() -> None:
    """Join the threads of `serve`, which must end before the interpreter does."""
    _handlers["stop serving"]()


def extend_explorer(address: str, label: str) -> None:
    """Add a button to Orthanc Explorer that leads to a page of ours.

    Also adds the header with which Orthanc Explorer's own requests show that they do not come from
    another site.
    """
    orthanc.ExtendOrthancExplorer(
        "$.ajaxSetup({ headers: { 'X-Dose-Request': '1' } });"
        "$('#lookup').live('pagebeforecreate', function() {"
        f"$('<a>').attr('data-role', 'button').attr('href', "
        f"{json.dumps(address)}).attr('data-ajax', 'false')"
        f".attr('data-icon', 'star').text({json.dumps(label)}).insertAfter($('#lookup-form')); }});"
    )


def _on_change(change: int, level: int, resource: str) -> None:
    if change == orthanc.ChangeType.NEW_INSTANCE:
        _handlers["stored"]()
    elif change == orthanc.ChangeType.DELETED:
        if level == orthanc.ResourceType.INSTANCE:
            _handlers["deleted"](resource)
    elif change == orthanc.ChangeType.ORTHANC_STARTED:
        _handlers["started"]()
    elif change in (orthanc.ChangeType.JOB_SUCCESS, orthanc.ChangeType.JOB_FAILURE):
        _handlers["job ended"]()
    elif change == orthanc.ChangeType.ORTHANC_STOPPED:
        _handlers["ending"]()


# The request that a thread of Orthanc is handling, as the filter saw it: without query and body.
# Only the filter gets the address of the client; and for a multipart body, the callback gets each
# part as if it were a request, with headers taken from the part. The callback runs on the same
# thread.
_seen: dict[int, Request] = {}
_METHODS = {1: "GET", 2: "POST", 3: "PUT", 4: "DELETE"}
_NOT_SEEN = Answer(
    json.dumps(
        {
            "error": {
                "code": "not_a_request",
                "message": "This was not received as a request of its own, so it is not answered.",
            }
        }
    ).encode(),
    status=403,
)


def _on_incoming(uri: str, **request: Any) -> bool:
    # Whatever the last request of this thread left: its callback may never have been called.
    _seen.pop(threading.get_native_id(), None)
    method = _METHODS.get(int(request.get("method", 0)), "")
    incoming = Request(method, uri, {}, _lowered(request), b"", request.get("ip", ""))
    if uri == "/dose" or uri.startswith("/dose/"):
        # None of our routes accepts such a body.
        if "multipart" in incoming.headers.get("content-type", "").lower():
            return False
        _seen[threading.get_native_id()] = incoming
        return True
    return is_own(incoming.headers) or bool(_handlers["guard"](incoming))


def _on_request(output: "orthanc.RestOutput", uri: str, **request: Any) -> None:
    seen = _seen.pop(threading.get_native_id(), None)
    if seen is None or (seen.method, seen.headers) != (request["method"], _lowered(request)):
        _send_status(output, _NOT_SEEN)
        return
    # Invalid UTF-8 stays recognisable as surrogates, which the server refuses.
    query = {
        name: unquote_plus(value, errors="surrogateescape")
        for name, value in request.get("get", {}).items()
    }
    body = request.get("body") or b""
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogateescape")
    answer = _handlers["request"](replace(seen, path=uri, query=query, body=body))
    allowed = answer.headers.pop("Allow", "")
    for name, values in answer.headers.items():
        for value in values if isinstance(values, list) else [values]:
            output.SetHttpHeader(name, value)
    if answer.status == 405:
        output.SendMethodNotAllowed(
            allowed
        )  # the only way that Orthanc has for it, and without a body
    elif answer.status == 200:
        output.AnswerBuffer(
            answer.body if isinstance(answer.body, bytes) else _contents(answer.body), answer.mime
        )
    elif answer.status == 301:
        output.Redirect(answer.headers["Location"])
    else:
        _send_status(output, answer)


def _lowered(request: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in (request.get("headers") or {}).items()}


def _contents(path: Path) -> "bytes | pa.Buffer":
    # Orthanc sends the data directly from where it is: a mapped file takes no memory. Python's own
    # mapped buffers are not accepted.
    if not path.stat().st_size:
        return b""
    with pa.memory_map(str(path)) as file:
        return file.read_buffer()


def _send_status(output: "orthanc.RestOutput", answer: Answer) -> None:
    output.SetHttpHeader("Content-Type", answer.mime)
    body = answer.body if isinstance(answer.body, bytes) else answer.body.read_bytes()
    try:
        output.SendHttpStatus(answer.status, body)
    except TypeError:
        # orthanc-python 4 requires text and its size in bytes.
        output.SendHttpStatus(answer.status, body.decode("utf-8"), len(body))
