//! The unit under a real `systemd --user`, in namespaces of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{World, binaries, repository, run, skipped, text};

/// What happens to the service, as its person and its machine would have it. Says what
/// systemd says of it after each.
const STORY: &str = r#"
said() {
  systemctl --user show mirrord.service -p ActiveState,SubState,NRestarts,Result,Type |
    tr '\n' ' '
  echo "($1)"
}
pid() { systemctl --user show mirrord.service -p MainPID --value; }
until_it() {
  tries=0
  until [ "$(systemctl --user show mirrord.service -p "$1" --value)" = "$2" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { echo "never $1=$2"; said late; exit 1; }
    sleep 0.1
  done
}

missing() { mirrorctl doctor | grep -c 'does not start with your login'; }

echo "missing $(missing)"
mirrorctl --quiet daemon stop
mirrorctl --quiet install --only service --yes || exit 1
said installed
echo "missing $(missing)"
mirrorctl --quiet projects > /dev/null || exit 1
first=$(pid)

kill -9 "$first"
until_it NRestarts 1
until_it ActiveState active
said killed
[ "$(pid)" != "$first" ] || exit 1
mirrorctl --quiet projects > /dev/null || exit 1

systemctl --user stop mirrord.service
said stopped
mirrorctl --quiet daemon status 2> /dev/null
echo "status $?"

mirrorctl --quiet projects > /dev/null || exit 1
said 'started by a client'
mirrorctl --quiet daemon stop
until_it ActiveState inactive
mirrorctl --quiet uninstall --only service --yes || exit 1
said uninstalled
"#;

#[test]
fn service_is_ready_comes_back_when_it_is_killed_and_stops_in_order() {
    let world = World::new();
    let (home, place) = (world.folder("h"), world.folder("s"));
    let story = place.join("story");
    fs::write(&story, STORY).expect("written");
    let program = repository().join("tests/support/programs/under-systemd");
    let mut command = Command::new(program);
    command.arg(&place).args(["sh", text(&story)]);
    let path = format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", text(binaries()));
    command.env_clear().env("HOME", &home).env("PATH", path).current_dir(&home);

    let told = run(command);

    if told.code == Some(77) {
        skipped("no systemd of one's own can be had here");
        return;
    }
    let said: Vec<&str> = told.stdout.lines().collect();
    let state = |active: &str, sub: &str, restarts: u32, when: &str| {
        format!(
            "Type=notify Result=success NRestarts={restarts} ActiveState={active} SubState={sub} \
             ({when})"
        )
    };
    let log = fs::read_to_string(place.join("log")).unwrap_or_default();
    let daemon = Path::new(".local/state/mirrord/mirrord.log");
    let daemon = fs::read_to_string(home.join(daemon)).unwrap_or_default();
    assert_eq!(told.code, Some(0), "{told:#?}\n{log}\n{daemon}");
    assert_eq!(
        said,
        [
            "missing 1",
            &*state("active", "running", 0, "installed"),
            "missing 0",
            &state("active", "running", 1, "killed"),
            &state("inactive", "dead", 1, "stopped"),
            "status 5",
            &state("active", "running", 0, "started by a client"),
            &state("inactive", "dead", 0, "uninstalled").replace("Type=notify", "Type="),
        ],
        "{log}\n{daemon}"
    );
}
