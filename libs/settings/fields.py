"""Every setting, with its type, its default and its description."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from libs import __version__
from libs.contracts.edits import EditsDialect
from libs.imaging.formats import WrittenName
from libs.imaging.limits import Limits

PREFIX = "DARKROOM_"
STANDARD = {"otlp_endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT", "sentry_dsn": "SENTRY_DSN"}
"""Fields whose variables have the names that all programs use."""

Seconds = Annotated[float, Meta(gt=0, le=315_360_000)]  # at most ten years
Origin = Annotated[str, Meta(pattern=r"^(\*|https?://[^/\s*]+)$")]
Count = Annotated[int, Meta(ge=1)]
Bytes = Annotated[int, Meta(ge=1)]
WorkerPoolName = Literal["interactive", "bulk", "edits"]
WORKER_POOLS: tuple[WorkerPoolName, ...] = ("interactive", "bulk", "edits")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings.

    The environment variable of a field is `DARKROOM_` and its name in upper case, or that in `STANDARD`.
    The string below a field describes it for the users: docs/configuration.md and .env.example are generated
    from these strings.
    """

    data_dir: Path
    """Holds the SQLite file, objects, temporary files and the generated secret, unless the URLs
    below say otherwise."""
    database_url: str
    """`sqlite:///PATH` or `postgres://USER:PASSWORD@HOST:PORT/NAME`."""
    objects_url: str
    """`file:///DIRECTORY` or `s3://KEY:SECRET@HOST:PORT/BUCKET`, with the options `?secure=false`
    (plain HTTP), `region=NAME` and `public_url=https://files.example.org` (the address in links)."""
    broker_url: str
    """`memory://` (one process) or `amqp://USER:PASSWORD@HOST:PORT/VHOST`."""
    secret_key: str
    """Signs tokens and links; at least 32 characters. Generated and kept in the data directory with
    `memory://`, required otherwise."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8000
    """Port to listen on."""
    public_url: str = ""
    """How clients reach the server; used for URLs in responses. Empty: the address of each request."""
    cors_origins: tuple[Origin, ...] = ()
    """Origins whose pages may call the API in a browser, such as `https://shop.example`, or `*`. Cookies are
    never taken."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    max_connections: Count = 4000
    """Connections of clients at a time, or fewer if the limit on open files is lower. Beyond it, the
    connection that has waited longest for a request is closed."""
    request_head_s: Seconds = 10
    """Time for the head of a request, and for all pauses of its body together."""
    min_body_bytes_per_s: Count = 5000
    """Least speed of a request's body; a slower one is cut off with 408 `request_timeout`."""
    drain_s: Annotated[float, Meta(ge=0, le=3600)] = 2
    """Time after the stop signal for running requests to be answered, and for running jobs to end. Jobs that
    do not are handed back. The process ends at the latest after twice this time and five seconds."""
    log_format: Literal["auto", "json", "console"] = "auto"
    """`auto` is readable on a terminal and JSON elsewhere."""

    metrics_port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    """Port for Prometheus: `/metrics` of this process, at the address above. Each process of a machine needs
    its own. 0: none. See [metrics.md](metrics.md)."""
    otlp_endpoint: str = ""
    """Collector that gets traces by OTLP over HTTP, such as `http://localhost:4318`. Empty: no traces. See
    [tracing.md](tracing.md)."""
    sentry_dsn: str = ""
    """Sentry project that gets errors of the log. Empty: none."""

    access_token_s: Seconds = 900
    """Lifetime of an access token."""
    refresh_token_s: Seconds = 604_800
    """Lifetime of a refresh token."""
    expire_undownloaded_s: Seconds = 86_400
    """When an ephemeral image expires that nobody downloads, counted from its creation."""
    expire_downloaded_s: Seconds = 300
    """When an ephemeral image expires, counted from its first download."""
    link_s: Seconds = 3600
    """Lifetime of a signed link, unless the request sets `expires_in`."""
    tick_s: Seconds = 1
    """Pause between two rounds of the scheduler."""

    max_upload_bytes: Bytes = 50_000_000
    """Size of an upload."""
    max_pixels: Count = 50_000_000
    """Decoded pixels of an image, all frames together."""
    max_side: Count = 16_384
    """Width or height of an image, in pixels."""
    max_frames: Count = 200
    """Frames or pages of an image."""
    max_operations: Count = 20
    """Operations in one job."""
    cmyk_profile: str = ""
    """ICC profile of CMYK images that have none, such as `ISOcoated_v2_300_eci.icc`. Each process needs the
    file. Empty: their inks are taken as pure cyan, magenta, yellow and black."""
    fonts_dir: str = ""
    """Directory of fonts for the texts of watermarks: `{"font": "Corporate"}` uses `Corporate.ttf`, `.otf` or
    `.ttc` in it. Each worker needs it. Empty: only Darkroom's own fonts are used."""

    job_timeout_s: Seconds = 60
    """Time for rendering; after it the render process is killed and the job fails."""
    job_memory_bytes: Annotated[int, Meta(ge=350 * 1024**2)] = 2 * 1024**3
    """Address space of one render process, of which its libraries take some 300 MB."""
    job_lease_s: Seconds = 30
    """A worker that has not renewed its lease for this long loses the job."""
    max_attempts: Annotated[int, Meta(ge=1, le=100)] = 12
    """Attempts at a job, the first included. With the delays below, a job outlasts an outage of ten minutes.
    A URL whose server fails gets at most five attempts."""
    retry_base_s: Seconds = 2
    """Delay before the second attempt. It doubles with each further attempt, plus or minus a half."""
    retry_max_s: Seconds = 300
    """The longest delay between two attempts."""
    worker_concurrency: Count = 2
    """Jobs that one worker renders at a time, each in its own render process. Others are fetched or
    stored meanwhile. Bulk jobs have half as many processes in addition."""
    worker_pools: tuple[WorkerPoolName, ...] = WORKER_POOLS
    """Which work a worker takes: that a client waits for, that of batches, and edits by prompt. Every name
    needs a worker that has it. `darkroom serve` takes all."""

    fetch_ports: tuple[Annotated[int, Meta(ge=1, le=65_535)], ...] = (80, 443, 8080, 8443)
    """Ports that the URLs of users can name."""
    fetch_user_agent: Annotated[str, Meta(pattern=r"^[ -~]*$")] = ""
    """What fetches name as `User-Agent`. Empty: `Darkroom/VERSION`, with the public address as contact if
    there is one: some servers refuse or slow down clients without a contact."""
    fetch_allow_networks: tuple[str, ...] = ()
    """Private networks that can be fetched from, such as `10.20.0.0/16`. Addresses that wrap an
    IPv4 address (NAT64, 6to4, Teredo, IPv4-mapped) are refused. On an IPv6-only network with DNS64
    list `64:ff9b::/96`; a wrapped address is then allowed if its IPv4 address is."""
    fetch_timeout_s: Seconds = 20
    """Time for one fetch, redirects included."""
    fetch_max_redirects: Annotated[int, Meta(ge=0)] = 3
    """Redirects that a fetch follows."""
    fetch_max_bytes: Bytes = 50_000_000
    """Size of a fetched file, decompressed."""
    csv_max_bytes: Bytes = 10_000_000
    """Size of a CSV file."""
    csv_max_rows: Count = 10_000
    """Rows in a CSV file."""
    csv_max_urls: Count = 20
    """URLs in one row of a CSV file."""
    batch_per_host: Count = 4
    """Concurrent fetches for batches from one host, by all workers together."""

    delivery_keys: tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,10}:[^,\s]{16,200}$")], ...] = ()
    """Operators' keys that sign addresses under `/t/` of all images, such as `k2:SECRET,k1:SECRET`: the first
    signs, all verify. Generated and kept in the data directory with `memory://`."""
    delivery_sources: tuple[Annotated[str, Meta(pattern=r"^https?://[^/\s@?#]+(/[^\s?#]*)?$")], ...] = ()
    """Prefixes of URLs whose images can be delivered, such as `https://shop.example/media`. Empty: stored
    images only."""
    delivery_widths: tuple[Annotated[int, Meta(ge=1, le=16_384)], ...] = (
        *(16, 32, 48, 64, 96, 128, 256, 384, 640, 750, 828, 1080, 1200, 1920, 2048, 3840),
    )
    """Widths that addresses can have as `?w=`, in pixels."""
    delivery_formats: tuple[WrittenName, ...] = ("avif", "webp")
    """Formats that an address without an extension gives, the best first, to clients that accept them. Others
    get JPEG, PNG or GIF."""
    delivery_processes: Count = 2
    """Images that one process renders for addresses at a time."""
    delivery_queue: Count = 32
    """Images that wait to be rendered for addresses, in one process. Beyond it, requests get 429."""
    delivery_redirect: bool = False
    """Answer with a redirect to the object store where clients can reach it."""
    delivery_in_api: bool = False
    """Serve addresses under `/t/` in `darkroom api` too. `darkroom serve` always does."""
    renditions_bytes: Bytes = 10_000_000_000
    """Bytes of stored results of addresses; beyond it, those go that were used longest ago."""

    openai_api_key: str = ""
    """Turns edits on. Empty: requests for edits answer `edits_not_configured`."""
    openai_base_url: str = "https://api.openai.com/v1"
    """Any server with OpenAI's images API; Azure by the address of its deployment with
    `?api-version=`."""
    openai_model: Annotated[str, Meta(min_length=1)] = "gpt-image-2.6-sunburst"
    """Model that edits images."""
    openai_timeout_s: Seconds = 300
    """Time for one call. A call that takes longer is never repeated."""
    openai_max_edge: Annotated[int, Meta(ge=16, le=8192)] = 2048
    """Longest side of an image that is sent, in pixels."""
    edits_dialect: EditsDialect = "openai"
    """How the server at the address above takes masks and formats: `openai`, `vllm-omni`, or `sdcpp`
    (`sd-server` of stable-diffusion.cpp)."""
    edits_per_day: Count = 50
    """Images that an account can have edited or created in one day (UTC)."""

    webhook_schedule_s: tuple[Annotated[float, Meta(ge=0, le=315_360_000)], ...] = (
        *(0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400),
    )
    """Delays before the attempts of a webhook delivery, plus or minus a tenth. The first is 0;
    after the last attempt the delivery has failed."""
    webhook_timeout_s: Seconds = 15
    """Time for a receiver to respond."""

    quota_bytes: Bytes = 10_000_000_000
    """Bytes that an account can store."""
    min_free_bytes: Annotated[int, Meta(ge=0)] = 256_000_000
    """Below this free space for temporary files, or in a `file://` object store, the API is not ready."""
    quota_jobs: Count = 1000
    """Unfinished jobs of an account, without those of batches."""
    rate_limit_per_minute: Count = 600
    """Requests of one account, or of one address without an account."""
    upload_token_limit_per_minute: Count = 60
    """Requests with upload tokens from one address; they count for the account too."""
    retention_with_operations: Literal["ephemeral", "keep"] = "ephemeral"
    """Retention of uploads and fetched images with operations or a prompt, and of their results, when the
    request names none. Those without are always kept."""
    registration: Literal["open", "closed"] = "open"
    """`closed`: only operators create accounts, by `darkroom create-user` or on the admin pages."""
    login_limit_per_minute: Count = 10
    """Logins of one account from one address, and logins to the admin pages from one address."""
    account_login_limit_per_minute: Count = 30
    """Logins of one account from all addresses."""
    address_login_limit_per_minute: Count = 100
    """Logins of all accounts from one address."""
    register_limit_per_minute: Count = 10
    """Registrations from one address."""
    event_streams_per_account: Count = 50
    """Event streams that an account holds open at one API process."""
    history_days: Annotated[float, Meta(gt=0, le=36_500)] = 90
    """Days for which ended jobs, orders, batches and calls of an image model are kept. The jobs that made
    the newest result of a stored image are kept as long as the image."""
    amqp_trusted_users: tuple[str, ...] = ()
    """RabbitMQ users whose orders can name any account as `owner`. Others order for the account of
    their own name."""

    def __post_init__(self) -> None:
        for text in self.fetch_allow_networks:
            try:
                ip_network(text)
            except ValueError as error:
                raise ValueError(f"{error} - at `{PREFIX}FETCH_ALLOW_NETWORKS`") from error
        if self.embedded and set(self.worker_pools) != set(WORKER_POOLS):
            raise ValueError(f"`memory://` has one worker, which takes all - at `{PREFIX}WORKER_POOLS`")
        if self.webhook_schedule_s[:1] != (0,):
            raise ValueError(f"The first delay must be 0 - at `{PREFIX}WEBHOOK_SCHEDULE_S`")

    @property
    def embedded(self) -> bool:
        """Whether everything runs in one process."""
        return self.broker_url.startswith("memory:")

    @property
    def user_agent(self) -> str:
        """How requests to users' URLs name this installation (RFC 9110, section 10.1.5)."""
        contact = f"+{self.public_url}" if self.public_url else "self-hosted image platform"
        return self.fetch_user_agent or f"Darkroom/{__version__} ({contact})"

    @property
    def image_limits(self) -> Limits:
        """The limits for every image that is decoded."""
        return Limits(
            max_pixels=self.max_pixels,
            max_side=self.max_side,
            max_frames=self.max_frames,
            cmyk_profile=Path(self.cmyk_profile) if self.cmyk_profile else None,
        )

    @property
    def edits(self) -> bool:
        """Whether edits are switched on."""
        return bool(self.openai_api_key)


def variable_of(field: str) -> str:
    """Return the environment variable of a setting."""
    return STANDARD.get(field) or PREFIX + field.upper()
