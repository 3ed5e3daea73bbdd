"""Opening a connection to RabbitMQ."""

from aio_pika.connection import Connection, make_url


async def dial(url: str, *, heartbeat_s: int | None = None) -> Connection:
    """A connection that is up, as `aio_pika.connect` gives it.

    That leaves one that did not come up to the garbage collector, which closes it in a task: a warning, and
    no task, where no event loop runs in that moment.
    """
    connection = Connection(make_url(url, heartbeat=heartbeat_s))
    try:
        await connection.connect()
    except BaseException:
        await connection.close()
        raise
    return connection
