"""Every metric of Darkroom. What happens is counted where it happens; docs/metrics.md lists them.

The values of a label are few: routes are templates, never paths; codes of errors are those of the program.
"""

from libs.runtime.metrics.metric import Counter, Gauge, Histogram, Metric

__all__ = ["Counter", "Gauge", "Histogram", "Metric"]

REQUEST_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
WAIT_BUCKETS_S = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 86_400)
RUN_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
STEP_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
POOL_BUCKETS_S = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60)

HTTP_REQUEST_DURATION = Histogram(
    "darkroom_http_request_duration_seconds",
    "Time from a request's head to the end of its response; of an event stream, to its head",
    REQUEST_BUCKETS_S,
    route=(),
    method=(),
    code=(),
)
HTTP_REFUSED = Counter(
    "darkroom_http_refused_total",
    "Requests that never reached the app, and have no route: the head was not HTTP (`bad_head`, status 400),"
    " did not end in time (`head_timeout`, 408), was too large (`head_too_large`, 431), came while all"
    " connections were at work (`connections`, 503), or was cut off unfinished for another (`displaced`)",
    reason=("bad_head", "head_timeout", "head_too_large", "connections", "displaced"),
)
BYTES = Counter(
    "darkroom_bytes_total",
    "Bytes received and sent over HTTP, fetched from URLs of users, stored in and read from the object store",
    direction=("received", "sent", "fetched", "stored", "read"),
)

JOBS = Counter(
    "darkroom_jobs_total",
    "Attempts at jobs that ended; after a `retried` one the job goes on. Jobs that were cancelled together"
    " with their image, batch or account have the kind `any`",
    kind=(),
    outcome=("completed", "failed", "cancelled", "retried"),
    error_code=(),
)
JOB_WAIT = Histogram(
    "darkroom_job_wait_seconds",
    "Time from a job's creation to its first claim by a worker",
    WAIT_BUCKETS_S,
    queue=(),
)
JOB_RUN = Histogram(
    "darkroom_job_run_seconds", "Time from a worker's claim to the end of the attempt", RUN_BUCKETS_S, kind=()
)
JOBS_QUEUED = Gauge(
    "darkroom_jobs_queued",
    "Queued jobs that a worker could claim now, without those that a host's throttle holds",
    queue=(),
)
JOBS_OLDEST_QUEUED = Gauge(
    "darkroom_jobs_oldest_queued_seconds",
    "For how long the oldest of these could have been claimed; 0 without any",
    queue=(),
)

RENDER = Histogram(
    "darkroom_render_seconds",
    "Time of one step in a render process: `decode`, `encode`, `describe`, or an operation by its name",
    STEP_BUCKETS_S,
    operation=(),
)
RENDER_PROCESSES_KILLED = Counter(
    "darkroom_render_processes_killed_total",
    "Render processes that ended before their call: killed for their time (`timeout`), dead (`crashed`), not"
    " answering (`silent`), or killed because nobody wants the result any more (`cancelled`)",
    reason=("timeout", "crashed", "silent", "cancelled"),
)
RENDITIONS = Counter(
    "darkroom_renditions_total",
    "Answers to addresses of images: sent before (`memory`), stored before (`hit`), `rendered`, a `fallback`"
    " instead of an error, or an `error`",
    result=("memory", "hit", "rendered", "fallback", "error"),
)

WEBHOOK_DELIVERIES = Counter(
    "darkroom_webhook_deliveries_total",
    "Attempts at webhook deliveries: `delivered`, `retried` later, or `failed` for good",
    outcome=("delivered", "retried", "failed"),
)
EXPIRY_LAG = Gauge(
    "darkroom_expiry_lag_seconds",
    "For how long the oldest expired image should be gone; not images that a job uses or that are set aside",
)
RECOVERY_ITEMS = Gauge(
    "darkroom_recovery_items",
    "Items that were set aside because they keep failing by themselves",
    kind=("image", "job", "reply"),
)
DEAD_LETTERS = Gauge("darkroom_dead_letters", "Messages on the dead-letter queue")
BACKLOG_MEASURED = Gauge(
    "darkroom_backlog_measured_timestamp_seconds",
    "When a scheduler last measured queues, expiry, recovery items and dead letters, as Unix time",
)

BACKEND_ERRORS = Counter(
    "darkroom_backend_errors_total",
    "Calls that failed because a backend did not answer or had no space",
    backend=("database", "objects", "broker"),
)
POOL_SIZE = Gauge(
    "darkroom_pool_size", "Threads, render processes or connections that a pool can have", pool=()
)
POOL_USED = Gauge("darkroom_pool_used", "How many of them work", pool=())
POOL_WAITING = Gauge("darkroom_pool_waiting", "Calls that wait for one of them", pool=())
POOL_WAIT = Histogram(
    "darkroom_pool_wait_seconds",
    "Time that a call waited for one of them; of connections to a backend, only where there was none free",
    POOL_BUCKETS_S,
    pool=(),
)
BUILD_INFO = Gauge(
    "darkroom_build_info", "Always 1, with the version that runs", version=(), python=(), app=()
)
