"""The routes for signing in and out, and for changing one's own password."""

from typing import Annotated, Any

from ..manage.access import COOKIE, NotSignedIn
from ..manage.devices import DAYS, cookie_of
from ..manage.limits import ProofNeeded
from ..manage.proofs import Proof
from ..manage.second_step import SecondStepNeeded, WrongCode
from ..manage.users import AccountError
from ..records.access import GROUPS
from ..records.given import Count, Given, Meta
from .answer_schemas import FLAG, INTEGER, TEXT_OR_NULL, any_object, array, component
from .answers import Content
from .bodies import NewPassword, Password
from .errors import ApiError
from .routes import ANYBODY, SIGNED_IN, Caller, Route
from .services import Services


class SignIn(Given):
    """A name and password to sign in with, and a proof of work if the previous error asked for
    one."""

    name: Annotated[str, Meta(min_length=1, max_length=200, description="Of the user.")]
    password: Annotated[Password, Meta(description="Of the user.")]
    challenge: Annotated[
        Annotated[str, Meta(max_length=200)] | None,
        Meta(description="Challenge from the error `proof_needed`."),
    ] = None
    number: Annotated[
        Count | None,
        Meta(description="Number found for the challenge."),
    ] = None
    code: Annotated[
        str,
        Meta(
            max_length=50,
            description="Code of the authenticator app, or a recovery code, for a user with two-step "
            "sign-in.",
        ),
    ] = ""


class OwnPassword(Given):
    """The caller's current and new passwords."""

    old: Annotated[Password, Meta(description="Current password.")]
    new: Annotated[NewPassword, Meta(description="New password.")]


def _described(services: Services, caller: Caller) -> dict[str, Any]:
    user = services.access.users.get(caller.name)
    second = user.second if user else None
    return {
        "signed_in": bool(caller.name),
        "name": caller.name or None,
        "groups": sorted(caller.groups),
        "way": caller.way or None,
        "may_change_password": user is not None and user.has_password_here,
        "may_use_orthanc": caller.orthanc,
        "session_hours": services.settings.value("session_hours"),
        "from_provider": user is not None and bool(user.subject),
        "provider": services.settings.value("provider_name") if services.provider.is_on else None,
        "second_step": {
            "possible": user is not None and user.has_password_here,
            "on": second is not None,
            "required": user is not None and services.access.second_step.is_required(user),
            "must_enrol": caller.must_enrol,
            "recovery_codes": len(second.recovery_codes) if second else 0,
        },
    }


def get_session(services: Services, caller: Caller) -> dict[str, Any]:
    return {"session": _described(services, caller)}


def sign_in(services: Services, caller: Caller, body: SignIn) -> Content:
    proof = None
    if body.challenge is not None and body.number is not None:
        proof = Proof(body.challenge, body.number)
    name = body.name
    try:
        signed_in = services.access.sign_in(caller, name, body.password, proof, body.code)
    except NotSignedIn as error:
        raise ApiError(401, "wrong_password", str(error)) from error
    except SecondStepNeeded as error:
        raise ApiError(401, "second_step_needed", str(error), "code") from error
    except WrongCode as error:
        raise ApiError(401, "wrong_code", str(error), "code") from error
    except ProofNeeded as error:
        more = {"challenge": error.challenge, "bits": error.bits, "again": error.again}
        raise ApiError(423, "proof_needed", str(error), more=more) from error
    cookies = [cookie_text(caller, COOKIE, signed_in.session, "/")]
    if signed_in.device:
        # Sent only when somebody signs in, and with no other request.
        device = cookie_text(caller, cookie_of(name), signed_in.device, "/dose/api/session")
        cookies.append(f"{device}; Max-Age={DAYS * 86_400}")
    return Content(
        {"session": _described(services, signed_in.caller)}, headers={"Set-Cookie": cookies}
    )


def sign_out(services: Services, caller: Caller) -> Content:
    token = services.access.sign_out(caller) if caller.way == "cookie" else ""
    gone = {"Set-Cookie": f"{cookie_text(caller, COOKIE, '', '/')}; Max-Age=0"}
    at_provider = services.provider.sign_out_address(token) if token else None
    answer = {"signed_out": caller.way in ("cookie", ""), "at_provider": at_provider}
    return Content(answer, headers=gone)


def cookie_text(caller: Caller, name: str, value: str, path: str) -> str:
    """Return a cookie of ours, as the header Set-Cookie has it."""
    # The session cookie is for the whole server, since Orthanc's own pages are on it beside ours.
    secure = "; Secure" if caller.https else ""
    return f"{name}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}"


def change_password(services: Services, caller: Caller, body: OwnPassword) -> dict[str, Any]:
    users = services.access.users
    user = users.get(caller.name)
    if user is not None and user.subject:
        raise ApiError(
            409, "from_provider", "You sign in at the provider: change your password there."
        )
    if user is None or user.configured:
        raise ApiError(
            409,
            "from_configuration",
            "Your password is set in Orthanc's configuration and can only be changed there.",
        )
    if not services.access.check_own_password(caller, body.old):
        raise ApiError(400, "wrong_old_password", "The current password is wrong.", "old")
    if body.new == body.old:
        raise ApiError(
            400,
            "bad_password",
            "The new password is the same as the current one: choose another.",
            "new",
        )
    try:
        users.set_password(caller.name, body.new)
    except AccountError as error:
        raise ApiError(400, "bad_password", str(error), "new") from error
    services.access.end_all(caller.name)
    return {"changed": True}


_SESSION = any_object(
    session=component(
        "session",
        any_object(
            signed_in=FLAG,
            name=TEXT_OR_NULL,
            groups=array({"enum": list(GROUPS)}),
            way={"enum": ["cookie", "Basic", "token", "proxy", None]},
            may_change_password=FLAG,
            may_use_orthanc=FLAG,
            session_hours={"type": "number"},
            from_provider=FLAG,
            provider=TEXT_OR_NULL
            | {"description": "Name of the provider at which users can sign in."},
            second_step=any_object(
                possible=FLAG, on=FLAG, required=FLAG, must_enrol=FLAG, recovery_codes=INTEGER
            ),
        ),
    )
)
_LOCKED = (
    "After too many wrong passwords, a browser in which nobody has signed in with this name "
    "before receives 423 and the code `proof_needed`. It must then repeat the request with the "
    "`challenge` from the error and a `number` for which the SHA-256 of the SHA-256 of the "
    "challenge and the number (8 bytes, big-endian) begins with `bits` zero bits. `again` is "
    "true if a proof was given and another one is needed: for each name and address, only one "
    "attempt every few seconds or minutes is checked."
)

SESSION_ROUTES: tuple[Route, ...] = (
    Route("GET", "/session", get_session, "Return who is signed in and what they may do",
          {200: _SESSION}, tag="Access", with_caller=True,
          needs=ANYBODY),
    Route("POST", "/session", sign_in, "Sign in, which starts a session with a cookie",
          {200: _SESSION}, (), (401, 403, 413, 423), "Access",
          f"{_LOCKED} For a user with two-step sign-in, the right password without a `code` is "
          "answered with 401 and the code `second_step_needed`. With the cookie, every request other "
          "than GET must have the header `X-Dose-Request: 1`. Scripts use HTTP Basic or a token "
          "instead.", body=SignIn, with_caller=True, needs=ANYBODY),
    Route("DELETE", "/session", sign_out, "Sign out", {200: any_object(signed_out=FLAG, at_provider=TEXT_OR_NULL)},
          (), (403,), "Access",
          "Ends the session. `at_provider` is the address at which a browser also signs out of the provider, if the "
          "session began there. Callers who use HTTP Basic, a token or a proxy have no session to "
          "end.", with_caller=True, needs=ANYBODY),
    Route("PUT", "/session/password", change_password, "Change your password", {200: any_object(changed=FLAG)}, (),
          (403, 409, 413, 423), "Access",
          "Ends all your sessions, including this one, and withdraws all your tokens.",
          body=OwnPassword, with_caller=True, needs=SIGNED_IN,
          action="own password changed"),
)  # fmt: skip
