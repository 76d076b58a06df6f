//! Writes an .rpm: lead, signature header, header, payload. The header holds the payload's digests, so that the payload is
//! compressed first, into a file without a name, and copied after the header.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest as _, Sha256 as Sha256Hasher};

use super::files::{self, Item};
use super::header::{Builder, Value};
use super::read::Dependency;
use super::relations::{self, PayloadFeatures};
use super::signature::{self, Facts};
use super::{cpio, group, lead, scriptlets, tag};
use crate::digest::Sha256;
use crate::format::error::Error;
use crate::format::output::{Hashing, Output};
use crate::format::pack::{Plan, level, pack};
use crate::format::{Resolved, Written, text};
use crate::package::{Package, changelog};
use crate::target::{Compression, Format};
use crate::tree::{Node, Role};

/// The build host of every package: where it was built must not change its bytes.
const BUILD_HOST: &str = "packhouse";

/// Steps, in order: check all that can be wrong, compress the payload aside, build the header around its digests, build the
/// signature header around the header's, write them all, then name the file.
pub(in crate::format) fn write(package: &Package, directory: &Path, options: Resolved<'_>) -> Result<Written, Error> {
    let time = u32::try_from(package.time).map_err(|_| Error::Unwritable {
        what: format!("time {}", package.time),
        rule: "it must lie between 1970 and 2106",
        hint: "correct SOURCE_DATE_EPOCH or the commit's date",
    })?;
    let items = files::items(package)?;
    let mut header = metadata(package, &items, time, options)?;

    let mut output = Output::create(directory, file_name(package))?;
    let path = output.path().to_path_buf();
    let write_error = |source: io::Error| Error::Write { path: path.clone(), source };

    let mut aside = tempfile::tempfile_in(directory).map_err(write_error)?;
    let archive = archive(&items).map_err(write_error)?;
    let payload = pack(&archive, options, true, &mut aside, &path)?;
    let digest = |sha256: Option<Sha256>| Value::Texts(sha256.iter().map(Sha256::to_string).collect());
    header.set(tag::PAYLOADDIGEST, digest(Some(payload.sha256)));
    header.set(tag::PAYLOADDIGESTALT, digest(payload.archive_sha256));
    let header = header.build(tag::HEADER_IMMUTABLE);
    let facts = Facts {
        sha1: hex::encode(Sha1::digest(&header)),
        sha256: hex::encode(Sha256Hasher::digest(&header)),
        size: header.len() as u64 + payload.size,
        archive_size: archive.size(),
    };
    let digest = (|| {
        let mut file = Hashing::new(output.file().as_file_mut());
        for part in [lead::lead(package), signature::header(&facts, None), header] {
            file.write_all(&part)?;
        }
        aside.seek(SeekFrom::Start(0))?;
        io::copy(&mut io::BufReader::with_capacity(256 * 1024, &mut aside), &mut file)?;
        let (_, sha256, size) = file.finish();
        Ok((sha256, size))
    })();
    output.finish(Some(digest.map_err(write_error)?))
}

fn architecture(package: &Package) -> &'static str {
    package.architecture.map_or("noarch", |architecture| architecture.name(Format::Rpm))
}

/// `name-version-release.architecture.rpm`.
fn file_name(package: &Package) -> String {
    let version = &package.version;
    format!("{}-{}-{}.{}.rpm", package.name, version.rpm, version.revision, architecture(package))
}

/// All tags but the payload's digests.
fn metadata(package: &Package, items: &[Item], time: u32, options: Resolved<'_>) -> Result<Builder, Error> {
    let mut header = Builder::default();
    identity(&mut header, package, time)?;
    scriptlets::write(&mut header, package)?;
    files::describe(&mut header, items);
    let size = files::installed_size(items);
    match u32::try_from(size) {
        Ok(size) => header.number(tag::SIZE, size),
        Err(_) => header.set(tag::LONGSIZE, Value::Int64(vec![size])),
    }
    let features = PayloadFeatures {
        zstd: options.compression == Compression::Zstd,
        xz: options.compression == Compression::Xz,
        large_files: files::has_large(items),
        hard_links: files::has_hard_links(items),
        capabilities: files::has_capabilities(items),
        configuration: items.iter().any(|item| item.entry.role == Role::Config),
    };
    let all = relations::relations(package, features)?;
    for (list, names, flags, versions) in [
        (&all.provides, tag::PROVIDENAME, tag::PROVIDEFLAGS, tag::PROVIDEVERSION),
        (&all.requires, tag::REQUIRENAME, tag::REQUIREFLAGS, tag::REQUIREVERSION),
        (&all.conflicts, tag::CONFLICTNAME, tag::CONFLICTFLAGS, tag::CONFLICTVERSION),
        (&all.obsoletes, tag::OBSOLETENAME, tag::OBSOLETEFLAGS, tag::OBSOLETEVERSION),
        (&all.recommends, tag::RECOMMENDNAME, tag::RECOMMENDFLAGS, tag::RECOMMENDVERSION),
        (&all.suggests, tag::SUGGESTNAME, tag::SUGGESTFLAGS, tag::SUGGESTVERSION),
        (&all.supplements, tag::SUPPLEMENTNAME, tag::SUPPLEMENTFLAGS, tag::SUPPLEMENTVERSION),
        (&all.enhances, tag::ENHANCENAME, tag::ENHANCEFLAGS, tag::ENHANCEVERSION),
    ] {
        dependencies(&mut header, list, names, flags, versions);
    }
    history(&mut header, package);
    header.text(tag::PAYLOADFORMAT, "cpio");
    let compressor = match options.compression {
        Compression::Zstd => "zstd",
        Compression::Xz => "xz",
        Compression::Gzip => "gzip",
    };
    header.text(tag::PAYLOADCOMPRESSOR, compressor);
    header.text(tag::PAYLOADFLAGS, level(options.compression, options.effort).to_string());
    header.number(tag::PAYLOADDIGESTALGO, tag::SHA256);
    Ok(header)
}

fn identity(header: &mut Builder, package: &Package, time: u32) -> Result<(), Error> {
    let version = &package.version;
    let good = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+~^".contains(&byte))
    };
    if !good(&version.rpm) || !good(&version.revision) {
        return Err(Error::Unwritable {
            what: format!("version `{}`", version.rpm().escape_debug()),
            rule: "version and release may hold only letters, digits, `.`, `_`, `+`, `~`, `^`",
            hint: "correct the version in the manifest or the git tag",
        });
    }
    let architecture = architecture(package);
    let line = |what: &str, value: &str| text::line(what, value).map(str::to_owned);
    let summary = line("summary", &package.summary)?;
    let description = text::lines("description", &package.description)?;
    let description = description.iter().flat_map(|line| text::wrapped(line)).collect::<Vec<_>>().join("\n");
    let description = if description.is_empty() { summary.clone() } else { description };

    header.set(tag::HEADER_I18NTABLE, Value::Texts(vec!["C".to_owned()]));
    header.text(tag::NAME, package.name.as_str());
    header.text(tag::VERSION, version.rpm.as_str());
    header.text(tag::RELEASE, version.revision.as_str());
    if version.epoch != 0 {
        header.number(tag::EPOCH, version.epoch);
    }
    header.set(tag::SUMMARY, Value::Localised(summary));
    header.set(tag::DESCRIPTION, Value::Localised(description));
    header.set(tag::GROUP, Value::Localised(group::group(package).to_owned()));
    header.number(tag::BUILDTIME, time);
    header.text(tag::BUILDHOST, BUILD_HOST);
    header.text(tag::VENDOR, line("vendor", &package.vendor)?);
    header.text(tag::LICENSE, line("license", &package.license)?);
    header.text(tag::PACKAGER, line("maintainer", &package.maintainer.to_string())?);
    if let Some(homepage) = &package.homepage {
        header.text(tag::URL, line("homepage", homepage)?);
    }
    header.text(tag::OS, "linux");
    header.text(tag::ARCH, architecture);
    header.text(tag::PLATFORM, format!("{architecture}-redhat-linux-gnu"));
    header.text(tag::SOURCERPM, format!("{}-{}-{}.src.rpm", package.source, version.rpm, version.revision));
    header.text(tag::RPMVERSION, concat!("packhouse-", env!("CARGO_PKG_VERSION")));
    header.text(tag::ENCODING, "utf-8");
    Ok(())
}

fn dependencies(header: &mut Builder, list: &[Dependency], names: u32, flags: u32, versions: u32) {
    header.set(names, Value::Texts(list.iter().map(|one| one.name.clone()).collect()));
    header.set(flags, Value::Int32(list.iter().map(|one| one.flags).collect()));
    header.set(versions, Value::Texts(list.iter().map(|one| one.version.clone()).collect()));
}

/// The history as [`changelog::rpm`] cleans and orders it.
fn history(header: &mut Builder, package: &Package) {
    let entries = changelog::rpm(&package.changelog);
    header.set(tag::CHANGELOGTIME, Value::Int32(entries.iter().map(|entry| entry.time).collect()));
    header.set(tag::CHANGELOGNAME, Value::Texts(entries.iter().map(|entry| entry.name.clone()).collect()));
    header.set(tag::CHANGELOGTEXT, Value::Texts(entries.into_iter().map(|entry| entry.text).collect()));
}

/// The payload before compression.
fn archive(items: &[Item]) -> io::Result<Plan<'_>> {
    let mut plan = Plan::new(cpio::ALIGNMENT);
    let stripped = files::has_large(items);
    let (order, first_part) = files::payload_order(items);
    for (place, (number, has_content)) in order.into_iter().enumerate() {
        if place == first_part {
            plan.part();
        }
        let Some(item) = items.get(number) else { continue };
        let size = if has_content { item.size } else { 0 };
        if stripped {
            cpio::stripped_header(&mut plan, number as u32)?;
        } else {
            let (name, size) = (item.name.as_str(), size as u32);
            let Item { links, mode, time, .. } = *item;
            // Only the names of one file need to have the same; the header's numbers move when a file is added.
            let inode = if links > 1 { item.inode } else { 0 };
            cpio::header(&mut plan, &cpio::Entry { name, inode, links, mode, time, size })?;
        }
        let content = match &item.entry.node {
            Node::File(content) if has_content => Some(content),
            Node::Symlink(target) => {
                plan.write_all(target.as_bytes())?;
                cpio::padding(&mut plan, size)?;
                None
            }
            Node::File(_) | Node::Directory | Node::HardLink(_) => None,
        };
        plan.entry(Some(&item.path), content);
    }
    cpio::end(&mut plan)?;
    Ok(plan)
}
