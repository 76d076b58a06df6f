//! `packhouse explain`.

use clap::Args;
use serde_json::json;

use super::session::Session;
use super::{Failure, Output, check};
use crate::diagnostic::Code;
use crate::explain::{self, Entry};

/// Tell what a code means and what to do about it; without a code, list them all.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The code, as it stands in brackets: of an error, or of what `check` finds.
    code: Option<String>,
}

pub(super) fn run(session: &Session, arguments: &Explain) -> Result<(), Failure> {
    let chosen: Vec<Entry> = match &arguments.code {
        Some(code) => vec![entry(code)?],
        None => explain::all().collect(),
    };
    for entry in chosen {
        match (session.output(), &arguments.code) {
            (Output::Json, _) => session.print_json(reason(entry), &document(entry))?,
            (Output::Human, Some(_)) => session.print(&text(entry))?,
            (Output::Human, None) => {
                session.print(&format!("{:<28} {:<8} {}", entry.code(), entry.severity(), entry.title()))?;
            }
        }
    }
    Ok(())
}

/// The entry of `code`, which may stand in brackets with the severity before them.
fn entry(code: &str) -> Result<Entry, Failure> {
    let bare = code.rsplit('[').next().unwrap_or(code).trim_end_matches([']', ':', ' ']).to_ascii_lowercase();
    explain::find(&bare).ok_or_else(|| check::unknown(&bare, explain::all().map(Entry::code)))
}

fn reason(entry: Entry) -> &'static str {
    match entry {
        Entry::Check(_) => "rule",
        Entry::Error(_) => "code",
    }
}

fn document(entry: Entry) -> serde_json::Value {
    let (code, severity, title) = (entry.code(), entry.severity(), entry.title());
    let (explanation, remedy) = (entry.explanation(), entry.remedy());
    match entry {
        Entry::Check(rule) => json!({
            "code": code, "severity": severity, "formats": entry.scope(), "title": title, "explanation": explanation,
            "remedy": remedy, "source": rule.source,
        }),
        Entry::Error(Code { exits, example, .. }) => json!({
            "code": code, "severity": severity, "title": title, "explanation": explanation, "example": example,
            "remedy": remedy, "exit_codes": exits.iter().map(|exit| *exit as u8).collect::<Vec<_>>(),
        }),
    }
}

fn text(entry: Entry) -> String {
    let mut text = format!(
        "{}[{}]: {}\n\n{}\n",
        entry.severity(),
        entry.code(),
        entry.title(),
        textwrap(entry.explanation(), 100)
    );
    if let Some(example) = entry.example() {
        text.extend(example.lines().map(|line| format!("\n    {line}")));
        text.push('\n');
    }
    text += &format!("\n{}\n\n", textwrap(entry.remedy(), 100));
    text += &match entry {
        Entry::Check(rule) => format!("Applies to: {}\nSource: {}", entry.scope(), rule.source),
        Entry::Error(_) => format!("Ends with: {}", entry.scope()),
    };
    text
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
