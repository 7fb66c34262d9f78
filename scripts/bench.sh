#!/bin/sh
# npm run bench [NAME...] [-- --json]: start, upgrade, recovery, drain. All but start make clusters of the lab.
set -eu
cd "$(dirname "$0")/.."
sh scripts/build.sh
exec node dist/bench/main.js "$@"
