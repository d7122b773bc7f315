//! `--set key=value`, as `init` and `clone` take it.

use mirror_proto::v1::Setting;

pub(crate) fn parse(typed: &str) -> Result<Setting, String> {
    match typed.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok(Setting { key: key.trim().to_owned(), value: value.to_owned() })
        }
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_all_after_the_first_sign() {
        let setting = parse("proxy=http://a?b=c").expect("a setting");
        assert_eq!((setting.key.as_str(), setting.value.as_str()), ("proxy", "http://a?b=c"));
        assert_eq!(parse("empty=").expect("a setting").value, "");
    }

    #[test]
    fn word_without_a_key_is_refused() {
        assert!(parse("word").is_err());
        assert!(parse("=value").is_err());
    }
}
