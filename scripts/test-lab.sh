#!/bin/sh
# npm run test:lab [-- --all | FILE ...]: the tests that need real clusters. Without --all the core set, with it all of them; or compiled files by name.
# Without Docker it says so and why, and ends with 2.
set -eu
cd "$(dirname "$0")/.."
sh scripts/build.sh
node dist/lab/check.js || exit 2
case ${1-} in
'') set -- dist/test/lab/*.test.js ;;
--all)
  shift
  set -- "$@" dist/test/lab/*.test.js dist/test/lab/more/*.test.js
  ;;
esac
exec node_modules/.bin/mocha --no-config --timeout 3600000 --exit "$@"
