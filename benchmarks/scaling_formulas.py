"""How docs/scaling.md computes what one of each part carries, from what a job costs."""

from collections.abc import Mapping
from math import ceil

from msgspec import Struct


class Number(Struct, frozen=True):
    """A number that the formulas use."""

    value: float
    source: str  # measured by a benchmark, or assumed


NUMBERS: Mapping[str, Number] = {
    "job_cpu_ms": Number(
        60, "measured by `make bench-scale`: 2 megapixels to 800 pixels, blurred and sharpened"
    ),
    "request_cpu_ms": Number(12, "assumed; `make bench-cpu` measures it: request, upload, log"),
    "queries": Number(8, "measured by `make bench-scale`"),
    "query_ms": Number(0.5, "measured by `make bench-scale`: time in queries / queries"),
    "commits": Number(3, "measured by `make bench-scale`"),
    "messages": Number(2, "measured by `make bench-scale`"),
    "transfers": Number(3, "measured by `make bench-scale`: files put and got"),
    "file_mb": Number(1, "assumed"),
    "database_cores": Number(8, "assumed"),
    "syncs_per_s": Number(2000, "assumed: a slow NVMe disk"),
    "commits_a_sync": Number(3, "assumed: PostgreSQL syncs the WAL of those that wait together at once"),
    "queue_messages_per_s": Number(
        5000, "assumed: RabbitMQ's makers name 5,000 to 10,000 in one quorum queue"
    ),
    "store_mb_per_s": Number(1000, "assumed: the network or the disks of one node"),
    "peak": Number(3.5, "assumed: the busiest second of a day to its mean"),
    "busy": Number(0.7, "assumed: how much of a core may be at work in that second"),
}

FORMULAS: Mapping[str, str] = {
    "a worker core": "1000 / job_cpu_ms",
    "an API core": "1000 / request_cpu_ms",
    "one PostgreSQL": "1000 * database_cores / (queries * query_ms)",
    "its disk": "syncs_per_s * commits_a_sync / commits",
    "one RabbitMQ": "queue_messages_per_s / messages",
    "one object store": "store_mb_per_s / (transfers * file_mb)",
}
"""Jobs a second by part."""


SIZES: Mapping[str, str] = {
    "at the busiest": "jobs_a_day / 86400 * peak",
    "worker cores": "busiest * job_cpu_ms / 1000 / busy",
    "API cores": "busiest * request_cpu_ms / 1000 / busy",
    "PostgreSQL cores": "busiest * queries * query_ms / 1000 / busy",
    "MB/s of the store": "busiest * transfers * file_mb",
}
"""What so many jobs a day need; `busiest` is the first of these."""


def carried(measured: Mapping[str, float]) -> dict[str, float]:
    """Return the jobs a second of each part, with measured numbers in place of those of the page."""
    values = _values() | dict(measured)
    return {part: _computed(formula, values) for part, formula in FORMULAS.items()}


def sizes(jobs_a_day: int) -> dict[str, int]:
    """Return what so many jobs a day need, rounded up."""
    values = _values() | {"jobs_a_day": float(jobs_a_day)}
    values["busiest"] = _computed(SIZES["at the busiest"], values)
    return {name: ceil(_computed(formula, values)) for name, formula in SIZES.items()}


def _values() -> dict[str, float]:
    return {name: number.value for name, number in NUMBERS.items()}


def _computed(formula: str, values: Mapping[str, float]) -> float:
    return float(eval(formula, {}, dict(values)))  # noqa: S307 - ours
