"""From a URL to a broker."""

from libs.broker.memory import MemoryBroker
from libs.broker.port import Broker


async def open_broker(url: str, *, declare: bool = True) -> Broker:
    """The broker of `memory://` or `amqp://user:password@host:port/vhost`.

    One that cannot be reached is no error: it is tried for as long as the process lives. Unless it is only
    looked at, what is missing of exchanges and queues is declared.

    Raises:
        ValueError: Any other scheme.
    """
    if url.startswith("memory:"):
        return MemoryBroker()
    if url.startswith(("amqp://", "amqps://")):
        from libs.broker.rabbit import RabbitBroker  # aio-pika takes a tenth of a second

        return await RabbitBroker.connect(url, declare=declare)
    raise ValueError(f"a broker URL starts with memory:// or amqp://, not {url.split(':')[0]}:")
