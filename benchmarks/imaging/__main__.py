"""Measure every case with all engines in turn and print one table.

`python -m benchmarks.imaging [--rounds 3] [--repeats 3] [WORDS OF A NAME]`

Times are CPU time of one thread. The engines take turns, so that a slow moment of the machine meets all of
them. `dB` is the PSNR of the pixels, before encoding, to the same work in floating point; of an animation,
after encoding.
"""

import argparse
import json
import os
import subprocess
import sys
from math import exp, log
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks.imaging import sharp
from benchmarks.imaging.cases import CASES, Case
from benchmarks.imaging.processes import print_processes

ENVIRONMENT = os.environ | {"VIPS_CONCURRENCY": "1", "OMP_NUM_THREADS": "1"}
ALLOWED_DB = 0.5


class Measured(NamedTuple):
    """What one engine needed for a case."""

    time_ms: float
    peak_mib: float
    size: int
    decibels: float | None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    engines = ("ours", "sharp", "vips") if sharp.modules() else ("ours", "vips")
    if "sharp" not in engines:
        print("no comparison with sharp: it needs node and npm")
    with TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        _python("from benchmarks.imaging.source_images import make_sources", f"make_sources({folder!r})")
        _print_head(engines)
        missed, ratios = 0, list[float]()
        for number, case in enumerate(CASES):
            if not all(word in case.name for word in arguments.words):
                continue
            found = _measure(number, folder, engines, arguments.rounds, arguments.repeats)
            missed += _print_row(case, found)
            ratios += [found["ours"].time_ms / found["sharp"].time_ms] if "sharp" in found else []
        if ratios:
            print(f"geometric mean of our CPU time to sharp's: {exp(mean(map(log, ratios))):.2f}")
        print(f"{missed} targets missed" if missed else "all targets are met")
        print_processes(folder)


def _measure(
    number: int, folder: Path, engines: tuple[str, ...], rounds: int, repeats: int
) -> dict[str, Measured]:
    """Measure a case with each engine in turn."""
    if not CASES[number].operations:  # libvips has no such thing, and there are no pixels to compare
        engines = tuple(engine for engine in engines if engine != "vips")
    runs: dict[str, list[Any]] = {engine: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            runs[engine].append(_run_case_process(engine, number, folder, repeats))
    decibels: list[float | None] = [None] * len(engines)
    if CASES[number].operations:
        for engine in engines:
            _run_case_process(engine, number, folder, 0)
        code = f"print(quality({number}, {folder!r}, {engines!r}))"
        decibels = json.loads(_python("from benchmarks.imaging.pixel_quality import quality", code))
    return {
        engine: Measured(
            median(time for run in found for time in run["times_ms"]),
            median(run["peak_mib"] for run in found),
            found[0]["bytes"],
            engine_decibels,
        )
        for (engine, found), engine_decibels in zip(runs.items(), decibels, strict=True)
    }


def _print_head(engines: tuple[str, ...]) -> None:
    columns = [f"{name:>9}" for name in engines] + [f"{'/' + name:>7}" for name in engines[1:]]
    columns += [f"{'max':>6}  "] + [f"{name:>6}" for name in engines] + [f"{name:>9}" for name in engines]
    groups = f"{'':<29}{'CPU ms':>9}{'':>{9 * len(engines) - 9}}{'ratio':>7}{'':>{7 * len(engines) - 8}}"
    print(f"{groups}   peak MiB, then dB, then bytes")
    columns[len(engines) * 2 :] = [f"{name:>6}" for name in engines * 2] + [f"{name:>9}" for name in engines]
    print(f"{'case':<29}" + "".join(columns))


def _print_row(case: Case, found: dict[str, Measured]) -> int:
    """Print a row, with `!` after each value that misses its target; return their number."""
    ours = found["ours"]
    peer = found.get("sharp")
    slow = bool(peer and case.max_ratio and ours.time_ms / peer.time_ms > case.max_ratio + 0.005)
    large = case.max_peak_mib is not None and ours.peak_mib > case.max_peak_mib
    worse = bool(peer and (ours.decibels or 0) < (peer.decibels or 0) - ALLOWED_DB)
    cells = [f"{engine.time_ms:>9.1f}" for engine in found.values()]
    cells += [f"{ours.time_ms / found[name].time_ms:>7.2f}" for name in list(found)[1:]]
    cells += [f"{case.max_ratio or '-':>5}{'!' if slow else ' '}"]
    cells += [f"{engine.peak_mib:>6.0f}" for engine in found.values()] + ["!" if large else " "]
    cells += [f"{engine.decibels or 0:>6.1f}" for engine in found.values()] + ["!" if worse else " "]
    cells += [f"{engine.size:>9}" for engine in found.values()]
    print(f"{case.name:<29}" + "".join(cells), flush=True)
    return slow + large + worse


def _run_case_process(engine: str, number: int, folder: Path, repeats: int) -> Any:
    arguments = [engine, str(number), str(folder), str(repeats)]
    command = [sys.executable, "-m", "benchmarks.imaging.case_process", *arguments]
    found = subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE)
    return json.loads(found.stdout)


def _python(*lines: str) -> str:
    """Run code in another process, because memory used here counts in the peak of processes started later."""
    code = "\n".join(["from pathlib import Path, PosixPath", *lines])
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
