#!/bin/sh
# Order a thumbnail of a stored image with amqp-publish. It cannot set `user_id`: the exchange says who orders.
# AMQP_URL=amqp://ada:secret@localhost:5672 sh order_amqp_publish.sh 0199...
set -eu
NAME=$(printf %s "$AMQP_URL" | sed -E 's|^amqps?://([^:]*):.*|\1|')
amqp-publish --url="$AMQP_URL" --exchange="darkroom.jobs.of.$NAME" --routing-key=transform --persistent \
  --content-type=application/json --body='{"type": "transform.v1", "owner": "'"$NAME"'",
    "source": {"image_id": "'"$1"'"}, "job_id": "thumbnail-of-'"$1"'",
    "operations": [{"op": "resize", "width": 200}]}'
