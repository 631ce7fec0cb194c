"""A real Orthanc with its own ports and folder, with or without the plugin, for tests and
benchmarks.

    with OrthancServer() as server:
        server.send(make_studies(3))
        server.wait_until_idle()
        status, answer = server.get("/dose/api/studies")

Time limits here are safety nets against a server that hangs, far beyond what a slow machine needs;
they say nothing about speed. When one is reached, the failure shows the end of Orthanc's log.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import hmac
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import requests
from pydicom.dataset import Dataset

from orthanc_dose.samples import SampleStudy, part10

ROOT = Path(__file__).resolve().parents[2]
ORTHANC = "/usr/sbin/Orthanc"
# DCMTK's, by its path: pynetdicom has another program of this name in .venv/bin.
STORESCU = "/usr/bin/storescu"
USER, PASSWORD = "dose", "a password of the tests only"
SAFETY_S = 300.0

Sendable = Dataset | SampleStudy | bytes | Path | str


class OrthancServer:
    """Orthanc in a folder that lives as long as this object.

    It can be stopped, killed and restarted. dose: keys of the "Dose" section, which override those
    of orthanc.json; a value that is not a dict replaces the section. overrides: other keys of the
    configuration. plugin: False for a bare Orthanc. folder: where the data is and stays; if not
    given, a temporary one, which close() deletes. Without any override Orthanc reads orthanc.json
    itself. Everything except `send`, `get` and the like is for a single thread.
    """

    def __init__(
        self,
        *,
        plugin: bool = True,
        dose: Any = None,
        overrides: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="dose-test-")) if folder is None else folder
        self.plugin, self.dose, self.overrides = plugin, dose, dict(overrides or {})
        self.http_port, self.dicom_port = _free_ports(2)
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.log_path = self.folder / "orthanc.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = environment or {}
        self._log_start = 0
        self._sent = 0

    @property
    def dose_directory(self) -> Path:
        """The folder of the plugin's store, unless "DataDirectory" was overridden."""
        return self.folder / "dose"

    @property
    def log(self) -> str:
        """Orthanc's log, of all starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def log_of_this_start(self) -> str:
        return self.log_path.read_bytes()[self._log_start :].decode(errors="replace")

    def __enter__(self) -> OrthancServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the process ---

    def launch(self) -> OrthancServer:
        """Start the process without waiting for it to answer."""
        assert self.process is None, "Orthanc runs already"
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [ORTHANC, str(self._configuration_file())],
                cwd=ROOT,
                env=self._full_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        return self

    def start(self) -> OrthancServer:
        """Start Orthanc, and wait until it answers.

        With the plugin, wait until its API answers and its worker can run.
        """
        self.launch()
        path = "/dose/api/status" if self.plugin else "/system"
        self.wait_for(lambda: self._answers(path), "Orthanc's first answer")
        if self.plugin:
            # Orthanc's HTTP server is up a little before it tells plugins that it has started.
            self.wait_for(
                lambda: self.ok("/dose/api/status")["orthanc"]["version"],
                "the start of the plugin's worker",
            )
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Shut Orthanc down and return its exit status."""
        assert self.process is not None, "Orthanc does not run"
        self.process.send_signal(number)
        return self.wait_for_exit()

    def kill(self) -> None:
        """Kill Orthanc immediately, like a power cut."""
        self.stop(signal.SIGKILL)

    def wait_for_exit(self) -> int:
        """Wait until the process has ended and return its exit status, negative for a signal."""
        assert self.process is not None, "Orthanc does not run"
        try:
            status = self.process.wait(SAFETY_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.process = None
            raise AssertionError(f"Orthanc did not end.\n{self._tail()}") from None
        self.process = None
        return status

    def restart(self, **changes: Any) -> OrthancServer:
        """Stop and start again, optionally with changed plugin=, dose= or overrides=."""
        assert self.stop() == 0, f"Orthanc did not stop in order.\n{self._tail()}"
        return self.start_as(**changes)

    def start_as(self, **changes: Any) -> OrthancServer:
        """Start with plugin=, dose= or overrides= changed, on the same data."""
        for name, value in changes.items():
            assert name in ("plugin", "dose", "overrides"), name
            setattr(self, name, value)
        return self.start()

    def close(self) -> None:
        """End Orthanc if it runs, and delete the folder if it was a temporary one."""
        with contextlib.suppress(AssertionError):
            if self.process is not None:
                self.kill()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- the configuration ---

    def _full_environment(self) -> dict[str, str]:
        environment = {
            **os.environ,
            "DOSE_HOME": str(ROOT),
            "DOSE_DATA": str(self.folder),
            "DOSE_HTTP_PORT": str(self.http_port),
            "DOSE_DICOM_PORT": str(self.dicom_port),
            "DOSE_PASSWORD": PASSWORD,
            "DOSE_REMOTE_ACCESS": "false",
            "TCP_NODELAY": "1",
            "PYTHONUNBUFFERED": "1",
            **self._environment,
        }
        environment.pop("PYTHONHOME", None)  # another Python's home stops the embedded interpreter
        return environment

    def _configuration_file(self) -> Path:
        if self.plugin and self.dose is None and not self.overrides:
            return ROOT / "orthanc.json"
        configuration = read_configuration(self._full_environment())
        if self.plugin:
            if self.dose is not None:
                same = isinstance(self.dose, dict)
                configuration["Dose"] = (
                    {**configuration["Dose"], **self.dose} if same else self.dose
                )
        else:
            for key in ("Plugins", "PythonScript", "Dose"):
                del configuration[key]
        path = self.folder / "configuration.json"
        path.write_text(json.dumps(configuration | self.overrides, indent=1))
        return path

    # --- HTTP ---

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a request with the credentials and return the response.

        more: as for requests.request. Raises requests.RequestException.
        """
        more.setdefault("auth", (USER, PASSWORD))
        more.setdefault("timeout", SAFETY_S)
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.url + path, **more)

    def get(self, path: str) -> tuple[int, Any]:
        """Return status and answer of a GET: JSON as values, anything else as text."""
        return _answer(self.request("GET", path))

    def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and answer of a POST.

        body: bytes are sent unchanged, anything else as JSON.
        """
        data = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        return _answer(self.request("POST", path, data=data))

    def delete(self, path: str) -> tuple[int, Any]:
        return _answer(self.request("DELETE", path))

    def ok(self, path: str) -> Any:
        """Return the answer of a GET that must succeed."""
        status, answer = self.get(path)
        assert status == 200, f"GET {path}: {status} {answer}"
        return answer

    def objects(self, **filters: str) -> list[dict[str, Any]]:
        """Return all rows of /dose/api/objects."""
        return self._pages("/dose/api/objects", "objects", filters)

    def log_entries(self, **filters: Any) -> list[dict[str, str]]:
        """Return the newest entries of the plugin's log, the newest first."""
        search = "&".join(f"{name}={value}" for name, value in filters.items())
        return self.ok(f"/dose/api/log?{search}")["entries"]

    def handle(self, identifier: str) -> str:
        """Return the handle by which the plugin knows an object, from its identifier in Orthanc."""
        key = (self.dose_directory / "identity.key").read_bytes()
        return hmac.new(key, f"orthanc:{identifier}".encode(), hashlib.sha256).hexdigest()[:32]

    def held(self) -> dict[str, str]:
        """Return the identifiers of all instances that Orthanc holds, by handle."""
        return {self.handle(one): one for one in self.ok("/instances")}

    def studies(self, **filters: str) -> list[dict[str, Any]]:
        """Return all rows of /dose/api/studies, in the order in which they were stored."""
        return self._pages("/dose/api/studies", "studies", {"sort": "id", **filters})

    def details(self, **filters: str) -> list[dict[str, Any]]:
        """Return /dose/api/studies/{id} of all studies, in the order in which they were stored.

        With their estimates, which follow a moment later.
        """
        self.wait_for(self._has_estimated, "the estimates")
        return [self.ok(f"/dose/api/studies/{study['id']}") for study in self.studies(**filters)]

    def _has_estimated(self) -> bool:
        found = [one for one in self.status()["followers"] if one["name"] == "estimates"]
        return all(one["state"] != "working" and not one["behind"] for one in found)

    def _pages(self, path: str, name: str, filters: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            query = "&".join(
                f"{key}={value}"
                for key, value in {**filters, "limit": 500, "offset": len(found)}.items()
            )
            page = self.ok(f"{path}?{query}")
            found += page[name]
            if len(found) >= page["total"] or not page[name]:
                return found

    def status(self) -> dict[str, Any]:
        """Return the answer of /dose/api/status."""
        return self.ok("/dose/api/status")

    # --- DICOM ---

    def send(self, *objects: Sendable | Iterable[Sendable], check: bool = True) -> int:
        """Send objects by C-STORE over one association and return the exit status of storescu.

        It is 0 if all were stored. Takes datasets, bytes of DICOM files, paths, made-up studies,
        and iterables of them; only uncompressed ones (use `upload` for compressed images). check:
        fail unless all were stored. Can be called from a thread.
        """
        self._sent += 1
        folder = self.folder / "sent" / f"{self._sent}-{random.getrandbits(32):08x}"
        folder.mkdir(parents=True)
        files = write_files(folder, objects)
        command = [
            STORESCU,
            "--no-halt",
            "--required",
            "-aec",
            "DOSE",
            "127.0.0.1",
            str(self.dicom_port),
        ]
        done = subprocess.run(
            [*command, *map(str, files)],
            env=os.environ | {"TCP_NODELAY": "1"},
            capture_output=True,
            text=True,
            errors="replace",  # it quotes the content of damaged objects
            stdin=subprocess.DEVNULL,
            timeout=5 * SAFETY_S,
        )
        shutil.rmtree(folder, ignore_errors=True)
        if check:
            assert done.returncode == 0, (
                f"storescu ended with {done.returncode}\n{done.stdout}{done.stderr}\n{self._tail()}"
            )
        return done.returncode

    def upload(self, raw: bytes) -> tuple[int, Any]:
        """Store an object by POST /instances and return status and answer."""
        return self.post("/instances", raw)

    # --- waiting ---

    def wait_until_idle(self) -> dict[str, Any]:
        """Wait until the plugin has read all that Orthanc holds and its reconciliation at start is done.

        Returns its queue's status.
        """
        reconciles = not isinstance(self.dose, dict) or self.dose.get("ReconcileAtStart", True)
        queue: dict[str, Any] = {}

        def idle() -> bool:
            queue.update(self.status()["queue"])
            last = queue["reconciliation"]
            reconciled = last["state"] == "idle" and (
                last["last_finished_at"] is not None or not reconciles
            )
            return queue["pending"] == 0 and queue["state"] == "idle" and reconciled

        self.wait_for(idle, "an idle queue", lambda: json.dumps(queue))
        return queue

    def wait_for(self, done: Callable[[], bool], what: str, say: Callable[[], str] = str) -> None:
        """Wait until done() holds; fails if Orthanc ends meanwhile or if the time limit is reached."""
        end = time.monotonic() + SAFETY_S
        pause = 0.01
        while not done():
            if self.process is None or self.process.poll() is not None:
                raise AssertionError(f"Orthanc ended while waiting for {what}.\n{self._tail()}")
            if time.monotonic() > end:
                raise AssertionError(
                    f"Waited {SAFETY_S:.0f} s for {what} in vain. {say()}\n{self._tail()}"
                )
            time.sleep(pause)
            pause = min(pause * 1.3, 0.25)

    def _answers(self, path: str) -> bool:
        try:
            return self.request("GET", path, timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def _tail(self, lines: int = 25) -> str:
        return "Orthanc's log ends:\n" + "\n".join(self.log.splitlines()[-lines:])


def read_configuration(environment: dict[str, str]) -> dict[str, Any]:
    """Return orthanc.json as plain values.

    Comments are removed, and ${NAME:-value} is replaced from the environment.
    """
    text = (ROOT / "orthanc.json").read_text()
    text = re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*', lambda found: found[1] or "", text)
    text = re.sub(
        r"\$\{(\w+)(?::-([^}]*))?\}",
        lambda found: environment.get(found[1]) or found[2] or "",
        text,
    )
    return json.loads(text)


def flatten(objects: Iterable[Any]) -> Iterator[Dataset | bytes | Path]:
    """Yield the single objects of datasets, bytes, paths, made-up studies and iterables of them."""
    for one in objects:
        if isinstance(one, SampleStudy):
            yield from one.datasets
        elif isinstance(one, (Dataset, bytes, Path)):
            yield one
        elif isinstance(one, str):
            yield Path(one)
        else:
            yield from flatten(one)


def write_files(folder: Path, objects: Iterable[Any]) -> list[Path]:
    """Write objects as files to the folder and return their paths.

    Existing files stay where they are.
    """
    files = []
    for number, one in enumerate(flatten(objects)):
        if isinstance(one, Path):
            files.append(one)
            continue
        path = folder / f"{number:06d}.dcm"
        path.write_bytes(one if isinstance(one, bytes) else part10(one))
        files.append(path)
    return files


def _answer(response: requests.Response) -> tuple[int, Any]:
    try:
        return response.status_code, response.json()
    except ValueError:
        return response.status_code, response.text


def _free_ports(count: int) -> list[int]:
    """Return ports on which nothing listens.

    They are below those that the system uses for outgoing connections.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randint(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found


def _die_with_parent() -> None:
    """Have Orthanc killed when the tests are killed (Linux)."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


@contextlib.contextmanager
def beside(pacs: OrthancServer, **nodes: list[Any]) -> Iterator[OrthancServer]:
    """Yield an Orthanc with the plugin, of which the PACS is the node "archive".

    Each of the two knows the other. nodes: further nodes by name.
    """
    modalities = {"archive": ["PACS", "127.0.0.1", pacs.dicom_port], **nodes}
    with OrthancServer(overrides={"DicomModalities": modalities, "DicomAet": "OURS"}) as ours:
        known = {"AET": "OURS", "Host": "127.0.0.1", "Port": ours.dicom_port}
        assert pacs.request("PUT", "/modalities/ours", json=known).status_code == 200
        yield ours
