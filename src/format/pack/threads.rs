//! How many threads one pack takes, and how much memory: bounded by the processors, and by the memory that is free.

use super::Settings;
use crate::format::compression::Effort;
use crate::package::Package;
use crate::target::Compression;
use crate::tree::Node;

/// The part of the free memory that packing may take.
const SHARE: u64 = 2;

/// Threads of a pack, each of which takes `memory` bytes. At least one.
pub(super) fn useful(memory: u64) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let free = free().map_or(u64::MAX, |free| free / SHARE / memory.max(1));
    processors.min(usize::try_from(free).unwrap_or(usize::MAX)).max(1)
}

/// What a large pack takes (bytes), whatever its compressor.
pub(crate) fn memory(effort: Effort) -> u64 {
    let compressors = Compression::NAMES.map(|(_, compression)| Settings::of(compression, effort).of_pack());
    compressors.into_iter().max().unwrap_or_default()
}

/// What packing `package` takes (bytes).
pub(crate) fn memory_of(package: &Package, effort: Effort) -> u64 {
    let settings = Settings::of(package.target.distribution.compression, effort);
    let size = |node: &Node| if let Node::File(content) = node { content.digests.size } else { 0 };
    let total: u64 = package.tree.iter().map(|(_, entry)| size(&entry.node)).sum();
    (2 * total + settings.codec.memory()).min(settings.of_pack())
}

impl Settings {
    /// What all threads of a pack hold.
    fn of_pack(&self) -> u64 {
        let memory = self.memory();
        memory * useful(memory) as u64
    }
}

/// Has the allocator give large buffers back when they are freed. The GNU C library learns from the first of them to keep
/// the next ones (`M_MMAP_THRESHOLD` in mallopt(3)), which costs tens of megabytes that nobody uses.
#[cfg(target_env = "gnu")]
#[allow(unsafe_code, reason = "the standard library does not reach the allocator's settings")]
pub(super) fn free_eagerly() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // SAFETY: it takes two numbers, and the allocator locks itself.
    ONCE.call_once(|| unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 10);
    });
}

/// Other allocators do so by themselves.
#[cfg(not(target_env = "gnu"))]
pub(super) fn free_eagerly() {}

/// Bytes that can be had without paging, within the limit of the control group that this process is in.
fn free() -> Option<u64> {
    let text = fs_err::read_to_string("/proc/meminfo").ok()?;
    let available = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let available: u64 = available.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(available.saturating_mul(1024).min(group_limit().unwrap_or(u64::MAX)))
}

/// What the control group (version 2) leaves, if it sets a limit.
fn group_limit() -> Option<u64> {
    let groups = fs_err::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let directory = std::path::Path::new("/sys/fs/cgroup").join(own);
    let number = |name: &str| fs_err::read_to_string(directory.join(name)).ok()?.trim().parse::<u64>().ok();
    Some(number("memory.max")?.saturating_sub(number("memory.current")?))
}
