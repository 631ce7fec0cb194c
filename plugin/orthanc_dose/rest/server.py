"""From a request to an answer: finds the route, checks the parameters, turns errors into answers,
and serves the UI.
"""

import gzip
import hashlib
import json
import logging
import mimetypes
import time
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..manage.access import NotSignedIn
from ..manage.limits import Locked
from ..store import STORE_ERRORS
from ..store.causes import CAUSES, MEMORY_ERRORS, cause_of
from . import bodies
from .answers import Content, Download, Text, plain
from .api import ROUTES
from .errors import ApiError, not_found
from .parameters import is_text
from .routes import Caller, Route
from .services import Services
from .shortening import has_long_text, short

_LOG = logging.getLogger(__name__)
ROOT, API, APP = "/dose", "/dose/api", "/dose/app"
# Where Prometheus looks by itself is below /dose, and answered by the API.
METRICS = f"{ROOT}/metrics"
_COMPRESSED = frozenset({".html", ".js", ".css", ".svg", ".json", ".map", ".txt"})
# Smaller answers, in bytes, are not worth compressing.
SMALL = 2_000
# Only those of the store itself. An error of the operating system may be about any file, and its
# message contains paths.
_STORE_ERRORS = tuple(error for error in STORE_ERRORS if error is not OSError)
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src "
    "'self' data:;"
    " script-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; form-action "
    "'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Server:
    """Answers requests below /dose. Can be called from several threads at once."""

    def __init__(self, services: Services, app_directory: Path | None, compress: bool) -> None:
        """Set up the server. compress: False if Orthanc itself compresses all answers."""
        self._services = services
        self._compress = compress
        self._app = app_directory.resolve() if app_directory is not None else None

    def handle(self, request: Any, answer: Any) -> Any:
        """Return the answer to a request; `answer` is the class of which it is made."""
        began = time.monotonic()
        if request.path == METRICS:
            request = replace(request, path=f"{API}/metrics")
        answered = self._handled(request, answer)
        path, seconds = request.path, time.monotonic() - began
        route = "(pages)" if path == APP or path.startswith(f"{APP}/") else _route_of(path)
        self._services.request_times.note(request.method, route, answered.status, seconds)
        return answered

    def _handled(self, request: Any, answer: Any) -> Any:
        try:
            if not is_text(request.path):
                raise ApiError(
                    400,
                    "bad_address",
                    "Addresses must be percent-encoded UTF-8 without NUL characters.",
                )
            if request.path in (ROOT, f"{ROOT}/"):
                return answer(status=301, headers={"Location": f"{APP}/"})
            if request.path.startswith(f"{API}/"):
                return self._answered(request, self._api(request), answer)
            if (
                request.path == APP or request.path.startswith(f"{APP}/")
            ) and request.method == "GET":
                return self._static(request, answer)
            raise not_found(
                "There is nothing at this address. The pages start at /dose/app/, "
                "the API at /dose/api/."
            )
        except ApiError as error:
            failed = error
        except _STORE_ERRORS as error:
            failed = ApiError(
                503,
                "store_unavailable",
                "The dose database is currently unavailable; try again later. The cause: "
                f"{str(error).splitlines()[0][:200]}",
            )
        except (OSError, *MEMORY_ERRORS) as error:
            failed = _failed_for(error) or self._internal(request, error)
        except Exception as error:  # noqa: BLE001  an answer in any case; what happened goes to the log, without values
            failed = self._internal(request, error)
        body = json.dumps(failed.as_dict()).encode()
        return answer(
            body,
            status=failed.status,
            headers={"Cache-Control": "no-store", **SECURITY_HEADERS, **failed.headers},
        )

    def _internal(self, request: Any, error: BaseException) -> ApiError:
        _LOG.error("%s %s", request.method, _route_of(request.path), exc_info=error)
        return ApiError(
            500,
            "internal",
            "The server failed to answer this request because of an internal error; its log "
            "has the location of the error.",
        )

    def _answered(self, request: Any, found: Content, answer: Any) -> Any:
        headers = {"Cache-Control": "no-store", **SECURITY_HEADERS, **found.headers}
        if isinstance(found.body, Download):
            headers["Content-Disposition"] = f'attachment; filename="{found.body.name}"'
            return answer(found.body.raw, found.body.mime, headers=headers)
        if isinstance(found.body, Text):
            raw, mime = found.body.text.encode(), found.body.mime
            return answer(raw, mime, found.status, headers)
        raw = _json(found.body)
        if has_long_text(raw):
            raw = _json(short(found.body))
        if found.status == 200 and len(raw) > SMALL and self._may_compress(request):
            raw, headers["Content-Encoding"] = gzip.compress(raw, 1), "gzip"
        return answer(raw, status=found.status, headers=headers)

    def _may_compress(self, request: Any) -> bool:
        return self._compress and "gzip" in request.headers.get("accept-encoding", "")

    def _api(self, request: Any) -> Content:
        path, allowed = request.path.removeprefix(API), []
        for route in ROUTES:
            found = route.pattern.fullmatch(path)
            if found is None:
                continue
            if route.method == request.method:
                return self._routed(request, route, found.groupdict())
            allowed.append(route.method)
        if allowed:
            methods = sorted(allowed)
            message = f"This address only supports {' and '.join(methods)}."
            raise ApiError(
                405, "method_not_allowed", message, headers={"Allow": ", ".join(methods)}
            )
        raise not_found(
            "The API does not have this address; /dose/api/openapi.json lists all of them."
        )

    def _routed(self, request: Any, route: Route, in_path: dict[str, str]) -> Content:
        caller = self._caller(request)
        began, done = time.monotonic(), False
        status: int | str = "failed"
        try:
            self._let_in(request, route, caller)
            arguments = route.arguments(in_path, request.query, caller)
            if route.with_caller:
                arguments["caller"] = caller
            if route.body is not None:
                arguments["body"] = (
                    bodies.decoded(request.body, route.body)
                    if request.body or route.body_default is None
                    else route.body_default
                )
            if route.raw_body:
                arguments["body"] = bodies.no_longer_than(route.raw_body, request.body)
            result = route.handler(self._services, **arguments)
            if not isinstance(result, Content):
                result = (
                    Content(*reversed(result)) if isinstance(result, tuple) else Content(result)
                )
            status, done = result.status, True
            return result
        except Locked as error:
            locked = _locked(error)
            status = locked.status
            raise locked from error
        except ApiError as error:
            status = error.status
            raise
        finally:
            milliseconds = (time.monotonic() - began) * 1000
            asked = (route.method, route.path, caller.name)
            _LOG.debug("%s %s by %r: %s in %.0f ms", *asked, status, milliseconds)
            if route.action and caller.name:
                subject = ", ".join(f"{name} {value}" for name, value in in_path.items())
                self._services.audit.note(caller, route.action, subject, succeeded=done)

    def _caller(self, request: Any) -> Caller:
        try:
            return self._services.access.caller(request)
        except NotSignedIn as error:
            # A browser that has not sent credentials shall not show its own sign-in box: there is a
            # page for that.
            asks = {"WWW-Authenticate": 'Basic realm="Orthanc Dose", charset="UTF-8"'}
            headers = asks if "authorization" in request.headers else {}
            raise ApiError(401, "not_signed_in", str(error), headers=headers) from error
        except Locked as error:
            raise _locked(error) from error

    def _let_in(self, request: Any, route: Route, caller: Caller) -> None:
        if caller.must_enrol and route.needs:
            raise ApiError(
                403, "second_step_missing", "First set up two-step sign-in, on the page Account."
            )
        if not caller.may(route.needs):
            if not caller.name:
                raise ApiError(401, "not_signed_in", "Sign in first.")
            groups = " or ".join(f'"{group}"' for group in route.needs or ())
            raise ApiError(
                403,
                "not_allowed",
                f"This requires the group {groups}; an administrator can add you to it.",
            )
        if self._services.access.is_forged(request, caller):
            message = (
                "Requests that change something must come from the pages of this server or have "
                "the header X-Dose-Request: 1."
            )
            raise ApiError(403, "from_elsewhere", message)

    def _static(self, request: Any, answer: Any) -> Any:
        if self._app is None or not (self._app / "index.html").is_file():
            raise ApiError(
                404,
                "no_ui",
                "The web UI is not built: run `make ui`, or install the wheel, which contains it.",
            )
        name = request.path.removeprefix(APP).lstrip("/")
        path = self._app / name
        try:
            found = path.resolve().is_relative_to(self._app) and path.is_file()
        except OSError as error:  # a name that is too long for a file
            raise not_found("The web UI does not have this file.") from error
        if not found:
            if "." in name.rsplit("/", 1)[-1]:
                raise not_found("The web UI does not have this file.")
            path = self._app / "index.html"  # a page, which the browser renders
        zipped = path.suffix in _COMPRESSED and self._may_compress(request)
        body, tag, mime = _file(path, path.stat().st_mtime_ns, zipped)
        fixed = path.parent.name == "assets"  # names there contain a hash of the content
        headers = {
            "ETag": tag,
            "Cache-Control": "public, max-age=31536000, immutable" if fixed else "no-cache",
        }
        headers |= (
            SECURITY_HEADERS
            | ({"Content-Encoding": "gzip"} if zipped else {})
            | {"Vary": "Accept-Encoding"}
        )
        if request.headers.get("if-none-match") == tag:
            return answer(
                b"",
                mime,
                304,
                {name: value for name, value in headers.items() if name != "Content-Encoding"},
            )
        return answer(body, mime, headers=headers)


def _failed_for(error: BaseException) -> ApiError | None:
    """Return the answer if a full or broken disk, or full memory, is the cause; else None."""
    cause = cause_of(error)
    if cause in ("store", "internal"):
        return None
    return ApiError(
        503, "store_unavailable", f"The server cannot do this now; try again later. {CAUSES[cause]}"
    )


def _locked(error: Locked) -> ApiError:
    # Orthanc does not know 429.
    return ApiError(423, "locked", str(error), more={"seconds": error.seconds})


def _json(body: Any) -> bytes:
    return json.dumps(body, default=plain, allow_nan=False, separators=(",", ":")).encode()


@lru_cache(maxsize=500)
def _file(path: Path, changed: int, zipped: bool) -> tuple[bytes, str, str]:
    raw = path.read_bytes()
    tag = f'"{hashlib.sha256(raw).hexdigest()[:20]}{"-gz" if zipped else ""}"'
    mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    mime = "text/javascript" if path.suffix == ".js" else mime
    return gzip.compress(raw, 9, mtime=0) if zipped else raw, tag, mime


def _route_of(path: str) -> str:
    found = next(
        (route.path for route in ROUTES if route.pattern.fullmatch(path.removeprefix(API))), None
    )
    return found or "(another address)"
