//! debian/rules, read as text. It is a makefile, and never run: what only make or a shell can know is said to be unknown.
//!
//! Read are variables, rules with their recipes and continuation lines, of GNU make's manual chapters 3 to 6. Functions
//! (`$(shell …)`), conditions and variables of included files have no value here.

use std::collections::BTreeMap;

/// What a variable's value may grow to; a makefile can double a text with each line.
const LONGEST: usize = 64 << 10;
/// How deep variables may name one another.
const DEEPEST: usize = 16;
/// How many variables one text may name, those in their values among them.
const MOST: usize = 10_000;

/// A makefile.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    variables: BTreeMap<String, Variable>,
    /// The commands of all recipes, in the order of the file.
    pub(super) commands: Vec<Command>,
}

#[derive(Debug, Clone)]
struct Variable {
    /// Not expanded.
    text: String,
    /// Whether a condition decides about it.
    conditional: bool,
}

/// One command of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// The rule's target: `override_dh_virtualenv`.
    pub(super) target: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// As it is written, continuation lines joined, without make's own `@`, `-` and `+`.
    pub(super) text: String,
}

/// Why a text has no value here.
pub(super) type Unknown = String;

impl Rules {
    pub(super) fn parse(text: &str) -> Self {
        let mut rules = Self::default();
        let (mut targets, mut conditions, mut defines) = (Vec::new(), 0_usize, false);
        for (line, text) in logical_lines(text) {
            if let Some(recipe) = text.strip_prefix('\t').filter(|_| !targets.is_empty() && !defines) {
                rules.recipe(&targets, line, recipe);
                continue;
            }
            let text = without_comment(&text).trim().to_owned();
            let word = text.split([' ', '\t', '(']).next().unwrap_or_default();
            match word {
                "" => {}
                "endef" => defines = false,
                _ if defines => {}
                "define" => defines = true,
                "ifeq" | "ifneq" | "ifdef" | "ifndef" => conditions += 1,
                "endif" => conditions = conditions.saturating_sub(1),
                "else" | "include" | "-include" | "sinclude" | "unexport" | "vpath" => {}
                _ => {
                    if rules.assignment(&text, conditions > 0) {
                        continue;
                    }
                    if let Some((names, rest)) = text.split_once(':') {
                        targets = names.split_whitespace().map(str::to_owned).collect();
                        if let Some((_, recipe)) = rest.split_once(';') {
                            rules.recipe(&targets, line, recipe);
                        }
                    }
                }
            }
        }
        rules
    }

    fn recipe(&mut self, targets: &[String], line: usize, text: &str) {
        let text = text.trim_start_matches(['@', '-', '+', ' ', '\t']).trim();
        if text.is_empty() || text.starts_with('#') {
            return;
        }
        for target in targets.iter().filter(|target| !target.starts_with('.')) {
            self.commands.push(Command { target: target.clone(), line, text: text.to_owned() });
        }
    }

    /// Whether the line sets a variable.
    fn assignment(&mut self, text: &str, conditional: bool) -> bool {
        let mut rest = text;
        while let Some(after) = ["export ", "override ", "private "].iter().find_map(|word| rest.strip_prefix(word)) {
            rest = after.trim_start();
        }
        let Some(equals) = rest.find('=') else { return rest.len() != text.len() };
        let (before, value) = (rest.get(..equals).unwrap_or_default(), rest.get(equals + 1..).unwrap_or_default());
        let name = before.trim_end_matches([':', '?', '+', '!']).trim();
        let operator = before.get(before.trim_end_matches([':', '?', '+', '!']).len()..).unwrap_or_default();
        let named = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-');
        // A target-specific variable (`a: X = 1`) is one of another place.
        if name.is_empty() || !name.chars().all(named) {
            return false;
        }
        let value = value.trim();
        let variable = match (operator, self.variables.get(name)) {
            ("?", Some(_)) => return true,
            ("+", Some(present)) => {
                Variable { text: format!("{} {value}", present.text), conditional: conditional || present.conditional }
            }
            _ => Variable { text: value.to_owned(), conditional },
        };
        self.variables.insert(name.to_owned(), variable);
        true
    }

    /// The value of a variable; `None` when it is not set.
    pub(super) fn value_of(&self, name: &str) -> Option<Result<String, Unknown>> {
        let variable = self.variables.get(name)?;
        if variable.conditional {
            return Some(Err(format!("a condition decides about {name}")));
        }
        Some(self.expand(&variable.text))
    }

    /// The names of the variables that are set.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// `text` with the values of its variables.
    pub(super) fn expand(&self, text: &str) -> Result<String, Unknown> {
        let mut state = Expansion::default();
        let text = self.expanded(text, DEEPEST, &mut state);
        state.unknown.into_iter().next().map_or(Ok(text), Err)
    }

    fn expanded(&self, text: &str, depth: usize, state: &mut Expansion) -> String {
        let mut result = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            result.push_str(rest.get(..at).unwrap_or_default());
            let after = rest.get(at + 1..).unwrap_or_default();
            let Some(first) = after.chars().next() else { break };
            let length = match first {
                '(' => closed(after, '(', ')'),
                '{' => closed(after, '{', '}'),
                _ => Some(first.len_utf8()),
            };
            let Some((reference, behind)) = length.and_then(|length| after.split_at_checked(length)) else {
                result.push(state.unknown(after));
                return result;
            };
            rest = behind;
            state.named += 1;
            let name = reference.trim_start_matches(['(', '{']).trim_end_matches([')', '}']);
            match (reference, self.variables.get(name)) {
                ("$", _) => result.push('$'),
                ("(CURDIR)" | "{CURDIR}", None) => result.push('.'),
                ("(" | "{", _) => result.push(state.unknown(reference)),
                (_, Some(variable))
                    if reference.starts_with(['(', '{'])
                        && !variable.conditional
                        && depth > 0
                        && state.named < MOST =>
                {
                    result.push_str(&self.expanded(&variable.text, depth - 1, state));
                }
                _ => result.push(state.unknown(reference)),
            }
            if result.len() > LONGEST || state.named >= MOST {
                result.push(state.unknown(reference));
                return result;
            }
        }
        result.push_str(rest);
        result
    }

    /// The simple commands that a command is made of, as words. What only make knows is [`UNKNOWN`] in them.
    pub(super) fn words(&self, command: &Command) -> Vec<Vec<String>> {
        let text = self.expanded(&command.text, DEEPEST, &mut Expansion::default());
        // shlex leaves operators in the words that they are written with.
        let spaced = text.replace("&&", " && ").replace("||", " || ").replace(';', " ; ");
        let words = shlex::split(&spaced).unwrap_or_default();
        let mut commands = vec![Vec::new()];
        for word in words {
            match word.as_str() {
                "&&" | "||" | ";" | "|" => commands.push(Vec::new()),
                _ => commands.last_mut().into_iter().for_each(|command| command.push(word.clone())),
            }
        }
        // What stands before a command is its environment.
        let is_setting = |word: &String| word.split_once('=').is_some_and(|(name, _)| is_name(name));
        let commands = commands.into_iter().map(|command| command.into_iter().skip_while(is_setting).collect());
        commands.filter(|command: &Vec<String>| !command.is_empty()).collect()
    }
}

/// Stands for what only make knows.
pub(super) const UNKNOWN: char = '\u{fffd}';

/// The state of an expansion.
#[derive(Debug, Default)]
struct Expansion {
    /// How many variables were named.
    named: usize,
    unknown: Vec<Unknown>,
}

impl Expansion {
    fn unknown(&mut self, reference: &str) -> char {
        self.unknown.push(format!("only make knows what `${}` is", crate::diagnostic::shortened(reference)));
        UNKNOWN
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The length of what the bracket at the beginning of `text` encloses, with both brackets.
fn closed(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        if character == open {
            depth += 1;
        } else if character == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(at + close.len_utf8());
            }
        }
    }
    None
}

/// Lines with those that a backslash joins to them, each with the number of its first one. A recipe's line keeps its tab.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (index, line) in text.lines().enumerate() {
        let (content, joins) = match line.strip_suffix('\\') {
            Some(content) => (content, true),
            None => (line, false),
        };
        match lines.last_mut() {
            Some((_, last)) if goes_on => {
                last.push(' ');
                last.push_str(content.trim());
            }
            _ => lines.push((index + 1, content.trim_end().to_owned())),
        }
        goes_on = joins;
    }
    lines
}

fn without_comment(line: &str) -> &str {
    let mut before = '\0';
    for (at, character) in line.char_indices() {
        if character == '#' && before != '\\' {
            return line.get(..at).unwrap_or_default();
        }
        before = character;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "#!/usr/bin/make -f\nexport DH_VIRTUALENV_INSTALL_ROOT := /opt/acme # here\nSNAKE=/usr/bin/python3\n\
        ARGS = --python $(SNAKE) \\\n\t--extras ${EXTRA}\nEXTRA ?= web\nEXTRA ?= other\nARGS += --upgrade-pip\n\
        ifeq (a,b)\nWHEN = x\nendif\nNOW := $(shell date)\n\
        %:\n\tdh $@ --with python-virtualenv\n\n.PHONY: override_dh_virtualenv\n\
        override_dh_virtualenv override_dh_strip:\n\t# not this\n\t@dh_virtualenv $(ARGS) && \\\n\t  echo done; true\n\
        define X\na: b\n\tevil\nendef\nclean: ; rm -rf x\n";

    #[test]
    fn variables_recipes_and_continuation_lines_are_read() {
        let rules = Rules::parse(RULES);
        assert_eq!(rules.value_of("DH_VIRTUALENV_INSTALL_ROOT"), Some(Ok("/opt/acme".to_owned())));
        let command = rules.commands.iter().find(|command| command.target == "override_dh_virtualenv").unwrap();
        assert_eq!((command.line, command.text.as_str()), (19, "dh_virtualenv $(ARGS) &&  echo done; true"));
        let words = rules.words(command);
        let first = ["dh_virtualenv", "--python", "/usr/bin/python3", "--extras", "web", "--upgrade-pip"];
        assert_eq!(words[0], first);
        assert_eq!(words[1..], [vec!["echo".to_owned(), "done".to_owned()], vec!["true".to_owned()]]);
        let targets: Vec<&str> = rules.commands.iter().map(|command| command.target.as_str()).collect();
        assert_eq!(targets, ["%", "override_dh_virtualenv", "override_dh_strip", "clean"]);
    }

    #[test]
    fn what_only_make_knows_has_no_value() {
        let rules = Rules::parse(RULES);
        assert!(rules.value_of("NOW").unwrap().unwrap_err().contains("$(shell date)"));
        assert!(rules.value_of("WHEN").unwrap().unwrap_err().contains("condition"));
        assert!(rules.expand("$(DEB_VERSION)").is_err() && rules.expand("$@").is_err());
        assert_eq!(rules.expand("$$HOME $(CURDIR)"), Ok("$HOME .".to_owned()));
        let command = Command { text: "X=1 a --b=$(shell echo $(c)) $@".to_owned(), target: String::new(), line: 1 };
        assert_eq!(rules.words(&command), [["a", "--b=\u{fffd}", "\u{fffd}"]]);
        assert!(rules.value_of("NOTHING").is_none());
    }

    #[test]
    fn a_makefile_cannot_make_a_text_grow_without_end() {
        let doubling: String = (1..40).map(|step| format!("A{step} = $(A{0})$(A{0})\n", step - 1)).collect();
        let wide: String =
            (1..9).map(|step| format!("B{step} = {}\n", format!("$(B{})", step - 1).repeat(50))).collect();
        let rules = Rules::parse(&format!("A0 = 0123456789\n{doubling}LOOP = $(LOOP)\nB0 =\n{wide}"));
        assert!(rules.value_of("A39").unwrap().is_err() && rules.value_of("LOOP").unwrap().is_err());
        assert!(rules.value_of("B8").unwrap().is_err() && rules.value_of("B1").unwrap().is_ok());
        assert!(rules.value_of("A15").unwrap().is_err(), "longer than anything that is meant");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[\\x00-\\x7fä$(){}:=\\\\\n\t]{0,80}") {
            let rules = Rules::parse(&text);
            for command in &rules.commands {
                drop(rules.words(command));
            }
            drop(rules.expand(&text));
        }
    }
}
