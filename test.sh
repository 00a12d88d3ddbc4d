#!/usr/bin/env bash
# Installs what the tests need, builds, and runs all tests: unit tests, then (as root) real containers.
#
# usage: ./test.sh [unit|integration|e2e|package|vm]...     (default: everything that this user may run)
set -euo pipefail
cd "$(dirname "$0")"
dir=${PORTCULLIS_BUILD_DIR:-build}
export PORTCULLIS_BUILD_DIR=$dir
wanted=("$@")
if [ "${#wanted[@]}" -eq 0 ]; then
  wanted=(unit)
  if [ "$(id -u)" -eq 0 ]; then wanted+=(integration e2e package vm); else echo "test: not root, so only the unit tests run"; fi
fi

step() { printf '\n== %s\n' "$*"; }

step "packages"
set_of_packages="test"
if [[ " ${wanted[*]} " == *" vm "* ]]; then set_of_packages=vm; fi
scripts/install-packages "$set_of_packages"
step "layers"
scripts/check-layers
step "build"
scripts/build
failed=()

for kind in "${wanted[@]}"; do
  case "$kind" in
    unit)
      step "unit tests"
      ctest --test-dir "$dir" -L unit --output-on-failure -j "$(nproc)" || failed+=(unit)
      ;;
    integration)
      step "integration tests: real containers, layers and networks"
      scripts/build-images "$dir/images"
      export PORTCULLIS_TEST_IMAGES=$PWD/$dir/images PORTCULLIS_TEST_BUSYBOX=$PWD/$dir/images/busybox
      ctest --test-dir "$dir" -L integration --output-on-failure || failed+=(integration)
      ;;
    e2e)
      step "end-to-end tests: a node, its pods, and what it leaves behind"
      scripts/build-images --workloads "$dir/images"
      tests/e2e/run "$dir" || failed+=(e2e)
      ;;
    package)
      step "the Debian package: built, then installed and run within an overlay of this machine"
      if ! scripts/package || ! python3 tests/package/package_test.py "$dir" .; then failed+=(package); fi
      ;;
    vm)
      step "the same on unified cgroup v2: a Debian guest in an emulator, the short set"
      scripts/build-images "$dir/images"
      scripts/vm-test || failed+=(vm)
      ;;
    *)
      echo "test: unknown kind '$kind' (unit, integration, e2e, package, vm)" >&2
      exit 2
      ;;
  esac
done

step "result"
if [ "${#failed[@]}" -ne 0 ]; then
  echo "failed: ${failed[*]} (the output above says what; ./test.sh ${failed[0]} runs these alone)"
  exit 1
fi
echo "all tests passed: ${wanted[*]}"
