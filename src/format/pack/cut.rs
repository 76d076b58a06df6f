//! Where an archive is cut.

/// How large blocks are, in bytes.
pub(super) struct Limits {
    pub(super) nominal: u64,
    pub(super) max: u64,
}

/// One entry of the archive.
pub(super) struct Entry<'a> {
    pub(super) path: &'a str,
    pub(super) head: u64,
    pub(super) content: u64,
    pub(super) padding: u64,
}

/// Greedy at the edges of entries; an entry larger than a block is cut into blocks.
pub(super) fn cut<'a>(entries: impl IntoIterator<Item = Entry<'a>>, tail: u64, limits: &Limits) -> Vec<u64> {
    let (mut lengths, mut block) = (Vec::new(), 0);
    for entry in entries {
        let _ = entry.path;
        let size = entry.head + entry.content + entry.padding;
        if block > 0 && block + size > limits.nominal {
            lengths.push(block);
            block = 0;
        }
        block += size;
        while block > limits.max {
            lengths.push(limits.max);
            block -= limits.max;
        }
    }
    if block > 0 {
        lengths.push(block);
    }
    if tail > 0 {
        lengths.push(tail);
    }
    lengths
}
