//! One suite of the yum half: primary, filelists, other under checksummed names, and the signed repomd.xml.
//!
//! `repomd.xml` and its signature are two files, and a client that gets one new and one old refuses both. So the whole
//! `repodata` directory is made aside (older metadata are hard links in it) and exchanged with the current one in a single
//! step, renameat2(2) with RENAME_EXCHANGE. Where the file system has no such step, the signature goes just before
//! `repomd.xml`, which is last.
//!
//! gzip throughout: it is what dnf 4.7 of EL 8 reads. Source: createrepo_c's `xml_dump_repomd.c`; zypper fetches
//! `repomd.xml.key` beside the signature.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::compress;
use super::error::RepoError;
use super::sign::Signer;
use super::state::{Files, Rpm, States, YumState};
use super::store::{self, Store};
use crate::digest::Sha256;

const COMMON: &str = "http://linux.duke.edu/metadata/common";
const FILELISTS: &str = "http://linux.duke.edu/metadata/filelists";
const OTHER: &str = "http://linux.duke.edu/metadata/other";
const REPO: &str = "http://linux.duke.edu/metadata/repo";
const RPM: &str = "http://linux.duke.edu/metadata/rpm";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The suite's signed index, relative to the repository.
pub(super) fn index(suite: &str) -> String {
    format!("yum/{suite}/repodata/repomd.xml")
}

/// Where a package goes, relative to the suite's directory: `packages/a/acme-1.0-1.el9.x86_64.rpm`.
///
/// `tagged` puts a directory named after the content in between, for a package whose place is taken by another content.
pub(super) fn location(name: &str, version: &str, release: &str, architecture: &str, tagged: Option<Sha256>) -> String {
    let letter: String = name.chars().take(1).flat_map(char::to_lowercase).collect();
    let tag = tagged.map(|digest| digest.to_string().chars().take(12).collect::<String>() + "/").unwrap_or_default();
    format!("packages/{letter}/{tag}{name}-{version}-{release}.{architecture}.rpm")
}

/// A metadata file: its name in `repodata`, its content, and its entry in repomd.xml.
struct Metadata {
    name: String,
    content: Vec<u8>,
    entry: String,
}

/// Writes the suite's metadata for `packages` (their files are in place) and makes them current. Gives the new state.
pub(super) fn write(
    store: &Store,
    suite: &str,
    previous: &YumState,
    mut packages: Vec<Rpm>,
    signer: &Signer,
    date: i64,
) -> Result<YumState, RepoError> {
    let failed = || RepoError::io(format!("the metadata of {suite} could not be written"));
    packages.sort();
    let metadata = [
        metadata("primary", &primary(&packages), date).map_err(failed())?,
        metadata("filelists", &document("filelists", FILELISTS, &packages, |rpm| &rpm.filelists), date)
            .map_err(failed())?,
        metadata("other", &document("otherdata", OTHER, &packages, |rpm| &rpm.other), date).map_err(failed())?,
    ];
    let mut repomd = format!("{DECLARATION}<repomd xmlns=\"{REPO}\" xmlns:rpm=\"{RPM}\">\n");
    let _ = writeln!(repomd, "  <revision>{date}</revision>");
    metadata.iter().for_each(|file| repomd.push_str(&file.entry));
    repomd.push_str("</repomd>\n");
    let signature = signer.detached(repomd.as_bytes(), date)?;
    let certificate = signer.certificate().armored()?;

    let mut names: Vec<String> = metadata.iter().map(|file| file.name.clone()).collect();
    names.sort();
    let state = YumState { date, packages, files: previous.files.succeeded_by(names, date) };
    let index = index(suite);
    let states = States::of("yum", suite, &index);
    states.save(store, repomd.as_bytes(), &state)?;
    store.barrier().map_err(failed())?;

    let mut files: Vec<(&str, &[u8])> =
        metadata.iter().map(|file| (file.name.as_str(), file.content.as_slice())).collect();
    files.push(("repomd.xml.key", certificate.as_bytes()));
    files.push(("repomd.xml.asc", signature.as_bytes()));
    files.push(("repomd.xml", repomd.as_bytes()));
    let directory = format!("yum/{suite}/repodata");
    if !exchange(store, &directory, &files, &state.files).map_err(failed())? {
        one_by_one(store, &directory, &files, &state.files).map_err(failed())?;
    }
    states.sweep(store, repomd.as_bytes()).map_err(failed())?;
    Ok(state)
}

/// Makes a new directory with these files and the ones that are kept, and puts it in the place of the current one.
fn exchange(store: &Store, directory: &str, files: &[(&str, &[u8])], kept: &Files) -> io::Result<bool> {
    let new = store.temporary_directory()?;
    for (name, content) in files {
        let mut file = fs_err::File::create_new(new.path().join(name))?;
        file.write_all(content)?;
        store::seal(file.file())?;
    }
    for retired in &kept.retired {
        let old = store.path(directory).join(&retired.path);
        match fs_err::hard_link(&old, new.path().join(&retired.path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    store.exchange(&new, directory)
}

/// The same without the single step: metadata, the key, the signature, and last `repomd.xml`.
fn one_by_one(store: &Store, directory: &str, files: &[(&str, &[u8])], kept: &Files) -> io::Result<()> {
    for (name, content) in files {
        if *name == "repomd.xml.asc" {
            store.barrier()?;
        }
        store.write(&format!("{directory}/{name}"), content)?;
    }
    store.barrier()?;
    for entry in fs_err::read_dir(store.path(directory))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with("repomd.xml") && !kept.keeps(&name) {
            store.remove(&format!("{directory}/{name}"))?;
        }
    }
    Ok(())
}

fn primary(packages: &[Rpm]) -> String {
    let count = packages.len();
    let mut xml = format!("{DECLARATION}<metadata xmlns=\"{COMMON}\" xmlns:rpm=\"{RPM}\" packages=\"{count}\">\n");
    packages.iter().for_each(|rpm| xml.push_str(&rpm.primary));
    xml.push_str("</metadata>\n");
    xml
}

fn document(root: &str, namespace: &str, packages: &[Rpm], part: impl Fn(&Rpm) -> &String) -> String {
    let mut xml = format!("{DECLARATION}<{root} xmlns=\"{namespace}\" packages=\"{}\">\n", packages.len());
    packages.iter().for_each(|rpm| xml.push_str(part(rpm)));
    let _ = writeln!(xml, "</{root}>");
    xml
}

fn metadata(kind: &str, xml: &str, date: i64) -> io::Result<Metadata> {
    let content = compress::gzip(xml.as_bytes())?;
    let (digest, open) = (Sha256::of(&content), Sha256::of(xml.as_bytes()));
    let name = format!("{digest}-{kind}.xml.gz");
    let (size, open_size) = (content.len(), xml.len());
    let entry = format!(
        "  <data type=\"{kind}\">\n    <checksum type=\"sha256\">{digest}</checksum>\n    \
         <open-checksum type=\"sha256\">{open}</open-checksum>\n    <location href=\"repodata/{name}\"/>\n    \
         <timestamp>{date}</timestamp>\n    <size>{size}</size>\n    <open-size>{open_size}</open-size>\n  </data>\n"
    );
    Ok(Metadata { name, content, entry })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::state::Retired;

    #[test]
    fn without_an_exchange_of_directories_files_are_written_one_by_one_and_forgotten_ones_go() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::at(directory.path());
        let _lock = store.lock(&crate::report::Silent).expect("the lock");
        for name in ["kept.xml.gz", "forgotten.xml.gz"] {
            store.write(&format!("yum/el9/repodata/{name}"), b"old").expect("written");
        }
        let kept = Files {
            current: vec!["new.xml.gz".into()],
            retired: vec![Retired { path: "kept.xml.gz".into(), since: 0 }],
        };
        let files: [(&str, &[u8]); 3] =
            [("new.xml.gz", b"new"), ("repomd.xml.asc", b"signature"), ("repomd.xml", b"root")];
        one_by_one(&store, "yum/el9/repodata", &files, &kept).expect("written");
        let mut names: Vec<String> = fs_err::read_dir(directory.path().join("yum/el9/repodata"))
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(names, ["kept.xml.gz", "new.xml.gz", "repomd.xml", "repomd.xml.asc"]);
    }

    #[test]
    fn a_package_lies_below_its_first_letter() {
        assert_eq!(location("Acme", "1.0~rc1", "1.el9", "noarch", None), "packages/a/Acme-1.0~rc1-1.el9.noarch.rpm");
    }
}
