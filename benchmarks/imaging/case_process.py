"""Run one case with one engine in its own process, and print CPU time, peak memory and bytes as JSON."""

import json
import sys
import time
from pathlib import Path

from benchmarks.imaging import engines, sharp
from benchmarks.imaging.cases import CASES, Case
from libs.imaging.operations import AnyOperation, Compress, Convert


def lossless(case: Case) -> tuple[AnyOperation, ...]:
    """Return the case's operations with a PNG result, to compare pixels and not encoders."""
    kept = tuple(step for step in case.operations if not isinstance(step, Convert | Compress))
    return (*kept, Convert(format="png"))


def main() -> None:
    engine, number, folder, repeats = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    case = CASES[number]
    source, operations = folder / case.source, case.operations
    target = folder / f"{engine}-{number}.{_extension(case)}"
    if not repeats:  # the caller wants only the pixels
        target, operations = folder / f"{engine}-{number}.pixels.png", lossless(case)
    if engine == "sharp":
        print(json.dumps(sharp.run(source, target, folder / "mark.png", operations, repeats)))
        return
    run = {"ours": engines.ours, "vips": engines.vips}[engine](folder)
    run(source, target, operations)
    peak_mib = _peak_mib()
    times_ms: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        run(source, target, operations)
        times_ms.append((time.process_time() - start) * 1000)
    size = target.stat().st_size if target.exists() else 0
    print(json.dumps({"times_ms": times_ms, "peak_mib": peak_mib, "bytes": size}))


def _extension(case: Case) -> str:
    last = case.operations[-1] if case.operations else None
    return last.format if isinstance(last, Convert) else Path(case.source).suffix[1:]


def _peak_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
