//! Why there is no connection, told from what `ssh` says when it ends.
//!
//! A sentence of ours stands for each thing that `ssh` says. What it says in
//! its own words goes no further, as it names files of this machine; only the
//! last line of something we don't know is kept, without its paths.

use super::super::wire::Ending;
use super::fault::SftpFault;
use super::host_key::ShownKey;

impl From<Ending> for SftpFault {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Silent => Self::TimedOut,
            Ending::NoGreeting => Self::ShellTalks,
            Ending::OtherVersion => Self::NoSftp,
            Ending::Broken => {
                Self::Other("the server's answers break the rules of SFTP".to_owned())
            }
            Ending::Unwelcome(words) => reason_for_no_session(&words).unwrap_or(Self::NoSftp),
            Ending::Lost(words) => reason_for_loss(&words),
        }
    }
}

/// What `ssh` writes when it ends, in lower case, with what it means. The first
/// that fits counts, so what explains more stands further up.
const TABLE: [(&str, SftpFault); 28] = [
    ("remote host identification has changed", SftpFault::HostKeyChanged(ShownKey::UNTOLD)),
    ("you have requested strict checking", SftpFault::HostKeyUnknown(ShownKey::UNTOLD)),
    ("host key verification failed", SftpFault::HostKeyUnknown(ShownKey::UNTOLD)),
    ("could not resolve hostname", SftpFault::HostUnknown),
    ("name or service not known", SftpFault::HostUnknown),
    ("bad configuration option", SftpFault::BadOption),
    ("bad configuration options", SftpFault::BadOption),
    ("command-line: line", SftpFault::BadOption),
    ("command-line line", SftpFault::BadOption),
    ("connection refused", SftpFault::ConnectionRefused),
    ("connection timed out", SftpFault::TimedOut),
    ("operation timed out", SftpFault::TimedOut),
    ("timed out during banner exchange", SftpFault::TimedOut),
    ("timeout, server", SftpFault::TimedOut),
    ("network is unreachable", SftpFault::NetworkUnreachable),
    ("no route to host", SftpFault::NetworkUnreachable),
    ("host is down", SftpFault::NetworkUnreachable),
    ("too many authentication failures", SftpFault::TooManyTries),
    ("permission denied (", SftpFault::KeyRefused),
    ("no supported authentication methods", SftpFault::KeyRefused),
    ("subsystem request failed", SftpFault::NoSftp),
    ("sftp connections only", SftpFault::NoSftp),
    ("administratively prohibited", SftpFault::NoSftp),
    ("connection reset", SftpFault::ConnectionLost),
    ("connection closed", SftpFault::ConnectionLost),
    ("connection to", SftpFault::ConnectionLost),
    ("broken pipe", SftpFault::ConnectionLost),
    ("software caused connection abort", SftpFault::ConnectionLost),
];

/// What `ssh` warns of on its way. It ends nothing, as there may be other keys;
/// but when no key is accepted, it says why.
const KEY_WARNINGS: [(&str, SftpFault); 5] = [
    ("unprotected private key file", SftpFault::KeyTooOpen),
    ("are too open", SftpFault::KeyTooOpen),
    ("not accessible: no such file", SftpFault::KeyUnreadable),
    ("not accessible: permission denied", SftpFault::KeyUnreadable),
    ("load key", SftpFault::KeyUnreadable),
];

fn look_up<'a>(table: &'a [(&str, SftpFault)], said: &str) -> Option<&'a SftpFault> {
    table.iter().find(|(words, _)| said.contains(words)).map(|(_, fault)| fault)
}

/// The longest last line that is passed on.
const LONGEST_LINE: usize = 160;

/// Tells from all that `ssh` wrote why there is no session; `None` when it wrote
/// nothing.
fn reason_for_no_session(stderr: &str) -> Option<SftpFault> {
    let said = stderr.to_lowercase();
    match look_up(&TABLE, &said) {
        Some(SftpFault::HostKeyChanged(_)) => {
            Some(SftpFault::HostKeyChanged(ShownKey::parse(stderr)))
        }
        Some(SftpFault::KeyRefused) => {
            Some(look_up(&KEY_WARNINGS, &said).unwrap_or(&SftpFault::KeyRefused).clone())
        }
        Some(fault) => Some(fault.clone()),
        None => look_up(&KEY_WARNINGS, &said).cloned().or_else(|| {
            let last = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
            Some(SftpFault::Other(without_paths(last)))
        }),
    }
}

/// Tells from it why a session was lost that stood. The warnings and words of
/// its login are in there too, and mean nothing any more.
fn reason_for_loss(stderr: &str) -> SftpFault {
    let said = stderr.to_lowercase();
    let ways = [SftpFault::TimedOut, SftpFault::NetworkUnreachable];
    let told = TABLE.iter().find(|(words, fault)| ways.contains(fault) && said.contains(words));
    told.map_or(SftpFault::ConnectionLost, |(_, fault)| fault.clone())
}

/// A line without the names of files, and without what a terminal would obey.
fn without_paths(line: &str) -> String {
    let words = line.split_whitespace().map(|word| match word.contains(['/', '\\']) {
        true => "…".to_owned(),
        false => word.chars().filter(|letter| !letter.is_control()).collect(),
    });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST_LINE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stderr: &str, expected: SftpFault) {
        assert_eq!(reason_for_no_session(stderr), Some(expected), "{stderr:?}");
    }

    #[test]
    fn way_to_the_host_is_told_apart() {
        check(
            "ssh: Could not resolve hostname nas: Temporary failure in name resolution\r\n",
            SftpFault::HostUnknown,
        );
        check(
            "ssh: connect to host nas port 22: Connection refused\r\n",
            SftpFault::ConnectionRefused,
        );
        check("ssh: connect to host nas port 22: Connection timed out\r\n", SftpFault::TimedOut);
        check("Connection timed out during banner exchange\r\n", SftpFault::TimedOut);
        check("Timeout, server nas not responding.\r\n", SftpFault::TimedOut);
        check(
            "ssh: connect to host nas port 22: Network is unreachable\r\n",
            SftpFault::NetworkUnreachable,
        );
        check(
            "ssh: connect to host nas port 22: No route to host\r\n",
            SftpFault::NetworkUnreachable,
        );
        check(
            "kex_exchange_identification: read: Connection reset by peer\r\n",
            SftpFault::ConnectionLost,
        );
        check("Connection closed by 10.0.0.1 port 22\r\n", SftpFault::ConnectionLost);
        check("client_loop: send disconnect: Broken pipe\r\n", SftpFault::ConnectionLost);
    }

    #[test]
    fn unknown_host_key_is_not_a_changed_one() {
        check(
            "No ED25519 host key is known for [nas]:22 and you have requested strict checking.\r\n\
             Host key verification failed.\r\n",
            SftpFault::HostKeyUnknown(ShownKey::UNTOLD),
        );
        let changed = "@@@@@@@@@@@@@@@@@@@\r\n\
             @    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n\
             Host key for nas has changed and you have requested strict checking.\r\n\
             Host key verification failed.\r\n";
        check(changed, SftpFault::HostKeyChanged(ShownKey::parse(changed)));
    }

    #[test]
    fn refused_key_is_told_from_one_that_ssh_does_not_use() {
        check("ann@nas: Permission denied (publickey).\r\n", SftpFault::KeyRefused);
        check(
            "Load key \"/home/ann/key\": Permission denied\r\nann@nas: Permission denied (publickey).",
            SftpFault::KeyUnreadable,
        );
        check(
            "Warning: Identity file /home/ann/key not accessible: No such file or directory.\r\n\
             ann@nas: Permission denied (publickey).\r\n",
            SftpFault::KeyUnreadable,
        );
        check(
            "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\r\n\
             Permissions 0644 for '/home/ann/key' are too open.\r\n\
             Load key \"/home/ann/key\": bad permissions\r\n\
             ann@nas: Permission denied (publickey).\r\n",
            SftpFault::KeyTooOpen,
        );
        check(
            "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\r\n",
            SftpFault::TooManyTries,
        );
    }

    #[test]
    fn warning_about_a_key_is_not_what_ends_a_line() {
        check(
            "Load key \"/home/ann/old\": invalid format\r\n\
             Connection reset by 10.0.0.1 port 22\r\n",
            SftpFault::ConnectionLost,
        );
        check(
            "Permissions 0644 for '/home/ann/old' are too open.\r\n\
             subsystem request failed on channel 0\r\n",
            SftpFault::NoSftp,
        );
        check("Load key \"/home/ann/old\": invalid format\r\n", SftpFault::KeyUnreadable);
        // The host on the way lets nobody in, so the line to the next one ends.
        check(
            "ann@gate: Permission denied (publickey).\r\n\
             Connection closed by UNKNOWN port 65535\r\n",
            SftpFault::KeyRefused,
        );
    }

    #[test]
    fn session_that_stood_is_lost_and_nothing_else() {
        let login = "Load key \"/home/ann/old\": invalid format\r\n\
                     ann@gate: Permission denied (publickey).\r\n\
                     Welcome, your token is 1234\r\n";
        for (last, expected) in [
            ("", SftpFault::ConnectionLost),
            ("Connection reset by 10.0.0.1 port 22\r\n", SftpFault::ConnectionLost),
            ("client_loop: send disconnect: Broken pipe\r\n", SftpFault::ConnectionLost),
        ] {
            assert_eq!(reason_for_loss(&format!("{login}{last}")), expected, "{last:?}");
        }
        let warned = "Load key \"/home/ann/old\": invalid format\r\n";
        let timeout = format!("{warned}Timeout, server nas not responding.\r\n");
        assert_eq!(reason_for_loss(&timeout), SftpFault::TimedOut);
    }

    #[test]
    fn account_without_sftp_is_named() {
        check("subsystem request failed on channel 0\r\n", SftpFault::NoSftp);
        check("This service allows sftp connections only.\r\n", SftpFault::NoSftp);
    }

    #[test]
    fn option_that_ssh_does_not_know_is_named() {
        check("command-line: line 0: Bad configuration option: colour\r\n", SftpFault::BadOption);
    }

    #[test]
    fn unknown_words_come_without_paths() {
        check(
            "first\r\nget_agent_identities: /run/user/1000/agent went \u{1b}[31maway\r\n",
            SftpFault::Other("get_agent_identities: … went [31maway".to_owned()),
        );
        assert_eq!(reason_for_no_session(" \r\n"), None);
    }

    #[test]
    fn no_fault_holds_what_ssh_wrote() {
        for stderr in [
            "Load key \"/home/ann/key\": invalid format\r\n",
            "Could not resolve hostname /home/ann/key\r\n",
            "strange: /home/ann/key\r\n",
        ] {
            let fault = reason_for_no_session(stderr).expect("it says something");
            assert!(!fault.to_string().contains("/home"), "{fault}");
        }
    }
}
