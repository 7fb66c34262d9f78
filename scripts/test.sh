#!/bin/sh
# npm test: installs, builds, lints, and runs every test that this machine can run.
set -eu
cd "$(dirname "$0")/.."
sh scripts/build.sh
npm run --silent lint
exec node_modules/.bin/mocha "$@"
