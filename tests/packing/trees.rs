//! Trees as cruel as a package's paths allow, and what must come back of them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use packhouse::config::Maintainer;
use packhouse::digest::Sha256;
use packhouse::name::PackageName;
use packhouse::package::{Changelog, DebianOnly, Package, Relations, Release, Scripts, Version};
use packhouse::target::{Architecture, Target, distribution};
use packhouse::tree::{Content, Entry, InstallPath, Node, Tree};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

pub const TIME: i64 = 1_750_000_000;
const MIB: usize = 1024 * 1024;

pub fn path(text: &str) -> InstallPath {
    InstallPath::parse(text).expect("a path")
}

/// A package of `tree` and nothing else.
pub fn package(distribution_name: &str, tree: Tree) -> Package {
    let maintainer = Maintainer { name: "Acme Packagers".to_owned(), mail: "packages@example.org".to_owned() };
    let version = Version { epoch: 0, debian: "1".to_owned(), rpm: "1".to_owned(), revision: "1".to_owned() };
    let changes = vec!["Begin".to_owned()];
    let release = Release { version: version.clone(), time: TIME, author: maintainer.clone(), changes };
    Package {
        name: PackageName::parse("acme").expect("a name"),
        source: PackageName::parse("acme").expect("a name"),
        version,
        target: Target {
            distribution: distribution(distribution_name).expect("a known distribution"),
            architecture: Architecture::X86_64,
        },
        architecture: None,
        summary: "a tree".to_owned(),
        description: "All kinds of files.".to_owned(),
        maintainer,
        vendor: "Acme".to_owned(),
        homepage: None,
        license: "MIT".to_owned(),
        section: "misc".to_owned(),
        relations: Relations::default(),
        scripts: Scripts::default(),
        debian: DebianOnly::default(),
        changelog: Changelog { releases: vec![release] },
        time: TIME,
        tree,
        owned_directories: Vec::new(),
        build_ids: Vec::new(),
        notes: Vec::new(),
    }
}

/// What stands at a path, in a tree or where one was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    Directory,
    /// The content, and the first of its names where it has several.
    File {
        content: Sha256,
        first_name: Option<String>,
    },
    Link(String),
}

/// Kind and permission bits by the path without the first `/`.
pub type Things = BTreeMap<String, (Thing, u32)>;

/// What a reader must find.
pub fn expected(tree: &Tree) -> Things {
    let all = tree.with_directories();
    let mut names: BTreeMap<&InstallPath, Vec<&InstallPath>> = BTreeMap::new();
    for (path, entry) in &all {
        if let Node::HardLink(file) = &entry.node {
            names.entry(file).or_insert_with(|| vec![file]).push(path);
        }
    }
    let file = |path: &InstallPath, entry: &Entry| {
        let Node::File(content) = &entry.node else { panic!("{path} is no file") };
        let first = names.get(path).and_then(|names| names.iter().map(|name| name.relative()).min());
        (Thing::File { content: content.digests.sha256, first_name: first.map(str::to_owned) }, entry.mode)
    };
    let thing = |path: &InstallPath, entry: &Entry| match &entry.node {
        Node::Directory => (Thing::Directory, entry.mode),
        Node::Symlink(to) => (Thing::Link(to.clone()), 0o777),
        Node::HardLink(of) => file(of, &all[of]),
        Node::File(_) => file(path, entry),
    };
    all.iter().map(|(path, entry)| (path.relative().to_owned(), thing(path, entry))).collect()
}

/// Bytes of a kind that compressors and cutters treat in its own way.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Zeros,
    Text,
    Noise,
    /// Something that looks like machine code: an ELF header and instructions.
    Code,
    /// Some of it compresses, some does not.
    Mixed,
}

pub const KINDS: [Kind; 5] = [Kind::Zeros, Kind::Text, Kind::Noise, Kind::Code, Kind::Mixed];

/// `size` bytes, the same for the same seed.
pub fn bytes(kind: Kind, size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = Vec::with_capacity(size + 64);
    if matches!(kind, Kind::Code) {
        bytes.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0");
    }
    while bytes.len() < size {
        match kind {
            Kind::Zeros => bytes.resize(size, 0),
            Kind::Noise => bytes.extend_from_slice(&next().to_le_bytes()),
            Kind::Text => {
                let words = ["def ", "return ", "self.", "import ", "acme", "\n    ", "None", "x = "];
                bytes.extend_from_slice(words[(next() % 8) as usize].as_bytes());
            }
            // `call` with a relative address, `mov`, `ret`.
            Kind::Code => {
                let near = (next() % 0x4000) as u32;
                bytes.extend_from_slice(&[0xe8]);
                bytes.extend_from_slice(&near.wrapping_sub(bytes.len() as u32).to_le_bytes());
                bytes.extend_from_slice(&[0x48, 0x89, (near % 8) as u8, 0xc3]);
            }
            // A repeat every 256 KiB, so that blocks and chapters refer to those before them.
            Kind::Mixed if bytes.len() > 512 * 1024 && next() % 8 != 0 => {
                let from = bytes.len() - 256 * 1024;
                bytes.extend_from_within(from..from + 16 * 1024);
            }
            Kind::Mixed => bytes.extend((0..512).flat_map(|_| next().to_le_bytes())),
        }
    }
    bytes.truncate(size);
    bytes
}

/// A file on disk with its first half a hole and data at both ends of the other, so that it is sparse.
pub fn sparse(place: &Path, size: u64) -> Content {
    use std::os::unix::fs::FileExt as _;
    let file = place.join(format!("sparse-{size}"));
    let sparse = std::fs::File::create(&file).expect("a file");
    sparse.set_len(size).expect("room");
    sparse.write_all_at(b"the middle", size / 2).expect("room");
    sparse.write_all_at(b"end", size - 3).expect("room");
    Content::file(&file).expect("digests")
}

/// Content on disk.
pub fn on_disk(place: &Path, name: &str, bytes: &[u8]) -> Content {
    let file = place.join(name);
    std::fs::File::create(&file).and_then(|mut file| file.write_all(bytes)).expect("room");
    Content::file(&file).expect("digests")
}

/// Names that tools have stumbled over.
const NAMES: [&str; 24] = [
    "-rf",
    "--checkpoint=1",
    " leading and trailing ",
    "two  spaces",
    "'single'",
    "\"double\"",
    "back\\slash",
    "\\n\\057",
    "$(id)",
    "`id`",
    "*",
    "[a-z]?",
    "#hash",
    "~",
    "%{name}%%",
    "semi;colon|pipe&and",
    "TRAILER!!!",
    "grüße-日本語-🦀",
    "e\u{301}-decomposed",
    "\u{202e}turned",
    "...",
    ".hidden",
    "a:b,c=d",
    "{x,y}",
];

/// One of everything: odd names, long and deep paths, modes, links of all kinds, sizes around every border.
pub fn torture(place: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut add =
        |at: &str, node: Node, mode: u32| tree.insert(path(at), Entry::root(node, mode)).expect("a free path");
    for name in NAMES {
        add(&format!("/usr/share/acme/{name}"), Node::File(Content::bytes(name.as_bytes())), 0o644);
        add(&format!("/usr/share/acme/in/{name}/{name}"), Node::File(Content::bytes(*b"below")), 0o644);
        add(&format!("/usr/share/acme/links/{name}"), Node::Symlink(format!("../{name}")), 0o777);
        add(&format!("/usr/share/acme/names/{name}"), Node::HardLink(path(&format!("/usr/share/acme/{name}"))), 0o644);
    }
    // ustar's fields end at 100 and 155 bytes.
    for length in [98, 99, 100, 101, 155, 156, 245, 246] {
        let name = "n".repeat(length);
        add(&format!("/usr/share/acme/long/{name}"), Node::File(Content::bytes(name.as_bytes())), 0o644);
        add(
            &format!("/usr/share/acme/long/to-{length}"),
            Node::Symlink(format!("{}/{name}", "d".repeat(length))),
            0o777,
        );
        let whole = format!("/usr/share/{}", "p/".repeat(length / 2));
        add(&format!("{whole}end-{length}"), Node::File(Content::bytes(*b"end")), 0o644);
    }
    let deep = format!("/usr/share/acme/deep{}", "/ü".repeat(600));
    add(&format!("{deep}/bottom"), Node::File(Content::bytes(*b"the bottom")), 0o644);
    add("/usr/share/acme/dangling", Node::Symlink("/nowhere/at all".to_owned()), 0o777);
    add("/usr/share/acme/circle", Node::Symlink("circle".to_owned()), 0o777);
    add("/usr/share/acme/up", Node::Symlink("../../../../../etc/passwd".to_owned()), 0o777);
    for mode in [0o000, 0o400, 0o600, 0o640, 0o755, 0o777, 0o1644, 0o2755, 0o4755, 0o6711] {
        add(&format!("/usr/share/acme/modes/{mode:o}"), Node::File(Content::bytes(*b"#!/bin/sh\n")), mode);
    }
    for mode in [0o700, 0o755, 0o1777, 0o2775] {
        add(&format!("/var/lib/acme/{mode:o}"), Node::Directory, mode);
    }
    // A set of hard links across directories, one whose file comes last, an empty one, one to a large file.
    let large = on_disk(place, "large", &bytes(Kind::Mixed, 3 * MIB + 17, 1));
    for (file, content) in [("/usr/lib/acme/z", large), ("/usr/lib/acme/y", Content::bytes(*b""))] {
        add(file, Node::File(content), 0o640);
        for other in ["/opt/acme/a", "/usr/lib/acme/b/c", "/usr/share/acme/zz"] {
            let name = file.rsplit('/').next().expect("a name");
            add(&format!("{other}-{name}"), Node::HardLink(path(file)), 0o640);
        }
    }
    for (number, size) in
        [0, 1, 3, 4, 511, 512, 513, 4096, 65_535, 65_536, 65_537, 131_071, 131_073, MIB].into_iter().enumerate()
    {
        for kind in KINDS {
            let content = bytes(kind, size, number as u64);
            let content = if number % 2 == 0 {
                Content::bytes(content)
            } else {
                on_disk(place, &format!("{kind:?}{size}"), &content)
            };
            add(&format!("/usr/lib/acme/sizes/{kind:?}-{size}"), Node::File(content), 0o644);
        }
    }
    add("/usr/lib/acme/sparse", Node::File(sparse(place, 5 * MIB as u64 + 1)), 0o644);
    tree
}

/// A tree of `entries` small files, in `entries / 100` directories.
pub fn many(entries: usize) -> Tree {
    let mut tree = Tree::new();
    for number in 0..entries {
        let at = path(&format!("/usr/lib/acme/{:03}/module_{number}.py", number / 100));
        let content = Content::bytes(format!("NUMBER = {number}\n").into_bytes());
        tree.file(at, content, 0o644).expect("a free path");
    }
    tree
}

/// Small files and some of middling size that fill several blocks, which see each other. One of them may be another.
pub fn neighbours(other: Option<usize>) -> Tree {
    let mut tree = Tree::new();
    for number in 0..60 {
        let seed = if other == Some(number) { 7 } else { number as u64 % 5 };
        let (kind, size) =
            if number % 20 == 19 { (Kind::Code, 1_200_000) } else { (Kind::Text, 90_000 + number * 101) };
        let at = path(&format!("/usr/lib/acme/{:02}/{number:03}", number / 10));
        tree.file(at, Content::bytes(bytes(kind, size, seed)), 0o644).expect("a free path");
    }
    tree
}

/// Files of sizes around those at which blocks are cut, with small ones between.
pub fn around_blocks(place: &Path) -> Tree {
    let mut tree = Tree::new();
    let nominal = [(4, Kind::Mixed), (16, Kind::Code), (48, Kind::Zeros)];
    let sizes = nominal
        .iter()
        .flat_map(|(size, kind)| [-1, 0, 1].map(|more| ((size * MIB).saturating_add_signed(more), *kind)));
    for (number, (size, kind)) in sizes.enumerate() {
        let content = on_disk(place, &format!("block-{size}"), &bytes(kind, size, number as u64));
        tree.file(path(&format!("/usr/lib/acme/{number:02}/{size}")), content, 0o644).expect("a free path");
        for small in 0..20 {
            let content = Content::bytes(bytes(Kind::Text, small * 1013 + number, small as u64));
            tree.file(path(&format!("/usr/lib/acme/{number:02}/small-{small}")), content, 0o644).expect("a free path");
        }
    }
    tree
}

/// Any tree.
pub fn any_tree() -> impl Strategy<Value = Tree> {
    let name = prop_oneof![
        4 => "[a-z]{1,3}".prop_map(|name| name),
        2 => select(NAMES.to_vec()).prop_map(str::to_owned),
        2 => "[^/\\pC]{1,40}".prop_map(|name| name),
        1 => "[ -.0-~]{60,246}".prop_map(|name| name),
    ];
    let name = name.prop_filter("names", |name| {
        // The one rule on which the formats differ has its own tests.
        !matches!(name.as_str(), "." | "..") && !name.contains(".so")
    });
    let place = vec(name.clone(), 1..5).prop_map(|names| format!("/opt/{}", names.join("/")));
    let size = prop_oneof![
        4 => 0_usize..600,
        2 => 0_usize..70_000,
        1 => select(vec![511, 512, 513, 65_535, 65_536, 131_072, 131_073, MIB, MIB + 1]),
    ];
    let node = prop_oneof![
        8 => (select(KINDS.to_vec()), size, any::<u64>()).prop_map(|(kind, size, seed)| Some(Node::File(Content::bytes(bytes(kind, size, seed))))),
        2 => name.prop_map(|to| Some(Node::Symlink(to))),
        1 => Just(Some(Node::Directory)),
        2 => Just(None),
    ];
    let mode = select(vec![0o644, 0o755, 0o600, 0o000, 0o4755, 0o2711, 0o1777]);
    // What has a time of its own is packed apart; one that is later than the package's becomes that.
    let has_time = any::<bool>();
    vec((place, node, mode, has_time), 0..40).prop_map(|specifications| {
        let mut tree = Tree::new();
        let mut last_file = None;
        for (place, node, mode, has_time) in specifications {
            let Ok(place) = InstallPath::parse(&place) else { continue };
            let mut parent = place.parent();
            while let Some(above) = parent.as_ref().filter(|above| tree.get(above).is_none()) {
                parent = above.parent();
            }
            let under_file =
                parent.is_some_and(|above| !matches!(tree.get(&above).map(|entry| &entry.node), Some(Node::Directory)));
            let is_above = tree.iter().any(|(path, _)| path.is_within(&place));
            if under_file || is_above {
                continue;
            }
            let (node, mode) = match node {
                Some(Node::Directory) => (Node::Directory, mode | 0o700),
                Some(node) => (node, mode),
                None => match &last_file {
                    Some((file, mode)) => (Node::HardLink(InstallPath::clone(file)), *mode),
                    None => continue,
                },
            };
            if matches!(node, Node::File(_)) {
                last_file = Some((place.clone(), mode));
            }
            tree.insert(place, Entry { time: has_time.then_some(i64::MAX), ..Entry::root(node, mode) })
                .expect("a free path");
        }
        tree
    })
}
