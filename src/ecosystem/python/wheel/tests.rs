use std::io::Cursor;

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use base64::Engine as _;
use sha2::Digest as _;

use super::*;
use crate::ecosystem::python::record::record_line;

/// A wheel in the making: entries in order; RECORD is made from them unless one is given.
pub(in super::super) struct Maker {
    entries: Vec<(String, Vec<u8>, u32)>,
    dist_info: String,
}

impl Maker {
    pub(in super::super) fn new(name: &str, version: &str) -> Self {
        let dist_info = format!("{name}-{version}.dist-info");
        let mut maker = Self { entries: Vec::new(), dist_info: dist_info.clone() };
        maker.add(&format!("{dist_info}/WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
        maker.add(
            &format!("{dist_info}/METADATA"),
            &format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"),
        );
        maker
    }

    pub(in super::super) fn add(&mut self, path: &str, content: &str) -> &mut Self {
        self.entry(path, content.as_bytes(), 0o100_644)
    }

    pub(in super::super) fn entry(&mut self, path: &str, content: &[u8], mode: u32) -> &mut Self {
        self.entries.retain(|(present, _, _)| present != path);
        self.entries.push((path.to_owned(), content.to_vec(), mode));
        self
    }

    fn record(&self) -> String {
        let mut record: String = self
            .entries
            .iter()
            .filter(|(path, _, _)| !path.ends_with('/'))
            .map(|(path, content, _)| record_line(path, &Digests::of(content)))
            .collect();
        record.push_str(&format!("{}/RECORD,,\n", self.dist_info));
        record
    }

    fn bytes_with_record(&self, record: Option<&str>) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let write = |writer: &mut ZipWriter<Cursor<Vec<u8>>>, path: &str, content: &[u8], mode: u32| {
            let method = if content.len() > 1 << 20 { CompressionMethod::Deflated } else { CompressionMethod::Stored };
            let options = SimpleFileOptions::default().unix_permissions(mode & 0o777).compression_method(method);
            match mode & 0o170_000 {
                0o120_000 => writer.add_symlink(path, String::from_utf8_lossy(content), options).unwrap(),
                0o040_000 => writer.add_directory(path, options).unwrap(),
                _ => {
                    writer.start_file(path, options).unwrap();
                    writer.write_all(content).unwrap();
                }
            }
        };
        for (path, content, mode) in &self.entries {
            write(&mut writer, path, content, *mode);
        }
        let own = self.record();
        write(&mut writer, &format!("{}/RECORD", self.dist_info), record.unwrap_or(&own).as_bytes(), 0o100_644);
        writer.finish().unwrap().into_inner()
    }

    pub(in super::super) fn bytes(&self) -> Vec<u8> {
        self.bytes_with_record(None)
    }
}

fn take(file_name: &str, bytes: &[u8]) -> Result<Vec<File>, Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(file_name);
    fs_err::write(&path, bytes).unwrap();
    let target = directory.path().join("unpacked");
    fs_err::create_dir(&target).unwrap();
    Wheel::open(&path)?.unpack(&target)
}

fn refused(bytes: &[u8]) -> String {
    let error = take("demo-1.0-py3-none-any.whl", bytes).expect_err("must be refused");
    assert!(error.to_string().starts_with("demo-1.0-py3-none-any.whl: "), "{error}");
    error.to_string()
}

/// Replaces every occurrence of `from` by `to` of the same length: local header and central directory alike.
fn patched(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> =
        (0..bytes.len().saturating_sub(from.len())).filter(|&start| bytes[start..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for start in places {
        bytes[start..start + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn a_good_wheel_is_unpacked_with_its_digests_and_read_only() {
    let mut maker = Maker::new("demo", "1.0");
    maker.add("demo/__init__.py", "x = 1\n").entry("demo-1.0.data/scripts/run", b"#!python\n", 0o100_755);
    maker.entry("demo/empty/", b"", 0o040_755);
    let files = take("demo-1.0-py3-none-any.whl", &maker.bytes()).unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "demo-1.0.data/scripts/run",
            "demo-1.0.dist-info/METADATA",
            "demo-1.0.dist-info/RECORD",
            "demo-1.0.dist-info/WHEEL",
            "demo/__init__.py"
        ]
    );
    assert!(files[0].executable && !files[4].executable);
    assert_eq!(files[4].digests, Digests::of(b"x = 1\n"));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for (name, reason) in [
        ("../evil.py", "`..`"),
        ("demo/../../evil.py", "`..`"),
        ("/etc/evil", "absolute"),
        ("demo\\evil.py", "backslash"),
        ("C:/evil.py", "drive"),
        ("demo/ev\nil.py", "control"),
        ("demo//evil.py", "empty"),
        ("./evil.py", "`.`"),
    ] {
        // The writer cleans names, so they are put in afterwards, with placeholders of the same length.
        let placeholder = "Q".repeat(name.len());
        let mut maker = Maker::new("demo", "1.0");
        maker.add(&placeholder, "evil");
        let message = refused(&patched(maker.bytes(), placeholder.as_bytes(), name.as_bytes()));
        assert!(message.contains(reason), "{name:?}: {message}");
    }
    let mut maker = Maker::new("demo", "1.0");
    maker.add("QQQQ", "evil");
    assert!(refused(&patched(maker.bytes(), b"QQQQ", b"a\xff\xfeb")).contains("UTF-8"));
}

#[test]
fn a_symbolic_link_is_refused() {
    let mut maker = Maker::new("demo", "1.0");
    maker.entry("demo/link", b"/etc/passwd", 0o120_777);
    assert!(refused(&maker.bytes()).contains("symbolic link"));
}

#[test]
fn duplicate_names_and_a_file_that_is_a_directory_are_refused() {
    let mut maker = Maker::new("demo", "1.0");
    maker.add("demo/a.py", "1").add("demo/b.py", "2");
    let message = refused(&patched(maker.bytes(), b"demo/b.py", b"demo/a.py"));
    assert!(message.contains("same name") || message.contains("twice"), "{message}");
    let mut maker = Maker::new("demo", "1.0");
    maker.add("demo/a", "1").add("demo/a/b", "2");
    assert!(refused(&maker.bytes()).contains("a file and a directory"));
}

#[test]
fn a_local_header_that_disagrees_with_the_directory_is_refused() {
    let mut maker = Maker::new("demo", "1.0");
    maker.add("demo/a.py", "1");
    let mut bytes = maker.bytes();
    let start = bytes.windows(9).position(|window| window == b"demo/a.py").unwrap();
    bytes[start + 5] = b'z';
    let message = refused(&bytes);
    assert!(message.contains("ZIP"), "{message}");
}

#[test]
fn data_before_or_after_the_archive_is_refused() {
    let bytes = Maker::new("demo", "1.0").bytes();
    let mut after = bytes.clone();
    after.extend_from_slice(b"trailing");
    assert!(refused(&after).contains("does not end where its directory ends"));
    let mut before = b"#!/bin/sh\n".to_vec();
    before.extend_from_slice(&bytes);
    refused(&before);
    refused(&bytes[..bytes.len() / 2]);
    refused(b"");
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let mut maker = Maker::new("demo", "1.0");
    maker.entry("demo/zeros", &vec![0; 8 << 20], 0o100_644);
    assert!(refused(&maker.bytes()).contains("200 times"));
}

#[test]
fn an_encrypted_entry_is_refused() {
    let mut maker = Maker::new("demo", "1.0");
    maker.add("demo/a.py", "secret");
    let mut bytes = maker.bytes();
    let end = bytes.len() - 22;
    let directory = u32::from_le_bytes(bytes[end + 16..end + 20].try_into().unwrap()) as usize;
    bytes[directory + 8] |= 1;
    bytes[6] |= 1;
    assert!(refused(&bytes).contains("encrypted"));
}

#[test]
fn a_record_that_is_wrong_in_any_way_is_refused_with_what_was_expected() {
    let mut maker = Maker::new("demo", "1.0");
    maker.add("demo/a.py", "one");
    let good = maker.record();
    let line = record_line("demo/a.py", &Digests::of(b"one"));
    let with = |record: &str| maker.bytes_with_record(Some(record));
    let message = refused(&with(&good.replace(&line, "")));
    assert!(message.ends_with("`demo/a.py` is not listed in RECORD"), "{message}");
    let message = refused(&with(&good.replace(&line, &record_line("demo/a.py", &Digests::of(b"two")))));
    assert!(message.contains("`demo/a.py` does not match RECORD: expected sha256=") && message.contains("got sha256="));
    let message = refused(&with(&good.replace(&line, &record_line("demo/a.py", &Digests::of(b"three")))));
    assert!(message.contains("expected 5 bytes, got 3 bytes"), "{message}");
    let more = format!("{good}{}", record_line("demo/b.py", &Digests::of(b"")));
    assert!(refused(&with(&more)).contains("lists `demo/b.py`, which is not in the archive"));
    assert!(refused(&with(&format!("{good}{line}"))).contains("a second time"));
    assert!(refused(&with(&good.replace(&line, "demo/a.py,,\n"))).contains("no digest"));
    assert!(refused(&with(&good.replace(&line, "demo/a.py,md5=x,3\n"))).contains("md5"));
    assert!(refused(&with(&good.replace(&line, "demo/a.py\n"))).contains("1 fields"));
    let sha512 = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha512::digest(b"one"));
    let longer = good.replace(&line, &format!("\"demo/a.py\",sha512={sha512},\r\n"));
    take("demo-1.0-py3-none-any.whl", &with(&longer)).unwrap();
    let changed = patched(maker.bytes(), b"one", b"two");
    refused(&changed);
}

#[test]
fn metadata_must_agree_with_the_file_name_and_be_of_a_known_version() {
    let bytes = Maker::new("other", "1.0").bytes();
    assert!(refused(&bytes).contains("its file name says demo 1.0, the directory says other 1.0"));
    let mut maker = Maker::new("demo", "1.0");
    maker.add("demo-1.0.dist-info/METADATA", "Name: demo\nVersion: 2.0\n");
    assert!(refused(&maker.bytes()).contains("METADATA says demo 2.0"));
    let mut maker = Maker::new("demo", "1.0");
    maker.add("demo-1.0.dist-info/WHEEL", "Wheel-Version: 2.0\n");
    assert!(refused(&maker.bytes()).contains("only 1.x is known"));
    let mut maker = Maker::new("demo", "1.0");
    maker.add("extra-1.0.dist-info/METADATA", "");
    assert!(refused(&maker.bytes()).contains("two .dist-info"));
    take("Demo-1-py3-none-any.whl", &Maker::new("demo", "1.0").bytes()).unwrap();
    assert!(take("demo.whl", &Maker::new("demo", "1.0").bytes()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_reading_panic(damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), cut in any::<prop::sample::Index>()) {
        let mut maker = Maker::new("demo", "1.0");
        maker.add("demo/a.py", "print('hello')\n");
        let mut bytes = maker.bytes();
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let _ = take("demo-1.0-py3-none-any.whl", &bytes);
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(take("demo-1.0-py3-none-any.whl", &bytes).is_err());
    }
}
