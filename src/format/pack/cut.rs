//! Where an archive is cut into blocks: at places that stay put when something else changes.
//!
//! A block is compressed again when one of its bytes changes, so where a cut falls must follow from what is around it and from
//! nothing further away. As in content-defined chunking, a block that is large enough ends at the first edge whose own hash
//! says so, here that of the path of the file after it: after an insertion or removal the old cuts are found again a block or
//! two later. Edges between directories are preferred, for what changes together lies together.
//!
//! - Small files get small blocks, because what people change is small: such a block costs a second at xz's default.
//! - Files of middling size are kept from them, and share somewhat larger blocks.
//! - The content of a large file is cut from its own start, with nothing else in its blocks: neither the file's header (which
//!   has a time) nor the archive's format is in them, so a .deb and an .rpm share them.
//! - What ends an archive is a block of its own, because its length depends on all that is before it.

use crate::format::compression::Effort;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// One edge of so many between directories ends a block that is large enough.
const DIRECTORIES: u64 = 8;

/// An entry of the archive, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    /// The installed path.
    pub(super) path: &'a str,
    /// What stands before the content.
    pub(super) head: u64,
    /// The content.
    pub(super) content: u64,
    /// What pads it.
    pub(super) padding: u64,
    /// Whether it is the first of a part of the archive that is to have blocks of its own.
    pub(super) begins: bool,
}

/// How large blocks are, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Blocks with small files.
    small: Range,
    /// Contents of at least this size are not put with smaller ones …
    middling_from: u64,
    /// … but in blocks of this size.
    middling: Range,
    /// Contents of at least this size are cut from their own start.
    large_from: u64,
    /// Into pieces of this size (the last one may be half as large again).
    piece: u64,
    /// Whether they have their blocks to themselves.
    apart: bool,
}

/// How large a block is.
#[derive(Debug, Clone, Copy)]
struct Range {
    /// It does not end before, except for what is of another kind.
    minimum: u64,
    /// It is not larger, except for what is larger by itself.
    maximum: u64,
}

impl Limits {
    /// For xz, whose small blocks see the few before them, and whose large ones know nothing of each other.
    pub(super) fn xz(effort: Effort) -> Self {
        let piece = match effort {
            Effort::Fast | Effort::Default => 12 * MIB,
            Effort::Small => 16 * MIB,
        };
        Self {
            small: Range { minimum: 2 * MIB, maximum: 5 * MIB },
            middling_from: MIB,
            middling: Range { minimum: 3 * MIB, maximum: 6 * MIB },
            large_from: 8 * MIB,
            piece,
            apart: true,
        }
    }

    /// For zstd, whose blocks of at most `maximum` bytes see what is before them: nothing is to be kept apart.
    pub(super) fn zstd(maximum: u64) -> Self {
        let piece = maximum / 4;
        let block = Range { minimum: maximum / 8 * 5, maximum };
        Self { small: block, middling_from: u64::MAX, middling: block, large_from: piece, piece, apart: false }
    }

    /// For gzip, which looks back 32 KiB: blocks cost it nothing.
    pub(super) fn gzip() -> Self {
        let member = Range { minimum: 2 * MIB, maximum: 6 * MIB };
        Self {
            small: member,
            middling_from: u64::MAX,
            middling: member,
            large_from: 4 * MIB,
            piece: 4 * MIB,
            apart: true,
        }
    }

    /// The largest block (bytes).
    pub(super) fn largest(&self) -> u64 {
        let piece = if self.apart { self.piece * 3 / 2 } else { 0 };
        self.small.maximum.max(self.middling.maximum).max(piece)
    }
}

/// The lengths of the blocks, none of them empty, of an archive of these entries and a `tail` of so many bytes.
pub(super) fn cut<'a>(entries: impl IntoIterator<Item = Entry<'a>>, tail: u64, limits: &Limits) -> Vec<u64> {
    let mut cutter = Cutter { limits, blocks: Vec::new(), block: 0, is_middling: None };
    let mut before = Before { path: "", length: 0 };
    for entry in entries {
        if entry.begins {
            cutter.end_block();
        }
        if entry.content >= limits.large_from {
            cutter.large(entry);
        } else {
            cutter.whole(entry, &before);
        }
        before = Before { path: entry.path, length: entry.head + entry.content + entry.padding };
    }
    cutter.end_block();
    cutter.block = tail;
    cutter.end_block();
    cutter.blocks
}

/// The entry before an edge.
struct Before<'a> {
    path: &'a str,
    length: u64,
}

struct Cutter<'a> {
    limits: &'a Limits,
    blocks: Vec<u64>,
    /// Bytes of the block that is not ended yet.
    block: u64,
    /// Whether it is one of middling files; `None` as long as there are no contents in it.
    is_middling: Option<bool>,
}

impl Cutter<'_> {
    /// An entry that is not cut.
    fn whole(&mut self, entry: Entry<'_>, before: &Before<'_>) {
        let length = entry.head + entry.content + entry.padding;
        // What has no content goes with whatever is there.
        let is_middling = (entry.content > 0).then_some(entry.content >= self.limits.middling_from);
        let is_of_another_kind = is_middling.zip(self.is_middling).is_some_and(|(this, block)| this != block);
        let range =
            if self.is_middling.or(is_middling) == Some(true) { self.limits.middling } else { self.limits.small };
        if is_of_another_kind
            || self.block + length > range.maximum
            || (self.block >= range.minimum && ends_block(before, entry.path, range))
        {
            self.end_block();
        }
        self.block += length;
        self.is_middling = self.is_middling.or(is_middling);
    }

    /// An entry that is cut from the start of its content.
    fn large(&mut self, entry: Entry<'_>) {
        let Limits { piece, apart, small, .. } = *self.limits;
        if apart {
            self.block += entry.head;
            self.end_block();
            let mut left = entry.content;
            while left >= piece + piece / 2 {
                self.blocks.push(piece);
                left -= piece;
            }
            self.blocks.push(left);
            self.block = entry.padding;
            return;
        }
        if self.block >= small.minimum {
            self.end_block();
        }
        self.block += entry.head;
        let mut left = entry.content;
        while left > piece {
            self.block += piece;
            left -= piece;
            if self.block >= small.minimum {
                self.end_block();
            }
        }
        self.block += left + entry.padding;
        self.is_middling = Some(false);
    }

    fn end_block(&mut self) {
        if self.block > 0 {
            self.blocks.push(self.block);
        }
        self.block = 0;
        self.is_middling = None;
    }
}

/// Whether a block that is large enough ends at this edge. The longer what stands before it, the likelier: so edges that do
/// lie some tenths of a block apart, whatever the size of files.
fn ends_block(before: &Before<'_>, path: &str, range: Range) -> bool {
    let reach = (range.maximum - range.minimum).max(1);
    let chance = (before.length << 32) / reach;
    let is_between_directories = parent(path) != parent(before.path) && parent(path) != before.path;
    let preference = if is_between_directories { (1 << 32) / DIRECTORIES } else { 0 };
    hash(path) >> 32 < chance.saturating_add(preference)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// FNV-1a, mixed so that its upper bits are as good as the lower ones.
fn hash(text: &str) -> u64 {
    let folded = text
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3));
    let mixed = (folded ^ (folded >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests;
