#!/bin/sh
# Drives real clients of what mirrord offers to agents, against loopback alone:
#
#   sh tests/agents/run.sh BIN    BIN: the folder of the three programs
#
# Claude Code and Codex come from npm, the official client of the Model Context Protocol
# from PyPI, each into a scratch folder that goes away at the end. What can't be had here
# says `skipped: why`. MIRROR_TEST_CLAUDE and MIRROR_TEST_CODEX name programs that are
# there already, MIRROR_TEST_PYTHON a Python that has the package `mcp`.
set -eu

# The stories share a module, and nothing of it stays in the repository.
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

bin=$(cd -- "$1" && pwd)
cd -- "$(dirname -- "$0")/../.."
repository=$PWD
scratch=$(mktemp -d /tmp/magXXXXXX)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

clean_up() {
  for machine in laptop desktop; do
    [ ! -d "$scratch/$machine" ] || on "$machine" mirrorctl --quiet daemon stop || true
  done
  rm -rf "$scratch"
}

skip() {
  echo "skipped: $*"
}

# Runs a command as a machine of its own would, with nothing of this one's settings.
on() {
  machine=$1
  shift
  (
    cd "$scratch/$machine/notes" 2> /dev/null || cd "$scratch/$machine"
    env -i HOME="$scratch/$machine" PATH="$bin:/usr/bin:/bin" LC_ALL=C.UTF-8 \
      MIRRORD_HOME="$scratch/$machine/m" MIRRORD_MACHINE="$machine" MIRRORD_USER=tester "$@"
  )
}

# Two machines, and a conflict that waits on the laptop.
set_up() {
  mkdir -p "$scratch/laptop/notes" "$scratch/desktop" "$scratch/backend"
  printf 'first\n' > "$scratch/laptop/notes/a.md"
  printf 'other\n' > "$scratch/laptop/notes/b.md"
  on laptop mirrorctl --quiet init --to "folder:$scratch/backend/notes"
  on laptop mirrorctl --quiet push
  on desktop mirrorctl --quiet clone "folder:$scratch/backend/notes" "$scratch/desktop/notes"
  printf 'from the desktop\n' > "$scratch/desktop/notes/a.md"
  printf 'newer\n' > "$scratch/desktop/notes/b.md"
  on desktop mirrorctl --quiet push
  printf 'from the laptop\n' > "$scratch/laptop/notes/a.md"
  code=0
  on laptop mirrorctl --quiet sync --no-prompt > /dev/null 2>&1 || code=$?
  [ "$code" -eq 3 ]
}

# Sets `python` to one that has the official client.
find_python() {
  python=${MIRROR_TEST_PYTHON:-}
  [ -z "$python" ] || return 0
  command -v python3 > /dev/null || return 1
  python3 -m venv "$scratch/venv" > /dev/null 2>&1 || return 1
  "$scratch/venv/bin/pip" install --quiet 'mcp>=2,<3' > "$scratch/pip.log" 2>&1 || return 1
  python=$scratch/venv/bin/python
}

# Puts a package of npm into the scratch folder.
fetch() {
  command -v npm > /dev/null || return 1
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$scratch/npm" \
    "$1" > "$scratch/npm.log" 2>&1
}

# Sets `claude` to the program itself: it runs alone, without what npm would start it by.
find_claude() {
  claude=${MIRROR_TEST_CLAUDE:-}
  [ -z "$claude" ] || return 0
  case $(uname -sm) in
    'Linux x86_64') package=claude-code-linux-x64 ;;
    'Linux aarch64') package=claude-code-linux-arm64 ;;
    *) return 1 ;;
  esac
  fetch "@anthropic-ai/$package" || return 1
  claude=$scratch/npm/node_modules/@anthropic-ai/$package/claude
  [ -x "$claude" ]
}

# Sets `codex` in the same way.
find_codex() {
  codex=${MIRROR_TEST_CODEX:-}
  [ -z "$codex" ] || return 0
  fetch @openai/codex || return 1
  for found in "$scratch"/npm/node_modules/@openai/codex-linux-*/vendor/*/bin/codex; do
    [ ! -x "$found" ] || codex=$found
  done
  [ -n "$codex" ]
}

# Runs the program in a home of its own that has no login, and without any network but
# loopback where that can be had.
claude_on() {
  machine=$1
  shift
  alone=
  ! unshare -n true 2> /dev/null || alone='unshare -n'
  # shellcheck disable=SC2086 # One word each.
  on "$machine" $alone env CLAUDE_CONFIG_DIR="$scratch/$machine/.claude" DISABLE_AUTOUPDATER=1 \
    DISABLE_TELEMETRY=1 "$claude" "$@"
}

must_say() {
  if ! grep -q -- "$1" "$scratch/said"; then
    echo "not said: $1" >&2
    cat "$scratch/said" >&2
    exit 1
  fi
}

plugin_is_valid() {
  for target in packaging/claude-plugin packaging/claude-plugin/.claude-plugin/plugin.json; do
    claude_on desktop plugin validate "$repository/$target" --strict --json > "$scratch/said"
    must_say '"success": true'
  done
  for found in '"mirrord:mirrord"' '"event": "FileChanged"' '"target": "mirrorctl"'; do
    must_say "$found"
  done
  echo "claude plugin validate --strict: $("$claude" --version)"
}

servers_are_met() {
  mkdir -p "$scratch/laptop/.claude"
  on laptop env CLAUDE_CONFIG_DIR="$scratch/laptop/.claude" mirrorctl --quiet install \
    --only hooks skill mcp --yes
  claude_on laptop mcp list > "$scratch/said" 2>&1
  must_say 'mirrord: mirrorctl mcp.*Connected'
  echo 'claude mcp list: the installed server is met'

  claude_on desktop plugin marketplace add "$repository/packaging/claude-plugin" > /dev/null
  claude_on desktop plugin install mirrord@mirrord > /dev/null
  claude_on desktop mcp list > "$scratch/said" 2>&1
  must_say 'plugin:mirrord:mirrord: mirrorctl mcp.*Connected'
  echo "claude mcp list: the plugin's server is met"

  on desktop env CLAUDE_CONFIG_DIR="$scratch/desktop/.claude" mirrorctl install \
    --only hooks skill mcp --yes > "$scratch/said"
  must_say 'hooks: the plugin mirrord@mirrord'
  must_say 'mcp: the plugin mirrord@mirrord'
  echo 'mirrorctl install: sees the plugin'

  on laptop env CLAUDE_CONFIG_DIR="$scratch/laptop/.claude" mirrorctl --quiet uninstall --yes
  if grep -rqs mirrorctl "$scratch/laptop/.claude/settings.json" "$scratch/laptop/.claude/.claude.json"; then
    echo 'something of ours is left after uninstall' >&2
    exit 1
  fi
  echo 'mirrorctl uninstall: nothing is left in files that Claude Code wrote to meanwhile'
}

# Starts one story of a host, with the model's API played on loopback.
story() {
  command -v python3 > /dev/null || {
    skip 'there is no Python to play the API of a model'
    return
  }
  alone=
  ! unshare -n true 2> /dev/null || alone='unshare -n'
  # shellcheck disable=SC2086 # One word each.
  $alone python3 "tests/agents/$1.py" "$2" "$scratch" "$bin"
}

claude_is_told() {
  on laptop env CLAUDE_CONFIG_DIR="$scratch/laptop/.claude" mirrorctl --quiet install \
    --only hooks --yes
  story claude "$claude"
}

codex_is_told() {
  mkdir -p "$scratch/laptop/.codex"
  on laptop env CODEX_HOME="$scratch/laptop/.codex" mirrorctl --quiet install \
    --only hooks --yes
  echo "$("$codex" --version), hooks installed"
  story codex "$codex"
}

set_up
if find_python; then
  on laptop "$python" "$repository/tests/agents/mcp_client.py" "$bin/mirrorctl"
else
  skip 'the package mcp of PyPI can not be had here'
fi
if find_claude; then
  plugin_is_valid
  servers_are_met
  claude_is_told
else
  skip 'Claude Code can not be had here from npm'
fi
if find_codex; then
  codex_is_told
else
  skip 'Codex can not be had here from npm'
fi
