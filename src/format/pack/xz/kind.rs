//! What a part of a program is, by its bytes, and what suits it. Measured: `docs/compression.md`.

use super::block::Filter;
use super::{MIB, Settings};

/// Samples for the decision: so many, of so many bytes each.
const SAMPLES: usize = 16;
const SAMPLE: usize = 4096;
/// Lengths of the records in the tables of 64-bit programs: pairs of offsets (`.eh_frame_hdr`), relocations.
const RECORDS: [u8; 2] = [8, 24];
/// In percent of what the bytes take by themselves: differences between records that take no more are taken in their place.
const DIFFERENCES: u64 = 65;
/// The same for bytes that are told apart by their places in words of four.
const WORDS: u64 = 97;

/// For data, whatever it is.
pub(super) const PLAIN: Settings = Settings {
    preset: 6,
    nice: 16,
    depth: 4,
    hash_chains: true,
    dictionary: 8 * MIB,
    places: Some((3, 0, 2)),
    greedy: false,
};
/// Instructions are of any length: where they begin says nothing. They are most of a program, and take longest; what they
/// share is near, and the tables for a small dictionary stay in the processor's cache.
const CODE: Settings = Settings { nice: 12, depth: 2, dictionary: MIB, places: Some((3, 0, 0)), ..PLAIN };
/// Constants, unwinding tables.
const OF_WORDS: Settings = Settings { nice: 24, depth: 8, places: Some((0, 2, 2)), ..PLAIN };
/// After differences, long runs are what is left.
const OF_RECORDS: Settings = Settings { nice: 273, places: Some((0, 3, 3)), greedy: true, ..PLAIN };

/// What suits `block`, which `filter` was chosen for.
pub(super) fn suits(block: &[u8], filter: Filter) -> (Filter, Settings) {
    if filter == Filter::Stored {
        return (filter, PLAIN);
    }
    let itself = cost(block, 1, |bytes| bytes.first().copied());
    let differences = RECORDS.map(|length| {
        let difference = |bytes: &[u8]| Some(bytes.get(usize::from(length))?.wrapping_sub(*bytes.first()?));
        (cost(block, 1, difference), length)
    });
    // Before anything else: a table of addresses has as many bytes that look like calls as code has.
    if let Some((cost, length)) = differences.into_iter().min()
        && cost * 100 <= itself * DIFFERENCES
        && itself > 0
    {
        return (Filter::Records(length), OF_RECORDS);
    }
    if filter == Filter::X86 {
        return (filter, CODE);
    }
    let words = cost(block, 4, |bytes| bytes.first().copied());
    (filter, if words * 100 <= itself * WORDS { OF_WORDS } else { PLAIN })
}

/// What the samples' bytes take, each told by how frequent it is among those `classes` places apart; `of` gives the byte for
/// what begins at a place.
fn cost(block: &[u8], classes: usize, of: impl Fn(&[u8]) -> Option<u8>) -> u64 {
    let mut counts = vec![[0_u64; 256]; classes];
    // Of whole records of every length, so that the classes stay apart.
    let stride = (block.len() / SAMPLES / 48 * 48).max(SAMPLE);
    for sample in block.chunks(stride) {
        let sample = sample.get(..SAMPLE).unwrap_or(sample);
        for place in 0..sample.len() {
            let byte = sample.get(place..).and_then(&of);
            let count = byte.and_then(|byte| counts.get_mut(place % classes)?.get_mut(usize::from(byte)));
            if let Some(count) = count {
                *count += 1;
            }
        }
    }
    let of_class = |counts: &[u64; 256]| {
        let total = counts.iter().sum::<u64>();
        total * logarithm(total) - counts.iter().map(|count| count * logarithm(*count)).sum::<u64>()
    };
    counts.iter().map(of_class).sum()
}

/// The logarithm to the base of two in 1/1024, between powers of two on a line: the same on every machine.
fn logarithm(number: u64) -> u64 {
    let Some(whole) = number.checked_ilog2() else { return 0 };
    (u64::from(whole) << 10) + (((number - (1 << whole)) << 10) >> whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(from: u32) -> impl Iterator<Item = u32> {
        (0..20_000_u32).map(move |index| from.wrapping_add(index.wrapping_mul(2_654_435_761) >> 20))
    }

    #[test]
    fn relocations_are_told_by_what_changes_little_from_one_to_the_next() {
        let relocation = |(index, addend): (usize, u32)| {
            [0x45_6100 + index as u64 * 8, 8, u64::from(addend)].map(u64::to_le_bytes).concat()
        };
        let table: Vec<u8> = numbers(0x1b_f100).enumerate().flat_map(relocation).collect();
        assert_eq!(suits(&table, Filter::Plain), (Filter::Records(24), OF_RECORDS));
        assert_eq!(
            suits(&table, Filter::X86),
            (Filter::Records(24), OF_RECORDS),
            "what looks like calls are addresses"
        );
    }

    #[test]
    fn words_are_told_by_their_upper_bytes_and_text_is_neither() {
        // Squares: multiples alone are as far from each other as their neighbours are, which is what relocations look like.
        let numbers = |from: u32| {
            (0..20_000_u32).map(move |index| from + (index.wrapping_mul(index).wrapping_mul(2_654_435_761) >> 20))
        };
        let words: Vec<u8> = numbers(0x1_0000).flat_map(u32::to_le_bytes).collect();
        assert_eq!(suits(&words, Filter::Plain), (Filter::Plain, OF_WORDS));
        let text: String = numbers(0).map(|number| format!("{number} ")).collect();
        assert_eq!(suits(text.as_bytes(), Filter::Plain), (Filter::Plain, PLAIN));
        assert_eq!(suits(b"", Filter::Plain).0, Filter::Plain);
    }

    #[test]
    fn code_and_what_does_not_compress_keep_their_filters() {
        assert_eq!(suits(&[0xE8; 99], Filter::X86), (Filter::X86, CODE));
        assert_eq!(suits(&[0xE8; 99], Filter::Stored).0, Filter::Stored);
    }
}
