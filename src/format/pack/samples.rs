//! Bytes of every kind that a compressor meets, and the tools of the field that read what it wrote, for tests.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use object::{Object, ObjectSection};

use super::codec::{Codec, Context};

/// Bytes that do not compress, the same each time.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Lines that are alike but not the same.
pub(super) fn text(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 100);
    for (number, noise) in noise(length / 8 + 8).chunks(4).enumerate() {
        bytes.extend(format!("    item_{number} = lookup(table, key={noise:02x?})\n").into_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Machine code of the processor that runs the tests.
pub(super) fn code(length: usize) -> Vec<u8> {
    static CODE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let program = fs_err::read(std::env::current_exe().expect("a test is a program")).expect("it can be read");
        let program = object::File::parse(program.as_slice()).expect("it is an ELF file");
        let code = program.section_by_name(".text").expect("it has code").data().expect("the code is there");
        code[code.len() / 2..][..500_000].to_vec()
    });
    CODE[..length].to_vec()
}

/// What is compressed in the tests of every compressor: (what it is, the bytes).
pub(super) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mixed = [text(300_000), code(200_000), noise(250_000), vec![0; 100_000]].concat();
    vec![
        ("nothing", Vec::new()),
        ("one byte", vec![7]),
        ("zeros", vec![0; 1_000_000]),
        ("noise of one byte less than a chunk of LZMA2", noise(65_535)),
        ("noise of one chunk of LZMA2", noise(65_536)),
        ("noise of one byte more than a chunk of LZMA2", noise(65_537)),
        ("noise", noise(1_100_000)),
        ("text", text(400_000)),
        ("code", code(500_000)),
        ("mixed", mixed),
    ]
}

/// One stream of these blocks, each with its context.
pub(super) fn stream(codec: &dyn Codec, blocks: &[&[u8]]) -> Vec<u8> {
    let mut stream = codec.stream();
    let archive = blocks.concat();
    let mut out = stream.begin(archive.len() as u64);
    let ranges = super::ranges(blocks.iter().map(|block| block.len() as u64).collect());
    for (block, (range, context)) in blocks.iter().zip(ranges.iter().zip(codec.contexts(&ranges))) {
        let begin = context.first().map_or(range.start, |part| part.start);
        let bytes = archive.get(begin as usize..range.start as usize).expect("it is before the block");
        let parts: Vec<usize> = context.iter().map(|part| (part.end - part.start) as usize).collect();
        let packed = codec.compress(Context { bytes, parts: &parts }, block).expect("it compresses");
        out.extend(stream.add(block.len() as u64, packed).expect("it is a block"));
    }
    out.extend(stream.end(None).expect("it ends"));
    out
}

/// What a program writes when it is given `input`; it must succeed and have nothing to complain about.
pub(super) fn through(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut into = child.stdin.take().expect("it is piped");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || into.write_all(input));
        child.wait_with_output().expect("it ends")
    });
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{program} {arguments:?}: {} {complaint}", output.status);
    output.stdout
}
