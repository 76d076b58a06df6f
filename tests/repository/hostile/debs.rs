//! Debian packages.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Case, all_are_refused};

const CONTROL: &str = "Package: acme\nSource: acme-source (1:1.0-1)\nVersion: 1:1.0~rc1-1\nArchitecture: amd64\n\
    Maintainer: Acme <a@acme.example>\nDepends: libc6 (>= 2.36), a | b\nDescription: a test\n with a second line\n";

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An ar archive of these members.
pub(super) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        bytes.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", content.len()).bytes());
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(2), b'\n');
    }
    bytes
}

/// One entry of a tar archive: a name as bytes, a type, a stated size, and what follows the header.
pub(super) fn entry(name: &[u8], kind: u8, size: u64, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_mtime(0);
    header.set_entry_type(tar::EntryType::new(kind));
    if matches!(kind, b'1' | b'2') {
        header.set_link_name("control").unwrap();
    }
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

pub(super) fn file(name: &[u8], content: &[u8]) -> Vec<u8> {
    entry(name, b'0', content.len() as u64, content)
}

pub(super) fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn data() -> Vec<u8> {
    tar(&[entry(b"./usr/", b'5', 0, b""), file(b"./usr/file", b"content")])
}

/// A package of these two archives.
pub(super) fn deb(control: &[u8], data: &[u8]) -> Vec<u8> {
    ar(&[("debian-binary", b"2.0\n"), ("control.tar", control), ("data.tar", data)])
}

pub(super) fn with_control(text: &[u8]) -> Vec<u8> {
    deb(&tar(&[file(b"./control", text)]), &data())
}

pub(super) fn good() -> Vec<u8> {
    with_control(CONTROL.as_bytes())
}

/// The good control file with one text of it replaced.
fn changed(from: &str, to: &str, reason: &'static str) -> Case {
    assert!(CONTROL.contains(from), "{from}");
    let text = CONTROL.replacen(from, to, 1);
    (format!("{from:?} → {to:?}"), with_control(text.as_bytes()), reason)
}

#[test]
fn fields_that_are_missing_doubled_or_malformed_are_refused() {
    let mut cases = Vec::new();
    for (field, line) in [
        ("Package", "Package: acme\n"),
        ("Version", "Version: 1:1.0~rc1-1\n"),
        ("Architecture", "Architecture: amd64\n"),
        ("Maintainer", "Maintainer: Acme <a@acme.example>\n"),
        ("Description", "Description: a test\n with a second line\n"),
    ] {
        cases.push(changed(line, "", Box::leak(format!("no field `{field}`").into_boxed_str())));
        cases.push(changed(line, &format!("{line}{line}"), "twice"));
        cases.push(changed(line, &format!("{line}{}", line.to_uppercase()), "twice"));
    }
    cases.push(changed("Depends: libc6 (>= 2.36), a | b\n", "X-Own: 1\nx-own: 2\n", "`x-own` twice"));
    for name in ["A", "a", "Acme", "acme/x", "../acme", "a b", "a_b", "-acme", ".acme", "äcme", "acme\n second", ""] {
        cases.push(changed("Package: acme", &format!("Package: {name}"), "`Package`"));
    }
    cases.push(changed("Package: acme", &format!("Package: {}", "a".repeat(201)), "`Package`"));
    for version in [
        "",
        "x",
        "1 2",
        "1_0",
        "1/2",
        "v1",
        "x:1",
        "+1:1",
        ":1",
        "1.0-",
        "1:2:3",
        "-1",
        "99999999999:1",
        "1\n 2",
        "1\t2",
    ] {
        cases.push(changed("Version: 1:1.0~rc1-1", &format!("Version: {version}"), "`Version`"));
    }
    for architecture in ["", "amd64 i386", "../x", "AMD64", "amd64/x", "-x", "amd64\n all"] {
        cases.push(changed("amd64", architecture, "`Architecture`"));
    }
    for architecture in ["any", "linux-any", "any-amd64", "source"] {
        cases.push(changed("amd64", architecture, "no architecture of a binary package"));
    }
    for line in ["Multi-Arch: yes", "Multi-Arch: same\n foreign", "Essential: maybe", "Protected: 1", "Important: true"]
    {
        cases.push(changed("Depends", &format!("{line}\nDepends"), "cannot be `"));
    }
    cases.push(changed("amd64\n", "all\nMulti-Arch: same\n", "cannot be `Multi-Arch: same`"));
    for source in ["../evil", "a b", "acme (", "acme (1 2)", "acme ()", "acme (v1)", "A", "acme-source\n evil"] {
        cases.push(changed("acme-source (1:1.0-1)", source, "`Source`"));
    }
    all_are_refused("deb", "bookworm", &good(), cases);
}

#[test]
fn what_would_begin_another_field_or_stanza_of_the_index_is_refused() {
    let mut cases = Vec::new();
    for (to, reason) in [
        ("a test\n\nPackage: evil\nVersion: 1", "empty line"),
        ("a test\n \nPackage: evil", "empty line"),
        ("a test\n\t \n x", "empty line"),
        ("a test\nFilename: pool/evil.deb", "`Filename`, which only an index may have"),
        ("a test\rFilename: pool/evil.deb", "control character '\\r'"),
        ("a test\n x\r\n .", "control character '\\r'"),
        ("a test\0", "control character '\\0'"),
        ("a \u{1b}[31mtest", "control character '\\u{1b}'"),
        ("a \u{85}Filename: x", "control character '\\u{85}'"),
        ("a \u{b}\u{c}", "control character '\\u{b}'"),
        ("a test\nno colon", "without a field name"),
        ("a test\n: x", "no field name"),
        ("a test\nÜ: x", "no field name"),
        ("a test\n#x: y", "no field name"),
        ("a test\n-x: y", "no field name"),
        ("a test\nA B: y", "no field name"),
    ] {
        cases.push(changed("a test", to, reason));
    }
    cases.push(("a continuation first".into(), with_control(format!(" x\n{CONTROL}").as_bytes()), "continuation line"));
    cases.push(("an empty line first".into(), with_control(format!("\n{CONTROL}").as_bytes()), "empty line"));
    cases.push(("two stanzas".into(), with_control(format!("{CONTROL}\n{CONTROL}").as_bytes()), "empty line"));
    cases.push(("nothing".into(), with_control(b""), "empty line"));
    for name in [
        "Filename",
        "size",
        "MD5sum",
        "SHA1",
        "SHA256",
        "SHA512",
        "Directory",
        "Description-md5",
        "Phased-Update-Percentage",
        "Status",
        "Conffiles",
        "Config-Version",
        "Files",
        "Checksums-Sha256",
    ] {
        let line = format!("{name}: 1\nDepends");
        cases.push(changed("Depends", &line, "which only an index may have"));
    }
    let mut bytes = CONTROL.as_bytes().to_vec();
    bytes.extend(b"X-Latin: \xfc\n");
    cases.push(("not UTF-8".into(), with_control(&bytes), "not UTF-8"));
    // What apt cannot parse it answers by refusing the whole index.
    for relation in ["a (1)", "a [amd64]", "a <x>", "a,,b", "a (>= 1", "a b", "${shlibs:Depends}", "a || b"] {
        cases.push(changed("libc6 (>= 2.36), a | b", relation, "which apt cannot parse"));
    }
    for field in ["Pre-Depends", "Recommends", "Suggests", "Enhances", "Conflicts", "Breaks", "Replaces", "Provides"] {
        cases.push(changed("Depends: libc6 (>= 2.36), a | b", &format!("{field}: a ("), "which apt cannot parse"));
    }
    all_are_refused("deb", "bookworm", &good(), cases);
}

#[test]
fn archives_that_two_readers_could_read_differently_are_refused() {
    let control = tar(&[file(b"./control", CONTROL.as_bytes())]);
    let (plain, version): (&[u8], &[u8]) = (&control, b"2.0\n");
    let (packed, data) = (gzip(&control), data());
    let evil = tar(&[file(b"./control", CONTROL.replace("acme", "evil").as_bytes())]);
    let three = [("debian-binary", version), ("control.tar", plain), ("data.tar", data.as_slice())];
    let order = "not debian-binary, control.tar and data.tar";
    let mut cases: Vec<Case> = Vec::new();
    let mut members = |what: &str, members: &[(&str, &[u8])], reason| cases.push((what.into(), ar(members), reason));
    members("two control members", &[three[0], three[1], ("control.tar.gz", &packed), three[2]], order);
    members("two control members, one last", &[three[0], three[1], three[2], ("control.tar.gz", &packed)], order);
    members("two equal control members", &[three[0], three[1], ("control.tar", &evil), three[2]], order);
    members("a member before data", &[three[0], three[1], ("extra", b"x"), three[2]], order);
    members("a hidden member before data", &[three[0], three[1], ("_extra", b"x"), three[2]], order);
    members("a hidden member before control", &[three[0], ("_extra", b"x"), three[1], three[2]], order);
    members("a member first", &[("extra", b"x"), three[0], three[1], three[2]], order);
    members("a member last", &[three[0], three[1], three[2], ("extra", b"x")], order);
    members("the wrong order", &[three[0], three[2], three[1]], order);
    members("no data", &[three[0], three[1]], order);
    members("no control", &[three[0], three[2]], order);
    members("only a version", &[three[0]], order);
    members("another format", &[("debian-binary", b"3.0\n"), three[1], three[2]], "format version is not 2.x");
    members("the old format", &[("debian-binary", b"0.939000\n"), three[1], three[2]], "format version is not 2.x");
    members("an unknown compression", &[three[0], ("control.tar.br", plain), three[2]], order);
    members("a given up compression", &[three[0], three[1], ("data.tar.lzma", &data)], "given up");
    members("no compressed data", &[three[0], ("control.tar.gz", plain), three[2]], "cannot be read");
    members("no xz data", &[three[0], ("control.tar.xz", plain), three[2]], "cannot be read");
    members("no zstd data", &[three[0], ("control.tar.zst", plain), three[2]], "cannot be read");
    members(
        "compressed data that end early",
        &[three[0], ("control.tar.gz", &packed[..packed.len() - 9]), three[2]],
        "incomplete deflate stream",
    );

    let mut raw = |what: &str, bytes: Vec<u8>, reason| cases.push((what.into(), bytes, reason));
    let good = ar(&three);
    raw("nothing", Vec::new(), "neither a .deb nor an .rpm");
    raw("a text", b"hello\n".to_vec(), "neither a .deb nor an .rpm");
    raw("a thin archive", [b"!<thin>\n", &good[8..]].concat(), "neither a .deb nor an .rpm");
    raw("an archive without members", b"!<arch>\n".to_vec(), order);
    raw("the end within a member", good[..good.len() - 600].to_vec(), "ends within its member");
    raw("the end within a header", good[..good.len() - data.len() - 30].to_vec(), "ends within");
    let size = |text: &str| {
        let mut bytes = good.clone();
        bytes[8 + 48..8 + 58].copy_from_slice(format!("{text:<10}").as_bytes());
        bytes
    };
    raw("a negative size", size("-4"), "no ar header");
    raw("a size in hexadecimal", size("0x4"), "no ar header");
    raw("a huge size", size("9999999999"), "ends within its member");

    let mut inside =
        |what: &str, entries: &[Vec<u8>], reason| cases.push((what.into(), deb(&tar(entries), &data), reason));
    let control = || file(b"./control", CONTROL.as_bytes());
    inside("two control files", &[control(), control()], "`control` twice");
    inside(
        "two control files, spelt differently",
        &[control(), file(b"control", b"Package: evil\n")],
        "`control` twice",
    );
    inside("no control file", &[file(b"./md5sums", b"")], "no control file");
    inside("a control file in a directory", &[file(b"./x/control", CONTROL.as_bytes())], "dpkg does not know");
    inside("a control file that is a link", &[entry(b"./control", b'2', 0, b"")], "dpkg does not know");
    inside("a control file that is a hard link", &[control(), entry(b"./control", b'1', 0, b"")], "dpkg does not know");
    inside("a control file that is a device", &[entry(b"./control", b'3', 0, b"")], "dpkg does not know");
    inside("an unknown control file", &[control(), file(b"./evil", b"")], "dpkg does not know");
    inside("a way out", &[control(), file(b"../control", b"")], "leaves its place");
    inside("pax headers", &[entry(b"x", b'x', 18, b"18 path=./control\n"), control()], "pax headers");
    inside("a sparse file", &[entry(b"./control", b'S', 0, b"")], "dpkg does not read");
    inside("an unknown type", &[control(), entry(b"./md5sums", b'Z', 0, b"")], "dpkg does not read");
    inside("a directory with content", &[entry(b"./", b'5', 1024, &control()), control()], "has content");
    inside(
        "a long name",
        &[entry(b"././@LongLink", b'L', 9000, &[b'a'; 9000]), control()],
        "longer than a file system",
    );
    inside("a huge file", &[entry(b"./md5sums", b'0', 1 << 40, b"x")], "cannot be read");
    let mut large = CONTROL.as_bytes().to_vec();
    large.resize(1024 * 1024 + 1, b'x');
    inside("a large control file", &[file(b"./control", &large)], "larger than 1048576 bytes");
    inside("large conffiles", &[control(), file(b"./conffiles", &large)], "larger than 1048576 bytes");
    let fields: String = (0..201).map(|number| format!("X-{number}: y\n")).collect();
    inside("many fields", &[file(b"./control", (CONTROL.to_owned() + &fields).as_bytes())], "more fields");

    let mut outside =
        |what: &str, entries: &[Vec<u8>], reason| cases.push((what.into(), deb(plain, &tar(entries)), reason));
    outside("a way out of the data", &[file(b"./usr/../../etc/passwd", b"")], "leaves its place");
    outside("a hard link that leads out", &[entry(b"./x", b'1', 0, b""), file(b"./../x", b"")], "leaves its place");
    outside("a line break in a name", &[file(b"./usr/a\nb", b"")], "control character");
    outside("a control character in a name", &[file(b"./usr/\x1b[31m", b"")], "control character");
    outside("a checksum that is wrong", &[vec![b'x'; 512]], "cannot be read");
    all_are_refused("deb", "bookworm", &good, cases);
}
