//! Blocks are whole, bounded, and stay what they were when something else changes.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use proptest::prelude::*;

use super::super::samples;
use super::*;

/// (path, size of the content, what is in it): sorted as a tree is.
type Tree = Vec<(String, u64, u64)>;

/// What is done to a tree.
type Edit<'a> = Box<dyn Fn(&mut Tree) + 'a>;

const TAR: u64 = 512;

fn entries(tree: &Tree) -> impl Iterator<Item = Entry<'_>> {
    tree.iter().map(|(path, content, _)| Entry {
        path,
        head: TAR,
        content: *content,
        padding: content.next_multiple_of(TAR) - content,
        begins: false,
    })
}

fn every_limit() -> [(&'static str, Limits); 4] {
    [
        ("xz", Limits::xz(Effort::Default)),
        ("xz, small", Limits::xz(Effort::Small)),
        ("zstd", Limits::zstd(32 * MIB)),
        ("gzip", Limits::gzip()),
    ]
}

/// What is in a block, in order: whose bytes, which ones, from where to where.
type Contents<'a> = Vec<(&'a str, u64, u64, u64)>;

fn contents<'a>(tree: &'a Tree, limits: &Limits) -> Vec<Contents<'a>> {
    let mut parts = tree.iter().zip(entries(tree)).flat_map(|((path, size, what), entry)| {
        // The header tells path and size; the padding is zeros.
        let (head, zeros) = ((path.as_str(), u64::MAX - size, 0, entry.head), ("", 0, 0, entry.padding));
        [head, (path.as_str(), *what, 0, entry.content), zeros]
    });
    let mut part = parts.next();
    let blocks = cut(entries(tree), 0, limits).into_iter().map(|block| {
        let mut contents = Contents::new();
        let mut left = block;
        while left > 0 {
            let (path, what, from, to) = part.expect("there are as many bytes as in the blocks");
            let taken = left.min(to - from);
            if taken > 0 {
                contents.push((path, what, from, from + taken));
            }
            left -= taken;
            part = if from + taken == to { parts.next() } else { Some((path, what, from + taken, to)) };
        }
        contents
    });
    blocks.collect()
}

/// Each block by the hash of its contents.
fn identities(tree: &Tree, limits: &Limits) -> Vec<u64> {
    let identity = |contents: Contents<'_>| {
        let mut hasher = DefaultHasher::new();
        contents.hash(&mut hasher);
        hasher.finish()
    };
    contents(tree, limits).into_iter().map(identity).collect()
}

/// Files of sizes as they are in vendored trees, a few of them large, in directories of up to sixty.
fn tree(seed: u64, files: usize) -> Tree {
    let noise = samples::noise(files * 8 + seed as usize * 8);
    let numbers =
        noise.chunks_exact(8).skip(seed as usize).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("8")));
    let mut directory = 0;
    let mut tree: Tree = numbers
        .enumerate()
        .map(|(number, random)| {
            if random % 31 == 0 {
                directory += 1;
            }
            let exponent =
                8 + (random >> 8) % 10 + if (random >> 16).is_multiple_of(16) { (random >> 20) % 9 } else { 0 };
            let size = (1 << exponent) + (random >> 32) % (1 << exponent);
            (format!("/opt/a/d{directory:04}/f{number:05}"), size, random)
        })
        .collect();
    tree.sort();
    tree
}

#[test]
fn a_tree_as_they_are_makes_blocks_of_all_kinds() {
    let tree = tree(0, 6000);
    let size: u64 = entries(&tree).map(|entry| entry.head + entry.content + entry.padding).sum();
    let blocks = cut(entries(&tree), 1024, &Limits::xz(Effort::Default));
    assert!(size > 500 * MIB && size < 4096 * MIB, "{size}");
    assert!(blocks.contains(&(12 * MIB)), "a large file is cut");
    assert!(
        blocks.len() as u64 > size / (16 * MIB) && (blocks.len() as u64) < size / MIB,
        "{size} in {}",
        blocks.len()
    );
    assert_eq!(blocks.last(), Some(&1024));
}

#[test]
fn a_change_touches_only_the_blocks_around_it() {
    for (name, limits) in every_limit() {
        let tree = tree(1, 1500);
        let before: BTreeSet<_> = identities(&tree, &limits).into_iter().collect();
        // (what, the tree after it, blocks that differ on average at most, and ever)
        let mut sums = [0; 5];
        let mut most = [0; 5];
        let small: Vec<usize> = (0..tree.len()).filter(|index| tree[*index].1 < MIB / 2).step_by(29).collect();
        for index in &small {
            let (path, size, what) = tree[*index].clone();
            let edits: [Edit<'_>; 5] = [
                Box::new(|tree| tree[*index].2 += 1),
                Box::new(|tree| tree[*index] = (path.clone(), size + 2_000, what + 1)),
                Box::new(|tree| tree.insert(index + 1, (format!("{path}.added"), 40_000, 1))),
                Box::new(|tree| drop(tree.remove(*index))),
                Box::new(|tree| {
                    let end = (index + 60).min(tree.len());
                    tree[*index..end].iter_mut().for_each(|file| *file = (file.0.clone(), file.1 + 300, file.2 + 1));
                }),
            ];
            for (number, edit) in edits.iter().enumerate() {
                let mut edited = tree.clone();
                edit(&mut edited);
                let touched = identities(&edited, &limits).into_iter().filter(|block| !before.contains(block)).count();
                sums[number] += touched;
                most[number] = touched.max(most[number]);
            }
        }
        let means = sums.map(|sum| sum as f64 / small.len() as f64);
        println!(
            "{name}: {} blocks, {} edits; touched on average {means:.2?}, at most {most:?}",
            before.len(),
            small.len()
        );
        assert_eq!((sums[0], most[0]), (small.len(), 1), "{name}: a changed content");
        let bounds = if limits.apart { [1.5, 1.5, 1.5, 6.0] } else { [2.5, 2.5, 2.5, 4.0] };
        for (mean, bound) in means[1..].iter().zip(bounds) {
            assert!(*mean <= bound, "{name}: {means:?} blocks, which is more than {bound}");
        }
    }
}

#[test]
fn the_content_of_a_large_file_is_cut_alike_whatever_is_around_it_and_whatever_the_archive() {
    let limits = Limits::xz(Effort::Default);
    let pieces = |before: u64, head: u64, padding: u64| {
        let small = Entry { path: "/a", head, content: before, padding, begins: false };
        let large = Entry { path: "/b", head, content: 40 * MIB + 7, padding, begins: false };
        let mut blocks = cut([small, large], 1024, &limits);
        // What is before and after it, and the tail.
        let around = (blocks.remove(0), blocks.split_off(blocks.len() - 2));
        (around, blocks)
    };
    let whole = vec![12 * MIB, 12 * MIB, 16 * MIB + 7];
    assert_eq!(pieces(1000, 512, 505), ((512 + 1000 + 505 + 512, vec![505, 1024]), whole.clone()));
    assert_eq!(pieces(99_000, 140, 1), ((140 + 99_000 + 1 + 140, vec![1, 1024]), whole));
}

#[test]
fn small_files_never_share_a_block_with_more_than_can_be_compressed_in_a_second() {
    let limits = Limits::xz(Effort::Default);
    let tree = tree(2, 4000);
    for block in contents(&tree, &limits) {
        let size: u64 = block.iter().map(|(_, _, from, to)| to - from).sum();
        let is_content = |what: u64| what < u64::MAX - 64 * MIB;
        let has_small = block.iter().any(|(path, what, _, to)| !path.is_empty() && is_content(*what) && *to < MIB);
        assert!(!has_small || size <= 5 * MIB, "{size}: {block:?}");
    }
}

#[test]
fn a_part_of_its_own_begins_a_block() {
    for (name, limits) in every_limit() {
        let entry = |path, begins| Entry { path, head: 512, content: 1000, padding: 24, begins };
        let entries = [entry("/a", true), entry("/b", false), entry("/c", true)];
        assert_eq!(cut(entries, 1024, &limits), [3072, 1536, 1024], "{name}");
    }
}

#[test]
fn an_archive_of_nothing_but_its_end_is_one_block() {
    for (_, limits) in every_limit() {
        assert_eq!(cut([], 1024, &limits), [1024]);
        assert_eq!(cut([], 0, &limits), [] as [u64; 0]);
    }
}

proptest! {
    #[test]
    fn blocks_are_all_of_the_archive_and_bounded(
        sizes in prop::collection::vec((0..40_u32, any::<u64>(), 0..5_u8), 0..200),
        tail in 0..10_000_u64,
    ) {
        let mut directory = 0;
        let tree: Tree = sizes.iter().enumerate().map(|(number, (exponent, random, turn))| {
            directory += usize::from(*turn == 0);
            let size = if *exponent == 0 { 0 } else { random % (1 << (exponent % 29)) };
            (format!("/{directory}/{number}"), size, 0)
        }).collect();
        let size: u64 = entries(&tree).map(|entry| entry.head + entry.content + entry.padding).sum();
        for (name, limits) in every_limit() {
            let blocks = cut(entries(&tree), tail, &limits);
            prop_assert_eq!(blocks.iter().sum::<u64>(), size + tail, "{}", name);
            prop_assert!(!blocks.contains(&0), "{}", name);
            // The header of a large file may be one too many.
            let slack = if limits.apart { TAR } else { 0 };
            prop_assert!(blocks.iter().all(|block| *block <= limits.largest() + slack), "{}: {:?}", name, blocks);
        }
    }
}
