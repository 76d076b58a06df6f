//! RPM packages. Their digests are right unless the digests are what is wrong.

use std::collections::BTreeMap;

use packhouse::digest::Sha256;

use super::{Case, all_are_refused};

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const ARCH: u32 = 1022;
const SOURCERPM: u32 = 1044;
const REQUIRENAME: u32 = 1049;
const DIRINDEXES: u32 = 1116;
const BASENAMES: u32 = 1117;
const DIRNAMES: u32 = 1118;
const PAYLOADDIGEST: u32 = 5092;
const PAYLOAD: &[u8] = b"nobody unpacks this";

/// A value of a header: its type, how many there are, its bytes.
#[derive(Clone)]
struct Value(u32, u32, Vec<u8>);

fn text(text: &str) -> Value {
    Value(6, 1, [text.as_bytes(), b"\0"].concat())
}

fn texts(texts: &[&str]) -> Value {
    Value(8, texts.len() as u32, texts.iter().flat_map(|text| [text.as_bytes(), b"\0"].concat()).collect())
}

fn numbers(numbers: &[u32]) -> Value {
    Value(4, numbers.len() as u32, numbers.iter().flat_map(|number| number.to_be_bytes()).collect())
}

fn shorts(numbers: &[u16]) -> Value {
    Value(3, numbers.len() as u32, numbers.iter().flat_map(|number| number.to_be_bytes()).collect())
}

fn entry(tag: u32, kind: u32, offset: u32, count: u32) -> Vec<u8> {
    [tag, kind, offset, count].into_iter().flat_map(u32::to_be_bytes).collect()
}

/// A header with all its entries in `region`.
fn header(region: u32, values: &BTreeMap<u32, Value>) -> Vec<u8> {
    let (mut index, mut store) = (Vec::new(), Vec::new());
    for (tag, Value(kind, count, bytes)) in values {
        let alignment = match kind {
            3 => 2,
            4 => 4,
            _ => 1,
        };
        store.resize(usize::next_multiple_of(store.len(), alignment), 0);
        index.extend(entry(*tag, *kind, store.len() as u32, *count));
        store.extend(bytes);
    }
    let trailer = store.len() as u32;
    let length = (values.len() as u32 + 1) * 16;
    store.extend(entry(region, 7, length.wrapping_neg(), 16));
    let introduction = [values.len() as u32 + 1, store.len() as u32].into_iter().flat_map(u32::to_be_bytes);
    let mut bytes = vec![0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
    bytes.extend(introduction);
    bytes.extend(entry(region, 7, trailer, 16));
    bytes.extend(index);
    bytes.extend(store);
    bytes
}

fn lead() -> Vec<u8> {
    let mut lead = vec![0; 96];
    lead[..6].copy_from_slice(&[0xed, 0xab, 0xee, 0xdb, 3, 0]);
    lead[9] = 1;
    lead[10..14].copy_from_slice(b"evil");
    lead[77] = 1;
    lead[79] = 5;
    lead
}

fn values() -> BTreeMap<u32, Value> {
    BTreeMap::from([
        (NAME, text("acme")),
        (VERSION, text("1.0~rc1")),
        (RELEASE, text("1.el9")),
        (1004, text("a test")),
        (1005, text("more of it")),
        (1014, text("MIT")),
        (ARCH, text("noarch")),
        (SOURCERPM, text("acme-1.0~rc1-1.el9.src.rpm")),
        (1028, numbers(&[7, 7])),
        (1030, shorts(&[0o100_755, 0o100_644])),
        (1034, numbers(&[1, 1])),
        (1035, texts(&["", ""])),
        (1036, texts(&["", ""])),
        (1037, numbers(&[0, 0])),
        (1039, texts(&["root", "root"])),
        (1040, texts(&["root", "root"])),
        (1047, texts(&["acme"])),
        (1112, numbers(&[8])),
        (1113, texts(&["1.0~rc1-1.el9"])),
        (1048, numbers(&[0])),
        (REQUIRENAME, texts(&["/bin/sh"])),
        (1050, texts(&[""])),
        (DIRINDEXES, numbers(&[0, 1])),
        (BASENAMES, texts(&["acme", "acme.conf"])),
        (DIRNAMES, texts(&["/usr/bin/", "/etc/"])),
        (PAYLOADDIGEST, texts(&[&Sha256::of(PAYLOAD).to_string()])),
        (5093, numbers(&[8])),
    ])
}

/// The package of a signature header and a header.
fn joined(lead: &[u8], signature: &[u8], header: &[u8]) -> Vec<u8> {
    let padding = vec![0; signature.len().next_multiple_of(8) - signature.len()];
    [lead, signature, &padding, header, PAYLOAD].concat()
}

fn signature(header: &[u8]) -> Vec<u8> {
    let sha256 = Sha256::of(header).to_string();
    let size = (header.len() + PAYLOAD.len()) as u32;
    super::rpms::header(
        62,
        &BTreeMap::from([
            (269, text(&"0".repeat(40))),
            (273, text(&sha256)),
            (1000, numbers(&[size])),
            (1007, numbers(&[100])),
        ]),
    )
}

fn signed(header: &[u8]) -> Vec<u8> {
    joined(&lead(), &signature(header), header)
}

fn good() -> Vec<u8> {
    signed(&header(63, &values()))
}

/// The good package with one tag of its header set otherwise.
fn with(what: &str, tag: u32, value: Value, reason: &'static str) -> Case {
    let mut values = values();
    values.insert(tag, value);
    (what.into(), signed(&header(63, &values)), reason)
}

fn without(what: &str, tag: u32, reason: &'static str) -> Case {
    let mut values = values();
    values.remove(&tag).expect("it was there");
    (what.into(), signed(&header(63, &values)), reason)
}

#[test]
fn names_versions_and_paths_that_are_none_are_refused() {
    let mut cases = Vec::new();
    for (tag, field) in
        [(NAME, "its name"), (VERSION, "its version"), (RELEASE, "its release"), (ARCH, "its architecture")]
    {
        for value in
            ["", "../x", "a/b", "a b", "a\nb", "a\tb", "\u{1b}[31m", "ä", ".a", "-a", "a\"b", "a&b", "a<b", "a%b"]
        {
            cases.push(with(&format!("{field} {value:?}"), tag, text(value), field));
        }
    }
    for (tag, reason) in
        [(NAME, "no name"), (VERSION, "no version"), (RELEASE, "no release"), (ARCH, "no architecture")]
    {
        cases.push(without(reason, tag, reason));
    }
    cases.push(with("a dash in the version", VERSION, text("1-2"), "has a `-`"));
    cases.push(with("a dash in the release", RELEASE, text("1-2"), "has a `-`"));
    cases.push(with("a name that is a number", NAME, numbers(&[1]), "wrong type"));
    cases.push(with("a source that is a path", SOURCERPM, text("../acme.src.rpm"), "name of its source package"));
    cases.push(with("a source with a line break", SOURCERPM, text("acme\n.src.rpm"), "name of its source package"));
    for directory in ["usr/bin/", "", "/usr/../../etc/", "/usr/./bin/", "../"] {
        let value = texts(&[directory, "/etc/"]);
        cases.push(with(&format!("a file in {directory:?}"), DIRNAMES, value, "no absolute path"));
    }
    for name in ["..", ".", "../x", "a/../b"] {
        cases.push(with(&format!("a file {name:?}"), BASENAMES, texts(&[name, "x"]), "no absolute path"));
    }
    for name in ["a\nb", "a\rb", "\u{1}", "\u{7f}", "\u{85}"] {
        cases.push(with(&format!("a file {name:?}"), BASENAMES, texts(&[name, "x"]), "control character"));
    }
    cases.push(with("a file in no directory", DIRINDEXES, numbers(&[0, 2]), "in no directory"));
    cases.push(with("fewer directories than files", DIRINDEXES, numbers(&[0]), "different lengths"));
    cases.push(with("a relation in two lines", REQUIRENAME, texts(&["a\nb"]), "control character"));
    cases.push(with("a version in two lines", 1113, texts(&["1\n"]), "control character"));
    cases.push(with("more names than versions", REQUIRENAME, texts(&["a", "b"]), "different lengths"));
    all_are_refused("rpm", "el9", &good(), cases);
}

#[test]
fn leads_headers_and_digests_that_are_wrong_are_refused() {
    let header_good = header(63, &values());
    let (lead_good, signature_good) = (lead(), signature(&header_good));
    let mut cases: Vec<Case> = Vec::new();
    let mut raw = |what: &str, bytes: Vec<u8>, reason| cases.push((what.into(), bytes, reason));
    let patched = |at: usize, value: u8| {
        let mut lead = lead_good.clone();
        lead[at] = value;
        joined(&lead, &signature_good, &header_good)
    };
    raw("a bad magic number", patched(0, 0), "neither a .deb nor an .rpm");
    raw("a lead of version 9", patched(4, 9), "its lead");
    raw("a signature of another kind", patched(79, 1), "its lead");
    raw("half a lead", lead_good[..50].to_vec(), "shorter than an rpm's lead");
    raw("only a lead", lead_good.clone(), "ends within a header");
    raw("half a header", good()[..400].to_vec(), "ends within a header");

    let mut digests = |what: &str, values: BTreeMap<u32, Value>, reason| {
        raw(what, joined(&lead_good, &header(62, &values), &header_good), reason);
    };
    digests("a wrong digest", BTreeMap::from([(273, text(&"0".repeat(64)))]), "digest of its header does not match");
    digests(
        "a wrong old digest",
        BTreeMap::from([(269, text(&"0".repeat(40)))]),
        "digest of its header does not match",
    );
    digests("no digest", BTreeMap::from([(1000, numbers(&[1]))]), "no digest of its header");
    let mut payload = good();
    *payload.last_mut().unwrap() ^= 1;
    raw("an altered payload", payload, "digest of its payload does not match");
    raw("a longer payload", [good(), vec![0]].concat(), "digest of its payload does not match");
    let mut altered = good();
    let at = altered.len() - PAYLOAD.len() - 40;
    altered[at] ^= 1;
    raw("an altered header", altered, "digest of its header does not match");

    raw(
        "another signature region",
        joined(&lead_good, &header(63, &BTreeMap::from([(269, text("x"))])), &header_good),
        "region",
    );
    raw("another region", signed(&header(61, &values())), "region");
    // Each change of the header's bytes comes with a digest that fits: what is refused is the header.
    let mut edited = |what: &str, edit: &dyn Fn(&mut Vec<u8>), reason| {
        let mut bytes = header_good.clone();
        edit(&mut bytes);
        raw(what, signed(&bytes), reason);
    };
    let put =
        |at: usize, value: u32| move |bytes: &mut Vec<u8>| bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    let end = header_good.len();
    edited("no magic number", &put(0, 0), "magic number");
    edited("no entries", &put(8, 0), "larger than rpm allows, or empty");
    edited("65,536 entries", &put(8, 0x1_0000), "larger than rpm allows");
    edited("more entries than there are", &put(8, 0xffff), "ends within a header");
    edited("257 MiB of data", &put(12, 257 << 20), "larger than rpm allows");
    edited("more data than there are", &put(12, 100 << 20), "ends within a header");
    edited("a region that is no region", &put(20, 6), "more than one text");
    edited("a trailer that points elsewhere", &put(end - 8, 0), "region");
    edited("a trailer of another tag", &put(end - 16, 62), "region");
    edited("a trailer of another type", &put(end - 12, 4), "region");
    edited("a region that ends early", &put(24, 0), "reach into those of another");
    edited("data beyond the end", &put(32 + 8, 0x0fff_ffff), "outside the header");
    edited("an offset that overflows", &put(32 + 8, 0xffff_fff0), "outside the header");
    edited("a count that overflows", &put(32 + 12, 0xffff_ffff), "outside the header");
    edited("an unknown type", &put(32 + 4, 99), "unknown type");
    edited("nothing of a tag", &put(32 + 12, 0), "outside the header");
    edited("a tag twice", &put(48, NAME), "twice");
    edited("two tags over the same data", &put(48 + 8, 0), "reach into those of another");
    edited(
        "a text without an end",
        &|bytes: &mut Vec<u8>| {
            let from = 16 + 28 * 16;
            bytes[from..end - 16].iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b'x');
        },
        "reach into those of another",
    );
    all_are_refused("rpm", "el9", &good(), cases);
}
