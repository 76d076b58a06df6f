//! What packhouse.toml says over what a manifest says for another tool.

use std::path::{Path, PathBuf};

use super::*;
use crate::target::Format;
use crate::tree::Role;

fn loaded(table: &str) -> Settings {
    let directory = tempfile::tempdir().unwrap();
    let text =
        format!("[project]\norg = \"acme\"\nmaintainer = \"Acme <a@acme.example>\"\n[services.acme-edge]\n{table}\n");
    fs_err::write(directory.path().join(FILE_NAME), text).unwrap();
    load(directory.path(), None).unwrap_or_else(|error| panic!("{error}"))
}

fn file(settings: &Settings) -> FileSettings {
    settings.services["acme-edge"].files.first().unwrap().clone()
}

fn edge() -> PackageName {
    PackageName::parse("acme-edge").unwrap()
}

/// Settings in which another tool's table stands below those of `table`.
fn over(table: &str, below: ServiceSettings) -> Settings {
    let mut settings = loaded(table);
    let adopted = Adopted { deb: Some(below), rpm: None };
    settings.adopted.insert("acme-edge".to_owned(), adopted);
    settings
}

fn table() -> ServiceSettings {
    ServiceSettings {
        dialect: Some("cargo-deb"),
        layout: Some(Layout::Flat),
        section: Some("net".to_owned()),
        summary: Some("from the table".to_owned()),
        systemd: Some(SystemdSettings { units: vec![PathBuf::from("edge.service").into()], ..Default::default() }),
        rust: RustSettings { features: vec!["tls".to_owned()], ..RustSettings::default() },
        ..ServiceSettings::default()
    }
}

#[test]
fn one_value_replaces_the_tables_and_a_list_adds_to_it() {
    let settings = over(
        "section = \"web\"\nadd = { sbom = false }\n[services.acme-edge.rust]\nfeatures = [\"http3\"]\n\
         [services.acme-edge.systemd]\nunits = [\"more.service\"]\nenable = false",
        table(),
    );
    let service = settings.service_for(&edge(), Format::Deb);
    assert_eq!(service.section.as_deref(), Some("web"));
    assert_eq!(service.summary.as_deref(), Some("from the table"));
    assert_eq!(service.rust.features, ["tls", "http3"]);
    assert!(service.is_flat() && !service.adds(Addition::Sbom) && service.adds(Addition::Copyright));
    let systemd = service.systemd.unwrap();
    let units: Vec<_> = systemd.units.iter().map(|unit| unit.path.to_str().unwrap()).collect();
    assert_eq!(units, ["edge.service", "more.service"]);
    assert_eq!(systemd.enable, Some(false));

    let other = settings.service_for(&edge(), Format::Rpm);
    assert_eq!((other.dialect, other.summary), (None, None), "the table is for the other format alone");
}

#[test]
fn a_table_that_is_not_adopted_says_nothing() {
    let settings = over("adopt = false", table());
    let service = settings.service_for(&edge(), Format::Deb);
    assert!(service.dialect.is_none() && service.section.is_none() && !service.is_flat());
}

#[test]
fn a_file_in_the_place_of_one_of_the_tables_replaces_it() {
    let entry = |source: &str, path: &str| {
        file(&loaded(&format!("[[services.acme-edge.files]]\nsource = \"{source}\"\npath = \"{path}\"")))
    };
    let below = ServiceSettings {
        files: vec![entry("theirs", "/etc/edge.conf"), entry("kept", "/etc/kept.conf"), entry("into", "/etc/edge/")],
        ..table()
    };
    let own = "[[services.acme-edge.files]]\nsource = \"ours\"\npath = \"/etc/edge.conf\"\n\
               [[services.acme-edge.files]]\nsource = \"beside\"\npath = \"/etc/edge/\"";
    let service = over(own, below).service_for(&edge(), Format::Deb);
    let sources: Vec<String> = service
        .files
        .iter()
        .map(|entry| match &entry.kind {
            FileKind::File(FileSource::Path(path)) => path.display().to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(sources, ["kept", "into", "ours", "beside"]);
    assert!(service.files.iter().all(|entry| entry.role == Role::Config));
}

#[test]
fn compared_strictly_only_what_the_tool_itself_adds_is_added() {
    let mut additions = Additions::default();
    additions.set(Addition::Copyright, true);
    additions.refuse_the_rest();
    let wanted: Vec<&str> =
        Addition::ALL.iter().filter(|(_, addition)| additions.has(*addition)).map(|(name, _)| *name).collect();
    assert_eq!(wanted, ["copyright"]);
}

#[test]
fn debhelpers_two_words_for_upgrades_are_one_of_three_policies() {
    let policy = |restart_after_upgrade, stop_on_upgrade| {
        UnitPolicy { restart_after_upgrade, stop_on_upgrade, ..UnitPolicy::default() }.restart()
    };
    assert_eq!(policy(None, None), None);
    assert_eq!(policy(Some(true), Some(true)), Some(RestartPolicy::AfterUpgrade));
    assert_eq!(policy(Some(true), Some(false)), Some(RestartPolicy::AfterUpgrade));
    assert_eq!(policy(Some(false), Some(true)), Some(RestartPolicy::StopStart));
    assert_eq!(policy(Some(false), None), Some(RestartPolicy::StopStart));
    assert_eq!(policy(Some(false), Some(false)), Some(RestartPolicy::Never));
}

#[test]
fn what_cargo_makes_is_named_below_its_profile() {
    let entry = |source: &str, path: &str| {
        let table = format!("[[services.acme-edge.files]]\ntype = \"built\"\nsource = \"{source}\"\npath = \"{path}\"");
        file(&loaded(&table)).kind
    };
    let one = entry("libedge.so", "/usr/lib/edge/");
    assert!(
        matches!(&one, FileKind::File(FileSource::Built { path, .. }) if path.as_path() == Path::new("libedge.so"))
    );
    let many = entry("build/edge-*/out/*.1", "/usr/share/man/man1/");
    let FileKind::File(FileSource::BuiltGlob { base, pattern, .. }) = many else { panic!("{many:?}") };
    assert_eq!(base, PathBuf::from("build"));
    assert!(pattern.is_match("build/edge-01/out/edge.1") && !pattern.is_match("build/edge-01/out/a/edge.1"));
}

#[test]
fn scripts_triggers_and_the_rest_are_read_from_packhouse_toml() {
    let settings = loaded(
        "layout = \"flat\"\npackage = \"edge-tools\"\npriority = \"standard\"\nmulti-arch = \"foreign\"\ntriggers = \"deb/triggers\"\n\
         [services.acme-edge.scripts]\npost-install = \"deb/postinst\"\ndebconf-templates = \"deb/templates\"\nwritten-for = \"rpm\"",
    );
    let service = settings.service_for(&edge(), Format::Deb);
    assert_eq!(service.package.as_ref().unwrap().as_str(), "edge-tools");
    assert_eq!((service.priority.as_deref(), service.multi_arch), (Some("standard"), Some(MultiArch::Foreign)));
    assert_eq!(service.triggers, Some(TextSource::File("deb/triggers".into())));
    let script = &service.scripts.stages[&Stage::PostInstall];
    assert_eq!((&script.text, script.written_for), (&TextSource::File("deb/postinst".into()), Format::Rpm));
    let files: Vec<_> = service.scripts.files().map(|file| file.to_str().unwrap()).collect();
    assert_eq!(files, ["deb/postinst", "deb/templates"]);
}
