#!/bin/sh
# Create the bucket, Darkroom's account, and the rule that deletes old files from the inbox. Safe to run again.
set -eu
mc alias set store http://minio:9000 "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD"
mc mb --ignore-existing store/darkroom
mc admin user add store "$STORE_KEY" "$STORE_SECRET"
mc admin policy create store darkroom /setup/policy.json
mc admin policy attach store darkroom --user "$STORE_KEY" || true # attached already
mc ilm import store/darkroom < /setup/lifecycle.json
