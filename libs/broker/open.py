"""Opening the broker that a URL names."""

from libs.broker.memory import MemoryBroker
from libs.broker.port import Broker


async def open_broker(url: str, *, declare: bool = True) -> Broker:
    """Open the broker at `memory://` or `amqp://user:password@host:port/vhost`.

    A broker that cannot be reached is no error: connecting is retried while the process runs. With `declare`,
    missing exchanges and queues are declared.

    Raises:
        ValueError: The URL has another scheme.
    """
    if url.startswith("memory:"):
        return MemoryBroker()
    if url.startswith(("amqp://", "amqps://")):
        from libs.broker.rabbit import RabbitBroker  # importing aio-pika takes a tenth of a second

        return await RabbitBroker.connect(url, declare=declare)
    raise ValueError(f"a broker URL starts with memory:// or amqp://, not {url.split(':')[0]}:")
