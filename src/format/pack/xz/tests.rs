//! Streams of blocks, judged by xz, Python and libarchive; and what must never be taken for a block.

use proptest::prelude::*;

use super::super::codec::Codec;
use super::super::samples;
use super::*;

const EFFORTS: [Effort; 3] = [Effort::Fast, Effort::Default, Effort::Small];

/// What liblzma's own decoder makes of it, which like dpkg's and rpm's stops at the end of the first stream.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut decoder = liblzma::bufread::XzDecoder::new(packed);
    std::io::Read::read_to_end(&mut decoder, &mut bytes).expect("it decodes");
    assert!(decoder.into_inner().is_empty(), "something follows the stream");
    bytes
}

/// What xz tells of the blocks of a stream: block, its number in the file, stream, number in it, offsets, total and unpacked
/// size, ratio, check, ….
fn listing(packed: &[u8]) -> Vec<Vec<String>> {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("a.xz");
    fs_err::write(&file, packed).expect("it is written");
    let listing = samples::through("xz", &["-lvv", "--robot", &file.to_string_lossy()], &[]);
    let listing = String::from_utf8(listing).expect("text");
    let blocks = listing.lines().filter(|line| line.starts_with("block\t"));
    blocks.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn every_kind_of_block_reads_back_with_each_effort() {
    for effort in EFFORTS {
        let codec = Xz::new(effort);
        for (name, bytes) in samples::all() {
            let packed = samples::stream(&codec, &[&bytes]);
            assert!(unpacked(&packed) == bytes, "{name}, {effort:?}");
            assert!(
                packed.len() < bytes.len() + bytes.len() / 10_000 + 100,
                "{name}, {effort:?}: {} bytes",
                packed.len()
            );
        }
    }
}

#[test]
fn one_stream_of_all_kinds_of_blocks_is_what_the_tools_of_the_field_read() {
    let samples = samples::all();
    let blocks: Vec<&[u8]> = samples.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let bytes = blocks.concat();
    for effort in EFFORTS {
        let packed = samples::stream(&Xz::new(effort), &blocks);
        assert!(samples::through("xz", &["-dc"], &packed) == bytes);
        assert!(samples::through("xz", &["-dc", "-T4"], &packed) == bytes);
        samples::through("xz", &["-t", "-"], &packed);
        let python = "import lzma,sys; sys.stdout.buffer.write(lzma.decompress(sys.stdin.buffer.read()))";
        assert!(samples::through("python3", &["-c", python], &packed) == bytes);
    }

    let listed = listing(&samples::stream(&Xz::new(Effort::Fast), &blocks));
    assert_eq!(listed.len(), blocks.len(), "{listed:?}");
    for (fields, (name, bytes)) in listed.iter().zip(&samples) {
        let line = fields.join(" ");
        assert_eq!(
            (fields[7].as_str(), fields[9].as_str()),
            (bytes.len().to_string().as_str(), "CRC64"),
            "{name}: {line}"
        );
        let stored = line.contains("dict=4KiB") && bytes.len() > 4096;
        assert_eq!(stored, name.starts_with("noise"), "{name}: {line}");
        // The code in the mixed one is enough to make up for the rest.
        let is_code = matches!(*name, "code" | "mixed") && cfg!(target_arch = "x86_64");
        assert_eq!(line.contains("--x86"), is_code, "{name}: {line}");
    }
}

#[test]
fn an_archive_of_several_blocks_is_what_libarchive_and_dpkg_read() {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in samples::all() {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("./{name}"), bytes.as_slice()).expect("an entry");
    }
    let archive = archive.into_inner().expect("an archive");
    let packed = samples::stream(&Xz::new(Effort::Default), &archive.chunks(700_001).collect::<Vec<_>>());
    let names = String::from_utf8(samples::through("bsdtar", &["-tf", "-"], &packed)).expect("names");
    assert_eq!(names.lines().count(), samples::all().len(), "{names}");

    let directory = tempfile::tempdir().expect("a directory");
    let control = {
        let mut archive = tar::Builder::new(Vec::new());
        let text = "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.com>\nDescription: a\n";
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, "./control", text.as_bytes()).expect("an entry");
        samples::stream(&Xz::new(Effort::Fast), &[&archive.into_inner().expect("an archive")])
    };
    for (name, bytes) in
        [("debian-binary", b"2.0\n".as_slice()), ("control.tar.xz", &control), ("data.tar.xz", &packed)]
    {
        fs_err::write(directory.path().join(name), bytes).expect("it is written");
    }
    let script = "cd \"$1\" && ar rc a.deb debian-binary control.tar.xz data.tar.xz && dpkg-deb --fsys-tarfile a.deb";
    let read = samples::through("sh", &["-c", script, "sh", &directory.path().to_string_lossy()], &[]);
    assert!(read == archive);
}

#[test]
fn a_stream_without_blocks_is_empty_and_whole() {
    let packed = samples::stream(&Xz::new(Effort::Default), &[]);
    assert!(samples::through("xz", &["-dc"], &packed).is_empty());
    assert_eq!(packed.len(), 32);
}

#[test]
fn the_bytes_of_a_block_do_not_depend_on_what_else_is_compressed_at_the_time() {
    let codec = Xz::new(Effort::Default);
    let samples = samples::all();
    let alone: Vec<_> =
        samples.iter().map(|(_, bytes)| codec.compress(Context::default(), bytes).expect("it compresses")).collect();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for ((name, bytes), alone) in samples.iter().zip(&alone).rev() {
                    assert!(codec.compress(Context::default(), bytes).expect("it compresses") == *alone, "{name}");
                }
            });
        }
    });
}

#[test]
fn an_encoder_tells_what_it_takes() {
    // What dpkg-deb takes for each thread at its default.
    assert!(EFFORTS.iter().all(|effort| (20 << 20..96 << 20).contains(&Xz::new(*effort).memory())));
}

#[test]
fn each_effort_is_an_edition_of_its_own() {
    let editions: std::collections::BTreeSet<String> =
        EFFORTS.iter().map(|effort| Xz::new(*effort).edition()).collect();
    assert_eq!(editions.len(), EFFORTS.len());
    assert!(editions.iter().all(|edition| edition.contains(" 5.")), "{editions:?}");
}

#[test]
fn a_block_or_piece_that_lost_or_gained_bytes_or_is_of_another_size_is_refused() {
    let codec = Xz::new(Effort::Default);
    let refused = |unpacked: usize, packed: &[u8]| codec.stream().add(unpacked as u64, packed.to_vec()).is_err();
    for bytes in [samples::text(100_000), samples::noise(100_000), samples::code(100_000)] {
        let kept = codec.compress(Context::default(), &bytes).expect("it compresses");
        let (packed, rest) = kept.split_at(kept.len() - 9);
        assert!(!refused(bytes.len(), &kept));
        assert!(refused(bytes.len() + 1, &kept));
        for length in (0..20).chain([packed.len() - 8, packed.len() - 4, packed.len() - 1]) {
            assert!(refused(bytes.len(), &kept[..length]), "{length}");
            assert!(refused(bytes.len(), &[&packed[..length], rest].concat()), "{length}");
        }
        assert!(refused(bytes.len(), &[packed, &[0; 4], rest].concat()));
        // The header of a block; of the first chunk, what says that the dictionary begins, and how long it is.
        let header = if rest[8] == 0 { (usize::from(kept[0]) + 1) * 4 } else { 5 };
        for bit in (0..header * 8).filter(|bit| rest[8] == 0 || bit / 8 > 0 || bit % 8 >= 5) {
            let mut damaged = kept.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(refused(bytes.len(), &damaged), "bit {bit} of {header} bytes");
        }
    }
}

#[test]
fn pieces_in_a_row_are_one_block_that_finds_what_the_pieces_before_have() {
    let repeated = samples::text(400_000);
    let (code, noise) = (samples::code(300_000), samples::noise(100_000));
    let blocks: [&[u8]; 9] =
        [&repeated, &repeated, &repeated[..399_999], &repeated, &code, &repeated, &repeated, &noise, &repeated];
    for effort in EFFORTS {
        let codec = Xz::new(effort);
        let packed = samples::stream(&codec, &blocks);
        assert!(unpacked(&packed) == blocks.concat(), "{effort:?}");
        assert!(samples::through("xz", &["-dc", "-T4"], &packed) == blocks.concat(), "{effort:?}");
        let listing = listing(&packed);
        let sizes: Vec<usize> = listing.iter().map(|fields| fields[7].parse().expect("a size")).collect();
        if effort == Effort::Fast {
            assert_eq!(sizes, blocks.map(<[u8]>::len), "nothing sees what is before it");
            continue;
        }
        // What does not begin at a whole word does not go on.
        assert_eq!(sizes, [1_199_999, 1_500_000, 100_000, 400_000], "{effort:?}");
        let alone = samples::stream(&codec, &[&repeated]).len();
        let others = samples::stream(&codec, &[&code, &noise]).len();
        assert!(packed.len() < alone * 31 / 10 + others, "{} of {alone} and {others}, {effort:?}", packed.len());
    }
}

#[test]
fn a_piece_that_goes_on_with_nothing_is_refused() {
    let codec = Xz::new(Effort::Default);
    let text = samples::text(100_000);
    let context = Context { bytes: &text, parts: &[text.len()] };
    let piece = codec.compress(context, &text).expect("it compresses");
    assert!(codec.stream().add(100_000, piece.clone()).is_err());
    let mut stream = codec.stream();
    stream.add(100_000, codec.compress(Context::default(), &text).expect("it compresses")).expect("it begins");
    stream.add(100_000, piece.clone()).expect("it goes on");
    let noise = samples::noise(100_000);
    stream.add(100_000, codec.compress(context, &noise).expect("it compresses")).expect("a block");
    assert!(stream.add(100_000, piece).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn anything_cut_anywhere_reads_back(
        parts in prop::collection::vec((0..4_usize, 0..70_000_usize), 0..6),
        cuts in prop::collection::vec(prop_oneof![0..200_000_usize, (0..50_000_usize).prop_map(|word| word * 4)], 0..6),
    ) {
        let kinds = [samples::text(70_000), samples::noise(70_000), vec![0; 70_000], samples::code(70_000)];
        let bytes: Vec<u8> = parts.iter().flat_map(|(kind, length)| kinds[*kind][..*length].iter().copied()).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let blocks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert!(unpacked(&samples::stream(&Xz::new(Effort::Default), &blocks)) == bytes);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), unpacked in any::<u64>()) {
        let _ = Xz::new(Effort::Fast).stream().add(unpacked, bytes.clone());
        for kind in 0..=2 {
            let piece = [bytes.as_slice(), &[0; 8], &[kind]].concat();
            let _ = Xz::new(Effort::Fast).stream().add(unpacked, piece);
        }
        // Bytes whose sum is right go further.
        let mut header = [&[bytes.len() as u8 / 4 + 1, 0xC0], bytes.as_slice()].concat();
        header.resize((usize::from(header[0])) * 4, 0);
        let mut sum = flate2::Crc::new();
        sum.update(&header);
        header.extend(sum.sum().to_le_bytes());
        header.extend([0; 9]);
        let _ = Xz::new(Effort::Fast).stream().add(unpacked, header);
    }
}
