#!/bin/sh
# Order a thumbnail of a stored image through RabbitMQ's management API. The outcome is an event on darkroom.events.
# RABBITMQ=http://ada:secret@localhost:15672 IMAGE=0199... sh order.sh
set -eu
USER_ID=$(printf %s "$RABBITMQ" | sed -E 's|^https?://([^:]*):.*|\1|')
PAYLOAD=$(printf '{"type": "transform.v1", "owner": "%s", "source": {"image_id": "%s"}, "job_id": "%s",
  "operations": [{"op": "resize", "width": 200}]}' "${OWNER:-$USER_ID}" "$IMAGE" "${NAME:-thumbnail-of-$IMAGE}" |
  python3 -c 'import json, sys; print(json.dumps(sys.stdin.read()))')
curl -sS --fail-with-body "$RABBITMQ/api/exchanges/${VHOST:-%2F}/darkroom.jobs/publish" -H 'Content-Type: application/json' -d '{
  "routing_key": "transform",
  "payload_encoding": "string",
  "payload": '"$PAYLOAD"',
  "properties": {"user_id": "'"$USER_ID"'", "delivery_mode": 2, "content_type": "application/json"}
}'
