"""Attacks on shared resources: threads for passwords and files, connections to the object store."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from benchmarks.load.attack import Attack, Attacked, Effect, counted, random_bmp, repeating
from tests.support.client import PASSWORD, Client

REGISTRATIONS = 20  # at once
SLOW_DOWNLOADS = 120
LARGE_SIDE = 1600  # pixels: 8 MB


@asynccontextmanager
async def registrations(attacked: Attacked) -> AsyncGenerator[Effect]:
    """Register accounts in an endless loop, from one address; that needs no token."""
    effect: Effect = {}

    async def register() -> None:
        async with Client(attacked.site) as client:
            details = {"username": client.username, "email": client.email, "password": PASSWORD}
            counted(effect, (await client.post("/accounts/register", json=details)).status)

    async with repeating(REGISTRATIONS, register):
        yield effect


@asynccontextmanager
async def logins(attacked: Attacked) -> AsyncGenerator[Effect]:
    """Try passwords in an endless loop."""
    effect: Effect = {}

    async def login() -> None:
        details = {"username": attacked.attacker.username, "password": "wrong password"}
        counted(effect, (await attacked.attacker.post("/accounts/login", json=details, token="")).status)

    async with repeating(REGISTRATIONS, login):
        yield effect


@asynccontextmanager
async def slow_downloads(attacked: Attacked) -> AsyncGenerator[Effect]:
    """Start many downloads and read only their first bytes."""
    client = attacked.attacker
    image = await client.upload(random_bmp(LARGE_SIDE), filename="large.bmp")
    assert image.status == 201, image
    head = (
        f"GET /api/images/{image.json['id']}/download?version=original HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {client.token}\r\n\r\n"
    )
    loop, sockets = asyncio.get_running_loop(), list[socket.socket]()
    effect: Effect = {}
    try:
        for _ in range(SLOW_DOWNLOADS):
            slow = socket.socket()
            sockets.append(slow)
            slow.setblocking(False)
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await loop.sock_connect(slow, ("127.0.0.1", attacked.site.port))
            await loop.sock_sendall(slow, head.encode())
        for slow in sockets:
            answer = await asyncio.wait_for(loop.sock_recv(slow, 100), 60)
            counted(effect, int(answer.split()[1]))
        yield effect
    finally:
        for slow in sockets:
            slow.close()


FREE_LOGIN = {"LOGIN_LIMIT_PER_MINUTE": "100000", "REGISTER_LIMIT_PER_MINUTE": "100000"}

ATTACKS = (
    Attack(name="registrations", run=registrations, settings={"REGISTER_LIMIT_PER_MINUTE": "10"}),
    Attack(name="registrations without a limit", run=registrations, settings=FREE_LOGIN),
    Attack(name="logins without a limit", run=logins, settings=FREE_LOGIN),
    Attack(name="slow downloads", run=slow_downloads, kinds=("embedded", "services")),
)
