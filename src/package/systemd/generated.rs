//! The unit that is generated from a service's command, with the timer of its schedule or the socket it listens on.
//!
//! It is hardened by default (`systemd-analyze security` gives it less than 3). Directives of the configuration replace
//! those of the same name; what the target's systemd does not know is left out (see [`super::directives`]).

use minijinja::context;

use super::unit_file::UnitFile;
use super::{Error, ServiceFacts, directives, problem};
use crate::config::{Settings, SystemdSettings};
use crate::package::template;
use crate::target::Target;

/// The names of the generated units, the service's first.
pub(super) fn names(systemd: &SystemdSettings, package: &str) -> Vec<String> {
    let mut names = vec![format!("{package}.service")];
    names.extend((!systemd.listen.is_empty()).then(|| format!("{package}.socket")));
    names.extend((!systemd.schedule.is_empty()).then(|| format!("{package}.timer")));
    names
}

/// The generated units.
pub(super) fn units(
    settings: &Settings,
    systemd: &SystemdSettings,
    service: &ServiceFacts<'_>,
    target: &Target,
    command: &str,
) -> Result<Vec<UnitFile>, Error> {
    let version = target.distribution.systemd;
    let package = service.package();
    let job = !systemd.schedule.is_empty();
    let restart = systemd.service_restart.as_deref().or((!job).then_some("on-failure"));
    // systemd refuses to load a oneshot service with a Restart= before 244, and always with these two.
    if let (true, Some(value)) = (job, systemd.service_restart.as_deref())
        && (version < 244 || matches!(value, "always" | "on-success"))
        && value != "no"
    {
        let text =
            format!("`service-restart = \"{value}\"` is nothing for a job of systemd {version} that a timer starts");
        return Err(problem(service, text, "leave `service-restart` out: the timer starts it again".to_owned(), None));
    }
    let documentation =
        settings.project.homepage.clone().unwrap_or_else(|| format!("file:///usr/share/doc/{package}/"));
    let socket = (!systemd.listen.is_empty()).then(|| format!("{package}.socket"));
    let environment_file = systemd.environment_file.clone();
    let environment_file = environment_file.unwrap_or_else(|| format!("-/etc/{}/{package}.env", settings.project.org));
    let exec = exec_start(service, command)?;
    let values = |unit: &str| {
        context! {
            unit => unit.to_owned(),
            summary => service.summary.to_owned(),
            documentation => documentation.clone(),
            type => match (job, version) {
                (true, _) => "oneshot",
                // Type=exec came with systemd 240.
                (false, 240..) => "exec",
                (false, _) => "simple",
            },
            exec => exec.clone(),
            user => systemd.user.clone(),
            state => package.to_owned(),
            python => service.python,
            environment_file => environment_file.clone(),
            restart => restart.map(str::to_owned),
            socket => socket.clone(),
            schedule => systemd.schedule.clone(),
            listen => systemd.listen.clone(),
        }
    };
    let sources = [
        ("service", include_str!("../../../templates/systemd/service.unit")),
        ("socket", include_str!("../../../templates/systemd/socket.unit")),
        ("timer", include_str!("../../../templates/systemd/timer.unit")),
    ];
    let mut units = Vec::new();
    for name in names(systemd, package) {
        let source = sources.iter().find(|(kind, _)| name.ends_with(&format!(".{kind}")));
        let Some((kind, source)) = source else { continue };
        let rendered = template::render(source, values(&name))?;
        let text = adapted(&rendered, kind, systemd, version);
        units.push(UnitFile::parse(name, text).map_err(|malformed| problem(service, malformed.problem, None, None))?);
    }
    Ok(units)
}

/// The value of `ExecStart=`.
fn exec_start(service: &ServiceFacts<'_>, command: &str) -> Result<String, Error> {
    let package = service.package();
    let words = shlex::split(command).filter(|words| !words.is_empty()).ok_or_else(|| Error::Text {
        package: package.to_owned(),
        what: format!("the unit's command `{command}`"),
        problem: "is empty or has an unclosed quote",
    })?;
    let (program, arguments) = words.split_first().map_or(("", [].as_slice()), |(first, rest)| (first.as_str(), rest));
    let program = program.strip_prefix("/usr/bin/").unwrap_or(program);
    if !service.commands.iter().any(|known| known == program) {
        return Err(Error::UnknownCommand {
            package: package.to_owned(),
            command: program.to_owned(),
            known: service.commands.join(", "),
        });
    }
    let words = std::iter::once(format!("/usr/bin/{program}"));
    Ok(words.chain(arguments.iter().map(|word| template::unit_word(word))).collect::<Vec<_>>().join(" "))
}

/// The sections of the configuration's directives that go to a unit of this kind.
fn sections_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "socket" => &["Socket"],
        "timer" => &["Timer"],
        _ => &["Unit", "Service", "Install"],
    }
}

/// `text` with the configuration's directives, and without those that this systemd does not know.
fn adapted(text: &str, kind: &str, systemd: &SystemdSettings, version: u32) -> String {
    // What stands before the first section has no name.
    let mut sections: Vec<(String, Vec<String>)> = vec![(String::new(), Vec::new())];
    for line in text.lines() {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => sections.push((name.to_owned(), Vec::new())),
            None => sections.last_mut().into_iter().for_each(|(_, lines)| lines.push(line.to_owned())),
        }
    }
    for name in sections_of(kind) {
        let Some(directives) = systemd.directives.get(*name) else { continue };
        if !sections.iter().any(|(section, _)| section == name) {
            sections.last_mut().into_iter().for_each(|(_, lines)| lines.push(String::new()));
            sections.push(((*name).to_owned(), Vec::new()));
        }
        for (section, lines) in sections.iter_mut().filter(|(section, _)| section == name) {
            for (key, values) in directives {
                lines.retain(|line| key_of(line) != Some(key));
                let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
                let known = directives::since(section, key).is_some_and(|since| since <= version);
                let new = values.iter().filter(|_| known).map(|value| format!("{key}={value}"));
                lines.splice(end..end, new.collect::<Vec<_>>());
            }
        }
    }
    let mut adapted = String::new();
    for (section, lines) in &sections {
        if !section.is_empty() {
            adapted.push_str(&format!("[{section}]\n"));
        }
        for line in lines {
            let since = key_of(line).and_then(|key| directives::since(section, key));
            if since.is_none_or(|since| since <= version) {
                adapted.push_str(line);
                adapted.push('\n');
            }
        }
    }
    adapted
}

fn key_of(line: &str) -> Option<&str> {
    if line.starts_with('#') { None } else { line.split_once('=').map(|(key, _)| key) }
}
