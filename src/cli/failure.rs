//! Renders any error of the library: for people with the source line and the span, for programs as JSON.

use std::io::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnose, ExitCode, Location};

/// How results and errors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Text.
    Human,
    /// One JSON document per line.
    Json,
}

/// Writes `error` to standard error, at the place that it knows or that was `found`, and gives the exit status it calls for.
pub(super) fn report(
    error: &(dyn Diagnose + Send + Sync),
    found: Option<&Location>,
    output: Output,
    color: anstream::ColorChoice,
) -> u8 {
    let status = error.exit_code();
    debug_assert!(error.code().exits.contains(&status), "{} does not end with {status:?}", error.code().name);
    let exit = status as u8;
    let mut hints = error.hints();
    if hints.is_empty() && status != ExitCode::Interrupted && status != ExitCode::Terminated {
        hints.push(format!("`packhouse explain {}` tells more", error.code().name));
    }
    let location = error.location().or(found);
    let causes = causes(error);
    match output {
        Output::Json => {
            let location = location.map(|location| {
                let (line, column) = location.line_and_column();
                serde_json::json!({
                    "file": location.path, "line": line, "column": column,
                    "start": location.span.start, "end": location.span.end,
                })
            });
            let document = serde_json::json!({
                "reason": "error", "schema_version": 1, "code": error.code().name, "message": error.to_string(), "causes": causes,
                "hints": hints, "location": location, "exit_code": exit,
            });
            let _ = writeln!(std::io::stderr().lock(), "{document}");
        }
        Output::Human => {
            let mut stream = anstream::AutoStream::new(std::io::stderr(), color);
            let _ = writeln!(stream, "{}", human(error, location, &causes, &hints));
        }
    }
    exit
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

fn human(
    error: &(dyn Diagnose + Send + Sync),
    location: Option<&Location>,
    causes: &[String],
    hints: &[String],
) -> String {
    let message = error.to_string();
    let path;
    let title = Level::ERROR.primary_title(message.as_str()).id(error.code().name);
    let mut group = match location {
        Some(location) => {
            path = location.path.display().to_string();
            let snippet = Snippet::source(location.text.as_str())
                .path(path.as_str())
                .annotation(AnnotationKind::Primary.span(location.span.clone()));
            title.element(snippet)
        }
        None => Group::with_title(title),
    };
    for cause in causes {
        group = group.element(Level::NOTE.message(cause.as_str()));
    }
    for hint in hints {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    Renderer::styled().render(&[group])
}
