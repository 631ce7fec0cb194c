"""Errors as answers: a status, a stable code, a sentence, and the field at fault."""


class ApiError(Exception):
    """An error that becomes an answer.

    code: stable, for programs; message: a sentence for people, without any patient identity;
    headers: headers of the answer; more: further details for programs.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        headers: dict[str, str] | None = None,
        more: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.headers = headers or {}
        self.more = more or {}
        self.status = status
        self.code = code
        self.field = field

    def as_dict(self) -> dict[str, object]:
        return {"error": {"code": self.code, "message": str(self), "field": self.field} | self.more}


def bad_parameter(field: str, message: str) -> ApiError:
    return ApiError(400, "bad_parameter", message, field)


def bad_body(field: str | None, message: str) -> ApiError:
    return ApiError(400, "bad_body", message, field)


def not_found(message: str, field: str | None = None) -> ApiError:
    return ApiError(404, "not_found", message, field)


def needs_identity(field: str) -> ApiError:
    return ApiError(
        403,
        "needs_identity",
        'This would reveal who a patient is, so it requires the group "patient identity". Ask an '
        "administrator for it.",
        field,
    )
