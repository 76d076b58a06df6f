//! What comes out is the archive, whatever was kept of it, however it was cut, and on however many threads.

use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::super::codec::Stream;
use super::super::key::Keys;
use super::super::samples;
use super::super::zstd::Zstd;
use super::*;
use crate::cache::Cache;
use crate::tree::{Content, InstallPath, Source as Place};

const LARGEST: u64 = 5_000;

fn failed(source: io::Error) -> Error {
    Error::Write { path: "artefact".into(), source }
}

/// One frame of `plan`, cut into blocks of these lengths.
fn pack(plan: &Plan<'_>, lengths: &[u64], blocks: Option<&Blocks>, threads: usize) -> Result<Vec<u8>, Error> {
    let codec = Zstd::with(3, 2 * LARGEST, LARGEST);
    let mut end = 0;
    let range = |length: &u64| {
        end += length;
        end - length..end
    };
    let ranges: Vec<Range<u64>> = lengths.iter().map(range).collect();
    let contexts = codec.contexts(&ranges);
    let keys = Keys::of(plan, &codec, &ranges, &contexts);
    // As a .deb does it: of the archive only the checksum is wanted, which may go on from a part that is known.
    let first = ranges.len() / 2;
    let wants = Wants { sha256: blocks.is_none(), xxh64: true };
    let part = blocks.map(|blocks| Part { first, known: keys.checksum(blocks, first) });
    let work = Work { plan, codec: &codec, ranges, contexts, keys: keys.blocks(), blocks, threads, wants, part };
    let mut stream = codec.stream();
    let mut out = stream.begin(plan.size());
    let digests = run(&work, &failed, &mut |_, packed| {
        out.extend(packed);
        Ok(())
    })?;
    if let (Some(blocks), Some(checksum)) = (blocks, &digests.first) {
        keys.keep_checksum(blocks, first, checksum);
    }
    out.extend(stream.end(digests.xxh64).map_err(failed)?);
    Ok(out)
}

fn paths(count: usize) -> Vec<InstallPath> {
    (0..count).map(|number| InstallPath::parse(&format!("/f{number}")).expect("a path")).collect()
}

/// A plan of these contents, and the archive that it is of.
fn plan<'a>(paths: &'a [InstallPath], contents: &'a [Content]) -> (Plan<'a>, Vec<u8>) {
    let (mut plan, mut archive) = (Plan::new(4), Vec::new());
    for (path, content) in paths.iter().zip(contents) {
        let header = format!("{path} {}\n", content.digests.size);
        io::Write::write_all(&mut plan, header.as_bytes()).expect("memory");
        plan.entry(Some(path), Some(content));
        archive.extend(header.bytes());
        let begin = archive.len();
        content.open().expect("it is there").read_to_end(&mut archive).expect("it is read");
        archive.resize(begin + (archive.len() - begin).next_multiple_of(4), 0);
    }
    io::Write::write_all(&mut plan, b"the end").expect("memory");
    archive.extend(b"the end");
    (plan, archive)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_bytes_are_the_same_whatever_is_kept_and_read_back_as_the_archive(
        sizes in prop::collection::vec(prop_oneof![0..40_usize, 0..9_000_usize], 1..12),
        cuts in prop::collection::vec(prop_oneof![1..60_u64, 1..=LARGEST], 1..40),
        changed in any::<prop::sample::Index>(),
        threads in 1..5_usize,
    ) {
        let text = samples::text(200_000);
        let mut contents: Vec<Content> = sizes
            .iter()
            .enumerate()
            .map(|(number, size)| Content::bytes(&text[number * 4_000..][..*size]))
            .collect();
        let paths = paths(contents.len());
        let place = tempfile::tempdir().expect("a directory");
        let blocks = Blocks::of(&Cache::at(place.path()));
        for round in 0..3 {
            let (plan, archive) = plan(&paths, &contents);
            let (mut lengths, mut left, mut next) = (Vec::new(), plan.size(), cuts.iter().cycle());
            while left > 0 {
                let length = next.next().copied().unwrap_or(1).min(left);
                lengths.push(length);
                left -= length;
            }
            let cold = pack(&plan, &lengths, None, 1).expect("it is packed");
            prop_assert!(zstd::stream::decode_all(cold.as_slice()).expect("it is a frame") == archive);
            let warm = pack(&plan, &lengths, Some(&blocks), threads).expect("it is packed");
            prop_assert!(warm == cold, "round {round}");
            let number = changed.index(contents.len());
            drop(plan);
            contents[number] = Content::bytes(samples::noise(sizes[number] + round));
        }
    }
}

#[test]
fn what_goes_wrong_ends_all_threads_with_the_error() {
    struct Failing {
        calls: AtomicUsize,
        panics: bool,
    }
    impl Codec for Failing {
        fn edition(&self) -> String {
            "failing".to_owned()
        }
        fn memory(&self) -> u64 {
            0
        }
        fn compress(&self, _context: Context<'_>, block: &[u8]) -> io::Result<Vec<u8>> {
            let call = self.calls.fetch_add(1, Ordering::SeqCst);
            assert!(call != 20 || !self.panics, "this thread is to die");
            if call == 20 { Err(io::Error::other("the twentieth")) } else { Ok(block.to_vec()) }
        }
        fn stream(&self) -> Box<dyn Stream + '_> {
            unreachable!("it is not asked for")
        }
    }
    let contents = [Content::bytes(samples::noise(100_000))];
    let paths = paths(1);
    let (plan, _) = plan(&paths, &contents);
    let ranges: Vec<Range<u64>> = (0..100).map(|number| number * 1_000..(number + 1) * 1_000).collect();
    let full = io::Error::from(io::ErrorKind::StorageFull);
    for threads in [1, 2, 7] {
        for (panics, expected) in [(false, "the twentieth"), (true, "thread died")] {
            let codec = Failing { calls: AtomicUsize::new(0), panics };
            let contexts = codec.contexts(&ranges);
            let keys = Keys::of(&plan, &codec, &ranges, &contexts);
            let (ranges, wants) = (ranges.clone(), Wants::default());
            let work = Work {
                plan: &plan,
                codec: &codec,
                ranges,
                contexts,
                keys: keys.blocks(),
                blocks: None,
                threads,
                wants,
                part: None,
            };
            let error = run(&work, &failed, &mut |_, _| Ok(())).expect_err("it fails").to_string();
            assert!(error.contains(expected), "{error}");
            codec.calls.store(1_000, Ordering::SeqCst);
            let mut written = 0;
            let error = run(&work, &failed, &mut |_, _| {
                written += 1;
                if written == 30 { Err(failed(full.kind().into())) } else { Ok(()) }
            });
            assert!(error.expect_err("the disk is full").to_string().contains(&full.to_string()));
        }
    }
}

#[test]
fn nothing_is_kept_of_a_content_that_is_not_what_the_tree_says() {
    let place = tempfile::tempdir().expect("a directory");
    let blocks = Blocks::of(&Cache::at(place.path()));
    let good = samples::text(20_000);
    let mut bad = good.clone();
    bad[19_999] ^= 1;
    let mut content = Content::bytes(good);
    content.source = Place::Bytes(bad.into());
    let (paths, contents) = (paths(1), [content]);
    let (plan, _) = plan(&paths, &contents);
    let lengths = [5_000, 5_000, 5_000, 5_000, plan.size() - 20_000];
    for _ in 0..2 {
        let error = pack(&plan, &lengths, Some(&blocks), 2).expect_err("it changed");
        assert!(matches!(error, Error::Changed { .. }), "{error}");
    }
}
