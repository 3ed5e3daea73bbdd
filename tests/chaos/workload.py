"""Mixed work for an installation, and clients that try again until it is accepted."""

import asyncio
import json
import random
import socket
import struct
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any
from uuid import uuid4

import aiohttp
from msgspec import Struct

from tests.batches.csv_files import products
from tests.chaos.installation import BROKER_USER, Installation
from tests.chaos.producer import Order, Producer
from tests.support.client import Answer, Client
from tests.support.photo_server import picture
from tests.support.waiting import until

ROUND_S = 2.5
MOST_UNFINISHED = 64  # submissions; more would be a load test, and a slow machine would never come to an end
TRY_S = 15.0
WAITED_TRY_S = 30.0
GIVE_UP_S = 240.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 2.0
OPERATIONS = [{"op": "resize", "width": 320}, {"op": "blur", "sigma": 4}, {"op": "convert", "format": "webp"}]
LONG_OPERATIONS = [
    {"op": "resize", "width": 4000, "height": 3000, "fit": "fill", "enlarge": True},
    {"op": "blur", "sigma": 12},
    {"op": "resize", "width": 320},
]
"""Each takes about a second, so that a render process is always busy."""
BUSY = (409, 429)  # the client may send it again


class Kind(StrEnum):
    """What is submitted."""

    UPLOAD = "upload"
    WAITED_UPLOAD = "waited upload"
    TRANSFORM = "transform"
    INGEST = "ingest"
    BATCH = "batch"
    ORDER = "order"


class Retry(StrEnum):
    """Why a client sends again what may have been accepted. After a 5xx every client does."""

    TIMEOUT = "timeout"  # it gave up on the answer; the same Idempotency-Key
    RESET = "reset"  # the connection was reset; the same Idempotency-Key
    NO_KEY = "no key"  # it uploads again without a key: each accepted upload counts
    RESENT = "resent"  # an order is published again under its name


ROUND: tuple[tuple[Kind, Retry | None], ...] = (
    (Kind.UPLOAD, None),
    (Kind.UPLOAD, Retry.TIMEOUT),
    (Kind.UPLOAD, Retry.NO_KEY),
    (Kind.WAITED_UPLOAD, Retry.RESET),
    (Kind.TRANSFORM, Retry.TIMEOUT),
    (Kind.INGEST, Retry.RESET),
    (Kind.BATCH, Retry.TIMEOUT),
    (Kind.ORDER, Retry.RESENT),
)


class Submission(Struct, eq=False, kw_only=True):
    """One request of a client, with all its tries; its own `webhook_url` identifies its job."""

    kind: Kind
    retry: Retry | None
    name: str
    webhook_url: str
    started_at: float  # monotonic
    tries: list[str] = []
    answers: list[Answer] = []
    refused: str = ""

    @property
    def accepted(self) -> bool:
        return bool(self.answers) or "confirmed" in self.tries


Send = Callable[[Client, Mapping[str, str], aiohttp.ClientTimeout], Awaitable[Answer]]


class Workload:
    """One account that submits a round of everything again and again, and keeps the answers."""

    def __init__(
        self,
        installation: Installation,
        client: Client,
        resetting: Client,
        producer: Producer,
        most_unfinished: int,
    ) -> None:
        self.installation = installation
        self.client = client
        self.producer = producer
        self.submissions: list[Submission] = []
        self._resetting = resetting
        self._most_unfinished = most_unfinished
        self._arrivals: dict[str, float] = {}
        self._seen = 0  # requests of the receiver
        self._photo = picture("teal", size=(1280, 853))
        self._source = ""

    async def prepare(self) -> None:
        answer = await self.client.upload(self._photo, filename="source.jpg")
        assert answer.status == 201, answer
        self._source = answer.json["id"]

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Submit rounds during the block; at its end wait until all was accepted or refused."""
        async with asyncio.TaskGroup() as group:
            rounds = group.create_task(self._rounds(group))
            try:
                yield
            finally:
                rounds.cancel()

    async def until_recovered(self, since: float, *, within_s: float) -> float:
        """Return the seconds from `since` until new work of every kind was done and its webhook delivered."""

        async def done() -> float:
            first: dict[Kind, float] = {}
            arrivals = self.arrivals()
            for one in self.submissions:
                arrived = arrivals.get(one.webhook_url)
                if one.started_at > since and arrived is not None:
                    first[one.kind] = min(arrived, first.get(one.kind, arrived))
            return max(first.values()) - since if len(first) == len(Kind) else 0

        return await until(done, within_s=within_s)

    def arrivals(self) -> dict[str, float]:
        """When the first webhook came, by the address of the submission."""
        receiver = self.installation.receiver
        for one in receiver.requests[self._seen :]:
            self._arrivals.setdefault(receiver.url(one.path), one.at)
            self._seen += 1
        return self._arrivals

    async def _rounds(self, group: asyncio.TaskGroup) -> None:
        while True:
            if self._unfinished() + len(ROUND) <= self._most_unfinished:
                for kind, retry in ROUND:
                    group.create_task(self._submit(kind, retry))
            await asyncio.sleep(ROUND_S)

    def _unfinished(self) -> int:
        arrivals = self.arrivals()
        return sum(one.webhook_url not in arrivals and not one.refused for one in self.submissions)

    async def _submit(self, kind: Kind, retry: Retry | None) -> None:
        name = uuid4().hex
        url = self.installation.receiver.url(f"/hook/{name}")
        submission = Submission(
            kind=kind, retry=retry, name=name, webhook_url=url, started_at=time.monotonic()
        )
        self.submissions.append(submission)
        if kind == Kind.ORDER:
            await self._order(submission)
        else:
            await self._request(submission, self._sender(submission))

    async def _order(self, submission: Submission) -> None:
        """Publish until the broker confirms, and once more."""
        order = Order(
            name=submission.name,
            body={
                "type": "transform.v1",
                "owner": self.client.username,
                "source": {
                    "url": self.installation.photo_server.serve(f"/{submission.name}.jpg", self._photo)
                },
                "operations": OPERATIONS,
                "webhook_url": submission.webhook_url,
            },
        )
        deadline = time.monotonic() + GIVE_UP_S
        confirmed = 0
        for pause_s in _pauses():
            outcome = await self.producer.send(order)
            submission.tries.append(outcome)
            confirmed += outcome == "confirmed"
            if confirmed == 2:
                return
            if time.monotonic() > deadline:
                submission.refused = "never confirmed"
                return
            await asyncio.sleep(pause_s)

    async def _request(self, submission: Submission, call: Send) -> None:
        """Send the request until it is accepted; the first try of some is given up half way."""
        headers = {} if submission.retry == Retry.NO_KEY else {"Idempotency-Key": submission.name}
        usual_s = WAITED_TRY_S if submission.kind == Kind.WAITED_UPLOAD else TRY_S
        deadline = time.monotonic() + GIVE_UP_S
        for pause_s in _pauses():
            hasty = submission.retry is not None and not submission.tries
            client = self._resetting if hasty and submission.retry == Retry.RESET else self.client
            timeout_s = random.uniform(0.005, 0.3) if hasty else usual_s  # noqa: S311
            outcome = "reset"
            try:
                answer = await call(client, headers, aiohttp.ClientTimeout(total=timeout_s))
            except TimeoutError:
                outcome = str(submission.retry) if hasty else "timeout"
            except aiohttp.ClientError:
                pass
            else:
                outcome = str(answer.status) if answer.status < 400 else f"{answer.status} {answer.code}"
                if answer.status < 400:
                    submission.answers.append(answer)
                elif answer.status < 500 and answer.status not in BUSY:
                    submission.refused = outcome
            submission.tries.append(outcome)
            if submission.answers or submission.refused:
                return
            if time.monotonic() > deadline:
                submission.refused = "never accepted"
                return
            await asyncio.sleep(pause_s)

    def _sender(self, submission: Submission) -> Send:
        """Return how to send the request once."""
        name, hook = submission.name, {"webhook_url": submission.webhook_url}
        json_of: dict[str, Any] = {"operations": OPERATIONS, **hook}
        photo_server = self.installation.photo_server

        async def upload(
            client: Client, headers: Mapping[str, str], timeout: aiohttp.ClientTimeout
        ) -> Answer:
            form = aiohttp.FormData(hook)
            form.add_field("image", self._photo, filename=f"{name}.jpg")
            form.add_field(
                "operations", json.dumps(LONG_OPERATIONS if submission.retry is None else OPERATIONS)
            )
            wait = {"Prefer": "wait=20"} if submission.kind == Kind.WAITED_UPLOAD else {}
            return await client.post("/api/images", data=form, headers={**headers, **wait}, timeout=timeout)

        async def transform(
            client: Client, headers: Mapping[str, str], timeout: aiohttp.ClientTimeout
        ) -> Answer:
            path = f"/api/images/{self._source}/transform"
            return await client.post(path, json=json_of, headers=headers, timeout=timeout)

        async def ingest(
            client: Client, headers: Mapping[str, str], timeout: aiohttp.ClientTimeout
        ) -> Answer:
            url = photo_server.serve(f"/{name}.jpg", self._photo)
            return await client.post(
                "/api/images", json={"image_url": url, **hook}, headers=headers, timeout=timeout
            )

        async def batch(client: Client, headers: Mapping[str, str], timeout: aiohttp.ClientTimeout) -> Answer:
            urls = [
                photo_server.serve(f"/{name}-{nth}.jpg", picture(size=(64 + nth, 48))) for nth in range(2)
            ]
            form = aiohttp.FormData(hook)
            form.add_field("file", products([urls]), filename="products.csv", content_type="text/csv")
            return await client.post("/api/batches", data=form, headers=headers, timeout=timeout)

        senders: dict[Kind, Send] = {
            Kind.UPLOAD: upload,
            Kind.WAITED_UPLOAD: upload,
            Kind.TRANSFORM: transform,
            Kind.INGEST: ingest,
            Kind.BATCH: batch,
        }
        return senders[submission.kind]


def _pauses() -> Iterable[float]:
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(1.5 * pause_s, LONGEST_PAUSE_S)


def _resetting_socket(address: tuple[Any, ...]) -> socket.socket:
    """Return a socket whose connection is reset when it is closed."""
    family, kind, protocol = address[:3]
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return made


@asynccontextmanager
async def open_workload(
    installation: Installation, *, most_unfinished: int = MOST_UNFINISHED
) -> AsyncGenerator[Workload]:
    """A new account with a kept image, and a durable queue for the replies to its orders."""
    connector = aiohttp.TCPConnector(socket_factory=_resetting_socket)
    async with (
        Client(installation.site) as client,
        Client(installation.site, connector=connector) as resetting,
    ):
        await client.register()
        await client.login()
        resetting.token = client.token
        producer = Producer(installation.urls.broker, BROKER_USER)
        await producer.declare_replies()
        workload = Workload(installation, client, resetting, producer, most_unfinished)
        await workload.prepare()
        yield workload
