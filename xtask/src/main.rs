//! What a developer runs: `cargo xtask acceptance | bench | docs | libraries | monorepo`.

mod acceptance;
mod bench;
mod docs;
mod libraries;
mod monorepo;
mod process;
mod synthetic;

use std::process::ExitCode;

/// Any failure; its text says which command failed and what it printed.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let result = match arguments.first().map(String::as_str) {
        Some("acceptance") => acceptance::run(rest),
        Some("bench") => bench::run(rest),
        Some("docs") => docs::run(rest),
        Some("libraries") => libraries::run_for(rest),
        Some("monorepo") => monorepo::run_for(rest),
        _ => Err("usage: cargo xtask acceptance [--keep] [build|relations|packing|compat-rpm|debian|rpm|lint|piuparts|repository|lifecycle …] | bench [--quick] [--page] [NAME …] | \
                  docs [--check] | libraries [DISTRIBUTION …] | monorepo DIRECTORY [SERVICES [COMMITS]]"
            .into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say("Failed", &error.to_string());
            ExitCode::FAILURE
        }
    }
}
