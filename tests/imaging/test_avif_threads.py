"""AVIF is decoded and encoded in one thread: there is a render process for each processor."""

import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]

COUNT_THREADS = """
import os, sys, threading
from pathlib import Path
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert
from libs.imaging.pipeline import render

os.sched_getaffinity = lambda _: set(range(8))  # as on a machine of eight processors
done = threading.Event()
most = 0

def watch():
    global most
    while not done.wait(0.001):
        most = max(most, len(os.listdir("/proc/self/task")))

watcher = threading.Thread(target=watch)
watcher.start()
render(Path(sys.argv[1]), Path(sys.argv[2]), [Convert(format="avif")], Limits())
render(Path(sys.argv[2]), Path(sys.argv[1]), [Convert(format="png")], Limits())
done.set()
watcher.join()
print(most)
"""


def test_avif_is_decoded_and_encoded_in_one_thread(tmp_path: Path) -> None:
    source, target = tmp_path / "photo.png", tmp_path / "photo.avif"
    Image.radial_gradient("L").resize((1500, 1500)).convert("RGB").save(source)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", COUNT_THREADS, str(source), str(target)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(ran.stdout) == 2  # this and the one that watches
