"""Store a file of the inbox as an image, with pika.

AMQP_URL=amqp://ada:secret@localhost:5672/ python order_pika.py inbox/ada/cat.jpg
"""

import json
import os
import sys
import uuid

import pika

parameters = pika.URLParameters(os.environ["AMQP_URL"])
user = parameters.credentials.username
connection = pika.BlockingConnection(parameters)
channel = connection.channel()
channel.confirm_delivery()

next(channel.consume("amq.rabbitmq.reply-to", auto_ack=True, inactivity_timeout=0))  # ready before the order
order = {
    "type": "ingest.v1",
    "owner": os.environ.get("OWNER", user),
    "source": {"object": sys.argv[1]},
}
properties = pika.BasicProperties(
    user_id=user,  # RabbitMQ refuses any other name than that of the connection
    message_id=str(uuid.uuid4()),  # an order that is sent twice with one id runs once
    reply_to="amq.rabbitmq.reply-to",
    content_type="application/json",
    delivery_mode=pika.DeliveryMode.Persistent.value,
)
channel.basic_publish("darkroom.jobs", "ingest", json.dumps(order).encode(), properties, mandatory=True)
_, _, body = next(channel.consume("amq.rabbitmq.reply-to", auto_ack=True, inactivity_timeout=60))
assert body is not None, "no reply within a minute"
print(body.decode())
connection.close()
