//! A unit file as systemd.syntax(7) has it: sections, directives, comments, continued lines.

use std::ops::Range;

/// A unit file, read.
#[derive(Debug, Clone)]
pub(super) struct UnitFile {
    /// Its name below the directory of units: `x.service`, `x.service.d/y.conf`.
    pub(super) name: String,
    /// All of it.
    pub(super) text: String,
    /// What stands in it, in order.
    pub(super) directives: Vec<Directive>,
    sections: Vec<(String, Range<usize>)>,
}

/// `Key=value` of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    /// `Service`.
    pub(super) section: String,
    /// `ExecStart`.
    pub(super) key: String,
    /// Without white space around it; continued lines are joined by spaces.
    pub(super) value: String,
    /// Where it begins, in the file's text.
    pub(super) span: Range<usize>,
}

/// A text that is no unit file.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) text: String,
    pub(super) span: Range<usize>,
    pub(super) problem: String,
    pub(super) hint: Option<String>,
}

impl UnitFile {
    /// Reads `text`. systemd leaves out what it cannot read and says so in its journal only; here it is an error.
    pub(super) fn parse(name: String, text: String) -> Result<Self, Malformed> {
        let (directives, sections) = match read(&text) {
            Ok(read) => read,
            Err((span, problem, hint)) => {
                return Err(Malformed { problem: format!("`{name}`: {problem}"), hint, span, text });
            }
        };
        Ok(Self { name, text, directives, sections })
    }

    /// Whether it changes a unit that is somewhere else.
    pub(super) fn is_drop_in(&self) -> bool {
        self.name.contains('/')
    }

    /// The unit that it is, or that it changes.
    pub(super) fn unit(&self) -> &str {
        match self.name.split_once('/') {
            Some((directory, _)) => directory.strip_suffix(".d").unwrap_or(directory),
            None => &self.name,
        }
    }

    /// `service` of `x.service`.
    pub(super) fn kind(&self) -> &str {
        self.unit().rsplit_once('.').map_or("", |(_, kind)| kind)
    }

    /// Whether it is started by the names of its instances only.
    pub(super) fn is_template(&self) -> bool {
        self.unit().contains("@.")
    }

    pub(super) fn has_section(&self, section: &str) -> bool {
        self.sections.iter().any(|(name, _)| name == section)
    }

    /// The sections with their places.
    pub(super) fn sections(&self) -> &[(String, Range<usize>)] {
        &self.sections
    }

    /// The directives of this name.
    pub(super) fn all<'a>(&'a self, section: &'a str, key: &'a str) -> impl Iterator<Item = &'a Directive> {
        self.directives.iter().filter(move |directive| directive.section == section && directive.key == key)
    }

    /// The one that counts of a directive that takes one value: the last.
    pub(super) fn last(&self, section: &str, key: &str) -> Option<&Directive> {
        let mut all = self.directives.iter().rev();
        let last = all.find(|directive| directive.section == section && directive.key == key);
        last.filter(|directive| !directive.value.is_empty())
    }

    /// Whether a boolean directive (systemd.syntax(7)) says yes.
    pub(super) fn is_true(&self, section: &str, key: &str) -> bool {
        let value = self.last(section, key).map(|directive| directive.value.to_ascii_lowercase());
        matches!(value.as_deref(), Some("1" | "yes" | "true" | "on" | "y" | "t"))
    }

    /// Whether it does one job and ends, when something else starts it.
    pub(super) fn is_job(&self) -> bool {
        let kind = self.last("Service", "Type").map(|directive| directive.value.as_str());
        self.kind() == "service" && kind == Some("oneshot") && !self.is_true("Service", "RemainAfterExit")
    }
}

type Read = (Vec<Directive>, Vec<(String, Range<usize>)>);

fn read(text: &str) -> Result<Read, (Range<usize>, String, Option<String>)> {
    let mut directives = Vec::new();
    let mut sections: Vec<(String, Range<usize>)> = Vec::new();
    let mut position = 0;
    // What a line that ends in `\` has so far, and where it began.
    let mut continued: Option<(String, Range<usize>)> = None;
    for raw in text.split_inclusive('\n') {
        let start = position;
        position += raw.len();
        let line = raw.trim_end_matches('\n');
        let trimmed = line.trim();
        // A comment between continued lines is none of them.
        if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && continued.is_none()) {
            continue;
        }
        let (mut whole, span) = match continued.take() {
            Some((before, span)) => (format!("{before} {trimmed}"), span),
            None => (trimmed.to_owned(), start..start + line.len()),
        };
        if whole.ends_with('\\') {
            whole.pop();
            continued = Some((whole.trim_end().to_owned(), span));
            continue;
        }
        logical_line(&whole, span, &mut directives, &mut sections)?;
    }
    match continued {
        Some((_, span)) => Err((
            span,
            "the last line ends in `\\`, and nothing comes after it".to_owned(),
            Some("take the `\\` away".to_owned()),
        )),
        None => Ok((directives, sections)),
    }
}

fn logical_line(
    line: &str,
    span: Range<usize>,
    directives: &mut Vec<Directive>,
    sections: &mut Vec<(String, Range<usize>)>,
) -> Result<(), (Range<usize>, String, Option<String>)> {
    if let Some(rest) = line.strip_prefix('[') {
        let Some(name) = rest.strip_suffix(']').filter(|name| !name.is_empty() && !name.contains(['[', ']'])) else {
            return Err((span, format!("`{line}` is no section"), Some("write it like `[Service]`".to_owned())));
        };
        sections.push((name.to_owned(), span));
        return Ok(());
    }
    let Some((key, value)) = line.split_once('=') else {
        let hint = "write `Key=value`; a line is continued only after one that ends in `\\`";
        return Err((span, "a line is neither a section nor `Key=value`".to_owned(), Some(hint.to_owned())));
    };
    let Some((section, _)) = sections.last() else {
        let hint = "begin with a section, such as `[Unit]`";
        return Err((span, format!("`{}=` stands before the first section", key.trim()), Some(hint.to_owned())));
    };
    let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
    directives.push(Directive { section: section.clone(), key, value, span });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> UnitFile {
        UnitFile::parse("x.service".to_owned(), text.to_owned()).expect(text)
    }

    #[test]
    fn lines_are_continued_and_comments_between_them_left_out() {
        let unit = parsed("# x\n[Service]\nExecStart=/bin/a \\\n# why\n   --b \\\n\n; y\nRestart = always\n");
        let values: Vec<(&str, &str)> = unit.directives.iter().map(|it| (it.key.as_str(), it.value.as_str())).collect();
        assert_eq!(
            values,
            [("ExecStart", "/bin/a --b "), ("Restart", "always")].map(|(key, value)| (key, value.trim()))
        );
        assert_eq!(unit.text.get(unit.directives[1].span.clone()), Some("Restart = always"));
    }

    #[test]
    fn the_last_value_counts_and_an_empty_one_takes_it_back() {
        let unit = parsed("[Service]\nType=simple\nType=oneshot\nRemainAfterExit=On\nUser=a\nUser=\n");
        assert_eq!(unit.last("Service", "Type").map(|it| it.value.as_str()), Some("oneshot"));
        assert!(unit.is_true("Service", "RemainAfterExit") && !unit.is_job());
        assert_eq!(unit.last("Service", "User"), None);
    }

    #[test]
    fn what_systemd_would_leave_out_is_an_error_with_its_place() {
        for (text, place, expected) in [
            ("ExecStart=/bin/a\n", "ExecStart=/bin/a", "before the first section"),
            ("[Service]\nExecStart\n", "ExecStart", "neither a section nor"),
            ("[Service\nA=b\n", "[Service", "is no section"),
            ("[Service]\nA=b \\", "A=b \\", "nothing comes after it"),
        ] {
            let malformed = UnitFile::parse("x.service".to_owned(), text.to_owned()).expect_err(text);
            assert!(malformed.problem.contains(expected), "{}", malformed.problem);
            assert_eq!(malformed.text.get(malformed.span), Some(place));
        }
    }

    #[test]
    fn names_tell_templates_and_drop_ins() {
        let unit = |name: &str| UnitFile::parse(name.to_owned(), "[Unit]\n".to_owned()).expect(name);
        assert!(unit("x@.service").is_template() && !unit("x@a.service").is_template());
        let drop_in = unit("x@.service.d/limits.conf");
        assert!(drop_in.is_drop_in() && drop_in.unit() == "x@.service" && drop_in.kind() == "service");
    }
}
