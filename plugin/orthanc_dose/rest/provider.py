"""The routes of signing in at an OpenID Connect provider: the way there, and the way back.

Browsers open them; both answer with redirects. What goes wrong is told on the sign-in page.
"""

import re
from urllib.parse import urlencode

from ..manage.access import COOKIE, PROVIDER_COOKIE, NotAdmitted
from ..manage.provider import CALLBACK, LIFETIME, ProviderError
from .answers import Content
from .parameters import Parameter
from .routes import ANYBODY, Caller, Route
from .services import Services
from .session import cookie_text

_PAGES = "/dose/app"
# A page of ours: neither another host nor a way up.
_PAGE = re.compile(r"/(?![/\\])[\w/.?=&%,:@+~-]*", re.ASCII)


def go_to_provider(services: Services, caller: Caller, to: str) -> Content:
    page = to if _PAGE.fullmatch(to) and ".." not in to else "/"
    try:
        begun = services.provider.begin(page)
    except ProviderError as error:
        return _failed(error.code)
    return _redirect(begun.address, [_own_cookie(caller, begun.cookie, int(LIFETIME))])


def come_from_provider(
    services: Services, caller: Caller, code: str, state: str, iss: str | None, error: str
) -> Content:
    gone = _own_cookie(caller, "", 0)
    answer = {"code": code, "state": state, "error": error}
    if iss is not None:
        answer["iss"] = iss
    try:
        identity, page = services.provider.finish(caller.provider_cookie, answer)
        signed_in = services.access.sign_in_at_provider(caller, identity)
    except (ProviderError, NotAdmitted) as refused:
        return _failed(refused.code, [gone])
    session = cookie_text(caller, COOKIE, signed_in.session, "/")
    return _redirect(_PAGES + page, [session, gone])


def _own_cookie(caller: Caller, value: str, seconds: int) -> str:
    # Lax: the browser comes back from the provider, which is another site.
    strict = cookie_text(caller, PROVIDER_COOKIE, value, CALLBACK)
    return f"{strict.replace('SameSite=Strict', 'SameSite=Lax')}; Max-Age={seconds}"


def _failed(code: str, cookies: list[str] | None = None) -> Content:
    return _redirect(f"{_PAGES}/sign-in?{urlencode({'problem': code})}", cookies or [])


def _redirect(address: str, cookies: list[str]) -> Content:
    headers: dict[str, str | list[str]] = {"Location": address}
    if cookies:
        headers["Set-Cookie"] = cookies
    return Content({"location": address}, 303, headers)


def _text(name: str, description: str, default: str | None = "") -> Parameter:
    return Parameter(name, "text", description, default, maximum=4000)


_REDIRECT = {"type": "object", "properties": {"location": {"type": "string"}}}

PROVIDER_ROUTES: tuple[Route, ...] = (
    Route("GET", "/session/provider", go_to_provider, "Go to the provider to sign in there", {303: _REDIRECT},
          (_text("to", "Page to open afterwards, such as /studies.", "/"),), tag="Access",
          description="For browsers. If signing in is not possible, the redirect leads to the sign-in page.",
          with_caller=True, needs=ANYBODY),
    Route("GET", "/session/provider/callback", come_from_provider, "Return from the provider", {303: _REDIRECT},
          (_text("code", "Authorization code."), _text("state", "State of the sign-in."),
           _text("iss", "Issuer (RFC 9207).", None), _text("error", "Why nobody was signed in.")),
          tag="Access", description="For browsers. The redirect URI to be registered at the provider. Other parameters are "
          "ignored.", with_caller=True, needs=ANYBODY, ignores_others=True),
)  # fmt: skip
