"""The system's resolver on threads of its own: slow lookups of users' hosts delay nothing else."""

import socket
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

from libs.runtime.threads import ThreadPool

LOOKUPS = 32  # DNS lookups at once
FETCH_LOOKUPS = ThreadPool("fetch-lookup", LOOKUPS)
WEBHOOK_LOOKUPS = ThreadPool("webhook-lookup", LOOKUPS)


class ThreadPoolResolver(AbstractResolver):
    """Look names up in the threads of a pool."""

    def __init__(self, threads: ThreadPool) -> None:
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        lookup = partial(
            socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in await self._threads.run(lookup)
        ]

    async def close(self) -> None:
        """Do nothing: the pool belongs to the process."""
