"""Errors are answers: a status, a stable code, a sentence, and the field at fault."""


class ApiError(Exception):
    """An answer that is an error. code: stable, for programs; message: a sentence for people, without any identity; allow:
    with status 405 the methods that the address answers."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None, allow: str = "") -> None:
        super().__init__(message)
        self.allow = allow
        self.status = status
        self.code = code
        self.field = field

    def as_dict(self) -> dict[str, object]:
        return {"error": {"code": self.code, "message": str(self), "field": self.field}}


def bad_parameter(field: str, message: str) -> ApiError:
    return ApiError(400, "bad_parameter", message, field)


def bad_body(field: str | None, message: str) -> ApiError:
    return ApiError(400, "bad_body", message, field)


def not_found(message: str, field: str | None = None) -> ApiError:
    return ApiError(404, "not_found", message, field)
