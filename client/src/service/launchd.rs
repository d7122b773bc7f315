//! An agent of launchd.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{MARK, Manager, Wanted};

const LABEL: &str = "dev.mirrord.mirrord";

pub(super) fn file(home: &Path, _config_home: &Path) -> PathBuf {
    home.join("Library/LaunchAgents").join(format!("{LABEL}.plist"))
}

/// launchd waits a while before it starts again what ended badly, so a wrong
/// setting doesn't keep the machine busy.
pub(super) fn text(wanted: &Wanted) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <!-- {MARK}; `mirrorctl daemon disable` removes it. -->\n\
         <plist version=\"1.0\">\n<dict>\n\
         <key>Label</key><string>{LABEL}</string>\n\
         <key>ProgramArguments</key><array><string>{program}</string></array>\n\
         {places}\
         <key>Umask</key><integer>{umask}</integer>\n\
         <key>RunAtLoad</key><true/>\n\
         <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>\n\
         <key>ThrottleInterval</key><integer>30</integer>\n\
         <key>ExitTimeOut</key><integer>20</integer>\n\
         <key>ProcessType</key><string>Background</string>\n\
         </dict>\n</plist>\n",
        program = escaped(&wanted.program.display().to_string()),
        places = places(wanted),
        umask = wanted.umask,
    )
}

/// The line that says whose daemon it is.
pub(super) fn places(wanted: &Wanted) -> String {
    let pair = |(name, value): &(&str, String)| {
        format!("<key>{name}</key><string>{}</string>", escaped(value))
    };
    let pairs = wanted.environment.iter().map(pair).collect::<Vec<_>>().concat();
    if pairs.is_empty() {
        return pairs;
    }
    format!("<key>EnvironmentVariables</key><dict>{pairs}</dict>\n")
}

pub(super) fn places_in(text: &str) -> String {
    text.split_inclusive('\n')
        .filter(|line| line.starts_with("<key>EnvironmentVariables<"))
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

pub(super) fn is_linked(_file: &Path) -> bool {
    true
}

/// Every file in its folder is taken up at the next login.
#[allow(clippy::unnecessary_wraps, reason = "other systems may fail here")]
pub(super) fn link_in(_file: &Path) -> io::Result<bool> {
    Ok(false)
}

/// The folder is the system's.
pub(super) fn folders_out(_file: &Path) {}

#[allow(clippy::unnecessary_wraps, reason = "other systems may fail here")]
pub(super) fn link_out(_file: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn manager() -> Manager {
    match launchctl(&["print", &domain()], None) {
        true => Manager::Answers,
        false => Manager::NotHere,
    }
}

pub(super) fn reload(_file: &Path) {}

/// It has no folders but those of the login.
pub(super) fn sees(_file: &Path) -> bool {
    true
}

pub(super) fn start(file: &Path) -> bool {
    launchctl(&["bootstrap", &domain()], Some(file));
    launchctl(&["kickstart", &format!("{}/{LABEL}", domain())], None)
}

pub(super) fn advice(_home: &Path) -> Option<String> {
    None
}

fn domain() -> String {
    format!("gui/{}", mirror_proto::socket::user_id())
}

fn launchctl(words: &[&str], file: Option<&Path>) -> bool {
    let mut command = Command::new("launchctl");
    command.args(words).args(file);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::super::tests::wanted;
    use super::*;

    #[test]
    fn agent_names_the_program_and_the_home_whatever_their_names_are() {
        let wanted = wanted(&[("MIRRORD_HOME", "/a <b> & c")]);
        let text = text(&wanted);
        assert!(text.contains("<string>/opt/50% off/mirrord</string>"), "{text}");
        assert!(text.contains("<string>/a &lt;b&gt; &amp; c</string>"), "{text}");
        assert_eq!(places_in(&text), places(&wanted));
    }
}
