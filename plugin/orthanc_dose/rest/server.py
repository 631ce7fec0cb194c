"""From a request to an answer: finds the route, checks the parameters, turns errors into answers; serves the UI."""

import base64
import binascii
import gzip
import hashlib
import json
import mimetypes
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb

from ..records.access import GROUPS
from ..store import StoreError
from .api import ROUTES
from .errors import ApiError, bad_body, not_found
from .routes import Caller
from .services import Services

ROOT, API, APP = "/dose", "/dose/api", "/dose/app"
_COMPRESSED = frozenset({".html", ".js", ".css", ".svg", ".json", ".map", ".txt"})
# Bytes of an answer that are not worth compressing.
SMALL = 2_000
LARGEST_BODY = 1_000_000
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " object-src 'none'; base-uri 'none'; frame-ancestors 'self'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
}


def plain(value: object) -> object:
    """Values that JSON does not know, as ISO 8601 text."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


class Server:
    """Answers requests below /dose. Safe to be called from several threads at once."""

    def __init__(self, services: Services, app_directory: Path | None, compress: bool, log_error: Any) -> None:
        """compress: whether to compress answers here; False where Orthanc does it with every answer."""
        self._services = services
        self._compress = compress
        self._app = app_directory.resolve() if app_directory is not None else None
        self._log_error = log_error

    def handle(self, request: Any, answer: Any) -> Any:
        """The answer to a request; `answer` is the class to make it with."""
        try:
            if request.path in (ROOT, f"{ROOT}/"):
                return answer(status=301, headers={"Location": f"{APP}/"})
            if request.path.startswith(f"{API}/"):
                status, body = self._api(request)
                raw = json.dumps(body, default=plain, allow_nan=False, separators=(",", ":")).encode()
                headers = {"Cache-Control": "no-store", **SECURITY_HEADERS}
                if status == 200 and len(raw) > SMALL and self._may_compress(request):
                    raw, headers["Content-Encoding"] = gzip.compress(raw, 1), "gzip"
                return answer(raw, status=status, headers=headers)
            if (request.path == APP or request.path.startswith(f"{APP}/")) and request.method == "GET":
                return self._static(request, answer)
            raise not_found("There is nothing at this address.")
        except ApiError as error:
            failed = error
        except (StoreError, duckdb.IOException, duckdb.FatalException) as error:
            failed = ApiError(503, "store_unavailable", f"The store cannot be used now: {str(error).splitlines()[0][:200]}")
        except Exception as error:  # noqa: BLE001  an answer in any case; what happened goes to the log, without values
            self._log_error(f"{request.method} {_route_of(request.path)}: {type(error).__name__}{_place(error)}")
            failed = ApiError(500, "internal", "The server could not answer this; its log says where it went wrong.")
        body = json.dumps(failed.as_dict()).encode()
        headers = {"Cache-Control": "no-store", **SECURITY_HEADERS} | ({"Allow": failed.allow} if failed.allow else {})
        return answer(body, status=failed.status, headers=headers)

    def _may_compress(self, request: Any) -> bool:
        return self._compress and "gzip" in request.headers.get("accept-encoding", "")

    def _api(self, request: Any) -> tuple[int, Any]:
        path, allowed = request.path.removeprefix(API), []
        for route in ROUTES:
            found = route.pattern.fullmatch(path)
            if found is None:
                continue
            if route.method != request.method:
                allowed.append(route.method)
                continue
            arguments = route.arguments(found.groupdict(), request.query)
            if route.with_caller:
                arguments["caller"] = Caller(user_of(request.headers), frozenset(GROUPS))
            if route.body is not None:
                arguments["body"] = _json(request.body)
            if route.raw_body:
                arguments["body"] = _no_longer_than(route.raw_body, request.body)
                arguments["file_name"] = unquote(request.headers.get("x-file-name", ""))
            result = route.handler(self._services, **arguments)
            return result if isinstance(result, tuple) else (200, result)
        if allowed:
            methods = sorted(allowed)
            message = f"This address answers {' and '.join(methods)} only."
            raise ApiError(405, "method_not_allowed", message, allow=", ".join(methods))
        raise not_found("The API has no such address; /dose/api/openapi.json lists all.")

    def _static(self, request: Any, answer: Any) -> Any:
        if self._app is None or not (self._app / "index.html").is_file():
            raise ApiError(404, "no_ui", "The web UI is not built: run `make ui`, or install the wheel, which has it.")
        name = request.path.removeprefix(APP).lstrip("/")
        if "\0" in name:
            raise not_found("The web UI has no such file.")
        path = (self._app / name).resolve()
        if not path.is_relative_to(self._app) or not path.is_file():
            if "." in name.rsplit("/", 1)[-1]:
                raise not_found("The web UI has no such file.")
            path = self._app / "index.html"  # a page's address: the page is made in the browser
        zipped = path.suffix in _COMPRESSED and self._may_compress(request)
        body, tag, mime = _file(path, path.stat().st_mtime_ns, zipped)
        fixed = path.parent.name == "assets"  # names there carry a hash of the content
        headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable" if fixed else "no-cache"}
        headers |= SECURITY_HEADERS | ({"Content-Encoding": "gzip"} if zipped else {}) | {"Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == tag:
            return answer(b"", mime, 304, {name: value for name, value in headers.items() if name != "Content-Encoding"})
        return answer(body, mime, headers=headers)


def user_of(headers: dict[str, str]) -> str:
    """The name of who asks, as HTTP Basic gives it; empty where Orthanc lets everybody in."""
    scheme, _, told = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(told, validate=True).decode("utf-8", "replace").partition(":")[0]
    except binascii.Error:
        return ""


def _no_longer_than(limit: int, body: bytes) -> bytes:
    if len(body) > limit:
        raise ApiError(413, "too_large", f"The body may have at most {limit:,} bytes.")
    return body


def _json(body: bytes) -> Any:
    try:
        return json.loads(_no_longer_than(LARGEST_BODY, body))
    except (ValueError, RecursionError) as error:
        raise bad_body(None, "The body must be JSON.") from error


@lru_cache(maxsize=500)
def _file(path: Path, changed: int, zipped: bool) -> tuple[bytes, str, str]:
    raw = path.read_bytes()
    tag = f'"{hashlib.sha256(raw).hexdigest()[:20]}{"-gz" if zipped else ""}"'
    mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    mime = "text/javascript" if path.suffix == ".js" else mime
    return gzip.compress(raw, 9, mtime=0) if zipped else raw, tag, mime


def _route_of(path: str) -> str:
    found = next((route.path for route in ROUTES if route.pattern.fullmatch(path.removeprefix(API))), None)
    return found or "(another address)"


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f" in {trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
