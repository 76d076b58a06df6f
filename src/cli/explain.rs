//! `packhouse explain`.

use clap::Args;
use serde_json::json;

use super::session::Session;
use super::{Failure, Output, check};
use crate::check::{Formats, Rule, find, rules};
use crate::target::Format;

/// Tell what a code of `packhouse check` means and what to do about it; without a code, list them all.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The code, as it stands in brackets.
    code: Option<String>,
}

pub(super) fn run(session: &Session, arguments: &Explain) -> Result<(), Failure> {
    let chosen: Vec<&Rule> = match &arguments.code {
        Some(code) => vec![find(code.trim_matches(['[', ']'])).ok_or_else(|| check::unknown(code))?],
        None => rules().collect(),
    };
    for rule in &chosen {
        match (session.output(), &arguments.code) {
            (Output::Json, _) => session.print_json("rule", &document(rule))?,
            (Output::Human, Some(_)) => session.print(&text(rule))?,
            (Output::Human, None) => {
                session.print(&format!("{:<28} {:<8} {}", rule.code, rule.severity.name(), rule.title))?;
            }
        }
    }
    Ok(())
}

fn formats(rule: &Rule) -> &'static str {
    match rule.formats {
        Formats::Both => "deb, rpm",
        Formats::Only(Format::Deb) => "deb",
        Formats::Only(Format::Rpm) => "rpm",
    }
}

fn document(rule: &Rule) -> serde_json::Value {
    json!({
        "code": rule.code, "severity": rule.severity, "formats": formats(rule), "title": rule.title,
        "explanation": rule.explanation, "remedy": rule.remedy, "source": rule.source,
    })
}

fn text(rule: &Rule) -> String {
    let paragraph = |text: &str| textwrap(text, 100);
    format!(
        "{}[{}]: {}\n\n{}\n\n{}\n\nApplies to: {}\nSource: {}",
        rule.severity.name(),
        rule.code,
        rule.title,
        paragraph(rule.explanation),
        paragraph(rule.remedy),
        formats(rule),
        rule.source
    )
}

/// The words of `text` in lines of at most `width` columns.
fn textwrap(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
