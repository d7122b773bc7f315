#!/bin/sh
# Builds mirrord, mirrorctl and mirrorctl-mcp, installs them for this user and sets a first
# project up.
#
#   sh packaging/install.sh [DIR]        DIR: the folder to mirror (default: a sample)
#   sh packaging/install.sh --uninstall  takes back what this made; not while a
#                                        project keeps what may be nowhere else,
#                                        unless --discard follows
#
# MIRRORD_PREFIX says where to (default: ~/.local). May be run again: it then
# brings the programs up to date.
set -eu

fail() {
  printf 'install.sh: %s\n' "$@" >&2
  exit 1
}

case $0 in
  */*) here=${0%/*} ;;
  *) here=. ;;
esac
source_root=$(CDPATH='' cd -- "$here/.." && pwd)
prefix=${MIRRORD_PREFIX:-${HOME:?HOME is not set}/.local}
bin=$prefix/bin
# The projects that this script made, one name a line.
made=$prefix/share/mirrord/made-projects

required_rust() {
  while IFS= read -r line; do
    case $line in
      'rust-version = "'*)
        line=${line#*\"}
        printf '%s' "${line%\"*}"
        ;;
    esac
  done < "$source_root/Cargo.toml"
}

# Whether version $1 is at least $2; both are MAJOR.MINOR with anything after.
is_at_least() {
  have_minor=${1#*.} want_minor=${2#*.}
  have_minor=${have_minor%%[!0-9]*} want_minor=${want_minor%%[!0-9]*}
  if [ "${1%%.*}" -ne "${2%%.*}" ]; then
    [ "${1%%.*}" -gt "${2%%.*}" ]
  else
    [ "$have_minor" -ge "$want_minor" ]
  fi
}

check_tools() {
  needed=$(required_rust)
  for tool in cargo rustc; do
    command -v "$tool" > /dev/null ||
      fail "$tool is missing: mirrord is built with Rust $needed or newer" \
        "get it with rustup (https://rustup.rs), then run this again"
  done
  command -v cc > /dev/null ||
    fail "cc is missing: Rust needs a C compiler to link programs" \
      "get one from your system (Debian, Ubuntu: apt install gcc), then run this again"
  found=$(cd "$source_root" && rustc --version)
  found=${found#rustc }
  found=${found%% *}
  is_at_least "$found" "$needed" ||
    fail "this is Rust $found, and mirrord needs $needed or newer" \
      "bring it up to date (with rustup: rustup update stable), then run this again"
}

# Puts a program beside its place first, so that nobody ever runs half of it.
install_program() {
  cp "$1" "$bin/.$2.$$"
  chmod 755 "$bin/.$2.$$"
  mv -f "$bin/.$2.$$" "$bin/$2"
}

build_and_install() {
  target=${CARGO_TARGET_DIR:-target}
  case $target in
    /*) ;;
    *) target=$source_root/$target ;;
  esac
  echo 'Building mirrord, mirrorctl and mirrorctl-mcp (a few minutes the first time) …'
  (
    cd "$source_root"
    CARGO_TARGET_DIR=$target cargo build --quiet --release --locked -p mirrord -p mirrorctl -p mirrorctl-mcp
  )
  mkdir -p "$bin"
  changed=no
  cmp -s "$target/release/mirrord" "$bin/mirrord" || changed=yes
  install_program "$target/release/mirrord" mirrord
  install_program "$target/release/mirrorctl" mirrorctl
  install_program "$target/release/mirrorctl-mcp" mirrorctl-mcp
  echo "Installed mirrord, mirrorctl and mirrorctl-mcp in $bin"
  if [ "$changed" = yes ]; then
    # The next command starts the new one.
    "$bin/mirrorctl" --quiet daemon stop || true
  fi
  case :$PATH: in
    *:"$bin":*) ;;
    *) printf '%s is not on your PATH. Add to your shell profile:\n  export PATH="%s:$PATH"\n' "$bin" "$bin" ;;
  esac
}

# The names of all projects, one a line; fails where they can't be listed.
project_names() {
  listed=$("$bin/mirrorctl" --json projects) || return
  printf '%s\n' "$listed" | tr ',{' '\n\n' | sed -n 's/^ *"name" *: *"\(.*\)".*/\1/p'
}

# Quickstart on what is there already changes nothing and says so. What it made
# is noted also where it ends with something left to decide or to send.
set_up_project() {
  before=$(project_names) || fail 'the projects of this machine could not be listed'
  code=0
  "$bin/mirrorctl" quickstart "$@" || code=$?
  [ "$code" -ne 0 ] || echo 'The daemon starts when it is needed; to have it start with your login, and agents and your shell know of it: mirrorctl install'
  project_names | while IFS= read -r name; do
    if ! printf '%s\n' "$before" | grep -qxF "$name"; then
      mkdir -p "${made%/*}"
      printf '%s\n' "$name" >> "$made"
    fi
  done
  exit "$code"
}

# Where the daemon keeps things of this kind (config, data, state, cache).
folder_of() {
  if [ -n "${MIRRORD_HOME:-}" ]; then
    printf '%s' "$MIRRORD_HOME/$1"
    return
  fi
  case $1 in
    config) printf '%s' "${XDG_CONFIG_HOME:-$HOME/.config}/mirrord" ;;
    data) printf '%s' "${XDG_DATA_HOME:-$HOME/.local/share}/mirrord" ;;
    state) printf '%s' "${XDG_STATE_HOME:-$HOME/.local/state}/mirrord" ;;
    cache) printf '%s' "${XDG_CACHE_HOME:-$HOME/.cache}/mirrord" ;;
  esac
}

# Takes the projects off this machine that this script made. One that stays ends it:
# it may keep what is nowhere else, and the programs are what shows it.
remove_projects() {
  names=$(project_names) ||
    fail 'the projects of this machine could not be listed; nothing was removed' \
      'see what `mirrorctl projects` says, then run this again'
  while IFS= read -r name; do
    printf '%s\n' "$names" | grep -qxF "$name" || continue
    code=0
    "$bin/mirrorctl" --quiet remove "$name" "$@" < /dev/null || code=$?
    case $code in
      0) ;;
      1)
        fail "the project $name stays, and so do the programs: nothing of it was removed" \
          'look at what it keeps, as said above; or let all of it go: --uninstall --discard'
        ;;
      *)
        fail "the project $name could not be removed, and the programs stay" \
          'once that is put right, as said above, run this again'
        ;;
    esac
  done < "$made"
}

uninstall() {
  if [ -x "$bin/mirrorctl" ]; then
    [ ! -f "$made" ] || remove_projects "$@"
    # Only what is ours: hooks of others, and a service file from elsewhere, stay.
    "$bin/mirrorctl" --quiet uninstall --yes ||
      fail 'what `mirrorctl install` wrote could not be taken back, and the programs stay' \
        'see what is wrong, as said above, then run this again'
    "$bin/mirrorctl" --quiet daemon stop ||
      fail 'the daemon could not be stopped, and the programs stay'
  fi
  rm -f "$bin/mirrorctl" "$bin/mirrorctl-mcp" "$bin/mirrord" "$made"
  rmdir "${made%/*}" 2> /dev/null || true
  cat << END
Removed mirrord, mirrorctl and mirrorctl-mcp from $bin.
Your project folders and all backends are left alone. What the daemon keeps is
left too, but for the settings and copies of projects that this script made. To
remove the rest, now or later:
  rm -r "$(folder_of state)" "$(folder_of cache)"
      what can be made again
  rm -r "$(folder_of config)"
      settings: which folders are mirrored, and where to
  rm -r "$(folder_of data)"
      what may be nowhere else: the history of quickstart projects, and stashed
      versions, queued pushes and conflicts of all projects are lost with it
END
}

case ${1:-} in
  --uninstall)
    case $#${2:-} in
      1) uninstall ;;
      2--discard) uninstall --discard ;;
      *) fail '--uninstall takes no folder (there is --uninstall --discard)' ;;
    esac
    ;;
  -h | --help) sed -n '2,12s/^# \{0,1\}//p' "$0" ;;
  -*) fail "unknown option $1 (there is --uninstall)" ;;
  *)
    [ $# -le 1 ] || fail 'one folder at most; quote a name that has spaces'
    check_tools
    build_and_install
    set_up_project "$@"
    ;;
esac
