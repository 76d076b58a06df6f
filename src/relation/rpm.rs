//! Relations as RPM's spec files have them (rpm-spec(7) "Dependencies", `build/parseReqs.c`) and its boolean
//! dependencies (rpm's "Boolean Dependencies", `rpmrichParseInternal` of `lib/rpmds.c`).

use std::fmt::{self, Display};

use super::{Invalid, RelationKind, invalid, plain};

/// What a relation looks like.
const SHAPE: &str = "write each relation on its own: `name`, `name >= version`, `(one or other)`";

/// Expressions in parentheses may lie in each other so deep.
const DEEPEST: usize = 16;

/// How versions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `=`.
    Equal,
    /// `>=`.
    GreaterOrEqual,
    /// `>`.
    Greater,
}

impl Comparison {
    /// Reads an operator in any spelling that rpm takes.
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Less,
            "<=" | "=<" => Self::LessOrEqual,
            "=" | "==" => Self::Equal,
            ">=" | "=>" => Self::GreaterOrEqual,
            ">" => Self::Greater,
            _ => return None,
        })
    }
}

impl Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        })
    }
}

/// A relation: a capability and perhaps a version, or a boolean expression, which is all name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The capability (a package, a path, `libc.so.6()(64bit)`) or `(one or other)`.
    pub name: String,
    /// The operator and `[epoch:]version[-release]`.
    pub version: Option<(Comparison, String)>,
}

impl Display for Relation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        self.version.iter().try_for_each(|(comparison, version)| write!(formatter, " {comparison} {version}"))
    }
}

/// One relation of the tag that `kind` has.
pub fn parse(kind: RelationKind, text: &str) -> Result<Relation, Invalid> {
    let text = plain(text)?;
    let mut parser = Parser { rest: text, whole: text };
    if text.starts_with('(') {
        if matches!(kind, RelationKind::Provides | RelationKind::Replaces) {
            return invalid(
                format!("`{text}` is a boolean expression, which is not allowed here"),
                "name one package in each string",
            );
        }
        let mut context = Context::default();
        let name = parser.expression(&mut context, 0)?;
        let reverse = matches!(
            kind,
            RelationKind::Conflicts | RelationKind::Breaks | RelationKind::Supplements | RelationKind::Enhances
        );
        context.allows(if reverse { Operator::Or } else { Operator::And })?;
        parser.finish()?;
        return Ok(Relation { name, version: None });
    }
    let relation = parser.simple()?;
    parser.finish()?;
    if kind == RelationKind::Replaces && !is_package_name(&relation.name) {
        return invalid(
            format!("`{}` is no package's name, and only packages can be obsoleted", relation.name),
            "name the package",
        );
    }
    Ok(relation)
}

/// An operator of boolean expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    If,
    Unless,
    Else,
    With,
    Without,
}

impl Operator {
    const ALL: [(&'static str, Self); 7] = [
        ("and", Self::And),
        ("or", Self::Or),
        ("if", Self::If),
        ("unless", Self::Unless),
        ("else", Self::Else),
        ("with", Self::With),
        ("without", Self::Without),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, operator)| *operator == self).map_or("", |(word, _)| word)
    }
}

/// What an expression forbids around it.
#[derive(Debug, Clone, Copy, Default)]
struct Context {
    no_with: bool,
    no_and: bool,
    no_or: bool,
}

impl Context {
    fn add(&mut self, other: Self) {
        self.no_with |= other.no_with;
        self.no_and |= other.no_and;
        self.no_or |= other.no_or;
    }

    fn allows(self, operator: Operator) -> Result<(), Invalid> {
        match operator {
            Operator::With | Operator::Without if self.no_with => {
                invalid("`with` and `without` join packages and `or` alone", "use `and` outside of them")
            }
            Operator::And | Operator::If if self.no_and => {
                invalid("`unless` is not allowed here: it makes a conflict", "use `or`")
            }
            Operator::Or | Operator::Unless if self.no_or => {
                invalid("`if` is not allowed here: it makes a requirement", "use `and`")
            }
            _ => Ok(()),
        }
    }
}

/// Reads from the front of `rest`.
struct Parser<'a> {
    rest: &'a str,
    whole: &'a str,
}

impl<'a> Parser<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    /// Up to a blank or a closing parenthesis that was not opened in the word.
    fn word(&mut self) -> &'a str {
        let mut open = 0_usize;
        let end = self.rest.find(|character| match character {
            ' ' => true,
            '(' => {
                open += 1;
                false
            }
            ')' if open == 0 => true,
            ')' => {
                open -= 1;
                false
            }
            _ => false,
        });
        let (word, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len())).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn simple(&mut self) -> Result<Relation, Invalid> {
        let name = self.word();
        check_name(name, self.whole)?;
        self.skip_blanks();
        let after_name = self.rest;
        let Some(comparison) = Comparison::parse(self.word()) else {
            self.rest = after_name;
            return Ok(Relation { name: name.to_owned(), version: None });
        };
        self.skip_blanks();
        let version = self.word();
        if version.is_empty() {
            return invalid(
                format!("`{}` has no version after `{comparison}`", self.whole),
                format!("write `{name} {comparison} version`"),
            );
        }
        if name.starts_with('/') {
            return invalid(
                format!("`{name}` is a file, and files have no versions"),
                "name the package or the file alone",
            );
        }
        check_version(name, version)?;
        Ok(Relation { name: name.to_owned(), version: Some((comparison, version.to_owned())) })
    }

    /// `(operand OPERATOR operand …)`, with rpm's rules on what may stand together.
    fn expression(&mut self, context: &mut Context, depth: usize) -> Result<String, Invalid> {
        if depth >= DEEPEST {
            let rule = format!("more than {DEEPEST} parentheses lie in each other");
            return invalid(rule, "write several simpler relations");
        }
        self.rest = self.rest.strip_prefix('(').unwrap_or(self.rest);
        let mut spelt = String::from("(");
        let (mut first, mut last, mut chain): (Option<Operator>, Option<Operator>, Option<Operator>) =
            (None, None, None);
        loop {
            self.skip_blanks();
            if self.rest.starts_with('(') {
                let mut inner = Context::default();
                spelt.push_str(&self.expression(&mut inner, depth + 1)?);
                if matches!(last, Some(Operator::If | Operator::Unless)) {
                    inner.no_and = false;
                    inner.no_or = false;
                }
                context.add(inner);
            } else if self.rest.starts_with(')') || self.rest.is_empty() {
                let rule = match last {
                    Some(operator) => format!("nothing stands after `{}` in `{}`", operator.word(), self.whole),
                    None => format!("`{}` has empty or open parentheses", self.whole),
                };
                return invalid(rule, SHAPE);
            } else {
                spelt.push_str(&self.simple()?.to_string());
            }
            self.skip_blanks();
            if let Some(rest) = self.rest.strip_prefix(')') {
                self.rest = rest;
                break;
            }
            let operator = self.operator()?;
            first.get_or_insert(operator);
            if operator == Operator::Else && matches!(chain, Some(Operator::If | Operator::Unless)) {
                chain = None;
            }
            if chain.is_some_and(|chain| chain != operator) {
                let rule = format!("`{}` mixes operators without parentheses", self.whole);
                return invalid(rule, "put parentheses around the parts: `(a and (b or c))`");
            }
            if chain.is_some() && !matches!(operator, Operator::And | Operator::Or | Operator::With) {
                let rule = format!("`{}` cannot stand twice in one pair of parentheses", operator.word());
                return invalid(rule, "put parentheses around the parts: `(a if (b or c))`");
            }
            chain = Some(operator);
            last = Some(operator);
            spelt.push(' ');
            spelt.push_str(operator.word());
            spelt.push(' ');
        }
        if let Some(first) = first {
            context.allows(first)?;
        }
        context.no_or |= first == Some(Operator::If);
        context.no_and |= first == Some(Operator::Unless);
        if matches!(last, Some(Operator::And | Operator::Or)) {
            context.no_and = false;
            context.no_or = false;
        }
        context.no_with |= last.is_some_and(|last| !matches!(last, Operator::With | Operator::Without | Operator::Or));
        spelt.push(')');
        Ok(spelt)
    }

    fn operator(&mut self) -> Result<Operator, Invalid> {
        if self.rest.is_empty() {
            return invalid(format!("the parentheses of `{}` do not match", self.whole), SHAPE);
        }
        let end = self.rest.find([' ', ')']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        let found = Operator::ALL.iter().find(|(name, _)| *name == word);
        match found {
            Some((_, operator)) => Ok(*operator),
            None => invalid(
                format!("`{word}` is no operator"),
                "between relations: `and`, `or`, `if`, `else`, `unless`, `with`, `without`; before a version: `<`, `<=`, `=`, \
                 `>=`, `>`",
            ),
        }
    }

    fn finish(&mut self) -> Result<(), Invalid> {
        self.skip_blanks();
        if self.rest.is_empty() {
            return Ok(());
        }
        let rule = format!("`{}` has `{}` after its end", self.whole, self.rest);
        invalid(rule, SHAPE)
    }
}

/// The characters of a package's own name (rpm's `ALLOWED_CHARS_NAME`).
fn is_package_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
}

/// A capability: a package, a path, or a name with something in parentheses.
fn check_name(name: &str, whole: &str) -> Result<(), Invalid> {
    if !name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_' || first == '/') {
        let rule = format!("`{whole}` does not begin with a letter, a digit, `_` or `/`");
        return invalid(rule, SHAPE);
    }
    if name.starts_with("rpmlib(") {
        return invalid(
            format!("`{name}` is a feature of rpm itself"),
            "leave it out: packhouse names what a package needs",
        );
    }
    let mut depth = 0_usize;
    for byte in name.bytes() {
        let good = match byte {
            b'(' => {
                depth += 1;
                true
            }
            b')' => {
                depth = depth.saturating_sub(1);
                true
            }
            b'=' | b'<' | b'>' if depth == 0 => {
                let rule = format!("`{name}` has an operator without blanks around it");
                return invalid(rule, "write `name >= version`");
            }
            b'=' | b':' | b'*' | b'!' => depth > 0,
            other => other.is_ascii_alphanumeric() || b"._+-/@~^#[]".contains(&other),
        };
        if !good {
            let rule = format!("`{name}` has `{}`, which no name of a capability has", char::from(byte));
            return invalid(rule, SHAPE);
        }
    }
    if depth > 0 {
        return invalid(format!("the parentheses of `{name}` do not match"), SHAPE);
    }
    Ok(())
}

/// `[epoch:]version[-release]` (rpm-version(7)). Users and groups are provided as base64, which has characters more.
fn check_version(name: &str, version: &str) -> Result<(), Invalid> {
    let wrong = |rule: String| invalid(rule, "write it like `1.2.3`, `1.2.3-1` or `1:1.2.3-1` (rpm-version(7))");
    let is_account = ["user(", "group(", "groupmember("].iter().any(|prefix| name.starts_with(prefix));
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    if epoch.parse::<u32>().is_err() || !epoch.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong(format!("the epoch of `{version}` is no number"));
    }
    let (version_part, release) = rest.split_once('-').map_or((rest, None), |(version, rest)| (version, Some(rest)));
    let made_of = |text: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._+~^".contains(&byte) || (is_account && byte == b'/');
        !text.is_empty() && text.bytes().all(good)
    };
    if !made_of(version_part) || release.is_some_and(|release| !made_of(release)) {
        return wrong(format!(
            "`{version}` has what no version has: only letters, digits and `._+~^` are allowed, and one `-` before a release"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use RelationKind::{Conflicts, Depends, Enhances, PreDepends, Provides, Replaces, Supplements};

    const GOOD: [(RelationKind, &str, &str); 24] = [
        (Depends, "python3.11", "python3.11"),
        (Depends, " a   ==   1:2-3 ", "a = 1:2-3"),
        (Depends, "a => 1.0~rc1^git", "a >= 1.0~rc1^git"),
        (Depends, "/usr/bin/python3.11", "/usr/bin/python3.11"),
        (Depends, "libc.so.6(GLIBC_2.34)(64bit)", "libc.so.6(GLIBC_2.34)(64bit)"),
        (Depends, "font(:lang=en)", "font(:lang=en)"),
        (Depends, "npm(@angular/core) >= 1", "npm(@angular/core) >= 1"),
        (Depends, "(a)", "(a)"),
        (Depends, "(a   or b or  c)", "(a or b or c)"),
        (Depends, "(a and b)", "(a and b)"),
        (Depends, "(a >= 1 with a < 2)", "(a >= 1 with a < 2)"),
        (Depends, "(a =< 1 without b)", "(a <= 1 without b)"),
        (Depends, "(a if b else c)", "(a if b else c)"),
        (Depends, "(a if (b or c))", "(a if (b or c))"),
        (Depends, "(a if b else (c if d))", "(a if b else (c if d))"),
        (Depends, "((a or b) with (c or d))", "((a or b) with (c or d))"),
        (Depends, "(libx(a)(64bit) or /usr/bin/x)", "(libx(a)(64bit) or /usr/bin/x)"),
        (PreDepends, "(a or b)", "(a or b)"),
        (Conflicts, "(a unless b)", "(a unless b)"),
        (Conflicts, "(a and b)", "(a and b)"),
        (Supplements, "(a and b)", "(a and b)"),
        (Enhances, "a < 2", "a < 2"),
        (Provides, "a(b) = 1", "a(b) = 1"),
        (Replaces, "acme-old < 1.0", "acme-old < 1.0"),
    ];

    /// rpmbuild refuses the first so many, and takes the others, which say something else than they seem to.
    const RPMBUILD_REFUSES: usize = 26;
    const BAD: [(RelationKind, &str); 35] = [
        (Depends, "-a"),
        (Depends, ">= 1"),
        (Depends, "a >="),
        (Depends, "a >= 1-2-3"),
        (Depends, "a >= x:1"),
        (Depends, "a = 1/2"),
        (Depends, "/usr/bin/x = 1"),
        (Depends, "(a or b"),
        (Depends, "()"),
        (Depends, "(a or)"),
        (Depends, "(a xor b)"),
        (Depends, "(a b)"),
        (Depends, "(a and b or c)"),
        (Depends, "(a if b if c)"),
        (Depends, "(a if b else c if d)"),
        (Depends, "((a if b) or c)"),
        (Depends, "((a and b) with c)"),
        (Depends, "(a unless b)"),
        (Depends, "(a or -b)"),
        (Depends, "(a >= )"),
        (Conflicts, "(a if b)"),
        (Supplements, "(a if b)"),
        (Provides, "(a or b)"),
        (Replaces, "(a or b)"),
        (Replaces, "a(b)"),
        (Replaces, "/usr/bin/a"),
        (Depends, ""),
        (Depends, "a b"),
        (Depends, "a, b"),
        (Depends, "a>=1"),
        (Depends, "(a or b) c"),
        (Depends, "a = :1"),
        (Depends, "a = 1-"),
        (Depends, "rpmlib(RichDependencies) <= 4.12.0-1"),
        (Depends, "a~> 1"),
    ];

    #[test]
    fn relations_take_the_spelling_of_rpmbuild() {
        for (kind, text, spelt) in GOOD {
            assert_eq!(parse(kind, text).map(|found| found.to_string()).as_deref(), Ok(spelt), "{text}");
        }
        for (kind, text) in BAD {
            let error = parse(kind, text).expect_err(text);
            assert!(!error.hint.is_empty(), "{text}");
        }
        let account = "user(acme) = dSBhY21lIC0gIi9hY21lIg/+";
        assert!(parse(Provides, account).is_ok());
    }

    #[test]
    fn nothing_of_another_line_or_language_gets_through() {
        for text in [
            "a\nRequires: b",
            "a\0",
            "a\tb",
            "%(touch x)",
            "%{lua:os.execute('x')}",
            "a%b",
            "${misc:Depends}",
            "a\u{202e}b",
            "a\u{1b}[31m",
            "é",
            "a;b",
            "a`b`",
            "a$(b)",
            &"(".repeat(900),
            &format!("{}a{}", "(".repeat(400), ")".repeat(400)),
        ] {
            assert!(parse(Depends, text).is_err(), "{text:?}");
        }
    }

    /// rpmspec parses the same expressions; its spelling is the canonical one.
    #[test]
    fn rpmbuild_agrees_on_what_is_a_relation() {
        let place = tempfile::tempdir().expect("a directory");
        let spec = place.path().join("x.spec");
        let asked = |kind: RelationKind, text: &str| -> Option<String> {
            let tag = kind.field(crate::target::Format::Rpm).expect("a tag");
            let name = match kind {
                Depends | PreDepends => "REQUIRE",
                Conflicts => "CONFLICT",
                Supplements => "SUPPLEMENT",
                Enhances => "ENHANCE",
                Provides => "PROVIDE",
                _ => "OBSOLETE",
            };
            fs_err::write(
                &spec,
                format!("Name: own\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n{tag}: {text}\n%description\nx\n%files\n"),
            )
            .expect("written");
            let format = format!("[%{{{name}NAME}} %{{{name}FLAGS:depflags}} %{{{name}VERSION}}\\n]");
            let output = Command::new("rpmspec").args(["-q", "--qf", &format]).arg(&spec).output().expect("rpmspec");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let line = text.lines().find(|line| !line.starts_with("own "))?;
            output.status.success().then(|| line.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        for (kind, text, spelt) in GOOD {
            assert_eq!(asked(kind, text).as_deref(), Some(spelt), "{text}");
        }
        for (number, (kind, text)) in BAD.into_iter().enumerate() {
            if number < RPMBUILD_REFUSES {
                assert_eq!(asked(kind, text), None, "{text}");
            }
        }
    }
}
