#!/bin/sh
# Writes docs/schema/*.json anew from the schemas in config/. A test fails while they are stale.
set -eu
cd "$(dirname "$0")/.."
sh scripts/build.sh
exec node dist/config/publish-schemas.js
