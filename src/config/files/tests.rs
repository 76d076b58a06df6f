//! What an entry of `[[services.NAME.files]]` may say, and what it is told.

use super::*;
use crate::config::{Settings, load};
use crate::diagnostic::Diagnose as _;

fn read(entry: &str) -> Result<Settings, crate::config::Error> {
    let directory = tempfile::tempdir().expect("a directory");
    let text = format!(
        "[project]\norg = \"acme\"\nmaintainer = \"Acme <a@acme.example>\"\n[services.acme-api]\n\
         [[services.acme-api.files]]\n{entry}\n"
    );
    fs_err::write(directory.path().join("packhouse.toml"), text).expect("write");
    load(directory.path(), None)
}

#[track_caller]
fn entry(text: &str) -> FileSettings {
    let settings = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    settings.services["acme-api"].files.first().expect("an entry").clone()
}

/// Message and hints, with the place in front.
#[track_caller]
fn refused(text: &str) -> String {
    let error = read(text).expect_err(text);
    let location = error.location().unwrap_or_else(|| panic!("{error} has no place"));
    let (line, _) = location.line_and_column();
    assert!(line >= 5, "{error} is told at line {line}");
    format!("{error} ({})", error.hints().join("; "))
}

#[test]
fn every_kind_of_entry_is_read() {
    let file = entry("source = \"etc/logrotate\"\npath = \"/etc/logrotate.d/acme-api\"");
    assert_eq!(file.role, Role::Config);
    assert!(matches!(&file.kind, FileKind::File(FileSource::Path(path)) if path == &PathBuf::from("etc/logrotate")));
    assert!(!file.into && file.mode.is_none() && file.user.is_none() && file.targets.is_empty());

    let glob = entry("source = \"docs/**/*.md\"\npath = \"/usr/share/doc/acme-api/\"\nrole = \"documentation\"");
    let FileKind::File(FileSource::Glob { base, pattern }) = &glob.kind else { panic!("{glob:?}") };
    assert_eq!((base.as_path(), glob.into, glob.role), (std::path::Path::new("docs"), true, Role::Documentation));
    assert!(pattern.is_match("docs/a/b.md") && pattern.is_match("docs/b.md") && !pattern.is_match("b.md"));

    let directory = entry(
        "type = \"directory\"\npath = \"/var/lib/acme-api\"\nmode = \"2750\"\nuser = \"acme-api\"\ngroup = \"www-data\"\n\
         targets = [\"deb\", \"el9\"]",
    );
    assert_eq!((directory.mode, directory.user.as_deref()), (Some(0o2750), Some("acme-api")));
    assert_eq!(directory.targets, [Selector::Format(Format::Deb), Selector::Distribution("el9".to_owned())]);

    let link = entry("type = \"symlink\"\npath = \"/usr/bin/acme\"\ntarget = \"../lib/acme/acme-api/bin/acme\"");
    assert!(matches!(&link.kind, FileKind::Symlink { target } if target.as_str() == "/usr/lib/acme/acme-api/bin/acme"));
    let hard = entry("type = \"hard-link\"\npath = \"/usr/bin/acme\"\ntarget = \"acme-api\"");
    assert!(matches!(&hard.kind, FileKind::HardLink { target } if target.as_str() == "/usr/bin/acme-api"));
    let ghost = entry("type = \"ghost\"\npath = \"/var/log/acme-api/\"\nmode = \"0750\"");
    assert_eq!((ghost.role, ghost.into), (Role::Ghost, true));
    let capable = entry("source = \"ping\"\npath = \"/usr/bin/acme-ping\"\ncapabilities = \"CAP_NET_RAW=ep\"");
    assert_eq!(capable.capabilities.as_deref(), Some("cap_net_raw=ep"));
}

#[test]
fn what_cannot_be_installed_is_refused_with_its_place_and_its_reason() {
    // `path` as TOML has it between quotes.
    let file = |path: &str| format!("source = \"x\"\npath = \"{path}\"");
    let directory = |rest: &str| format!("type = \"directory\"\npath = \"/usr/share/acme\"\n{rest}");
    let link = |rest: &str| format!("type = \"symlink\"\npath = \"/usr/share/acme\"\n{rest}");
    let mut wrong = Vec::new();
    let long = format!("/usr/share/{}", "a/".repeat(2500));
    for (text, reason) in [
        ("source = \"x\"".to_owned(), "`services.acme-api.files.path` is missing"),
        ("path = \"/usr/share/x\"".to_owned(), "source"),
        (file("usr/share/x"), "must begin with `/`"),
        (file("/usr/../etc/x"), "`..`"),
        (file("/usr/share//x"), "empty components"),
        (file("/usr/share/a\\nb"), "control characters"),
        (file("/usr/share/a\\u202eb"), "control characters"),
        (file(&long), "longer than"),
        (file("/usr/share/a*"), "meaning of its own"),
        (file("/usr/share/a\\\\b"), "meaning of its own"),
        (file("/usr/share/ a"), "blanks"),
        (file("/"), "must begin with `/`"),
        (file("/usr/local/bin/x"), "Debian Policy 9.1.2"),
        (file("/opt/acme/x"), "FHS 3.13"),
        (file("/lib/systemd/system/x.service"), "Debian Policy 10.1"),
        (file("/usr/lib64/x"), "Debian Policy 9.1.1"),
        (file("/run/x"), "RuntimeDirectory="),
        (file("/etc/passwd"), "belongs to the distribution"),
        (file("/usr/bin"), "belongs to the distribution"),
        (format!("{}\nsurprise = 1", file("/usr/share/x")), "unknown key `surprise`"),
        (format!("{}\ntype = \"fifo\"", file("/usr/share/x")), "unknown value `fifo`"),
        (format!("{}\ntarget = \"/x\"", file("/usr/share/x")), "only a link has a target"),
        (format!("{}\nrole = \"config\"", file("/usr/share/x")), "10.7.2"),
        (format!("{}\nrole = \"license\"", file("/etc/x")), "10.7.2"),
        (format!("{}\ntargets = []", file("/usr/share/x")), "is empty"),
        (format!("{}\ntargets = [\"debian-99\"]", file("/usr/share/x")), "neither `deb` nor `rpm`"),
        (format!("{}\nuser = \"root; rm -rf /\"", file("/usr/share/x")), "no user's name"),
        (format!("{}\ncapabilities = \"cap_fly=ep\"", file("/usr/share/x")), "no capability"),
        (format!("{}\nmode = 420", file("/usr/share/x")), "must be a string"),
        (format!("{}\nmode = \"888\"", file("/usr/share/x")), "octal"),
        (format!("{}\nmode = \"04777\"", file("/usr/share/x")), "octal"),
        (format!("{}\nmode = \"4777\"", file("/usr/share/x")), "lets everybody write"),
        (format!("{}\nmode = \"4644\"", file("/usr/share/x")), "special bit"),
        (format!("{}\nmode = \"0011\"", file("/usr/share/x")), "owner read"),
        (directory("mode = \"0777\""), "sticky"),
        (directory("mode = \"0644\""), "into the directory"),
        (directory("source = \"x\""), "only a file has a source"),
        (directory("capabilities = \"all=ep\""), "only a file has capabilities"),
        (directory("role = \"documentation\""), "only a file has a role"),
        (link(""), "target"),
        (link("target = \"../../../../x\""), "above the root"),
        (link("target = \"acme\""), "leads to itself"),
        (link("target = \"/usr\\nx\""), "control characters"),
        (link("target = \"x\"\nmode = \"0644\""), "a symbolic link is always root's"),
        ("type = \"symlink\"\npath = \"/usr/share/x/\"\ntarget = \"y\"".to_owned(), "needs a name"),
        ("type = \"hard-link\"\npath = \"/usr/bin/x\"\ntarget = \"/usr/lib/x\"".to_owned(), "in the directory"),
        ("type = \"hard-link\"\npath = \"/etc/acme/x\"\ntarget = \"y\"".to_owned(), "10.7.3"),
        ("source = \"*.md\"\npath = \"/usr/share/x\"".to_owned(), "several files"),
        ("source = \"../*.md\"\npath = \"/usr/share/x/\"".to_owned(), "`..`"),
        ("source = \"../x\"\npath = \"/usr/share/x\"".to_owned(), "`..`"),
        ("source = \"/etc/passwd\"\npath = \"/usr/share/x\"".to_owned(), "relative"),
    ] {
        let said = refused(&text);
        if !said.contains(reason) {
            wrong.push(format!("{text}\n  said: {said}\n  not: {reason}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn modes_that_mean_something_are_taken() {
    for (mode, bits) in [("0644", 0o644), ("644", 0o644), ("4755", 0o4755), ("2755", 0o2755), ("0440", 0o440)] {
        let text = format!("source = \"x\"\npath = \"/usr/bin/x\"\nmode = \"{mode}\"");
        assert_eq!(entry(&text).mode, Some(bits));
    }
    let text = "type = \"directory\"\npath = \"/var/spool/acme\"\nmode = \"1777\"";
    assert_eq!(entry(text).mode, Some(0o1777));
}

#[test]
fn a_place_that_one_format_forbids_is_free_to_the_other() {
    assert!(refused("source = \"x\"\npath = \"/usr/lib64/x\"\ntargets = [\"debian-12\"]").contains("9.1.1"));
    entry("source = \"x\"\npath = \"/usr/lib64/x\"\ntargets = [\"rpm\"]");
    entry("source = \"x\"\npath = \"/usr/lib64/x\"\ntargets = [\"el9\"]");
}
