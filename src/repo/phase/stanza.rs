//! The field that apt reads, which belongs to the index and never to the package.

use std::borrow::Cow;

const FIELD: &str = "Phased-Update-Percentage";
/// It stands before the first of these.
const BEFORE: [&str; 3] = ["Filename", "Description", "Description-md5"];

/// A stanza of `Packages` (or several fields of one) with this percentage and no other; none, or 100, takes the field
/// away. It goes where what the index knows begins (`Filename`), else before the description, else to the end.
pub fn with_phase(stanza: &str, phase: Option<u8>) -> String {
    let mut text = String::with_capacity(stanza.len() + FIELD.len() + 7);
    let mut field = match phase {
        Some(percentage) if percentage < 100 => Some(Cow::Owned(format!("{FIELD}: {percentage}\n"))),
        _ => None::<Cow<'_, str>>,
    };
    let mut dropping = false;
    for line in stanza.split_inclusive('\n') {
        if line.starts_with([' ', '\t']) {
            if !dropping {
                text.push_str(line);
            }
            continue;
        }
        let name = line.split(':').next().unwrap_or_default();
        dropping = name.eq_ignore_ascii_case(FIELD);
        if dropping {
            continue;
        }
        let ends = line.trim_end_matches(['\r', '\n']).is_empty();
        if ends || BEFORE.iter().any(|before| name.eq_ignore_ascii_case(before)) {
            text.extend(field.take().as_deref());
        }
        text.push_str(line);
    }
    if let Some(field) = field {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&field);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::with_phase;

    const STANZA: &str = "Package: acme\nVersion: 1.0-1\nFilename: x\nSHA256: 00\nDescription: x\n long\n .\n more\n\n";

    #[test]
    fn the_field_is_put_replaced_and_taken_away() {
        let ten = with_phase(STANZA, Some(10));
        assert_eq!(ten, STANZA.replace("Filename:", "Phased-Update-Percentage: 10\nFilename:"));
        assert_eq!(with_phase(&ten, Some(50)), ten.replace(": 10\n", ": 50\n"));
        assert_eq!(with_phase(&ten, None), STANZA);
        assert_eq!(with_phase(&ten, Some(100)), STANZA);
        assert_eq!(with_phase(STANZA, None), STANZA);
    }

    #[test]
    fn a_field_of_the_package_itself_is_replaced_however_it_is_spelt() {
        let own = "Package: acme\nphased-update-PERCENTAGE: 3\n and more\nVersion: 1\n";
        assert_eq!(with_phase(own, Some(0)), "Package: acme\nVersion: 1\nPhased-Update-Percentage: 0\n");
        assert_eq!(
            with_phase("Package: acme\nVersion: 1", Some(1)),
            "Package: acme\nVersion: 1\nPhased-Update-Percentage: 1\n"
        );
    }

    #[test]
    fn only_one_field_is_put_where_both_descriptions_are() {
        let both = "Package: a\nDescription: x\nDescription-md5: 0\n\n";
        assert_eq!(with_phase(both, Some(7)).matches("Phased-Update-Percentage").count(), 1);
    }
}
