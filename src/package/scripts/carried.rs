//! One script inside another: the project's own within what packhouse makes, whatever language it is in, with the arguments
//! that it knows, unable to end what is around it.

use super::own::Language;
use crate::package::Script;
use crate::package::template::shell;

/// What becomes of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The script around it fails at once.
    Fatal,
    /// The script around it goes on, and fails at its end.
    Kept,
    /// The script around it goes on, and says so.
    Said,
}

/// A script of the project within another.
#[derive(Debug)]
pub(super) struct Part {
    /// What its own format calls it, for messages: `%post`, `prerm`.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
    pub(super) language: Language,
    /// A condition of the shell under which it runs.
    pub(super) condition: Option<&'static str>,
    /// Commands of the shell that give it its arguments; those of the script around it when there are none.
    pub(super) arguments: String,
    pub(super) failure: Failure,
}

/// The shell that parts run in, and how it is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    /// `/bin/sh`.
    pub(super) program: &'a str,
    /// Whether a failing command ends it (`set -e`).
    pub(super) strict: bool,
    /// What rpm does with the text.
    pub(super) flags: u32,
}

impl Around<'_> {
    /// Commands that run `part`.
    ///
    /// It is a command of its own, not one side of `||`: there the shell would ignore the part's `set -e` (POSIX.1-2024, `set`).
    pub(super) fn run(self, part: &Part) -> String {
        let own = |text: &str| self.escaped(text);
        let strict = self.strict && part.failure != Failure::Fatal;
        let mut out = String::new();
        if let Some(condition) = part.condition {
            out.push_str(&own(&format!("if {condition}; then\n")));
        }
        if strict {
            out.push_str("set +e\n");
        }
        out.push_str("(\n");
        if self.strict && !strict {
            out.push_str("set +e\n");
        }
        out.push_str(&own(&part.arguments));
        out.push_str(&self.body(part));
        out.push_str(")\n");
        let after = match (part.failure, self.strict) {
            (Failure::Fatal, true) => String::new(),
            (Failure::Fatal, false) => "code=$?\n[ \"$code\" -eq 0 ] || exit \"$code\"\n".to_owned(),
            (Failure::Kept, _) => "code=$?\n[ \"$code\" -eq 0 ] || status=$code\n".to_owned(),
            (Failure::Said, _) => format!(
                "code=$?\n{}[ \"$code\" -eq 0 ] || echo {}\" $code\" >&2\n",
                if strict { "set -e\n" } else { "" },
                shell(&format!("warning: the script {} failed with exit status", part.name)),
            ),
        };
        out.push_str(&own(&after));
        if part.condition.is_some() {
            out.push_str("fi\n");
        }
        out
    }

    fn body(self, part: &Part) -> String {
        match &part.language {
            Language::Shell { program, options } if program == self.program => {
                let set: String = options.iter().map(|option| format!("set {option}\n")).collect();
                format!("{set}{}", ended(&part.text))
            }
            Language::Shell { program, options } => {
                let interpreter: Vec<String> = std::iter::once(program).chain(options).cloned().collect();
                self.through_a_file(&part.text, &interpreter)
            }
            Language::Program(interpreter) => self.through_a_file(&part.text, interpreter),
            // Nothing outside rpm runs it: see `lua`.
            Language::Lua => String::new(),
        }
    }

    /// As rpm itself does it: the text becomes a file that its program reads.
    fn through_a_file(self, text: &str, interpreter: &[String]) -> String {
        let mut end = String::from("END_OF_SCRIPT");
        while text.lines().any(|line| line == end) {
            end.push('_');
        }
        let words: Vec<String> = interpreter.iter().map(|word| shell(word)).collect();
        format!(
            "{}{}{}",
            self.escaped(&format!(
                "script=$(mktemp) || exit\ntrap 'rm -f \"$script\"' EXIT\ncat > \"$script\" <<'{end}'\n"
            )),
            ended(text),
            self.escaped(&format!("{end}\n{}{RUNS}\n", words.join(" "))),
        )
    }

    /// Text of packhouse's own, such that it is itself again after rpm has done to it what the flags say: first the query format
    /// (`headerFormat`), then the macros (`rpmExpand`).
    pub(super) fn escaped(self, text: &str) -> String {
        let mut text = text.to_owned();
        if self.flags & Script::EXPAND != 0 {
            text = text.replace('%', "%%");
        }
        if self.flags & Script::QUERY_FORMAT != 0 {
            text = text.chars().fold(String::new(), |mut out, character| {
                match character {
                    '%' => out.push('%'),
                    '\\' | '[' | ']' | '{' | '}' => out.push('\\'),
                    _ => {}
                }
                out.push(character);
                out
            });
        }
        text
    }
}

/// How a line of [`Around::through_a_file`] ends that runs a program.
const RUNS: &str = " \"$script\" \"$@\"";

/// The programs that parts of a script are given to.
pub(in crate::package) fn programs(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_suffix(RUNS)?.split(' ').next())
}

/// `text` with a line break at its end.
pub(super) fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

/// A Lua scriptlet with commands of the shell after it.
pub(super) fn lua(text: &str, commands: &str, flags: u32) -> String {
    let around = Around { program: "/bin/sh", strict: false, flags };
    let mut level = String::new();
    while commands.contains(&format!("]{level}]")) {
        level.push('=');
    }
    format!(
        "{}{}{}",
        around.escaped("(function()\n"),
        ended(text),
        around.escaped(&format!(
            "end)()\nos.execute(\"set -- \" .. tostring(arg[2]) .. \"\\n\" .. [{level}[\n{commands}]{level}])\n"
        )),
    )
}
