//! `[services.NAME]` and the tables below it.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use super::error::Error;
use super::load::SPDX;
use super::reader::{Reader, Text};
use super::{
    KindSetting, Layout, MultiArch, Origin, PythonSettings, RustSettings, ServiceSettings, TextSource, additions,
    check, files, pages, previous, relations, scripts, systemd, value,
};
use crate::name::{PackageName, normalize};
use crate::target::{Distribution, PythonVersion};

/// `[services.NAME]` by name.
pub(super) fn services(
    reader: &Reader<'_>,
    root: &Path,
    known: &[Distribution],
    origin: &Origin,
) -> Result<BTreeMap<String, ServiceSettings>, Error> {
    let mut services = BTreeMap::new();
    for (name, table) in reader.tables("services")? {
        let name = name.parse(PackageName::parse, &name_hint(name.as_str()))?;
        let mut settings = service(&table, root, known)?;
        settings.origin = Some(origin.at(&name, table.span()));
        table.finish()?;
        services.insert(name.as_str().to_owned(), settings);
    }
    Ok(services)
}

fn name_hint(name: &str) -> String {
    let normal = normalize(name);
    match PackageName::parse(&normal) {
        Ok(normal) => {
            format!("write `[services.{normal}]`; add `path = \"DIRECTORY\"` to rename what is in a directory")
        }
        Err(_) => "choose a package name, and add `path = \"DIRECTORY\"` to say which directory gets it".to_owned(),
    }
}

fn service(table: &Reader<'_>, root: &Path, known: &[Distribution]) -> Result<ServiceSettings, Error> {
    let kinds = [("service", KindSetting::Service), ("library", KindSetting::Library)];
    let layouts = [("private", Layout::Private), ("flat", Layout::Flat)];
    let file = |key| table.string(key)?.map(|text| text.parse(value::file_path, "")).transpose();
    Ok(ServiceSettings {
        path: table.string("path")?.map(|text| text.parse(|text| value::path_in(root, text), "")).transpose()?,
        kind: table.string("kind")?.map(|text| text.choice(&kinds)).transpose()?,
        adopt: table.boolean("adopt")?,
        layout: table.string("layout")?.map(|text| text.choice(&layouts)).transpose()?,
        package: table.string("package")?.map(|text| text.parse(PackageName::parse, "")).transpose()?,
        summary: table.string("summary")?.map(|text| text.checked(value::one_line, "")).transpose()?,
        description: table.string("description")?.map(|text| text.checked(value::lines, "")).transpose()?,
        license: table.string("license")?.map(|text| text.checked(value::spdx, SPDX)).transpose()?,
        section: table.string("section")?.map(|text| text.checked(value::section, "")).transpose()?,
        priority: table.string("priority")?.map(|text| text.choice(&PRIORITIES)).transpose()?.map(str::to_owned),
        multi_arch: table.string("multi-arch")?.map(|text| text.choice(&MultiArch::ALL)).transpose()?,
        commands: table.strings("commands")?.map(|all| checked(all, value::command)).transpose()?,
        config: parsed(table.strings("config")?, value::file_path)?,
        relations: relations::relations(table, known)?,
        files: files::files(table, known)?,
        pages: pages::pages(table)?,
        scripts: scripts::scripts(table)?,
        triggers: file("triggers")?.map(TextSource::File),
        additions: additions::additions(table)?,
        removed_config: previous::removed_config(table)?,
        check: check::check(table)?,
        version: table.string("version")?.map(|text| text.checked(value::version, "")).transpose()?,
        revision: table.number("revision", 1, 999_999)?,
        epoch: table.number("epoch", 0, i32::MAX.unsigned_abs())?,
        systemd: table.table("systemd")?.map(systemd::systemd).transpose()?,
        python: table.table("python")?.map(python).transpose()?.unwrap_or_default(),
        rust: table.table("rust")?.map(rust).transpose()?.unwrap_or_default(),
        ..ServiceSettings::default()
    })
}

/// Debian Policy 2.5; `extra` is `optional` since 4.0.1.
const PRIORITIES: [(&str, &str); 4] =
    [("required", "required"), ("important", "important"), ("standard", "standard"), ("optional", "optional")];

pub(super) fn checked(texts: Vec<Text<'_>>, check: fn(&str) -> Result<(), value::Rule>) -> Result<Vec<String>, Error> {
    texts.into_iter().map(|text| text.checked(check, "")).collect()
}

pub(super) fn parsed<T>(
    texts: Option<Vec<Text<'_>>>,
    parse: fn(&str) -> Result<T, value::Rule>,
) -> Result<Vec<T>, Error> {
    texts.unwrap_or_default().into_iter().map(|text| text.parse(parse, "")).collect()
}

/// `[services.NAME.python]`.
fn python(table: Reader<'_>) -> Result<PythonSettings, Error> {
    if let Some(text) = table.string("interpreter")?
        && text.as_str() != "system"
    {
        let hint =
            "packages use the distribution's interpreter: leave the key out, or write `interpreter = \"system\"`";
        return Err(text.error(format!("`{}` is not available", text.as_str()), Some(hint.to_owned())));
    }
    let mut build_requires = BTreeMap::new();
    for (name, requirements) in table.lists("build-requires")? {
        name.parse(value::python_name, "")?;
        let requirements = requirements.into_iter().map(|text| text.checked(requirement, ""));
        let requirements: Vec<String> = requirements.collect::<Result<_, _>>()?;
        if build_requires.insert(normalize(name.as_str()), requirements).is_some() {
            return Err(name.error("names the same package as another key", None));
        }
    }
    let version = |text: &str| match text.strip_prefix("3.").map(str::parse::<u8>) {
        Some(Ok(minor)) => Ok(PythonVersion::three(minor)),
        _ => Err(format!("`{text}` is no minor version of Python 3")),
    };
    let names = |texts: Option<Vec<Text<'_>>>| -> Result<Vec<String>, Error> {
        let names = checked(texts.unwrap_or_default(), value::python_name)?;
        Ok(names.iter().map(|name| normalize(name)).collect())
    };
    let settings = PythonSettings {
        version: table.string("version")?.map(|text| text.parse(version, "write it like `3.11`")).transpose()?,
        extras: names(table.strings("extras")?)?,
        build_requires,
        no_binary: names(table.strings("no-binary")?)?,
    };
    table.finish()?;
    Ok(settings)
}

/// A requirement as PEP 508 has it.
fn requirement(text: &str) -> Result<(), value::Rule> {
    value::one_line(text)?;
    let parsed = pep508_rs::Requirement::<pep508_rs::VerbatimUrl>::from_str(text);
    parsed.map(|_| ()).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

/// `[services.NAME.rust]`.
fn rust(table: Reader<'_>) -> Result<RustSettings, Error> {
    let settings = RustSettings {
        features: checked(table.strings("features")?.unwrap_or_default(), |text| value::word(text, "_-+./"))?,
        no_default_features: table.boolean("no-default-features")?.unwrap_or_default(),
        profile: table.string("profile")?.map(|text| text.checked(|text| value::word(text, "_-"), "")).transpose()?,
        debug_package: table.boolean("debug-package")?.unwrap_or_default(),
        ..RustSettings::default()
    };
    table.finish()?;
    Ok(settings)
}
