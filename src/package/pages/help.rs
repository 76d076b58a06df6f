//! Reads what a command prints for `--help`: the layouts of argparse, click and clap, and what resembles them.
//!
//! They have in common: a line `usage:`; titles at the left edge that end with a colon, with indented lines below; in
//! them, options at the left and their explanations in a column at the right or on the lines below.

use super::roff::is_silent;

/// More than this is no help.
pub const LONGEST_HELP: usize = 256 * 1024;

/// A help text in its parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Help {
    /// What may be called, each in one line.
    pub(super) usage: Vec<String>,
    /// In their order; those without a title are prose.
    pub(super) sections: Vec<Section>,
}

/// A part of a help text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// Without the colon.
    pub(super) title: Option<String>,
    /// With their indentation.
    pub(super) lines: Vec<String>,
}

/// What stands below a title.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// An option, an argument, a subcommand.
    Term(&'a str),
    /// A line that explains the last term, or prose where there is none.
    Text(&'a str),
    /// The next line begins a paragraph of the last term's explanation, or of the prose.
    Break,
    /// The next line is prose again.
    End,
}

impl Help {
    /// The parts of `text`; `None` when it is none, because it has neither usage nor options.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST_HELP {
            return None;
        }
        let text = plain(text);
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let mut help = Self::default();
        let mut section = Section::default();
        let mut in_usage = false;
        let mut after_blank = false;
        for (at, line) in lines.iter().enumerate() {
            let indented = line.starts_with(' ');
            let blank = line.is_empty();
            if let Some(rest) = usage(line) {
                in_usage = true;
                help.close(&mut section);
                help.usage.extend((!rest.is_empty()).then(|| rest.to_owned()));
            } else if in_usage && indented {
                help.add_usage(line.trim());
            } else if let Some(title) = title(line, lines.get(at + 1..).unwrap_or_default()) {
                in_usage = false;
                help.close(&mut section);
                section.title = Some(title.to_owned());
            } else {
                in_usage = in_usage && !blank;
                if !indented && !blank && after_blank && section.title.is_some() {
                    help.close(&mut section);
                }
                section.lines.push((*line).to_owned());
            }
            after_blank = blank;
        }
        help.close(&mut section);
        let has_options = || help.sections.iter().any(|section| section.title.is_some() && section.has_options());
        (!help.usage.is_empty() || has_options()).then_some(help)
    }

    /// A further line of the usage: another way to call the command, or the rest of the last one.
    fn add_usage(&mut self, line: &str) {
        let line = line.strip_prefix("or:").unwrap_or(line).trim();
        let program = self.usage.first().and_then(|first| first.split(' ').next()).unwrap_or_default();
        let another = line.split(' ').next() == Some(program);
        match self.usage.last_mut() {
            Some(last) if !another => {
                last.push(' ');
                last.push_str(line);
            }
            _ => self.usage.push(line.to_owned()),
        }
    }

    fn close(&mut self, section: &mut Section) {
        let mut done = std::mem::take(section);
        while done.lines.last().is_some_and(String::is_empty) {
            done.lines.pop();
        }
        let lead = done.lines.iter().take_while(|line| line.is_empty()).count();
        done.lines.drain(..lead);
        if !done.lines.is_empty() {
            self.sections.push(done);
        }
    }
}

/// What follows `usage:` at the left edge.
fn usage(line: &str) -> Option<&str> {
    let (word, rest) = line.split_at_checked("usage:".len())?;
    word.eq_ignore_ascii_case("usage:").then(|| rest.trim())
}

/// A title: at the left edge, ends with a colon, and what follows is indented.
fn title<'a>(line: &'a str, following: &[&str]) -> Option<&'a str> {
    let title = line.strip_suffix(':')?;
    let next = following.iter().find(|line| !line.is_empty())?;
    let good = !line.starts_with(' ') && !title.trim().is_empty() && title.chars().count() <= 60;
    (good && next.starts_with(' ')).then_some(title.trim())
}

/// How far an option may stand to the right of the first: clap leaves room for `-x, ` before long ones.
const OPTION_INDENT: usize = 6;

impl Section {
    /// Whether one of its lines begins with an option.
    pub(super) fn has_options(&self) -> bool {
        self.lines.iter().any(|line| is_option(line.trim_start()))
    }

    /// Its lines without the indentation that all of them have.
    pub(super) fn dedented(&self) -> impl Iterator<Item = &str> {
        let least = self.least_indent();
        self.lines.iter().map(move |line| line.get(least..).unwrap_or_default())
    }

    fn least_indent(&self) -> usize {
        self.lines.iter().filter(|line| !line.is_empty()).map(|line| indent(line)).min().unwrap_or(0)
    }

    /// Its lines as terms and what explains them.
    pub(super) fn items(&self) -> Vec<Item<'_>> {
        let lines: Vec<&str> = self.dedented().collect();
        let mut items = Vec::new();
        let (mut in_term, mut after_blank) = (false, false);
        for (at, line) in lines.iter().enumerate() {
            let text = line.trim_start();
            if text.is_empty() {
                after_blank = true;
                continue;
            }
            let column = indent(line);
            let (term, explanation) = at_gap(text);
            let explained_below = || {
                let next = lines.get(at + 1).copied().unwrap_or_default();
                !next.is_empty() && indent(next) > column
            };
            let is_term = column <= OPTION_INDENT
                && (is_option(text) || explanation.is_some() || (column == 0 && explained_below()));
            if is_term {
                items.push(Item::Term(term));
                items.extend(explanation.map(Item::Text));
                in_term = true;
            } else {
                if in_term && column == 0 {
                    items.push(Item::End);
                    in_term = false;
                } else if after_blank && !items.is_empty() {
                    items.push(Item::Break);
                }
                items.push(Item::Text(text));
            }
            after_blank = false;
        }
        items
    }
}

fn indent(line: &str) -> usize {
    line.bytes().take_while(|byte| *byte == b' ').count()
}

/// `-x`, `--long`; not a dash that begins an item of a list.
fn is_option(text: &str) -> bool {
    text.strip_prefix('-').and_then(|rest| rest.chars().next()).is_some_and(|next| !next.is_whitespace())
}

/// Apart at the first two blanks.
fn at_gap(text: &str) -> (&str, Option<&str>) {
    match text.split_once("  ") {
        Some((term, explanation)) if !explanation.trim().is_empty() => (term, Some(explanation.trim())),
        _ => (text, None),
    }
}

/// `text` as a terminal without colours would show it: escape sequences (ECMA-48) and other control characters gone,
/// overstruck characters resolved, tabs as blanks.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut column = 0_usize;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' => {
                plain.push('\n');
                column = 0;
            }
            '\t' => {
                let blanks = 8 - column % 8;
                plain.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\u{8}' => {
                if column > 0 {
                    plain.pop();
                    column -= 1;
                }
            }
            other if is_silent(other) => {}
            other => {
                plain.push(other);
                column += 1;
            }
        }
    }
    plain
}

/// Skips what follows ESC: a control sequence, a string up to its terminator on the same line, or one character.
fn skip_sequence(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next_if(|next| *next != '\n') {
        Some('[') => {
            while characters.next_if(|next| !('\u{40}'..='\u{7e}').contains(next) && *next != '\n').is_some() {}
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while characters.next_if(|next| !matches!(next, '\u{7}' | '\u{1b}' | '\n')).is_some() {}
            if characters.peek() == Some(&'\u{1b}') {
                characters.next();
            }
        }
        _ => return,
    }
    // The sequence's last character.
    characters.next_if(|next| *next != '\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(help: &Help) -> Vec<Option<&str>> {
        help.sections.iter().map(|section| section.title.as_deref()).collect()
    }

    #[test]
    fn argparse_is_understood() {
        let text = "usage: acme [-h] [--port PORT]\n            {run,stop} ...\n\nDoes it.\n\npositional arguments:\n  \
                    {run,stop}\n    run       Runs it\n    stop      Stops it\n\noptions:\n  -h, --help  show this help\n  \
                    --port PORT\n              the port\n              to use\n\nThe end.\n";
        let help = Help::parse(text).unwrap();
        assert_eq!(help.usage, ["acme [-h] [--port PORT] {run,stop} ..."]);
        assert_eq!(titles(&help), [None, Some("positional arguments"), Some("options"), None]);
        use Item::{Term, Text};
        assert_eq!(
            help.sections[1].items(),
            [Term("{run,stop}"), Term("run"), Text("Runs it"), Term("stop"), Text("Stops it")]
        );
        assert_eq!(
            help.sections[2].items(),
            [Term("-h, --help"), Text("show this help"), Term("--port PORT"), Text("the port"), Text("to use")]
        );
        assert_eq!(help.sections[3].lines, ["The end."]);
    }

    #[test]
    fn click_is_understood() {
        let text = "Usage: acme [OPTIONS] COMMAND [ARGS]...\n\n  Does it.\n\n  At once.\n\nOptions:\n  --port INTEGER  The \
                    port\n                  [default: 1]\n  --help          Show this message and exit.\n\nCommands:\n  \
                    run  Runs it.\n";
        let help = Help::parse(text).unwrap();
        assert_eq!(help.usage, ["acme [OPTIONS] COMMAND [ARGS]..."]);
        assert_eq!(titles(&help), [None, Some("Options"), Some("Commands")]);
        assert_eq!(help.sections[0].dedented().collect::<Vec<_>>(), ["Does it.", "", "At once."]);
        assert_eq!(help.sections[1].items().len(), 5);
    }

    #[test]
    fn clap_is_understood() {
        let text = "Does it\n\nUsage: acme [OPTIONS] <FILE>\n\nArguments:\n  <FILE>\n          What to read\n\nOptions:\n  \
                    -p, --port <PORT>\n          The port\n\n          More of it\n\n      --long\n          Another\n";
        let help = Help::parse(text).unwrap();
        assert_eq!(titles(&help), [None, Some("Arguments"), Some("Options")]);
        use Item::{Break, Term, Text};
        assert_eq!(
            help.sections[2].items(),
            [Term("-p, --port <PORT>"), Text("The port"), Break, Text("More of it"), Term("--long"), Text("Another")]
        );
    }

    #[test]
    fn what_is_no_help_is_not_taken_for_one() {
        for text in ["", "{\"service\": \"acme-api\"}", "listening on 127.0.0.1\n", "versions:\n  flask 3.0\n"] {
            assert_eq!(Help::parse(text), None, "{text:?}");
        }
        assert_eq!(Help::parse(&format!("usage: x\n{}", "y".repeat(10_000_000))), None);
    }

    #[test]
    fn what_a_terminal_would_do_is_done() {
        assert_eq!(
            plain("\u{1b}[1;31mred\u{1b}[0m b\u{8}bo_\u{8}ld\r\n\u{1b}]8;;http://x\u{1b}\\link\u{7}"),
            "red bold\nlink"
        );
        assert_eq!(plain("a\tb\u{0}\u{202e}\nc\u{1b}"), "a       b\nc");
        assert_eq!(plain("\u{1b}[12\nkept"), "\nkept");
    }
}
