"""The routes of exports: starting an export of a filtered list, and downloading its file."""

from typing import Annotated, Any, Literal

from ..export import openskin
from ..export.exports import CSV, FORMATS, IDENTITY, KIND, MEDIA_TYPES, PACKED
from ..query import studies
from ..query import tasks as queries
from ..query.filters import or_hashes
from ..records import MODALITIES
from ..records.given import Given, Meta
from .answer_schemas import FLAG, INTEGER, TASK, TEXT, any_object, array
from .answers import Content, Download
from .errors import ApiError, needs_identity, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, EXPORT, Caller, Route
from .services import Services
from .studies import Query, filters_to_tell, parsed
from .tasks import get_task


class NewExport(Given):
    """An export that is to be started."""

    format: Annotated[
        Literal[*FORMATS],  # type: ignore[valid-type]
        Meta(description="One of GET /exports/formats."),
    ]
    modality: Annotated[
        Literal[*MODALITIES, None],  # type: ignore[valid-type]
        Meta(description="The modality type whose columns it has; null for those of all."),
    ]
    query: Query
    identity: Annotated[
        list[Literal[*IDENTITY]],  # type: ignore[valid-type]
        Meta(description="What it says of who the patients are."),
    ]


class NewCopy(Given):
    """A copy of the whole dose record that is to be made."""

    identity: Annotated[bool, Meta(description="With patients' names, IDs and birth dates.")]


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
        raise not_found("This task makes no file.", "id")
    if (
        task["user_name"] != caller.name
        and task["parameters"].get("identity")
        and not caller.sees_identity
    ):
        raise needs_identity("id")
    try:
        path, mime = services.exports.file(task)
    except FileNotFoundError:
        raise not_found("The export has no file: it is not finished, or was not.", "id") from None
    if not offset:
        services.audit.note(caller, "export fetched", f"task {id}")
    if offset is None:
        if path.stat().st_size > WHOLE:
            message = (
                f"The file has more than {WHOLE // 2**20} MiB: ask for it in pieces, by offset."
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
        raise not_found("There is no study of this number.", "id")
    if found["modality"] != "RF" or not found["events"]:
        message = "openSkin works on the exposures of a fluoroscopy study: this one has none."
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
        message = f"{body.format} is for: {', '.join(of.modalities or ())}."
        raise ApiError(409, "not_possible", message, "modality")
    if body.identity and not of.identity:
        message = (
            f"{body.format} does not say who the patients are: identity must be an empty list."
        )
        raise ApiError(409, "not_possible", message, "identity")


# While Orthanc sends an answer, its Python interpreter is blocked (always before version 4.3 of its
# Python plugin): a slow connection must not hold it up. A piece fits into the buffers of a
# connection.
PIECE, WHOLE = 2**20, 64 * 2**20
_ID = Parameter("id", "integer", "The task's number.", minimum=1, in_path=True)
_STUDY = Parameter("id", "integer", "The study's number.", minimum=1, in_path=True)
_FILE = {"type": "string", "format": "binary", "x-media-types": list(MEDIA_TYPES)}
EXPORT_ROUTES: tuple[Route, ...] = (
    Route("GET", "/exports/formats", list_formats, "The formats of exports, and how many days a "
"finished one is kept",
          {200: any_object(kept_days=INTEGER, formats=array(any_object(
              name=TEXT, title=TEXT, modalities={"type": ["array", "null"], "items": TEXT}, packed=FLAG,
              identity=FLAG)))},
          tag="Exports", needs=EXPORT),
    Route("POST", "/exports", start_export, "Start an export of the studies that filters "
"leave", {202: TASK},
          errors=(403, 409, 413), tag="Exports", body=NewExport, with_caller=True, needs=EXPORT,
          description="A task; its file is at /exports/{id}/file when it is done. CSV and XLSX "
"hold shown units, events to the"
          " right, of fluoroscopy none in CSV and groups in XLSX; Parquet, Arrow IPC and JSON "
          "Lines the store's values, of one"
          " modality type as a ZIP of studies and events."
          " The forms of national surveys are for one modality type and name no patient: else 409."
          " identity: with names, IDs or both, as the installation keeps them, and then with birth "
          "dates; for the group"
          " \"patient identity\"."),
    Route("GET", "/exports/copy", get_copy, "Where the copies of the whole dose record as Parquet "
"are",
          {200: any_object(folder=TEXT, newest={"type": ["string", "null"]})}, tag="Exports", needs=ADMINISTRATION),
    Route("POST", "/exports/copy", start_copy, "Copy the whole dose record as Parquet into the "
"server's folder, by a task",
          {202: any_object(task_id=INTEGER)}, errors=(403,), tag="Exports", with_caller=True, needs=ADMINISTRATION,
          body=NewCopy,
          description="As it is done each night where the settings say so. identity: with "
"patients' names, IDs and birth dates;"
          " for the group \"patient identity\"."),
    Route("GET", "/exports/{id}/file", get_file, "The file of an export, or a piece of "
"it", {200: _FILE},
          (_ID, Parameter("offset", "integer", "The first byte of a piece; the whole file comes "
"without it.", minimum=0,
                          maximum=2**53 - 1),
           Parameter("length", "integer", "How many bytes a piece has at "
"most.", PIECE, minimum=1, maximum=4 * PIECE)),
          (403, 404, 409),
          tag="Exports", with_caller=True, needs=EXPORT),
    Route("GET", "/studies/{id}/openskin", get_openskin, "The exposures of a fluoroscopy study as "
"openSkin reads them",
          {200: {"type": "string", "x-media-types": [CSV.partition(";")[0]]}}, (_STUDY,), (404, 409),
          tag="Exports", needs=EXPORT, action="openSkin file fetched",
          description="A CSV without a line of titles, an exposure a line, in the standard's "
"units, for the skin dose maps of"
          " openSkin. It says nothing of who the patient is but the sex. 409 where the study is no "
          "fluoroscopy."),
)  # fmt: skip
