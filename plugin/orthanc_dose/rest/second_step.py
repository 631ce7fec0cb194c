"""The routes with which users set up their own two-step sign-in."""

from typing import Annotated

from ..manage.second_step import WrongCode
from ..manage.users import User
from ..records.given import Given, Meta
from .answer_schemas import FLAG, TEXT, any_object, array
from .bodies import Password
from .errors import ApiError
from .routes import SIGNED_IN, Caller, Route
from .services import Services

_CODE = Meta(max_length=50, description="Code of the authenticator app.")


class PasswordAgain(Given):
    """The caller's password, once more."""

    password: Annotated[Password, Meta(description="Own password.")]


class FirstCode(Given):
    """The first code of a new authenticator app."""

    code: Annotated[str, _CODE]


class PasswordAndCode(Given):
    """The caller's password and a code."""

    password: Annotated[Password, Meta(description="Own password.")]
    code: Annotated[
        str,
        Meta(max_length=50, description="Code of the authenticator app, or a recovery code."),
    ]


def begin(services: Services, caller: Caller, body: PasswordAgain) -> dict[str, str]:
    user = _user(services, caller)
    if user.second is not None:
        raise ApiError(409, "second_step_on", "Two-step sign-in is already on.")
    _check_password(services, caller, body.password)
    new = services.access.second_step.begin(user)
    return {"secret": new.secret, "address": new.address, "picture": new.picture}


def confirm(services: Services, caller: Caller, body: FirstCode) -> dict[str, list[str]]:
    user = _user(services, caller)
    if user.second is not None:
        raise ApiError(409, "second_step_on", "Two-step sign-in is already on.")
    try:
        codes = services.access.second_step.confirm(user, body.code)
    except WrongCode as error:
        raise _wrong(error) from error
    # Those that began with the password alone.
    services.access.sessions.end_others(user.name, caller.session)
    return {"recovery_codes": codes}


def renew_codes(services: Services, caller: Caller, body: PasswordAndCode) -> dict[str, list[str]]:
    user = _checked(services, caller, body)
    return {"recovery_codes": services.access.second_step.renew_recovery_codes(user)}


def end(services: Services, caller: Caller, body: PasswordAndCode) -> dict[str, bool]:
    user = _checked(services, caller, body)
    services.access.second_step.end(user.name)
    return {"ended": True}


def _user(services: Services, caller: Caller) -> User:
    if caller.way != "cookie":
        raise ApiError(
            403, "not_allowed", "This requires a session: sign in with the password instead."
        )
    user = services.access.users.get(caller.name)
    if user is None or not user.has_password_here:
        raise ApiError(
            409,
            "no_second_step",
            "Two-step sign-in is only for users whom an administrator added here.",
        )
    return user


def _checked(services: Services, caller: Caller, body: PasswordAndCode) -> User:
    user = _user(services, caller)
    if user.second is None:
        raise ApiError(409, "second_step_off", "Two-step sign-in is not on.")
    _check_password(services, caller, body.password)
    try:
        services.access.second_step.check(user, body.code)
    except WrongCode as error:
        raise _wrong(error) from error
    return user


def _check_password(services: Services, caller: Caller, password: str) -> None:
    if not services.access.check_own_password(caller, password):
        raise ApiError(400, "wrong_old_password", "The current password is wrong.", "password")


def _wrong(error: WrongCode) -> ApiError:
    return ApiError(400, "wrong_code", str(error), "code")


_CODES = any_object(recovery_codes=array(TEXT))

SECOND_STEP_ROUTES: tuple[Route, ...] = (
    Route("POST", "/session/second-step", begin, "Begin to set up your two-step sign-in",
          {200: any_object(secret=TEXT, address=TEXT, picture=TEXT)}, (), (403, 409, 413, 423), "Access",
          "Returns a new secret for an authenticator app (RFC 6238), also as an `otpauth` address "
          "and as a QR code of it (SVG). It counts once its first code is sent, within ten "
          "minutes.", body=PasswordAgain, with_caller=True, needs=SIGNED_IN),
    Route("PUT", "/session/second-step", confirm, "Switch on your two-step sign-in with the first code",
          {200: _CODES}, (), (403, 409, 413), "Access",
          "Returns recovery codes, which are shown only once and can each be used once in place of "
          "a code of the app. Ends your other sessions.",
          body=FirstCode, with_caller=True, needs=SIGNED_IN, action="second step on"),
    Route("POST", "/session/second-step/recovery-codes", renew_codes, "Replace your recovery codes",
          {200: _CODES}, (), (403, 409, 413, 423), "Access",
          body=PasswordAndCode, with_caller=True, needs=SIGNED_IN, action="recovery codes renewed"),
    Route("POST", "/session/second-step/end", end, "Switch off your two-step sign-in",
          {200: any_object(ended=FLAG)}, (), (403, 409, 413, 423), "Access",
          body=PasswordAndCode, with_caller=True, needs=SIGNED_IN, action="second step off"),
)  # fmt: skip
