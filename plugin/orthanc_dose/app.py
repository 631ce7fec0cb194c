"""Wiring: configuration, store, worker, routes; start and stop inside Orthanc."""

import atexit
import gc
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from . import __version__, config, host
from .ingest import JOBS, Housekeeping, Options, Requests, SizeImport, Tasks, Worker, identity_rules, key_of_hashes
from .manage.settings import BY_KEY, Settings
from .rest.server import Server
from .rest.services import Services
from .sizes.files import SizeFiles
from .store import Store, StoreError, tasks


def start() -> None:
    """Called once, while Orthanc loads its plugins. An unusable configuration or store stops Orthanc's start."""
    try:
        _start()
    except (config.ConfigError, StoreError) as error:
        host.log_error(f"cannot start: {error}")
        # Raising would stop Orthanc, too, but with a trace, and then with a segmentation fault: its plugin does not finalize
        # an interpreter whose script failed, and DuckDB's module cannot be taken down in one. Nothing is open yet.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def _start() -> None:
    # Pages share Python's lock with the worker: it is handed over after a millisecond, not after five.
    sys.setswitchinterval(0.001)
    # A large report makes hundreds of thousands of containers, none of which is garbage: look less often.
    gc.set_threshold(100_000, 20, 20)
    orthanc_configuration = host.configuration()
    _refuse_empty_passwords(orthanc_configuration)
    configuration = config.read(orthanc_configuration.get("Dose"), host.configuration_directory(), BY_KEY)
    store = Store(configuration.data_directory, configuration.memory_limit or None)
    settings = Settings(store, configuration.first_values)
    size_files = SizeFiles(configuration.data_directory, store)
    key = partial(key_of_hashes, configuration.data_directory)
    chores = (
        lambda connection: tasks.forget_before(connection, tasks.now() - timedelta(days=settings.value("task_days"))),
        size_files.sweep,
    )
    jobs = {**JOBS, SizeImport.kind: lambda task: SizeImport(task, size_files, key)}
    options = _latest(settings, lambda: _options(configuration, settings))
    worker = Worker(host, store, options, Tasks(jobs),  # type: ignore[arg-type]
                    Housekeeping(store, chores))  # fmt: skip
    settings.watch(worker.wake)
    orthanc = {
        "version": "", "name": orthanc_configuration.get("Name"), "dicom_aet": orthanc_configuration.get("DicomAet", "ORTHANC"),
        "dicom_port": orthanc_configuration.get("DicomPort", 4242),
    }  # fmt: skip
    services = Services(
        store, worker, Requests(worker, store), settings, size_files, key, orthanc, datetime.now(UTC).replace(tzinfo=None),
        host.studies_of,
    )  # fmt: skip
    # Orthanc 1.10 compresses every answer unless told not to, and would compress ours a second time.
    compress = orthanc_configuration.get("HttpCompressionEnabled") is False
    server = Server(services, _app_directory(), compress, host.log_error)

    def started() -> None:
        orthanc["version"] = host.system()["Version"]
        worker.start()
        host.log_warning(f"Orthanc Dose {__version__} is ready; its store is {store.path}")

    def stop() -> None:
        # Orthanc's servers are down by now; the threads must end before the interpreter does.
        host.stop_serving()
        worker.stop()
        store.close()

    host.listen(worker.wake, started)
    host.serve(lambda request: server.handle(request, host.Answer))
    host.add_button("../dose/app/", "Dose")
    atexit.register(stop)


def _latest(settings: Settings, make: Callable[[], Options]) -> Callable[[], Options]:
    """What is made of the settings, made anew only when one of them changed."""
    made: dict[int, Options] = {}

    def latest() -> Options:
        version = settings.version
        if version not in made:
            made.clear()
            made[version] = make()
        return made[version]

    return latest


def _options(configuration: config.Config, settings: Settings) -> Options:
    value = settings.value
    return Options(
        configuration.batch_size, configuration.poll_seconds, configuration.audit_at_start, value("dose_from_ct_images"),
        value("dose_screens"),
        identity_rules(value("patient_name"), value("patient_id"), configuration.data_directory),
    )


def _app_directory() -> Path | None:
    """The built web UI: in the wheel beside the package, in a checkout in webui/dist."""
    here = Path(__file__).resolve().parent
    places = (
        here / "webui_dist",
        here.parents[1] / "webui" / "dist",
        Path(os.environ.get("DOSE_WEBUI", "/nonexistent")),
    )
    return next((place for place in places if (place / "index.html").is_file()), None)


def _refuse_empty_passwords(settings: dict[str, object]) -> None:
    """An empty password lets everybody in: it comes from an environment variable that is not set."""
    users = settings.get("RegisteredUsers")
    if isinstance(users, dict) and settings.get("AuthenticationEnabled", True):
        for user, password in users.items():
            if not password:
                raise config.ConfigError(
                    f'"RegisteredUsers": the password of "{user}" is empty. Set it in the configuration, or, where it names'
                    " an environment variable, set that variable."
                )
