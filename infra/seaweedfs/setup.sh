#!/bin/sh
# Create the bucket, and the rule that deletes files from the inbox after 30 days. Safe to run again.
set -eu
shell() {
  weed shell -master="${MASTER:-store:9333}" -filer="${FILER:-store:8888}"
}
echo "s3.bucket.list" | shell | grep -qw darkroom || echo "s3.bucket.create -name darkroom" | shell
echo "fs.configure -locationPrefix=/buckets/darkroom/inbox/ -ttl=30d -apply" | shell
