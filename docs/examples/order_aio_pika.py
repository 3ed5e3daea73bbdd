"""Order a thumbnail of a picture and wait for it, with aio-pika.

AMQP_URL=amqp://ada:secret@localhost:5672/ python order_aio_pika.py https://example.org/cat.jpg
"""

import asyncio
import json
import os
import sys
import uuid

import aio_pika
from yarl import URL


async def order(picture: str) -> dict[str, object]:
    url = os.environ["AMQP_URL"]
    user = URL(url).user
    answers: asyncio.Queue[aio_pika.abc.AbstractIncomingMessage] = asyncio.Queue()
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(on_return_raises=True)
        replies = await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
        await replies.consume(answers.put, no_ack=True)
        body = {
            "type": "transform.v1",
            "owner": os.environ.get("OWNER", user),
            "source": {"url": picture},
            "operations": [{"op": "resize", "width": 200}, {"op": "convert", "format": "webp"}],
        }
        message = aio_pika.Message(
            json.dumps(body).encode(),
            user_id=user,  # RabbitMQ refuses any other name than that of the connection
            message_id=str(uuid.uuid4()),  # an order that is sent twice with one id runs once
            reply_to=replies.name,
            correlation_id="thumbnail",
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        jobs = await channel.get_exchange("darkroom.jobs", ensure=False)
        await jobs.publish(message, "transform")
        answer = await asyncio.wait_for(answers.get(), timeout=60)
    return json.loads(answer.body)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(order(sys.argv[1]))))
