//! What is proposed for what was found.

use std::path::Path;

use super::*;
use crate::name::PackageName;
use crate::workspace::EcosystemKind;

/// Python services in directories of their names, with their commands; the directories are made.
fn workspace(root: &Path, services: &[(&str, &[&str])]) -> Workspace {
    let member = |(name, commands): &(&str, &[&str])| Member {
        name: PackageName::parse(name).unwrap(),
        ecosystem_name: (*name).to_owned(),
        ecosystem: EcosystemKind::Python,
        kind: Kind::Service,
        path: (*name).into(),
        manifest: format!("{name}/setup.py").into(),
        version: None,
        summary: None,
        license: Some("MIT".to_owned()),
        reason: "setup.py and bin/\n[evil]".to_owned(),
        commands: commands.iter().map(|command| (*command).to_owned()).collect(),
        requires: Vec::new(),
        optional: std::collections::BTreeMap::new(),
        dependencies: Vec::new(),
        unread: Vec::new(),
        submodule: None,
    };
    Workspace { root: root.to_path_buf(), members: services.iter().map(member).collect() }
}

fn told(org: Option<&str>, maintainer: Option<&str>) -> Told {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Told { org: owned(org), maintainer: owned(maintainer), ..Told::default() }
}

fn nobody(_: &Member) -> Vec<config::Person> {
    Vec::new()
}

#[test]
fn what_is_proposed_is_a_valid_configuration_and_never_overwrites() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let found = workspace(&root, &[("api", &["acme-api"]), ("web", &["acme-web", "acme-web-admin"])]);
    let maintainer = "O\"Neil \\ Söhne <o@acme.example>";
    let proposal = propose(&found, &told(None, Some(maintainer)), &nobody).unwrap();
    proposal.write().unwrap();
    let settings = config::load(&root, None).unwrap();
    assert_eq!(settings.project.org.as_str(), "acme");
    assert_eq!(settings.project.maintainer.to_string(), maintainer);
    // Comments are wrapped.
    let text = proposal.text.replace("\n# ", " ");
    assert!(text.contains("from the commands, which all start with `acme-`"), "{text}");
    assert!(text.contains("service web in web (setup.py and bin/ [evil])"), "{text}");
    assert_eq!(proposal.needs, ["it holds the maintainer that you gave", "2 services share an organisation"]);
    assert!(matches!(proposal.write(), Err(Error::Exists { .. })));
    assert!(matches!(propose(&found, &told(None, Some(maintainer)), &nobody), Err(Error::Exists { .. })));
    assert_eq!(fs_err::read_to_string(root.join(FILE_NAME)).unwrap(), proposal.text);
}

#[test]
fn one_service_needs_no_file_unless_something_was_said_or_lies_beside_it() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let found = workspace(&root, &[("api", &["serve"])]);
    let author = |_: &Member| vec![("A <a@acme.example>".to_owned(), "who stands in setup.py".to_owned())];
    let proposal = propose(&found, &Told::default(), &author).unwrap();
    assert_eq!((proposal.needs.len(), proposal.org.value.as_str()), (0, "api"));
    assert_eq!(proposal.maintainer.reason, "who stands in setup.py");
    let by_environment = Told {
        default_org: Some("acme".to_owned()),
        default_maintainer: Some("B <b@x.example>".to_owned()),
        ..Told::default()
    };
    let proposal = propose(&found, &by_environment, &author).unwrap();
    assert_eq!((proposal.needs.len(), proposal.org.value.as_str()), (0, "acme"));
    assert_eq!(proposal.maintainer.value.mail, "b@x.example");
    assert_eq!(propose(&found, &told(Some("acme"), None), &author).unwrap().needs.len(), 1);
    fs_err::create_dir_all(root.join("api/etc")).unwrap();
    fs_err::write(root.join("api/etc/api.toml"), "").unwrap();
    fs_err::write(root.join("api/api.service"), "[Service]\nExecStart=/usr/bin/serve\n").unwrap();
    let proposal = propose(&found, &Told::default(), &author).unwrap();
    assert_eq!(proposal.needs, ["api has units and configuration files that belong into its package"]);
    let service = proposal.settings.services.get("api").unwrap();
    assert_eq!(service.config, [Path::new("etc/api.toml")]);
    assert!(service.systemd.is_some());
}

#[test]
fn the_directory_gives_the_organisations_name_only_where_nothing_else_does() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("42 Great_Cloud!");
    fs_err::create_dir(&root).unwrap();
    let two: &[(&str, &[&str])] = &[("api", &["serve"]), ("web", &["show"])];
    let of = |root: &Path, services: &[(&str, &[&str])], org: Option<&str>, maintainer: &str| {
        propose(&workspace(root, services), &told(org, Some(maintainer)), &nobody)
            .map(|proposal| proposal.org.value.to_string())
    };
    assert_eq!(of(&root, two, None, "A <a@b>").unwrap(), "great-cloud");
    assert_eq!(of(&root, &[("cargo-deb", &["cargo-deb"])], None, "A <a@b>").unwrap(), "cargo-deb");
    assert_eq!(of(&root, &[("acme-api", &["acme-api", "acme-admin"])], None, "A <a@b>").unwrap(), "acme");
    let root = parent.path().join("42");
    fs_err::create_dir(&root).unwrap();
    let error = of(&root, two, None, "A <a@b>").unwrap_err();
    assert!(matches!(error, Error::Undecided { what: "organisation", .. }), "{error}");
    assert!(of(&root, two, Some("Acme!"), "A <a@b>").is_err());
    assert!(of(&root, two, Some("acme"), "nobody").is_err());
}
