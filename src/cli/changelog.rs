//! `packhouse changelog`.

use clap::{Args, ValueEnum};

use super::Failure;
use super::session::{Session, problem};
use crate::build;
use crate::diagnostic::codes;
use crate::package::changelog;
use crate::target::{Format, Target};

/// Show the changelog of a service, made from the history of its own directory and of the libraries it uses.
#[derive(Debug, Args)]
pub(super) struct Changelog {
    /// The service.
    service: String,
    /// The version that comes next, instead of the one in the manifest or the tag.
    #[arg(long, value_name = "VERSION")]
    next: Option<String>,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    form: Form,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Form {
    #[default]
    Markdown,
    Debian,
    Rpm,
}

pub(super) fn run(session: &Session, arguments: &Changelog) -> Result<(), Failure> {
    let mut project = session.project()?;
    if let Some(next) = &arguments.next {
        project.settings.services.entry(arguments.service.clone()).or_default().version = Some(next.clone());
    }
    let service = project.service(&arguments.service)?;
    let context = session.context(&project);
    let form = arguments.form;
    let fits = |target: &&Target| match form {
        Form::Markdown => true,
        Form::Debian => target.format() == Format::Deb,
        Form::Rpm => target.format() == Format::Rpm,
    };
    let target = project.settings.project.targets.iter().find(fits).cloned();
    let target = target.ok_or_else(|| {
        let hint = "add a target of this form to `targets` in [project]";
        problem(&codes::INVALID_ARGUMENT, "none of the project's targets has packages of this form", hint)
    })?;
    let history = build::changelog(context, service, &target)?;
    let text = match form {
        Form::Markdown => changelog::markdown(&history),
        Form::Debian => changelog::debian(&history, &service.name, &target.distribution.suite),
        Form::Rpm => {
            let entries = changelog::rpm(&history).into_iter().map(|entry| {
                let day = jiff::Timestamp::from_second(entry.time.into())
                    .map(|time| time.strftime("%a %b %d %Y").to_string())
                    .unwrap_or_default();
                format!("* {day} {}\n{}", entry.name, entry.text)
            });
            entries.collect::<Vec<_>>().join("\n\n")
        }
    };
    session.print(text.trim_end())
}
