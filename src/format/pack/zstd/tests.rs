//! A frame that was put together is what went into it, whatever that was: told by content, because a decoder that was misled
//! does not notice.

use std::hash::Hasher as _;

use twox_hash::XxHash64;

use super::super::samples;
use super::*;

/// One frame of `archive`, cut at `block` bytes, each block compressed after `context` bytes of what stands before it.
fn frame(level: u32, archive: &[u8], block: usize, context: usize) -> Vec<u8> {
    let codec = Zstd::with(level, context as u64, block as u64);
    let mut stream = codec.stream();
    let mut out = stream.begin(archive.len() as u64);
    for begin in (0..archive.len()).step_by(block) {
        let end = (begin + block).min(archive.len());
        let before = archive.get(begin.saturating_sub(context)..begin).expect("it is within the archive");
        let context = Context { bytes: before, parts: &[before.len()] };
        let packed = codec.compress(context, &archive[begin..end]).expect("it compresses");
        out.extend(stream.add((end - begin) as u64, packed).expect("it is a block"));
    }
    let mut hasher = XxHash64::with_seed(0);
    hasher.write(archive);
    out.extend(stream.end(Some(hasher.finish())).expect("it ends"));
    out
}

/// Bytes that repeat at few distances, over and over: what repeat offsets are for.
fn repetitive(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize % below
    };
    let distances: Vec<usize> = (0..4).map(|_| 1 + next(300)).collect();
    let mut bytes: Vec<u8> = (0..400).map(|_| next(256) as u8).collect();
    while bytes.len() < length {
        let distance = distances[next(4)];
        for _ in 0..3 + next(40) {
            bytes.push(bytes[bytes.len() - distance]);
        }
        for _ in 0..next(4) {
            bytes.push(next(256) as u8);
        }
    }
    bytes.truncate(length);
    bytes
}

#[track_caller]
fn assert_reads_back(archive: &[u8], packed: &[u8], what: &str) {
    let unpacked = zstd::stream::decode_all(packed).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(unpacked == archive, "{what}");
}

#[test]
fn a_joined_frame_reads_back_at_every_level_and_cut() {
    for seed in 1..=24 {
        let archive = repetitive(seed, 20_000 + 997 * seed as usize);
        for level in [1, 3, 5, 7, 9, 13, 16, 19] {
            for (block, context) in [(700, 700), (4096, 9000), (11_003, 22_006), (30_000, 1)] {
                let packed = frame(level, &archive, block, context);
                assert_reads_back(&archive, &packed, &format!("seed {seed} level {level} cut {block} after {context}"));
            }
        }
    }
}

#[test]
fn a_joined_frame_reads_back_whatever_is_in_it() {
    for (what, archive) in samples::all() {
        for level in [3, 5, 19] {
            for (block, context) in [(65_536, 131_072), (131_073, 131_073), (300_000, 600_000)] {
                let packed = frame(level, &archive, block, context);
                assert_reads_back(&archive, &packed, &format!("{what} level {level} cut {block}"));
            }
        }
    }
}

#[test]
fn context_is_used_across_a_cut() {
    let half = samples::noise(400_000);
    let archive = [half.clone(), half].concat();
    assert!(frame(5, &archive, 400_000, 800_000).len() < 420_000);
    assert!(frame(5, &archive, 400_000, 0).len() > 790_000);
}

#[test]
fn the_tools_of_the_field_read_a_joined_frame() {
    for (what, archive) in samples::all() {
        let packed = frame(5, &archive, 200_000, 400_000);
        assert!(samples::through("zstd", &["-dcq"], &packed) == archive, "{what}");
    }
}

#[test]
fn bytes_do_not_depend_on_where_context_and_block_lie_in_memory() {
    let archive = repetitive(7, 200_000);
    let codec = Zstd::with(5, 100_000, 100_000);
    let (context, block) = archive.split_at(100_000);
    let together = codec.compress(Context { bytes: context, parts: &[100_000] }, block).expect("it compresses");
    let (context, block) = (context.to_vec(), block.to_vec());
    assert_eq!(
        codec.compress(Context { bytes: &context, parts: &[100_000] }, &block).expect("it compresses"),
        together
    );
}

#[test]
fn a_window_covers_what_it_must_and_never_exceeds_what_readers_accept() {
    // RFC 8878, 3.1.1.1.2.
    let window = |descriptor: u8| {
        let base = 1_u64 << (10 + (descriptor >> 3));
        base + base / 8 * u64::from(descriptor & 7)
    };
    for size in [0, 1, 1 << 17, (1 << 17) + 1, 3 << 20, (3 << 20) + 1, (1 << 26) - 1, 96 << 20, 1 << 27] {
        let told = window(window_descriptor(size));
        assert!(told >= size && told <= (size + size / 8).max(1 << MIN_WINDOW_LOG), "{size}: {told}");
    }
    for (_, effort) in Effort::NAMES {
        assert!(window(window_descriptor(Zstd::new(effort).window(u64::MAX))) <= 1 << MAX_WINDOW_LOG);
    }
}
