"""The routes of exports: starting an export of a filtered list, and downloading its file."""

from typing import Annotated, Any, Literal

from ..export import openskin
from ..export.exports import CSV, FORMATS, IDENTITY, KIND, MEDIA_TYPES, PACKED
from ..query import studies
from ..query import tasks as queries
from ..query.filters import or_hashes
from ..records import MODALITIES
from ..records.given import Given, Meta
from .answer_schemas import (
    FLAG,
    INTEGER,
    TASK,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
    or_null,
)
from .answers import Content, Download
from .errors import ApiError, needs_identity, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, EXPORT, Caller, Route
from .services import Services
from .studies import Query, filters_to_tell, parsed
from .tasks import get_task


class NewExport(Given):
    """An export to be started."""

    format: Annotated[
        Literal[*FORMATS],  # type: ignore[valid-type]
        Meta(description="One of the formats that GET /exports/formats lists."),
    ]
    modality: Annotated[
        Literal[*MODALITIES, None],  # type: ignore[valid-type]
        Meta(
            description="Modality type whose columns the file has; null for the columns of all "
            "modality types."
        ),
    ]
    query: Query
    identity: Annotated[
        list[Literal[*IDENTITY]],  # type: ignore[valid-type]
        Meta(description="Which items of patient identity the file contains."),
    ]


class NewCopy(Given):
    """A copy of the whole dose record to be made."""

    identity: Annotated[
        bool, Meta(description="Whether to include patients' names, IDs and birth dates.")
    ]


def list_formats(services: Services) -> dict[str, Any]:
    # An export is also a task: it is removed after the shorter of the two retention times.
    days = min(services.settings.value("export_days"), services.settings.value("task_days"))
    return {
        "kept_days": days,
        "formats": [
            {
                "name": name,
                "title": one.title,
                "modalities": None if one.modalities is None else [*one.modalities],
                "packed": name in PACKED,
                "identity": one.identity,
            }
            for name, one in FORMATS.items()
        ],
    }


def start_export(services: Services, caller: Caller, body: NewExport) -> tuple[int, dict[str, Any]]:
    _check(body)
    wanted, modality = body.format, body.modality
    if body.identity and not caller.sees_identity:
        raise needs_identity("identity")
    values = or_hashes(parsed(body.query, caller), services.hashes)
    number = services.exports.start_export(
        caller.name, wanted, modality, values, filters_to_tell(body.query), body.identity
    )
    about = ", ".join(
        (
            wanted,
            modality or "all modalities",
            *(f"with patient {one}" for one in sorted(body.identity)),
        )
    )
    services.audit.note(caller, "export started", f"task {number}", about)
    with services.store.reading() as connection:
        return 202, queries.find_task(connection, number) or {}


def get_file(
    services: Services, caller: Caller, id: int, offset: int | None, length: int
) -> Content:
    task = get_task(services, caller, id)
    if task["kind"] != KIND:
        raise not_found("This task does not create a file.", "id")
    if (
        task["user_name"] != caller.name
        and task["parameters"].get("identity")
        and not caller.sees_identity
    ):
        raise needs_identity("id")
    try:
        path, mime = services.exports.file(task)
    except FileNotFoundError:
        raise not_found(
            "The export has no file, because it is still running or did not finish. GET "
            "/tasks/{id} returns its state.",
            "id",
        ) from None
    if not offset:
        services.audit.note(caller, "export fetched", f"task {id}")
    if offset is None:
        if path.stat().st_size > WHOLE:
            message = (
                f"The file is larger than {WHOLE // 2**20} MiB, so it must be fetched in pieces: "
                "use the parameters offset and length."
            )
            raise ApiError(409, "in_pieces", message, "id")
        return Content(Download(path, mime, task["subject"]))
    with open(path, "rb") as file:
        file.seek(
            min(offset, path.stat().st_size)
        )  # file systems have a largest offset of their own
        return Content(Download(file.read(length), mime, task["subject"]))


def get_openskin(services: Services, id: int) -> Content:
    with services.store.reading() as connection:
        found = studies.study(connection, id)
    if found is None:
        raise not_found("There is no study with this number.", "id")
    if found["modality"] != "RF" or not found["events"]:
        message = "openSkin requires the exposures of a fluoroscopy study, and this study has none."
        raise ApiError(409, "no_fluoroscopy", message, "id")
    return Content(Download(openskin.csv_of(found), CSV, f"openskin-{id}.csv"))


def get_copy(services: Services) -> dict[str, Any]:
    return {"folder": str(services.copies.folder), "newest": services.copies.newest()}


def start_copy(services: Services, caller: Caller, body: NewCopy) -> tuple[int, dict[str, Any]]:
    if body.identity and not caller.sees_identity:
        raise needs_identity("identity")
    number = services.copies.start_copy(caller.name, body.identity)
    about = "with patient identity" if body.identity else ""
    services.audit.note(caller, "parquet copy started", f"task {number}", about)
    return 202, {"task_id": number}


def _check(body: NewExport) -> None:
    """Raise ApiError 409 if the format does not suit these studies."""
    of = FORMATS[body.format]
    if body.modality not in (of.modalities or (body.modality,)):
        message = (
            f"The format {body.format} is available only for: {', '.join(of.modalities or ())}."
        )
        raise ApiError(409, "not_possible", message, "modality")
    if body.identity and not of.identity:
        message = (
            f"The format {body.format} never contains patient identity: identity must be an "
            "empty list."
        )
        raise ApiError(409, "not_possible", message, "identity")


# While Orthanc sends an answer, its Python interpreter is blocked (always before version 4.3 of its
# Python plugin): a slow connection must not hold it up. A piece fits into the buffers of a
# connection.
PIECE, WHOLE = 2**20, 64 * 2**20
_ID = Parameter("id", "integer", "Number of the task.", minimum=1, in_path=True)
_STUDY = Parameter("id", "integer", "Number of the study.", minimum=1, in_path=True)
_FILE = {"type": "string", "format": "binary", "x-media-types": list(MEDIA_TYPES)}
_FORMAT = component(
    "export_format",
    any_object(
        name={"enum": list(FORMATS)},
        title=TEXT,
        modalities=or_null(array({"enum": list(MODALITIES)})),
        packed=FLAG,
        identity=FLAG,
    ),
)
EXPORT_ROUTES: tuple[Route, ...] = (
    Route("GET", "/exports/formats", list_formats,
          "List the export formats, and how many days a finished export is kept",
          {200: any_object(kept_days=INTEGER, formats=array(_FORMAT))},
          tag="Exports", needs=EXPORT),
    Route("POST", "/exports", start_export,
          "Start an export of the studies that match the filters", {202: TASK},
          errors=(403, 409, 413), tag="Exports", body=NewExport, with_caller=True, needs=EXPORT,
          description='Starts a task; its file is at /exports/{id}/file once the task is done. '
                      'CSV and XLSX contain displayed units, with events in columns to the '
                      'right; for fluoroscopy, CSV contains no events and XLSX contains groups '
                      'of events. Parquet, Arrow IPC and JSON Lines contain the stored values; '
                      'for a single modality type they are a ZIP of studies and events. The '
                      'forms of national surveys are for one modality type and never contain '
                      'patient identity; otherwise the answer is 409. `identity`: include names, '
                      'IDs or both, as the installation keeps them, together with birth dates; '
                      'requires the group "patient identity".'),
    Route("GET", "/exports/copy", get_copy,
          "Return the location of the Parquet copies of the whole dose record",
          {200: any_object(folder=TEXT, newest=TEXT_OR_NULL)}, tag="Exports", needs=ADMINISTRATION),
    Route("POST", "/exports/copy", start_copy,
          "Start a task that copies the whole dose record as Parquet into the server's folder",
          {202: any_object(task_id=INTEGER)}, errors=(403,), tag="Exports", with_caller=True, needs=ADMINISTRATION,
          body=NewCopy,
          description="The same copy is made every night if the settings say so. `identity`: "
                      "include patients' names, IDs and birth dates; requires the group "
                      "\"patient identity\"."),
    Route("GET", "/exports/{id}/file", get_file,
          "Download the file of an export, or a piece of it", {200: _FILE},
          (_ID, Parameter("offset", "integer",
                          "Offset of the first byte of the piece; without it, the whole file is "
                          "sent.", minimum=0,
                          maximum=2**53 - 1),
           Parameter("length", "integer", "Maximum number of bytes in a piece.", PIECE, minimum=1, maximum=4 * PIECE)),
          (403, 404, 409),
          tag="Exports", with_caller=True, needs=EXPORT),
    Route("GET", "/studies/{id}/openskin", get_openskin,
          "Export the exposures of a fluoroscopy study in the format of openSkin",
          {200: {"type": "string", "x-media-types": [CSV.partition(";")[0]]}}, (_STUDY,), (404, 409),
          tag="Exports", needs=EXPORT, action="openSkin file fetched",
          description="A CSV file without a header line, with one exposure per line in the "
                      "standard's units, for the skin dose maps of openSkin. Of the patient it "
                      "contains only the sex. 409 if the study is not a fluoroscopy study."),
)  # fmt: skip
