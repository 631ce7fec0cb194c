"""The route of one study's file: as JSON, as a workbook, or as a report for printing."""

from ..export.exports import IDENTITY
from ..export.study_files import FORMATS, Wanted
from ..export.words import LANGUAGES, date_format
from ..manage.region import server_time_zone, zone_of
from ..records import IDENTITY_FIELDS
from .answers import Content, Download
from .errors import not_found
from .parameters import Parameter
from .routes import EXPORT, Caller, Route
from .schemas import TEXT, any_object
from .services import Services


def get_study_file(
    services: Services,
    caller: Caller,
    id: int,
    format: str,
    identity: list[str] | None,
    language: str,
) -> Content:
    told = set().union(*(IDENTITY[one] for one in identity or ()))
    zone = services.settings.value("time_zone") or server_time_zone()
    wanted = Wanted(
        id,
        IDENTITY_FIELDS - told,
        language,
        date_format(services.settings.value("date_format"), language),
        zone_of(zone),
        zone,
    )
    try:
        raw = FORMATS[format].make(services.store, wanted)
    except LookupError:
        raise not_found("There is no study of this number.", "id") from None
    about = ", ".join((format, *(f"with patient {one}" for one in sorted(identity or ()))))
    services.audit.note(caller, "study exported", f"study {id}", about)
    return Content(Download(raw, FORMATS[format].mime, f"study-{id}.{format}"))


_FILE = {
    "type": "string",
    "format": "binary",
    "x-media-types": [one.mime for one in FORMATS.values()],
    "x-json": any_object(
        program=TEXT, made_at=TEXT, units={"type": "object"}, study={"type": "object"}
    ),
}

STUDY_FILE_ROUTES: tuple[Route, ...] = (
    Route("GET", "/studies/{id}/file", get_study_file, "A study as a file: a report to be printed, "
"a workbook, JSON",
          {200: _FILE},
          (Parameter("id", "integer", "The study's number.", minimum=1, in_path=True),
           Parameter("format", "choice", "PDF: the report; XLSX: all tables in shown units; JSON: "
"the store's values with their"
                     " units.", "pdf", allowed=tuple(FORMATS)),
           Parameter("identity", "choices", "What the file says of who the patient is, as the "
"installation keeps it: name,"
                     " ID or both, and then the birth date; for the group \"patient identity\". Without it, nothing.",
                     allowed=tuple(IDENTITY), identity=True),
           Parameter("language", "choice", "Of the report.", "en", allowed=LANGUAGES)),
          (403, 404), tag="Exports", with_caller=True, needs=EXPORT,
          description="JSON holds the study as /studies/{id} gives it, and `units` of its tables "
"as UCUM codes. Orthanc's"
          " identifiers of objects are made from the patient ID: they are there with it alone."),
)  # fmt: skip
