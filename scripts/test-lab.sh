#!/bin/sh
# npm run test:lab: the tests that need real clusters. Without Docker it says so and why, and ends with 2.
set -eu
cd "$(dirname "$0")/.."
sh scripts/build.sh
node dist/lab/check.js || exit 2
[ -d dist/test/lab ] || { echo 'test:lab: there are no lab tests yet' >&2; exit 2; }
exec node_modules/.bin/mocha --no-config --timeout 3600000 --exit "${@:-dist/test/lab/**/*.test.js}"
