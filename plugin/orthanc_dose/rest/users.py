"""The routes of users: those of Orthanc's configuration, and those added by administrators."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from ..manage.audit_log import last_sign_ins
from ..manage.users import LONGEST_NAME, AccountError, User
from ..records.access import GROUPS
from ..records.given import UNSET, Given, Meta, UnsetType, Wrong
from .answer_schemas import (
    FLAG,
    INTEGER,
    TEXT,
    TEXT_OR_NULL,
    TEXTS_BY_NAME,
    any_object,
    array,
    component,
    or_null,
    ref,
)
from .bodies import NewPassword
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, Caller, Route
from .services import Services


class UserRights(Given):
    """The rights of a user."""

    groups: Annotated[
        list[Literal[*GROUPS]],  # type: ignore[valid-type]
        Meta(
            description="Groups of the user, each listed once.",
            extra_json_schema={"uniqueItems": True},
        ),
    ]
    disabled: Annotated[
        bool, Meta(description="Whether the user is prevented from signing in.")
    ] = False
    password: Annotated[
        NewPassword | UnsetType,
        Meta(
            description="Password of a user to be added; without it, an existing user is changed."
        ),
    ] = UNSET

    def __post_init__(self) -> None:
        if len(set(self.groups)) < len(self.groups):
            raise Wrong("groups", "groups must not contain a group twice.")


class UserPassword(Given):
    """A new password for a user."""

    password: Annotated[NewPassword, Meta(description="New password.")]


def list_users(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        last = last_sign_ins(connection)
    proxy = services.access.peers.unnamed_proxy()
    return {
        "users": [
            _user_answer(user) | {"last_sign_in": _moment(last.get(user.name))}
            for user in services.access.users.all()
        ],
        "groups": GROUPS,
        "unnamed_proxy": proxy and asdict(proxy),
    }


def put_user(services: Services, caller: Caller, name: str, body: UserRights) -> dict[str, Any]:
    groups, users = body.groups, services.access.users
    details = f"groups: {', '.join(groups) or 'none'}{'; disabled' if body.disabled else ''}"
    with _refusals():
        if body.password is not UNSET:
            user = users.add(name, groups, body.password, caller.name, body.disabled)
            services.audit.note(caller, "user added", f"user {name}", details)
        else:
            user = users.change(name, groups, body.disabled)
            services.audit.note(caller, "user changed", f"user {name}", details)
            if user.disabled:
                services.access.end_all(name)
    return {"user": _user_answer(user)}


def set_password(services: Services, name: str, body: UserPassword) -> dict[str, Any]:
    with _refusals():
        services.access.users.set_password(name, body.password)
    services.access.end_all(name)
    return {"changed": True}


def remove_user(services: Services, name: str) -> dict[str, Any]:
    with _refusals():
        services.access.users.remove(name)
    services.access.end_all(name)
    return {"deleted": True}


def end_second_step(services: Services, name: str) -> dict[str, Any]:
    with _refusals():
        services.access.second_step.end(name)
    services.access.end_all(name)
    return {"reset": True}


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except AccountError as error:
        said = str(error)
        if error.code == "unknown":
            raise not_found(said, "name") from error
        raise {
            "bad_name": ApiError(400, "bad_name", said, "name"),
            "bad_password": ApiError(400, "bad_password", said, "password"),
            "bad_groups": ApiError(400, "bad_body", said, "groups"),
            "taken": ApiError(409, "taken", said, "name"),
            "from_provider": ApiError(409, "from_provider", said, "name"),
            "from_configuration": ApiError(409, "from_configuration", said, "name"),
            "last_administrator": ApiError(409, "last_administrator", said, "groups"),
        }[error.code] from error


def _user_answer(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "groups": [group for group in GROUPS if group in user.groups],
        "configured": user.configured,
        "may_use_orthanc": user.orthanc,
        "disabled": user.disabled,
        "second_step": user.second is not None,
        "provider": bool(user.subject),
        "created_by": user.created_by or None,
        "created_at": _moment(user.created_at),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds") + "Z"


_NAME = Parameter("name", "user_name", "Name of the user.", maximum=LONGEST_NAME, in_path=True)
_HAS = {
    "name": TEXT,
    "groups": array({"enum": list(GROUPS)}),
    "configured": FLAG,
    "may_use_orthanc": FLAG,
    "disabled": FLAG,
    "second_step": FLAG,
    "provider": FLAG,
    "created_by": TEXT_OR_NULL,
    "created_at": TEXT_OR_NULL,
}
_USER, _LISTED = any_object(**_HAS), any_object(**_HAS, last_sign_in=TEXT_OR_NULL)
component("user", _LISTED)
component("unnamed_proxy", any_object(address=TEXT, forwarded=FLAG, users=INTEGER))

USER_ROUTES: tuple[Route, ...] = (
    Route("GET", "/users", list_users, "List the users and what the groups permit",
          {200: any_object(users=array(_LISTED), groups=TEXTS_BY_NAME,
                           unnamed_proxy=or_null(ref("unnamed_proxy")))},
          tag="Access",
          description="Users with `configured` are defined in Orthanc's configuration and can "
                      "only be changed there. `last_sign_in` is null if the audit log, which is "
                      "kept for a limited time, has no sign-in. `unnamed_proxy` is present if "
                      "all requests of the last day came from one address that is not in "
                      "`Dose.TrustedProxies`, either with headers of a proxy (`forwarded`) or "
                      "from several users: the limits on wrong passwords then treat all users as "
                      "one.",
          needs=ADMINISTRATION),
    Route("PUT", "/users/{name}", put_user,
          "Add a user, if a password is given, or change what an existing user may do",
          {200: any_object(user=_USER)}, (_NAME,), (403, 404, 409, 413), "Access",
          "A disabled user cannot sign in, and loses all sessions and tokens.",
          body=UserRights, with_caller=True,
          needs=ADMINISTRATION),
    Route("PUT", "/users/{name}/password", set_password, "Set a new password for a user", {200: any_object(changed=FLAG)},
          (_NAME,), (403, 404, 409, 413), "Access",
          "Ends the user's sessions and withdraws the user's tokens.",
          body=UserPassword, needs=ADMINISTRATION, action="password set"),
    Route("DELETE", "/users/{name}/second-step", end_second_step,
          "Switch off a user's two-step sign-in, for a lost device",
          {200: any_object(reset=FLAG)}, (_NAME,), (403, 404, 409), "Access",
          "Ends the user's sessions. The recovery codes become invalid.",
          needs=ADMINISTRATION, action="second step reset"),
    Route("DELETE", "/users/{name}", remove_user,
          "Delete a user, including tokens and saved filters",
          {200: any_object(deleted=FLAG)}, (_NAME,), (403, 404, 409), "Access", needs=ADMINISTRATION, action="user deleted"),
)  # fmt: skip
