"""Build hook: the wheel and the source archive contain the built web UI, and are not built without
it.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebUiHook(BuildHookInterface[Any]):
    """Adds webui/dist to the wheel as orthanc_dose/webui_dist, and its locale files.

    Reports also use the locale files. An editable install does not need either: it uses both from
    the working copy's webui, built or not.
    """

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        if not Path(self.root, "webui", "dist", "index.html").is_file():
            raise RuntimeError(
                "the web UI is not built (webui/dist/index.html is missing): run 'make ui' first"
            )
        if self.target_name == "wheel":
            build_data["force_include"]["webui/dist"] = "orthanc_dose/webui_dist"
            build_data["force_include"]["webui/src/locales"] = "orthanc_dose/locales"
