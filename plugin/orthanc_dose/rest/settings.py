"""The routes of settings: their meanings, default and present values, and changing them."""

from typing import Any

from ..manage.region import server_time_zone
from ..manage.setting_types import Setting
from ..manage.settings import BY_NAME, SETTINGS, TOPICS
from ..records.given import Given, changes_of
from .answer_schemas import FLAG, INTEGER_OR_NULL, TEXT, TEXT_OR_NULL, any_object, array, component
from .errors import bad_body
from .parameters import Parameter
from .routes import ADMINISTRATION, SIGNED_IN, Caller, Route
from .services import Services

# Settings that the pages need for any signed-in user.
_OF_PAGES = ("date_format", "first_day_of_week", "time_zone")

SettingChanges = changes_of(
    "SettingChanges",
    "New values of settings, by name; settings that are not named stay unchanged.",
    ((setting.name, setting.type) for setting in SETTINGS),
)


def list_settings(services: Services) -> dict[str, Any]:
    return {
        "topics": [{"name": name, "title": title} for name, title in TOPICS.items()],
        "settings": [_setting_answer(services, setting) for setting in SETTINGS],
    }


def get_region(services: Services) -> dict[str, Any]:
    return {name: services.settings.value(name) for name in _OF_PAGES} | {
        "server_time_zone": server_time_zone()
    }


def change_settings(services: Services, caller: Caller, body: Given) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for name, value in body.as_dict().items():
        try:
            checked[name] = BY_NAME[name].checked(value)
        except ValueError as error:
            raise bad_body(name, f"{BY_NAME[name].title} must be {error}.") from error
    for name, value in checked.items():
        if value == services.settings.value(name):
            continue  # nothing to write or to log
        before = services.settings.set(name, value)
        services.audit.note(
            caller, "setting changed", name, f"from {before!r} to {services.settings.value(name)!r}"
        )
    return list_settings(services)


def reset_setting(services: Services, caller: Caller, name: str) -> dict[str, Any]:
    before = services.settings.reset(name)
    services.audit.note(
        caller,
        "setting changed",
        name,
        f"from {before!r} to its default {services.settings.value(name)!r}",
    )
    return _setting_answer(services, BY_NAME[name])


def _setting_answer(services: Services, setting: Setting) -> dict[str, Any]:
    settings = services.settings
    present = {"value": settings.value(setting.name), "default": settings.first(setting.name)}
    return setting.as_dict() | present | {"changed": settings.is_set(setting.name)}


_SETTING = any_object(
    **dict.fromkeys(("name", "topic", "title", "kind", "description", "example", "key"), TEXT),
    unit=TEXT_OR_NULL,
    choices=array(any_object(value=TEXT, label=TEXT)),
    minimum=INTEGER_OR_NULL,
    maximum=INTEGER_OR_NULL,
    value={},
    default={},
    changed=FLAG,
)
component("setting", _SETTING)
_LIST = component(
    "settings",
    any_object(topics=array(any_object(name=TEXT, title=TEXT)), settings=array(_SETTING)),
)
_REGION = component("region", any_object(**dict.fromkeys((*_OF_PAGES, "server_time_zone"), TEXT)))
_NAME = Parameter("name", "choice", "Name of the setting.", allowed=tuple(BY_NAME), in_path=True)

SETTING_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/settings",
        list_settings,
        "List all settings by topic, with meaning, default and current value",
        {200: _LIST},
        tag="Settings",
        needs=ADMINISTRATION,
        description="The default applies as long as nobody has changed a setting: it is the "
        "value from the configuration (section `Dose`, under the setting's key), or "
        "else the program's own.",
    ),
    Route(
        "GET",
        "/settings/region",
        get_region,
        "Return how pages write dates and times",
        {200: _REGION},
        tag="Settings",
        needs=SIGNED_IN,
        description="If no time zone is set, times of the server are shown in the server's own "
        "time zone.",
    ),
    Route(
        "PUT",
        "/settings",
        change_settings,
        "Change settings; settings that are not named stay unchanged",
        {200: _LIST},
        errors=(413,),
        tag="Settings",
        body=SettingChanges,
        with_caller=True,
        needs=ADMINISTRATION,
    ),
    Route(
        "DELETE",
        "/settings/{name}",
        reset_setting,
        "Reset a setting to its default",
        {200: _SETTING},
        (_NAME,),
        tag="Settings",
        with_caller=True,
        needs=ADMINISTRATION,
    ),
)
