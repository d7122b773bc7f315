#!/bin/sh
# Installs what the tests need and runs all of them, as root or as a user.
# Ends at the first stage that fails. What can't run here says `skipped: why`.
#
# --long     200,000 simulated schedules, and more rounds of the slow tests
# --seeds N  N simulated schedules instead
set -eu

usage() {
  echo 'usage: tests/run.sh [--long] [--seeds N]' >&2
  exit 2
}

# The tests of the simulation run 2,000 schedules by themselves.
seeds=0
while [ $# -gt 0 ]; do
  case $1 in
    --long)
      [ "$seeds" -ne 0 ] || seeds=200000
      MIRROR_TEST_LONG=1
      export MIRROR_TEST_LONG
      ;;
    --seeds)
      case ${2:-} in
        '' | *[!0-9]*) usage ;;
      esac
      seeds=$2
      shift
      ;;
    *) usage ;;
  esac
  shift
done

cd -- "$(dirname -- "$0")/.."
CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
export CARGO_TERM_COLOR

# Runs one stage: its name, then its command.
stage() {
  name=$1
  shift
  printf '\n== %s\n' "$name"
  begun=$(date +%s)
  if "$@"; then
    printf '== %s: %s s\n' "$name" "$(($(date +%s) - begun))"
  else
    code=$?
    printf '== %s: FAILED with exit code %s\n' "$name" "$code" >&2
    exit "$code"
  fi
}

# The command that makes one root, nothing for root itself.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

install_tools() {
  missing=
  command -v unzip > /dev/null || missing="$missing unzip"
  command -v jq > /dev/null || missing="$missing jq"
  command -v gunzip > /dev/null || missing="$missing gzip"
  command -v git > /dev/null || missing="$missing git"
  command -v cc > /dev/null || missing="$missing gcc libc6-dev"
  command -v ssh > /dev/null || missing="$missing openssh-client"
  if ! PATH=$PATH:/usr/sbin command -v sshd > /dev/null; then
    # Its package would make a server of this machine, now or at the next boot.
    if [ -d /run/systemd/system ]; then
      lacks 'this machine has no openssh-server, and gets none from here'
    else
      missing="$missing openssh-server"
    fi
  fi
  [ -n "$missing" ] || return 0
  if ! command -v apt-get > /dev/null; then
    lacks "no apt-get here to install$missing"
  elif ! as_root true 2> /dev/null; then
    lacks "only root can install$missing"
  elif ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update; then
    lacks "apt-get update failed, so there is no$missing"
  else
    # shellcheck disable=SC2086 # One word a package.
    starting_nothing as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get -qq install -y --no-install-recommends $missing > /dev/null ||
      lacks "apt-get could not install$missing"
  fi
}

# Says why some tests will say `skipped`. Where nothing is lacking, none may.
lacks() {
  echo "skipped: $*"
  MIRROR_TEST_REQUIRE=0
}

# Runs a command while packages may start no server of this machine.
starting_nothing() {
  policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then
    "$@"
    return
  fi
  # Also taken back when this run is interrupted: it would hold back others.
  trap 'as_root rm -f "$policy"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null
  as_root chmod 755 "$policy"
  code=0
  "$@" || code=$?
  as_root rm -f "$policy"
  trap - EXIT INT TERM
  return "$code"
}

build_documentation() {
  RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --workspace --no-deps
}

# Planted faults are a feature of the engine: they stay out of every other build.
simulate() {
  verb=$1
  shift
  cargo "$verb" --quiet --locked --profile simulation --package mirror-simulation \
    --features plant "$@"
}

command -v cargo > /dev/null || {
  echo 'cargo is missing: get Rust with rustup (https://rustup.rs)' >&2
  exit 1
}
target=${CARGO_TARGET_DIR:-target}
case $target in
  /*) ;;
  *) target=$PWD/$target ;;
esac
# Scenario tests find the programs there instead of building them each time.
MIRROR_TEST_BIN_DIR=$target/debug
export MIRROR_TEST_BIN_DIR

MIRROR_TEST_REQUIRE=${MIRROR_TEST_REQUIRE:-1}
stage 'tools' install_tools
export MIRROR_TEST_REQUIRE
stage 'formatting' cargo fmt --all --check
stage 'lints' cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
stage 'programs' cargo build --quiet --locked --package mirrord --package mirrorctl
stage 'documentation' build_documentation
stage 'tests' cargo test --quiet --locked --workspace --exclude mirror-simulation --no-fail-fast
stage 'simulation' simulate test --no-fail-fast
[ "$seeds" -eq 0 ] || stage "$seeds schedules" simulate run -- --seeds "$seeds"
