"""Assembly of configuration, store, worker and routes; start and stop inside Orthanc."""

import atexit
import gc
import http.client
import logging
import os
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import duckdb

from . import __version__, config, host
from .backup import backups as making_backups
from .backup.backups import BACKUP, Backups
from .estimates.follower import Estimates
from .export import copy, exports
from .export.nightly import EVERY_S as NIGHTLY_S
from .export.nightly import Nightly
from .export.words import date_format
from .ingest import (
    Deletion,
    Door,
    Finder,
    IdentityRules,
    Options,
    Requests,
    Withdrawals,
    Worker,
    jobs,
)
from .ingest.ignoring import Ignoring
from .loopback import Loopback, OrthancError
from .manage.access import Access
from .manage.audit_log import AuditLog, forget_entries_before
from .manage.devices import Devices
from .manage.limits import Limits
from .manage.log import Log
from .manage.provider import Provider, Trust, groups_of
from .manage.proxies import Proxies
from .manage.region import server_time_zone, zone_of
from .manage.second_step import SecondStep
from .manage.sessions import Sessions
from .manage.settings import BY_KEY, Settings, identity_rules, not_patient
from .manage.tokens import Tokens
from .manage.users import ORTHANC, Users
from .outgoing import Outgoing
from .records.access import GROUPS
from .rest.health import Health
from .rest.schedules import ScheduledSearches
from .rest.server import Server
from .rest.services import Services
from .retrieve.fetching import RETRIEVAL, Fetching, Reading
from .retrieve.nodes import Nodes
from .retrieve.schedules import EVERY_S as SCHEDULES_S
from .retrieve.schedules import Schedules
from .retrieve.search_tasks import NODE_SEARCH, Searches
from .sizes.files import SizeFiles
from .sql.runs import SQL_FILE, Runs
from .sql.runs import Limits as SqlLimits
from .store import Store, StoreError, disposal, tasks
from .work.clock import Clock
from .work.followers import POLL_S, Follower, Followers
from .work.owner import BEAT_S
from .work.runner import Runner
from .work.steps import Steps

_LOG = logging.getLogger(__name__)

# Classes that react to changed studies, each with its own cursor.
FOLLOWERS: tuple[type[Follower], ...] = (Estimates,)
# The kinds of tasks that have their own threads.
ON_THREADS = (exports.EXPORT, copy.COPY, BACKUP, SQL_FILE, NODE_SEARCH, RETRIEVAL)
# Seconds between sweeps of what is kept only for a limited time.
SWEEP_S = 3600.0


def start_plugin() -> None:
    """Start the plugin. Called once, while Orthanc loads its plugins.

    An unusable configuration or store stops Orthanc's start.
    """
    log = Log(host.log)
    try:
        _start(log)
    except (config.ConfigError, StoreError) as error:
        _LOG.error("cannot start: %s", error)
        # Raising would stop Orthanc, too, but with a traceback, and then with a segmentation fault:
        # its plugin does not finalize an interpreter whose script failed, and DuckDB's module
        # cannot be unloaded in one. Nothing is open yet.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def _start(log: Log) -> None:
    # Pages share Python's lock with the worker: it is handed over after one millisecond instead of
    # five.
    sys.setswitchinterval(0.001)
    # A large report makes hundreds of thousands of containers, none of which is garbage: collect
    # less often.
    gc.set_threshold(100_000, 20, 20)
    orthanc_configuration = host.configuration()
    configuration = config.read_configuration(
        orthanc_configuration.get("Dose"), host.configuration_directory(), BY_KEY
    )
    store = Store(configuration.data_directory, configuration.memory_limit or None)
    settings = Settings(store, configuration.first_values)
    log.follow(settings, Path(configuration.log_file))
    size_files = SizeFiles(configuration.data_directory, store)
    runner = Runner(store, ON_THREADS)
    work = exports.folder(configuration.data_directory)
    files = exports.Exports(
        store, runner, work, lambda: date_format(settings.value("date_format"), "en")
    )
    copies = copy.Copies(store, runner, Path(configuration.parquet_directory), work)
    nightly = Nightly(
        store,
        lambda: settings.value("parquet_copy_hour") if settings.value("parquet_copy") else None,
        lambda: copies.start_copy("", settings.value("parquet_copy_identity")),
        datetime.now,
    )
    backups = Backups(
        store,
        runner,
        partial(_backup_rules, settings),
        config.without_secrets(orthanc_configuration.get("Dose") or {}),
        configuration.backup_passphrase,
        lambda: zone_of(settings.value("time_zone") or server_time_zone()),
    )
    sql = Runs(store, partial(_sql_limits, settings))
    loopback = Loopback(orthanc_configuration)
    nodes = Nodes(store, host, loopback)
    searches = Searches(store, runner, nodes)
    following = [follower() for follower in FOLLOWERS]
    for follower in following:
        follower.setting = settings.value
    followers = Followers(store, following, runner.owner)

    def kept_since(setting: str) -> datetime:
        return tasks.now() - timedelta(days=settings.value(setting))

    sweeps: dict[str, Callable[[duckdb.DuckDBPyConnection], object]] = {
        "tasks": lambda connection: tasks.forget_tasks_before(connection, kept_since("task_days")),
        "exports": lambda connection: tasks.forget_tasks_before(
            connection, kept_since("export_days"), exports.KIND
        ),
        "audit log": lambda connection: forget_entries_before(connection, kept_since("audit_days")),
        "uploaded files of sizes": size_files.sweep,
        "export files": files.sweep,
        "results of searches": searches.sweep,
        "followers": followers.sweep,
        "copies for SQL": lambda connection: sql.copies.sweep(),
    }
    audit = AuditLog(store)
    access = _access(orthanc_configuration, configuration, store, settings, audit)
    options = _latest(settings, lambda: _options(configuration, settings, store.key))
    finder = Finder(host, store.handle)
    deletion, door = Deletion(host, finder, options), Door(options())
    kinds = jobs(options, deletion, size_files, store.key, host)
    steps = Steps(kinds, runner.owner)
    withdrawals = Withdrawals(finder)
    worker = Worker(host, store, options, steps, finder, deletion, door, withdrawals)
    runner.join(steps, worker, followers)
    settings.watch(worker.wake)
    settings.watch(lambda: setattr(door, "options", options()))
    fetching = Fetching(
        store,
        runner,
        nodes,
        partial(settings.value, "moves_at_once"),
        partial(settings.value, "move_pause"),
        partial(_reading, worker),
    )
    scheduled = ScheduledSearches(access.users, searches, fetching)
    schedules = Schedules(store, scheduled.begin, scheduled.may)
    clock = Clock()
    clock.every(BEAT_S, "the heartbeat of tasks", runner.beat)
    clock.every(POLL_S, "waking followers", followers.wake)
    clock.every(NIGHTLY_S, "the nightly copy", nightly.start_if_due)
    clock.every(making_backups.EVERY_S, "the schedule of backups", backups.start_if_due)
    clock.every(SCHEDULES_S, "scheduled searches", schedules.start_what_is_due)
    for name, sweep in sweeps.items():
        clock.every(SWEEP_S, f"sweeping {name}", partial(_swept, store, sweep))
    orthanc = {
        "version": "",
        "name": orthanc_configuration.get("Name"),
        "dicom_aet": orthanc_configuration.get("DicomAet", "ORTHANC"),
        "dicom_port": orthanc_configuration.get("DicomPort", 4242),
    }
    services = Services(
        store=store,
        access=access,
        audit=audit,
        log=log,
        queue=worker,
        requests=Requests(worker, runner, store, deletion),
        settings=settings,
        size_files=size_files,
        runner=runner,
        exports=files,
        copies=copies,
        backups=backups,
        sql=sql,
        nodes=nodes,
        searches=searches,
        fetching=fetching,
        schedules=schedules,
        followers=followers,
        provider=Provider(
            partial(_trust, configuration, settings),
            Outgoing(partial(settings.value, "outgoing_hosts")),
        ),
        health=Health(store, lambda: worker.is_alive),
        orthanc=orthanc,
        started_at=datetime.now(UTC).replace(tzinfo=None),
        hashes=lambda text: list(options().identity.hashes(text).values()),
        orthanc_studies=host.studies_of,
        orthanc_objects=finder.found,
    )
    # Orthanc 1.10 compresses every answer unless told not to, and would compress ours a second
    # time.
    compress = orthanc_configuration.get("HttpCompressionEnabled") is False
    server = Server(services, _app_directory(), compress)

    def started() -> None:
        nodes.restore()
        fetching.resume()
        worker.start_thread()
        followers.start_threads()
        clock.start_thread()
        # Whoever waits for the start to be complete may check this.
        orthanc["version"] = _orthanc_version(loopback)
        _LOG.info("Orthanc Dose %s is ready; its store is %s", __version__, store.path)

    def stop() -> None:
        # Orthanc's servers are down by now; the threads must end before the interpreter does.
        sql.close()
        host.stop_serving()
        clock.close()
        runner.close()
        followers.close()
        worker.stop_thread()
        store.close()
        _LOG.info("Orthanc Dose has stopped cleanly")
        log.close()

    def ending() -> None:
        # A C-MOVE that fails because our servers shut down is not the node's fault.
        runner.leave()
        # Orthanc waits for its requests, and these for their statements.
        sql.close()

    if not orthanc_configuration.get("OverwriteInstances", False):
        _LOG.warning(
            '"OverwriteInstances" is false, so Orthanc refuses the new content of a report that '
            "is sent again under the same SOP Instance UID, such as one that grows during an "
            "examination, and reports success to the sender. Set it to true to receive it"
        )
    host.listen(worker.wake, withdrawals.deleted, started, fetching.look_at_jobs, ending)
    host.serve(lambda request: server.handle(request, host.Answer))
    host.guard(access.opens_orthanc)
    _watch(door)
    host.extend_explorer("../dose/app/", "Dose")
    atexit.register(stop)


def _orthanc_version(loopback: Loopback) -> str:
    """Return the version of the Orthanc in which we run, or "unknown" if it does not tell.

    It is asked over HTTP, since a direct call could wait forever: see host.watch_door.
    """
    try:
        return str(loopback.call("GET", "/system", seconds=10)["Version"])
    except (
        OrthancError,
        OSError,
        http.client.HTTPException,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        _LOG.warning("Orthanc does not tell its version: %s", type(error).__name__)
        return "unknown"


def _swept(store: Store, sweep: Callable[[duckdb.DuckDBPyConnection], object]) -> None:
    with store.writing() as connection:
        sweep(connection)


def _reading(worker: Worker) -> Reading:
    """Let the worker run without pauses, and return how far it is."""
    worker.hurry()
    status = worker.status()
    return Reading(status["cursor"], status["last_change"], status["state"] == "waiting")


def _watch(door: Door) -> None:
    """Have all incoming objects checked by the door."""

    def decide(raw: bytes) -> str:
        if door.refuses(raw):
            return host.REFUSE
        return host.DROP if door.drops(raw) else host.KEEP

    try:
        host.watch_door(decide)
    except Exception as error:  # noqa: BLE001  Orthanc's own, which says that another plugin has the callback
        _LOG.error(
            "objects that may crash Orthanc cannot be refused, and objects that the rules reject "
            "are stored first and then deleted: %s",
            error,
        )


def _latest(settings: Settings, make: Callable[[], Options]) -> Callable[[], Options]:
    """Return a function that makes an object from the settings and caches it until they change.

    It can be called from any thread.
    """
    made: list[tuple[int, Options]] = []
    lock = threading.Lock()

    def latest() -> Options:
        with lock:
            version = settings.version
            if not made or made[0][0] != version:
                made[:] = [(version, make())]
            return made[0][1]

    return latest


def _trust(configuration: config.Config, settings: Settings) -> Trust:
    value = settings.value
    return Trust(
        issuer=value("provider_issuer"),
        client=value("provider_client_id"),
        secret=configuration.provider_client_secret,
        address=value("public_address").rstrip("/"),
        scopes=value("provider_scopes"),
        name_claim=value("provider_name_claim"),
        groups_claim=value("provider_groups_claim"),
        groups=groups_of(value("provider_groups")),
    )


def _options(configuration: config.Config, settings: Settings, key: bytes) -> Options:
    value = settings.value
    ignoring = Ignoring(
        manufacturers=value("ignored_manufacturers"),
        models=value("ignored_models"),
        stations=value("ignored_stations"),
        software_versions=value("ignored_software_versions"),
        serial_numbers=value("ignored_serial_numbers"),
        physics_names=value("physics_names"),
        physics_ids=value("physics_ids"),
    )
    return Options(
        batch_size=configuration.batch_size,
        poll_seconds=configuration.poll_seconds,
        reconcile_at_start=configuration.reconcile_at_start,
        dose_from_ct_images=value("dose_from_ct_images"),
        screens=value("dose_screens"),
        counts_rejected_for_safety=value("count_rejected_for_safety"),
        identity=IdentityRules(**identity_rules(settings), secret=key),
        not_patient=not_patient(settings),
        ignoring=ignoring,
        deleted=frozenset(kind for kind in disposal.KINDS if value(f"{kind}_in_orthanc") != "keep"),
        dropped=frozenset(kind for kind in disposal.KINDS if value(f"{kind}_in_orthanc") == "drop"),
    )


def _backup_rules(settings: Settings) -> making_backups.Rules:
    return making_backups.Rules(
        folder=settings.value("backup_folder"),
        cron=settings.value("backup_schedule"),
        kept=settings.value("backups_kept"),
    )


def _sql_limits(settings: Settings) -> SqlLimits:
    return SqlLimits(
        seconds=settings.value("sql_seconds"),
        rows=settings.value("sql_rows"),
        file_rows=settings.value("sql_file_rows"),
        memory=settings.value("sql_memory"),
        age=settings.value("sql_age"),
    )


def _app_directory() -> Path | None:
    """Return the folder of the built web UI.

    It is beside the package in a wheel, webui/dist in a checkout, and otherwise DOSE_WEBUI.
    """
    here = Path(__file__).resolve().parent
    places = (
        here / "webui_dist",
        here.parents[1] / "webui" / "dist",
        Path(os.environ.get("DOSE_WEBUI", "/nonexistent")),
    )
    return next((place for place in places if (place / "index.html").is_file()), None)


def _access(
    orthanc_configuration: dict[str, Any],
    configuration: config.Config,
    store: Store,
    settings: Settings,
    audit: AuditLog,
) -> Access:
    """Return the access rules. Raises ConfigError."""
    registered = orthanc_configuration.get("RegisteredUsers")
    registered = registered if isinstance(registered, dict) else {}
    for user, password in registered.items():
        # An empty password would let everybody in: it comes from an environment variable that is
        # not set.
        if not password:
            raise config.ConfigError(
                f'"RegisteredUsers": the password of "{user}" is empty. Set it in the '
                "configuration or, if it refers to an environment variable, set that variable."
            )
    for user, groups in configuration.orthanc_users.items():
        if user not in registered:
            raise config.ConfigError(
                f'"Dose.OrthancUsers": "{user}" is not in '
                '"RegisteredUsers": add the user there, or remove the name '
                "here"
            )
        unknown = set(groups) - {*GROUPS, ORTHANC}
        if unknown:
            known = ", ".join((*GROUPS, ORTHANC))
            raise config.ConfigError(
                f'"Dose.OrthancUsers": "{user}" has the unknown group "{min(unknown)}"; the '
                f"groups are: {known}"
            )
    users = Users(store, registered, configuration.orthanc_users)
    if not users.have_administrator:
        raise config.ConfigError(
            "there is no administrator: add one with a password to Orthanc's "
            '"RegisteredUsers", such as { "dose": "a password" }'
        )
    # Orthanc's own default: it requires authentication if other machines can reach it.
    if orthanc_configuration.get(
        "AuthenticationEnabled", orthanc_configuration.get("RemoteAccessAllowed", False)
    ):
        _LOG.warning(
            '"AuthenticationEnabled" is true, so Orthanc asks for the password of a registered '
            "user before it calls the plugin: users added by an administrator, and tokens, "
            "cannot sign in. Set it to false to let the plugin authenticate all requests, "
            "including those to Orthanc's own pages"
        )
    proxies = Proxies(
        configuration.trusted_user_header.lower(),
        tuple(map(ip_network, configuration.trusted_proxies)),
        bool(orthanc_configuration.get("SslEnabled")),
    )
    sessions = Sessions(lambda: settings.value("session_hours") * 3600.0)
    tokens, devices = Tokens(store, users), Devices(store)
    limits = Limits()
    second_step = SecondStep(
        users, store.key, limits, partial(settings.value, "second_step_groups")
    )
    return Access(
        users,
        sessions,
        tokens,
        devices,
        limits,
        audit,
        proxies,
        second_step,
        lambda: settings.value("password_sign_in") == "administrators",
        host.later,
    )
