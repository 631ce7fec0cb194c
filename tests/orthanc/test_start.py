"""Start-up of Orthanc and the plugin while objects arrive."""

import threading

from orthanc_dose import samples
from tests.support.server import ROOT, OrthancServer


def test_objects_that_arrive_during_the_start_do_not_stop_it(server: OrthancServer) -> None:
    # The start takes long enough for objects to arrive, and each takes the plugin a second to check:
    # Orthanc holds a mutex meanwhile, and whatever the plugin asks of Orthanc at its start must get
    # on without it. A dead end would last forever.
    script = server.folder / "slow_door.py"
    packages = [str(one) for one in (ROOT / ".venv" / "lib").glob("*/site-packages")]
    script.write_text(f"""
import runpy, sys, time
sys.path[:0] = [{str(ROOT / "plugin")!r}, *{packages!r}]
from orthanc_dose import host
from orthanc_dose.retrieve.nodes import Nodes
restore = Nodes.restore
def late(nodes):
    time.sleep(2)
    restore(nodes)
Nodes.restore = late
watch_door = host.watch_door
def slowly(decide):
    def decided(raw):
        time.sleep(1)
        return decide(raw)
    watch_door(decided)
host.watch_door = slowly
runpy.run_path({str(ROOT / "plugin" / "main.py")!r})
""")
    server.stop()
    reports = [samples.ct_report(2, key=f"early {number}") for number in range(4)]
    sent = threading.Event()

    def send() -> None:
        # Until Orthanc listens, which it does before the plugin is told that it has started.
        while not sent.is_set() and server.send(reports, check=False) != 0:
            pass
        sent.set()

    sender = threading.Thread(target=send)
    sender.start()
    try:
        server.start_as(overrides={"PythonScript": str(script)})
        sender.join()
    finally:
        sent.set()
        sender.join()
    server.wait_until_idle()
    assert len(server.studies()) == len(reports)
