//! The names in a relation, in either format's syntax.

use crate::target::Format;

/// All packages and capabilities that an expression names, alternatives included.
pub(super) fn names(format: Format, expression: &str) -> Box<dyn Iterator<Item = &str> + '_> {
    match format {
        Format::Deb => Box::new(expression.split('|').map(debian_name)),
        Format::Rpm if expression.starts_with('(') => Box::new(rich_names(expression)),
        Format::Rpm => Box::new(expression.split_whitespace().next().into_iter()),
    }
}

/// `python3.11:any (>= 3.11.2) [amd64]` → `python3.11` (Policy 7.1).
fn debian_name(alternative: &str) -> &str {
    let alternative = alternative.trim();
    let end = alternative.find([' ', '(', '[', '<', ':', '\t', '\n']).unwrap_or(alternative.len());
    alternative.get(..end).unwrap_or_default()
}

/// The words of a boolean expression that are neither its operators nor versions (rpm's "Boolean dependencies").
fn rich_names(expression: &str) -> impl Iterator<Item = &str> {
    let mut version_follows = false;
    expression.split_whitespace().filter_map(move |word| {
        let word = word.trim_start_matches('(');
        if std::mem::take(&mut version_follows) {
            return None;
        }
        match word {
            "and" | "or" | "if" | "unless" | "else" | "with" | "without" => None,
            "<" | "<=" | "=" | ">=" | ">" => {
                version_follows = true;
                None
            }
            name => Some(closed(name)),
        }
    })
}

/// Without the parentheses that close the expression and not the name: `libc.so.6()(64bit))` → `libc.so.6()(64bit)`.
fn closed(name: &str) -> &str {
    let mut name = name;
    while name.ends_with(')') && name.matches(')').count() > name.matches('(').count() {
        name = name.strip_suffix(')').unwrap_or(name);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_both_syntaxes() {
        let all = |format, text| names(format, text).collect::<Vec<_>>();
        assert_eq!(all(Format::Deb, "python3.11:any (>= 3.11.2) | python3"), ["python3.11", "python3"]);
        assert_eq!(all(Format::Deb, "libc6(>=2.3)"), ["libc6"]);
        assert_eq!(all(Format::Rpm, "python(abi) = 3.11"), ["python(abi)"]);
        assert_eq!(
            all(Format::Rpm, "(systemd >= 250 if (a or libc.so.6()(64bit)))"),
            ["systemd", "a", "libc.so.6()(64bit)"]
        );
    }
}
