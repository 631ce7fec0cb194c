"""Starts Orthanc with orthanc.json in the foreground; with --demo also sends it synthetic studies,
as a modality would.

Settings come from the environment: DOSE_HTTP_PORT, DOSE_DICOM_PORT, DOSE_DATA, DOSE_REMOTE_ACCESS,
DOSE_PASSWORD (else generated once and kept in DOSE_DATA/password), DOSE_DEMO_STUDIES. Only the
standard library is used."""

from __future__ import annotations

import argparse
import base64
import collections
import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parent.parent
ORTHANC = "/usr/sbin/Orthanc"
# DCMTK's, by its path: pynetdicom has another program of this name in .venv/bin.
STORESCU = "/usr/bin/storescu"
USER = "dose"
AE_TITLE = "DOSE"
DEMO_SEED = 1
FILES_PER_ASSOCIATION = 50
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60


class Failure(Exception):
    """An error that is shown to the user as a sentence, without a stack trace."""


class Stopped(Exception):
    """Ctrl-C or a request to terminate."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--demo", action="store_true", help="send synthetic studies after the start"
    )
    demo = parser.parse_args().demo

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    orthanc = None
    try:
        settings = Settings()
        orthanc = Orthanc(settings, quiet=demo)
        orthanc.wait_until_ready()
        if demo:
            send_samples(orthanc, settings)
        print(settings.welcome(), flush=True)
        if demo:
            print(
                f"Orthanc's log is in {settings.data / 'orthanc.log'}. Press Ctrl-C to stop.",
                flush=True,
            )
        orthanc.wait()
    except Stopped:
        pass
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    finally:
        # From here on a second Ctrl-C has no effect: Orthanc is being stopped and gets the time
        # that it needs.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if orthanc:
            orthanc.stop()
    return 0


def _stop(number: int, frame: object) -> None:
    raise Stopped


class Settings:
    """The checked settings from the environment: ports, data folder, password."""

    def __init__(self) -> None:
        self.http_port = self._port("DOSE_HTTP_PORT", 8042)
        self.dicom_port = self._port("DOSE_DICOM_PORT", 4242)
        if self.http_port == self.dicom_port:
            raise Failure("DOSE_HTTP_PORT and DOSE_DICOM_PORT must be different ports.")
        self._must_be_free("DOSE_HTTP_PORT", self.http_port)
        self._must_be_free("DOSE_DICOM_PORT", self.dicom_port)
        self.data = (ROOT / (os.environ.get("DOSE_DATA") or "data")).absolute()
        try:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.password = os.environ.get("DOSE_PASSWORD") or self._kept_password()
        except OSError as error:
            raise Failure(f"Cannot use the data folder (DOSE_DATA): {error}.") from None
        self.remote_access = os.environ.get("DOSE_REMOTE_ACCESS", "").strip().lower() or "false"
        if self.remote_access not in ("true", "false"):
            raise Failure("DOSE_REMOTE_ACCESS must be true or false.")
        # Orthanc substitutes these into the text of orthanc.json unchanged.
        for what, text in (
            ("The password", self.password),
            ("The name of a folder", f"{self.data} {ROOT}"),
        ):
            if "$" in text or json.dumps(text, ensure_ascii=False) != f'"{text}"':
                raise Failure(
                    f"{what} must not contain quotation marks, backslashes, dollar signs or "
                    "control characters."
                )

    @staticmethod
    def _port(name: str, default: int) -> int:
        text = os.environ.get(name, "").strip() or str(default)
        if not text.isdecimal() or not 1 <= int(text) <= 65535:
            raise Failure(f"{name} is {text!r}: it must be a port number from 1 to 65535.")
        return int(text)

    @staticmethod
    def _must_be_free(name: str, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except PermissionError:
                raise Failure(
                    f"This user is not permitted to open port {port}: choose another one, for "
                    f"example {name}={port + 8000}."
                ) from None
            except OSError:
                raise Failure(
                    f"Port {port} is in use by another program. Orthanc Dose may already be "
                    "running, or Debian's own Orthanc service is (stop it with systemctl stop "
                    f"orthanc).\nOr choose another port, for example: make demo {name}={port + 1}"
                ) from None

    def _kept_password(self) -> str:
        path = self.data / "password"
        with contextlib.suppress(FileNotFoundError):
            if password := path.read_text().strip():
                return password
        password = secrets.token_urlsafe(12)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(password + "\n")
        return password

    def environment(self) -> dict[str, str]:
        """Return Orthanc's environment: what orthanc.json substitutes, and what makes it run well."""
        environment = {
            **os.environ,
            "DOSE_HOME": str(ROOT),
            "DOSE_DATA": str(self.data),
            "DOSE_HTTP_PORT": str(self.http_port),
            "DOSE_DICOM_PORT": str(self.dicom_port),
            "DOSE_PASSWORD": self.password,
            "DOSE_REMOTE_ACCESS": self.remote_access,
            "TCP_NODELAY": "1",  # without it, DCMTK and so Orthanc takes 10 to 20 objects a second
            "PYTHONUNBUFFERED": "1",
        }
        environment.pop("PYTHONHOME", None)  # another Python's home stops the embedded interpreter
        return environment

    def welcome(self) -> str:
        return f"""
  Orthanc Dose    http://127.0.0.1:{self.http_port}/dose/app/
  user            {USER}
  password        {self.password}

  To send objects of your own: AE title {AE_TITLE}, port {self.dicom_port}, from any AE title, for example
    TCP_NODELAY=1 storescu -aec {AE_TITLE} --scan-directories --recurse 127.0.0.1 {self.dicom_port} FOLDER
"""


class Orthanc:
    """The Orthanc process, its log and its REST API."""

    def __init__(self, settings: Settings, quiet: bool) -> None:
        """Start Orthanc.

        quiet: the log goes to DATA/orthanc.log, and only its errors to the terminal.
        """
        self.settings = settings
        self.quiet = quiet
        self.last_lines: collections.deque[str] = collections.deque(maxlen=15)
        self.errors_shown = False
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        credentials = f"{USER}:{settings.password}".encode()
        self._opener.addheaders = [
            ("Authorization", "Basic " + base64.b64encode(credentials).decode())
        ]
        try:
            log = open(settings.data / "orthanc.log", "w") if quiet else None  # noqa: SIM115
            self.process = subprocess.Popen(
                [ORTHANC, str(ROOT / "orthanc.json")],
                cwd=ROOT,
                env=settings.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C reaches this script, which passes it on once
                preexec_fn=_die_with_parent,
            )
        except OSError as error:
            raise Failure(f"Cannot start Orthanc: {error}.") from None
        self._reader = threading.Thread(target=self._read_log, args=(log,), daemon=True)
        self._reader.start()

    def _read_log(self, log: TextIO | None) -> None:
        assert self.process.stdout
        in_error = False
        for line in self.process.stdout:
            self.last_lines.append(line)
            if log:
                log.write(line)
                log.flush()
                # A line without a level belongs to the message before it.
                if line[:1] in "EFWIT" and line[1:5].isdecimal():
                    in_error = line[0] in "EF"
                if not in_error:
                    continue
                self.errors_shown = True
            print(line, end="", flush=True)

    def get(self, path: str) -> Any:
        """Return the JSON that Orthanc answers to a GET.

        Raises OSError or ValueError if it has none.
        """
        url = f"http://127.0.0.1:{self.settings.http_port}{path}"
        with self._opener.open(url, timeout=30) as answer:
            return json.load(answer)

    def wait_until_ready(self) -> None:
        end = time.monotonic() + START_TIMEOUT_S
        reason = ""
        while time.monotonic() < end:
            if self.process.poll() is not None:
                self.wait()
            try:
                self.get("/dose/api/status")
                return
            except urllib.error.HTTPError as error:
                reason = f": /dose/api/status answers {error.code}"
                if error.code == 401:
                    raise Failure(
                        f"Orthanc does not accept the password of the user {USER}."
                    ) from None
            except (OSError, ValueError) as error:
                reason = f": {error}"
            time.sleep(0.1)
        raise Failure(f"Orthanc did not answer within {START_TIMEOUT_S} s{reason}")

    def wait(self) -> None:
        """Wait until Orthanc has ended normally. Raises Failure with its last output otherwise."""
        status = self.process.wait()
        self._reader.join(timeout=5)
        if status == 0:
            return
        how = f"signal {-status}" if status < 0 else f"status {status}"
        words = "".join(self.last_lines) if self.quiet and not self.errors_shown else ""
        raise Failure(f"{words}Orthanc stopped ({how}). The reason is in the lines above.")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(OSError):  # the terminal may be gone
                print("\nStopping Orthanc", flush=True)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                print(
                    f"Orthanc did not stop within {STOP_TIMEOUT_S} s and is being killed",
                    file=sys.stderr,
                )
                self.process.kill()
                self.process.wait()
        self._reader.join(timeout=5)


def _die_with_parent() -> None:
    """Have Orthanc get SIGTERM when this script is killed (Linux).

    Otherwise an Orthanc would be left on the ports.
    """
    with contextlib.suppress(OSError):
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Progress:
    """One line that is rewritten on a terminal; elsewhere a line for each tenth of the total."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.tenth = -1

    def show(self, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if sys.stdout.isatty():
            print(
                f"\r{self.what}: {done} of {total}\x1b[K",
                end="\n" if done >= total else "",
                flush=True,
            )
        elif tenth > self.tenth:
            print(f"{self.what}: {done} of {total}", flush=True)
        self.tenth = tenth


def send_samples(orthanc: Orthanc, settings: Settings) -> None:
    """Make the demo's studies and send them by C-STORE, unless as many were sent before.

    Interrupted sending starts again, and a larger number adds to the smaller one: the first objects
    are the same each time, and Orthanc keeps what it has.
    """
    text = os.environ.get("DOSE_DEMO_STUDIES", "").strip() or "200"
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise Failure(
            f"DOSE_DEMO_STUDIES is {text!r}: it must be a number of studies from 1 to 100000."
        )
    # The dates of the studies end with the day of the first demo, so that the pages have something
    # to show for today.
    mark = settings.data / "demo.json"
    demo = {
        "studies": int(text),
        "seed": DEMO_SEED,
        "until": time.strftime("%Y-%m-%d"),
        "sent": False,
    }
    with contextlib.suppress(OSError, ValueError, KeyError):
        before = json.loads(mark.read_text())
        demo["until"] = before["until"]
        if before["sent"] and before["studies"] >= demo["studies"]:
            print(f"The {text} synthetic studies have already been sent.", flush=True)
            return
    mark.write_text(json.dumps(demo) + "\n")
    with tempfile.TemporaryDirectory(prefix="orthanc-dose-") as folder:
        print(f"Creating {text} studies", flush=True)
        command = [str(Path(sys.executable).parent / "orthanc-dose"), "make-samples", folder]
        _run(
            [*command, "--studies", text, "--seed", str(DEMO_SEED), "--until", str(demo["until"])],
            orthanc,
        )
        files = sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())
        if not files:
            raise Failure("orthanc-dose make-samples created no files.")
        progress = Progress("Sending objects by C-STORE")
        for start in range(0, len(files), FILES_PER_ASSOCIATION):
            progress.show(start, len(files))
            store = [
                STORESCU,
                "--required",
                "-aet",
                "DEMO",
                "-aec",
                AE_TITLE,
                "127.0.0.1",
                str(settings.dicom_port),
            ]
            _run([*store, *files[start : start + FILES_PER_ASSOCIATION]], orthanc)
        progress.show(len(files), len(files))
    wait_for_queue(orthanc)
    mark.write_text(json.dumps(demo | {"sent": True}) + "\n")


def wait_for_queue(orthanc: Orthanc) -> None:
    """Wait until the plugin has read everything that Orthanc stored.

    Raises Failure if it stops making progress.
    """
    progress = Progress("Reading dose reports")
    most, last, moved = 0, -1, time.monotonic()
    while True:
        if orthanc.process.poll() is not None:
            orthanc.wait()
        try:
            queue = orthanc.get("/dose/api/status")["queue"]
            pending = int(queue["pending"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Failure(
                f"/dose/api/status does not return the number of waiting objects: {error!r}"
            ) from None
        if pending != last:
            last, moved = pending, time.monotonic()
        most = max(most, pending)
        if most:
            progress.show(most - pending, most)
        if not pending:
            return
        if time.monotonic() - moved > 60:
            last_error = (
                f" The last error: {queue['last_error']}" if queue.get("last_error") else ""
            )
            raise Failure(
                f"The plugin has made no progress for a minute; {pending} objects are "
                f"waiting.{last_error}"
            )
        time.sleep(0.3)


def _run(command: list[str], orthanc: Orthanc) -> None:
    """Run a program to its end, quietly. Raises Failure with its last output."""
    environment = os.environ | {"TCP_NODELAY": "1"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        if orthanc.process.poll() is not None:
            orthanc.wait()
        words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise Failure(f"{words}\n{Path(command[0]).name} failed (status {done.returncode}).")


if __name__ == "__main__":
    sys.exit(main())
