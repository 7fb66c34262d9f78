#!/bin/sh
# npm test: installs, builds, lints, and runs every test that this machine can run; says which it could not, and why.
# Arguments go to mocha: npm test -- --grep drain
set -eu
cd "$(dirname "$0")/.."
sh scripts/build.sh || { echo 'npm test: the build failed; see the lines above.' >&2; echo '0 passed, 1 failed'; exit 1; }

lint=0
npm run --silent lint || lint=1

DRYDOCK_NOT_RUN='tests on real clusters: npm run test:lab runs them (Linux with Docker, or root on Debian or Ubuntu; see docs/lab.md)'
DRYDOCK_FAILED_BEFORE=$lint
export DRYDOCK_NOT_RUN DRYDOCK_FAILED_BEFORE
tests=0
node_modules/.bin/mocha "$@" || tests=$?
[ "$lint" -eq 0 ] || exit 1
exit "$tests"
