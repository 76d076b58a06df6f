//! A suite's parts that are indexed together: a component and architecture of an apt suite, all of a yum suite.
//!
//! A cell is cut into 2^bits shards by the SHA-256 of the package's *name*, so that all versions of a name are in one
//! shard, and one changed package makes one shard new. What is added to a shard is kept beside it for a while, in a second,
//! small one: an index has all the settled shards first, and what was added lately after them, so that an addition changes the
//! end of an index and its beginning need not be hashed again.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::shard::ShardReference;
use super::suite::Kind;
use crate::digest::Sha256;

/// How many records a shard has, on average, after a cell is cut anew.
const WANTED: u64 = 400;
/// The finest cut: 2^16 shards.
const MAXIMAL_BITS: u32 = 16;

/// One kind of text that an index is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Stanzas of `Packages`.
    Packages,
    /// Lines of `Contents`.
    Contents,
    /// Stanzas of `Translation-en`.
    Translation,
    /// Stanzas of `Sources`.
    Sources,
    /// Elements of `primary.xml`.
    Primary,
    /// Elements of `filelists.xml`.
    Filelists,
    /// Elements of `other.xml`.
    Other,
    /// Elements of `updateinfo.xml`.
    Updateinfo,
}

/// The name of a cell: `main/amd64`, `main/all`, `main/source`; of a yum suite `all`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellName {
    /// Empty in a yum suite.
    pub component: String,
    /// `all` in a yum suite.
    pub architecture: String,
}

impl CellName {
    /// The cell of a component and architecture.
    pub fn of(component: &str, architecture: &str) -> Self {
        Self { component: component.to_owned(), architecture: architecture.to_owned() }
    }

    /// Which half of the repository it belongs to.
    pub fn kind(&self) -> Kind {
        if self.component.is_empty() { Kind::Yum } else { Kind::Apt }
    }

    /// The streams of its shards, in this order.
    pub fn streams(&self) -> &'static [Stream] {
        match (self.kind(), self.architecture.as_str()) {
            (Kind::Yum, _) => &[Stream::Primary, Stream::Filelists, Stream::Other, Stream::Updateinfo],
            (Kind::Apt, "source") => &[Stream::Sources],
            (Kind::Apt, _) => &[Stream::Packages, Stream::Contents, Stream::Translation],
        }
    }

    /// Where a stream stands among the texts of its records.
    pub fn position(&self, stream: Stream) -> Option<usize> {
        self.streams().iter().position(|held| *held == stream)
    }
}

impl fmt::Display for CellName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.component.is_empty() {
            return formatter.write_str(&self.architecture);
        }
        write!(formatter, "{}/{}", self.component, self.architecture)
    }
}

impl FromStr for CellName {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (component, architecture) = text.split_once('/').unwrap_or(("", text));
        Ok(Self::of(component, architecture))
    }
}

impl Serialize for CellName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CellName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The shards of one cell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// There are 2^bits shards.
    pub bits: u32,
    /// In order; a place without records has none.
    pub shards: Vec<Option<ShardReference>>,
    /// What was added to some of them lately, by their numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recent: BTreeMap<usize, ShardReference>,
}

impl Cell {
    /// How many records it has.
    pub fn count(&self) -> u64 {
        self.present().map(|shard| u64::from(shard.count)).sum()
    }

    /// Its shards that have records, in the order of an index.
    pub fn present(&self) -> impl Iterator<Item = &ShardReference> {
        self.settled().chain(self.recent.values())
    }

    /// Those that stand at the beginning of an index.
    pub(super) fn settled(&self) -> impl Iterator<Item = &ShardReference> {
        self.shards.iter().flatten()
    }

    /// The shards of one number: what is settled, and what was added.
    pub(super) fn at(&self, number: usize) -> impl Iterator<Item = &ShardReference> {
        self.shards.get(number).into_iter().flatten().chain(self.recent.get(&number))
    }

    /// Makes it hold under one number what another cell of the same cut holds there.
    pub(super) fn replace(&mut self, number: usize, other: &Self) {
        if let Some(place) = self.shards.get_mut(number) {
            *place = other.shards.get(number).cloned().flatten();
        }
        self.recent.remove(&number);
        self.recent.extend(other.recent.get(&number).map(|added| (number, added.clone())));
    }

    /// The shards that have the packages of a name, if any do.
    pub fn shards_of(&self, name: &str) -> impl Iterator<Item = &ShardReference> {
        self.at(shard_number(name, self.bits))
    }

    /// The bits of a cell that is going to have `count` records and has `bits` now: as they are unless its shards would be
    /// more than twice, or less than a quarter, of what is wanted.
    pub(super) fn bits_for(count: u64, bits: u32) -> u32 {
        let average = count >> bits;
        if average <= 2 * WANTED && (bits == 0 || average >= WANTED / 4) {
            return bits;
        }
        (0..MAXIMAL_BITS).find(|bits| count >> bits <= WANTED).unwrap_or(MAXIMAL_BITS)
    }
}

/// The number of the shard that has the packages of this name: the first bits of the name's digest.
pub(super) fn shard_number(name: &str, bits: u32) -> usize {
    let Sha256([first, second, ..]) = Sha256::of(name.as_bytes());
    let begin = u32::from(u16::from_be_bytes([first, second]));
    (begin >> (MAXIMAL_BITS - bits.min(MAXIMAL_BITS))) as usize
}
