#!/bin/sh
# Let an account order over RabbitMQ: create a user of its name, the user's permissions, and an exchange of its own.
# RABBITMQ=http://operator:secret@localhost:15672 PASSWORD=... sh add_producer.sh ada
set -eu
NAME=$1 VHOST=${VHOST:-%2F}
PATTERN=$(printf %s "$NAME" | sed 's/[][\.^$*+?(){}|]/\\\\&/g')
call() { curl -sS --fail-with-body -X "$1" "$RABBITMQ/api/$2" -H "Content-Type: application/json" -d "$3"; }
call PUT "users/$NAME" '{"password": "'"$PASSWORD"'", "tags": ""}'
call PUT "permissions/$VHOST/$NAME" \
  '{"configure": "^$", "write": "^darkroom\\.jobs(\\.of\\.'"$PATTERN"')?$", "read": "^$"}'
call PUT "exchanges/$VHOST/darkroom.jobs.of.$NAME" '{"type": "fanout", "durable": true}'
call POST "bindings/$VHOST/e/darkroom.jobs.of.$NAME/e/darkroom.jobs" '{}'
