//! Where the archive of a small program is cut: between the parts of the program that are made differently.
//!
//! A linker puts relocations, constants, unwinding tables and machine code one after another. Each of them compresses best,
//! and fastest, with settings of its own, and finds next to nothing of itself in the others. Code is most of a program and takes
//! longest; it is cut in two for two cores.

use std::io::Read as _;

use object::{Object as _, ObjectSection as _};

use super::plan::{Plan, Segment};
use crate::tree::Content;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// Sections below this size go with what is beside them.
const SMALLEST_SECTION: u64 = 48 * KIB;
/// Cuts lie at least so far apart.
const SMALLEST_PART: u64 = 24 * KIB;
/// What is larger is cut in pieces …
const LARGEST_PART: u64 = 3 * MIB / 2;
/// … of at most this size.
const LARGEST_PIECE: u64 = 4 * MIB;
/// Pieces begin where machine words do.
const ALIGNMENT: u64 = 16;
/// Linkers write some ten large sections. A file with more of them than this is cut without regard to them.
const MOST_EDGES: usize = 64;

/// The lengths of the blocks of `plan`, none of them empty.
pub(super) fn cut(plan: &Plan<'_>) -> Vec<u64> {
    let mut edges = Vec::new();
    let mut position = 0;
    for segment in plan.segments(0..plan.size()) {
        if let Segment::Content { content, length, .. } = segment
            && length >= SMALLEST_SECTION
        {
            edges.extend(sections(content).unwrap_or_default().into_iter().map(|edge| position + edge.min(length)));
        }
        position += segment.length();
    }
    between(edges, plan.size())
}

/// Where the large sections of an ELF file begin and end; `None` when it is none, or cannot be read: whoever packs it says so.
fn sections(content: &Content) -> Option<Vec<u64>> {
    let mut bytes = Vec::new();
    content.open().ok()?.take(content.digests.size).read_to_end(&mut bytes).ok()?;
    let file = object::File::parse(bytes.as_slice()).ok()?;
    let ranges = file.sections().filter_map(|section| section.file_range());
    let large = ranges.filter(|(_, size)| *size >= SMALLEST_SECTION);
    let edges = large.flat_map(|(start, size)| [start, start.saturating_add(size)]);
    Some(edges.take(MOST_EDGES).collect())
}

/// The lengths of what lies between `edges` in an archive of `size` bytes.
fn between(mut edges: Vec<u64>, size: u64) -> Vec<u64> {
    edges.sort_unstable();
    if edges.len() >= MOST_EDGES {
        edges.clear();
    }
    let mut lengths = Vec::new();
    let mut begin = 0;
    for edge in edges {
        if edge >= begin + SMALLEST_PART && edge + SMALLEST_PART <= size {
            pieces(edge - begin, &mut lengths);
            begin = edge;
        }
    }
    pieces(size.saturating_sub(begin), &mut lengths);
    lengths
}

fn pieces(mut length: u64, lengths: &mut Vec<u64>) {
    if length > LARGEST_PART {
        let piece = length.div_ceil(length.div_ceil(LARGEST_PIECE).max(2)).next_multiple_of(ALIGNMENT);
        while length > piece {
            lengths.push(piece);
            length -= piece;
        }
    }
    if length > 0 {
        lengths.push(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_begins_at_each_edge_that_is_far_enough_from_the_one_before() {
        let edges = vec![500 * KIB, 20 * KIB, 100 * KIB, 101 * KIB, 590 * KIB];
        assert_eq!(between(edges, 600 * KIB), [100, 400, 100].map(|part| part * KIB));
        assert_eq!(between(Vec::new(), 7), [7]);
        assert!(between(Vec::new(), 0).is_empty());
    }

    #[test]
    fn what_takes_long_is_cut_for_two_cores() {
        assert_eq!(between(Vec::new(), 2 * MIB), [MIB, MIB]);
        assert_eq!(between(vec![MIB], 10 * MIB), [MIB, 3 * MIB, 3 * MIB, 3 * MIB]);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_edges_the_parts_are_all_of_it(edges in proptest::collection::vec(0..u64::MAX / 2, 0..80), size in 0..40 * MIB) {
            let edges = edges.into_iter().enumerate().map(|(index, edge)| if index % 3 == 0 { edge } else { edge % (size + 1) });
            let parts = between(edges.collect(), size);
            proptest::prop_assert_eq!(parts.iter().sum::<u64>(), size);
            proptest::prop_assert!(parts.iter().all(|part| (1..=LARGEST_PIECE).contains(part)));
        }
    }
}
