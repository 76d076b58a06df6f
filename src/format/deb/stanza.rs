//! A stanza of a control file (deb822(5)): fields in order, values with their continuation lines.

use crate::format::error::Fault;

/// Reads the one stanza of a binary package's `control`. A value keeps the line breaks and the leading blanks of its
/// continuation lines, so that `Name: value` is the field again.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut fields: Vec<(String, String)> = Vec::new();
    if let Some(bad) = text.chars().find(|&character| character.is_control() && !matches!(character, '\n' | '\t')) {
        return Err(Fault::malformed(format!("its control file has the control character {bad:?}")));
    }
    for line in text.trim_end_matches('\n').split('\n') {
        if line.trim().is_empty() {
            return Err(Fault::malformed("its control file has an empty line: it must be one stanza"));
        }
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields
                .last_mut()
                .ok_or_else(|| Fault::malformed("its control file begins with a continuation line"))?;
            value.push('\n');
            value.push_str(line);
            continue;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| {
            Fault::malformed(format!("its control file has a line without a field name: `{}`", line.escape_debug()))
        })?;
        let good =
            !name.is_empty() && !name.starts_with(['-', '#']) && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !good {
            return Err(Fault::malformed(format!("`{}` is no field name", name.escape_debug())));
        }
        if fields.iter().any(|(present, _)| present.eq_ignore_ascii_case(name)) {
            return Err(Fault::malformed(format!("its control file has the field `{name}` twice")));
        }
        if fields.len() == 200 {
            return Err(Fault::malformed("its control file has more fields than any package"));
        }
        fields.push((name.to_owned(), value.trim().to_owned()));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuation_lines_stay_as_they_are() {
        let fields = parse("Package: acme\nDescription: one line\n more\n .\n  verbatim\n").expect("a stanza");
        assert_eq!(fields[1], ("Description".to_owned(), "one line\n more\n .\n  verbatim".to_owned()));
    }

    #[test]
    fn a_second_stanza_and_a_second_field_of_the_same_name_are_refused() {
        for text in
            ["Package: a\n\nPackage: b\n", "Package: a\npackage: b\n", " x\n", "Package\n", "", "A: \u{1b}[0m\n"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
