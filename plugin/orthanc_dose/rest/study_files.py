"""The route of one study's file: as JSON, as a workbook, or as a report for printing."""

from ..export.exports import IDENTITY
from ..export.study_files import FORMATS, Wanted
from ..export.words import LANGUAGES, date_format
from ..manage.region import server_time_zone, zone_of
from ..records import IDENTITY_FIELDS
from .answer_schemas import TEXT, any_object
from .answers import Content, Download
from .errors import not_found
from .parameters import Parameter
from .routes import EXPORT, Caller, Route
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
        raise not_found("There is no study with this number.", "id") from None
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
    Route("GET", "/studies/{id}/file", get_study_file,
          "Export a study as a file: a printable report, a workbook or JSON",
          {200: _FILE},
          (Parameter("id", "integer", "Number of the study.", minimum=1, in_path=True),
           Parameter("format", "choice",
                     "PDF: the report; XLSX: all tables in displayed units; JSON: the stored "
                     "values with their units.", "pdf", allowed=tuple(FORMATS)),
           Parameter("identity", "choices",
                     'Which items of patient identity to include, as the installation keeps '
                     'them: name, ID or both, together with the birth date; requires the group '
                     '"patient identity". Without it, none.',
                     allowed=tuple(IDENTITY), identity=True),
           Parameter("language", "choice", "Language of the report.", "en", allowed=LANGUAGES)),
          (403, 404), tag="Exports", with_caller=True, needs=EXPORT,
          description="JSON contains the study as /studies/{id} returns it, and the `units` of "
                      "its tables as UCUM codes. Orthanc's identifiers of objects are derived "
                      "from the patient ID, so they are included only together with it."),
)  # fmt: skip
