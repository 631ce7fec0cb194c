"""The routes of systems: the equipment that made the studies."""

from typing import Any

from ..query import overview
from .errors import not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, Route
from .schemas import any_object, ref
from .services import Services, in_time


def set_modality(services: Services, id: int, modality: str) -> tuple[int, dict[str, Any]]:
    with services.store.reading() as connection:
        if overview.system(connection, id) is None:
            raise not_found("There is no system of this number.", "id")
    if not in_time(services.requests.set_user_defined_modality(id, None if modality == "by-rule" else modality)):
        return 202, {"queued": True}
    with services.store.reading() as connection:
        return 200, {"system": overview.system(connection, id)}


EQUIPMENT_ROUTES: tuple[Route, ...] = (
    Route("POST", "/equipment/{id}/modality/{modality}", set_modality, "Set which modality type a system has",
          {200: any_object(system=ref("equipment")), 202: any_object(queued={"type": "boolean"})},
          (Parameter("id", "integer", "The system's number.", minimum=1, in_path=True),
           Parameter("modality", "choice", "RF or DX for all; dual to sort each study by what was done; or by-rule.",
                     allowed=("RF", "DX", "dual", "by-rule"), in_path=True)),
          (404,), "System", "The studies that the system has are sorted anew at once.",
          needs=ADMINISTRATION, action="modality of system set"),
)  # fmt: skip
