//! A failure: what happened, to what, and what to do.

use mirror_proto::v1::Fault;

use crate::output::escape::escape;
use crate::output::paint::Paint;

pub(crate) fn report(fault: &Fault, paint: Paint) -> String {
    let mut text = format!("{} {}", paint.red("error:"), escape(&fault.message));
    let named = [&fault.path, &fault.backend];
    for name in named.into_iter().flatten() {
        // Most messages name it already.
        if !fault.message.contains(name.as_str()) {
            text += &format!(" ({})", escape(name));
        }
    }
    text.push('\n');
    if let Some(hint) = &fault.hint {
        text += &format!("{} {}\n", paint.cyan("hint:"), escape(hint));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_says_what_where_and_what_to_do() {
        let fault = Fault {
            message: "storage is full".to_owned(),
            backend: Some("primary".to_owned()),
            hint: Some("make room\nthere".to_owned()),
            ..Fault::default()
        };
        assert_eq!(
            report(&fault, Paint::PLAIN),
            "error: storage is full (primary)\nhint: make room\\nthere\n"
        );
    }

    #[test]
    fn path_in_the_message_is_not_repeated() {
        let fault = Fault {
            message: "no permission for a.md".to_owned(),
            path: Some("a.md".to_owned()),
            ..Fault::default()
        };
        assert_eq!(report(&fault, Paint::PLAIN), "error: no permission for a.md\n");
    }
}
