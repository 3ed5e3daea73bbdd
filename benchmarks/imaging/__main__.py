"""Measure every case with both engines alternately and print one table.

`python -m benchmarks.imaging [--rounds 3] [--repeats 3] [WORDS OF A NAME]`
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.imaging.cases import CASES, Case

ENGINES = ("ours", "vips")
ENVIRONMENT = os.environ | {"VIPS_CONCURRENCY": "1", "OMP_NUM_THREADS": "1"}
ALLOWED_DB = 0.5


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        _python("from benchmarks.imaging.source_images import make_sources", f"make_sources({folder!r})")
        print(f"{'case':<30}{'ours ms':>9}{'vips ms':>9}{'ratio':>7}{'max':>6}   "
              f"{'MiB':>4}{'vips':>5}{'max':>5}   {'dB':>6}{'vips':>6}   {'bytes':>9}{'vips':>9}"
        )  # fmt: skip
        missed = 0
        for number, case in enumerate(CASES):
            if all(word in case.name for word in arguments.words):
                missed += _measure(number, case, folder, arguments.rounds, arguments.repeats)
        print(f"{missed} targets missed" if missed else "all targets are met")


def _measure(number: int, case: Case, folder: Path, rounds: int, repeats: int) -> int:
    """Measure a case and print its row; return the number of targets it misses."""
    runs: dict[str, list[Any]] = {engine: [] for engine in ENGINES}
    for _ in range(rounds):
        for engine in ENGINES:
            runs[engine].append(_run_case_process(engine, number, folder, repeats))
    times = {name: median(time for run in found for time in run["times_ms"]) for name, found in runs.items()}
    peaks = {name: median(run["peak_mib"] for run in found) for name, found in runs.items()}
    size = {name: found[0]["bytes"] for name, found in runs.items()}
    for engine in ENGINES:
        _run_case_process(engine, number, folder, 0)
    code = "from benchmarks.imaging.pixel_quality import quality", f"print(quality({number}, {folder!r}))"
    decibels = json.loads(_python(*code))
    ratio = times["ours"] / times["vips"]
    slow = case.max_ratio is not None and ratio > case.max_ratio + 0.005
    large = case.max_peak_mib is not None and peaks["ours"] > case.max_peak_mib
    worse = decibels[0] < decibels[1] - ALLOWED_DB
    print(f"{case.name:<30}{times['ours']:>9.1f}{times['vips']:>9.1f}{ratio:>7.2f}{case.max_ratio or '-':>6} "
          f"{'!' if slow else ' '} {peaks['ours']:>4.0f}{peaks['vips']:>5.0f}{case.max_peak_mib or '-':>5} "
          f"{'!' if large else ' '} {decibels[0]:>6.1f}{decibels[1]:>6.1f} {'!' if worse else ' '} "
          f"{size['ours']:>9}{size['vips']:>9}", flush=True)  # fmt: skip
    return slow + large + worse


def _run_case_process(engine: str, number: int, folder: Path, repeats: int) -> Any:
    arguments = [engine, str(number), str(folder), str(repeats)]
    command = [sys.executable, "-m", "benchmarks.imaging.case_process", *arguments]
    found = subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE)
    return json.loads(found.stdout) if repeats else None


def _python(*lines: str) -> str:
    """Run code in another process, because memory used here counts in the peak of processes started later."""
    code = "\n".join(["from pathlib import Path, PosixPath", *lines])
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
