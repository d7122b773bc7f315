#!/bin/sh
# Installs what the tests need and runs all of them, as root or as a user.
# Says at the end how long each part took: tests/README.md has their budgets.
# What can't run here says `skipped: why`.
#
# --agents   the real clients of agents as well: Claude Code and Codex from npm, the official
#            client of the Model Context Protocol from PyPI, into a scratch folder
# --long     200,000 simulated schedules, and more rounds of the slow tests
# --seeds N  N simulated schedules instead
set -eu

usage() {
  echo 'usage: tests/run.sh [--agents] [--long] [--seeds N]' >&2
  exit 2
}

# The tests of the simulation run 2,000 schedules by themselves.
seeds=0
agents=
while [ $# -gt 0 ]; do
  case $1 in
    --long)
      [ "$seeds" -ne 0 ] || seeds=200000
      MIRROR_TEST_LONG=1
      export MIRROR_TEST_LONG
      ;;
    --agents) agents=yes ;;
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
# What only the next build would have use for.
CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}
export CARGO_INCREMENTAL

scratch=$(mktemp -d)
policy=
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

clean_up() {
  # It would hold back others.
  [ -z "$policy" ] || as_root rm -f "$policy"
  rm -rf "$scratch"
}

# Sets `cpu` to the seconds that ended commands kept a processor busy so far.
read_cpu() {
  # In a pipe it would be a subshell that tells its own.
  times > "$scratch/times"
  cpu=$(awk 'NR == 2 {
    split($1 "m" $2, at, /[ms]+/)
    printf "%d", (at[1] + at[3]) * 60 + at[2] + at[4]
  }' "$scratch/times")
}

start=$(date +%s)
failed=

# Runs one part: its name, then its command. Ends all where that fails.
stage() {
  suite "$@"
  [ -z "$failed" ] || finish
}

# The same for a part that no other stands on: the others still run.
suite() {
  name=$1
  shift
  printf '\n== %s\n' "$name"
  begun=$(date +%s)
  read_cpu
  before=$cpu
  code=0
  "$@" || code=$?
  wall=$(($(date +%s) - begun))
  read_cpu
  printf '%-16s %6d %6d\n' "$name" "$wall" "$((cpu - before))" >> "$scratch/table"
  if [ "$code" -eq 0 ]; then
    printf '== %s: %s s\n' "$name" "$wall"
  else
    printf '== %s: FAILED with exit code %s\n' "$name" "$code" >&2
    failed="$failed, $name"
  fi
}

finish() {
  read_cpu
  printf '\n%-16s %6s %6s\n' 'seconds' 'wall' 'cpu'
  cat "$scratch/table"
  printf '%-16s %6d %6d\n' 'all' "$(($(date +%s) - start))" "$cpu"
  [ -n "$failed" ] || exit 0
  echo "FAILED: ${failed#, }" >&2
  exit 1
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
  if [ -e /usr/sbin/policy-rc.d ]; then
    "$@"
    return
  fi
  policy=/usr/sbin/policy-rc.d
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null
  as_root chmod 755 "$policy"
  status=0
  "$@" || status=$?
  as_root rm -f "$policy"
  policy=
  return "$status"
}

# Everything but the simulation, which needs a build of its own. All that is
# built here is chosen by these words alone: the same packages mean the same
# features, and so each dependency is built only once.
ours() {
  verb=$1
  shift
  cargo "$verb" --quiet --locked --workspace --exclude mirror-simulation "$@"
}

# A word about examples, of which there are none, lets those features in that
# only tests ask for: as the lints saw it.
document() {
  RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --workspace --no-deps \
    --lib --bins --examples
}

# Planted faults are a feature of the engine: nothing but this one target and
# what it stands on is built with them. All packages are named for the sake of
# their features only. Schedules need a compiler that tries.
simulate() {
  cargo --config 'profile.dev.opt-level = 1' test --quiet --locked --workspace \
    --features mirror-simulation/plant --test simulation
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
stage 'documentation' document
stage 'build' ours build --bins --tests
suite 'units' ours test --no-fail-fast --lib --bins
suite 'small cases' ours test --test it
suite 'tidy' ours test --test all -- tidy:: support::
suite 'conformance' ours test --test all -- conformance::
suite 'scenarios' ours test --test all -- --skip tidy:: --skip support:: --skip conformance::
suite 'simulation' simulate
[ -z "$agents" ] || suite 'agents' sh tests/agents/run.sh "$target/debug"
[ "$seeds" -eq 0 ] || suite "$seeds schedules" "$target/debug/mirror-simulation" --seeds "$seeds"
finish
