//! Which blocks of the archive may share a block of the .xz stream, and so what is behind them in the decoder's dictionary.
//!
//! Small files lie in small blocks, which would lose what they share with their neighbours. So several in a row make a run, in
//! which each is compressed with those before it as preset dictionary. A run has an end, so that decoders with threads have
//! something to share, and where that lies follows from the lengths of the blocks around it alone: in an archive to which
//! something is added the old runs are found again.

use std::ops::Range;

const MIB: u64 = 1024 * 1024;
/// What is larger has enough in itself, and a filter if there is one for it.
pub(super) const LARGEST: u64 = 6 * MIB;
/// A run that is as long as this ends after one block in `CHANCE` …
const SHORTEST_RUN: u64 = 16 * MIB;
const CHANCE: u64 = 4;
/// … and at this length in any case.
const LONGEST_RUN: u64 = 32 * MIB;
/// LZMA tells bytes by their places in words of so many, counted from where the decoder's dictionary was begun: what stands
/// before a block has to be a multiple of it.
const WORD: u64 = 4;

/// What stands before each of the blocks at `ranges` in its run, as far back as whole blocks of at most `reach` bytes together.
pub(super) fn contexts(ranges: &[Range<u64>], reach: u64) -> Vec<Vec<Range<u64>>> {
    let mut run: Vec<Range<u64>> = Vec::new();
    let mut contexts = Vec::with_capacity(ranges.len());
    for range in ranges {
        if !goes_on(&run, range) {
            run.clear();
        }
        if length(range) > LARGEST {
            contexts.push(Vec::new());
            continue;
        }
        let is_near = |part: &&Range<u64>| range.start - part.start <= reach;
        let near = run.iter().rev().take_while(is_near).count();
        contexts.push(run.get(run.len() - near..).unwrap_or_default().to_vec());
        run.push(range.clone());
    }
    contexts
}

/// Whether the block at `range` is one more of `run`.
fn goes_on(run: &[Range<u64>], range: &Range<u64>) -> bool {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return false };
    let ends = range.start - first.start >= SHORTEST_RUN && mixed(length(last)).is_multiple_of(CHANCE);
    let is_word = length(last).is_multiple_of(WORD);
    is_word && !ends && length(range) <= LARGEST && range.end - first.start <= LONGEST_RUN
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}

/// A number that the lowest bits of are as good as any.
fn mixed(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contexts of blocks of these lengths, as lengths.
    fn lengths(blocks: &[u64], reach: u64) -> Vec<Vec<u64>> {
        let mut end = 0;
        let range = |length: &u64| {
            end += length;
            end - length..end
        };
        let ranges: Vec<_> = blocks.iter().map(range).collect();
        let contexts = contexts(&ranges, reach);
        for (context, range) in contexts.iter().zip(&ranges) {
            let ends = context.iter().map(|part| part.end);
            let starts = context.iter().map(|part| part.start).skip(1).chain([range.start]);
            assert!(context.is_empty() || ends.eq(starts), "they lie in a row");
        }
        contexts.iter().map(|context| context.iter().map(length).collect()).collect()
    }

    #[test]
    fn a_block_sees_as_many_whole_blocks_as_are_near() {
        let expected: [&[u64]; 5] = [&[], &[], &[12], &[12, 8], &[8, 20]];
        assert_eq!(lengths(&[40, 12, 8, 20, 4], 30), expected);
    }

    #[test]
    fn what_is_large_or_does_not_follow_whole_words_begins_a_run() {
        let expected: [&[u64]; 4] = [&[], &[], &[], &[16]];
        assert_eq!(lengths(&[8, LARGEST + 4, 16, 6], 2 * LARGEST), expected);
        let expected: [&[u64]; 3] = [&[], &[8], &[]];
        assert_eq!(lengths(&[8, 6, 12], 2 * LARGEST), expected);
    }

    #[test]
    fn runs_end_and_are_found_again_after_what_was_added() {
        let blocks: Vec<u64> = (0..200).map(|number| 2 * MIB + mixed(number) % 6000 * 512).collect();
        let begins = |blocks: &[u64]| -> Vec<u64> {
            let contexts = lengths(blocks, 8 * MIB);
            let begins = blocks.iter().zip(&contexts).filter(|(_, context)| context.is_empty());
            begins.map(|(length, _)| *length).collect()
        };
        let before = begins(&blocks);
        let runs = 200 * 7 * MIB / 2 / before.len() as u64;
        assert!((SHORTEST_RUN..LONGEST_RUN).contains(&runs), "{runs}");
        let after = begins(&[&[3 * MIB + 512], blocks.as_slice()].concat());
        let same = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
        assert!(same + 6 > before.len(), "{same} of {}", before.len());
    }
}
