//! What Claude Code calls a folder of this machine among its projects.

use std::path::Path;

/// Longer names are cut here, and told apart by a number.
const LONGEST: usize = 200;

/// The name of a folder, whose links are followed already. Two folders may have one.
pub(super) fn slug(real: &Path) -> String {
    let units: Vec<u16> = real.to_string_lossy().encode_utf16().collect();
    let letter = |unit: &u16| match u8::try_from(*unit) {
        Ok(byte) if byte.is_ascii_alphanumeric() => char::from(byte),
        _ => '-',
    };
    let name: String = units.iter().map(letter).collect();
    if units.len() <= LONGEST {
        return name;
    }
    let hash =
        units.iter().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(*unit)));
    format!("{}-{}", &name[..LONGEST], base_36(hash.unsigned_abs()))
}

fn base_36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.extend(char::from_digit(number % 36, 36));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, name: &str) {
        assert_eq!(slug(Path::new(path)), name, "{path}");
    }

    #[test]
    fn what_is_no_letter_or_digit_becomes_a_dash() {
        check("/home/ann/notes", "-home-ann-notes");
        check("/home/ann/my notes_v1.2", "-home-ann-my-notes-v1-2");
        check("/home/ann/a-b", "-home-ann-a-b");
        check("/home/ann/a/b", "-home-ann-a-b");
        check("C:\\Users\\x", "C--Users-x");
    }

    #[test]
    fn letters_of_other_scripts_count_by_their_units() {
        check("/å", "--");
        check("/日本", "---");
        // A pair of units is two of them.
        check("/🦀", "---");
    }

    #[test]
    fn a_long_name_is_cut_and_ends_with_a_number_of_the_whole_path() {
        let exactly = format!("/{}", "a".repeat(LONGEST - 1));
        check(&exactly, &exactly.replace('/', "-"));
        let (one, other) = (format!("{exactly}b"), format!("{exactly}c"));
        let [one, other] = [one, other].map(|path| slug(Path::new(&path)));
        assert_eq!(one[..LONGEST], exactly.replace('/', "-"));
        assert_eq!(one.as_bytes()[LONGEST], b'-');
        assert_ne!(one, other);
        // As 31 · h + unit of signed 32 bits gives it, without its sign.
        check(&format!("/{}", "a".repeat(250)), &format!("-{}-{}", "a".repeat(199), HASHED));
    }

    const HASHED: &str = "feo44x";

    #[test]
    fn numbers_are_written_with_letters() {
        assert_eq!(
            (base_36(0).as_str(), base_36(35).as_str(), base_36(36).as_str()),
            ("0", "z", "10")
        );
        assert_eq!(base_36(i32::MIN.unsigned_abs()), "zik0zk");
    }
}
