//! Renders any error of the library: for people with the source line and the span, for programs as JSON.

use std::io::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::Diagnose;

/// How results and errors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Text.
    Human,
    /// One JSON document per line.
    Json,
}

/// Writes `error` to standard error and gives the exit status it calls for.
pub(super) fn report(error: &(dyn Diagnose + Send + Sync), output: Output, color: anstream::ColorChoice) -> u8 {
    let code = error.exit_code() as u8;
    let hints = error.hints();
    let causes = causes(error);
    match output {
        Output::Json => {
            let location = error.location().map(|location| {
                let (line, column) = location.line_and_column();
                serde_json::json!({
                    "file": location.path, "line": line, "column": column,
                    "start": location.span.start, "end": location.span.end,
                })
            });
            let document = serde_json::json!({
                "reason": "error", "schema_version": 1, "message": error.to_string(), "causes": causes,
                "hints": hints, "location": location, "exit_code": code,
            });
            let _ = writeln!(std::io::stderr().lock(), "{document}");
        }
        Output::Human => {
            let mut stream = anstream::AutoStream::new(std::io::stderr(), color);
            let _ = writeln!(stream, "{}", human(error, &causes, &hints));
        }
    }
    code
}

fn causes(error: &(dyn Diagnose + Send + Sync)) -> Vec<String> {
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let text = cause.to_string();
        if !error.to_string().contains(&text) {
            causes.push(text);
        }
        source = cause.source();
    }
    causes
}

fn human(error: &(dyn Diagnose + Send + Sync), causes: &[String], hints: &[String]) -> String {
    let message = error.to_string();
    let path;
    let mut group = match error.location() {
        Some(location) => {
            path = location.path.display().to_string();
            let snippet = Snippet::source(location.text.as_str())
                .path(path.as_str())
                .annotation(AnnotationKind::Primary.span(location.span.clone()));
            Level::ERROR.primary_title(message.as_str()).element(snippet)
        }
        None => Group::with_title(Level::ERROR.primary_title(message.as_str())),
    };
    for cause in causes {
        group = group.element(Level::NOTE.message(cause.as_str()));
    }
    for hint in hints {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    Renderer::styled().render(&[group])
}
