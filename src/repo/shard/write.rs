//! Writing shards.

use super::{Line, ShardReference, object};
use crate::repo::compress;
use crate::repo::error::RepoError;
use crate::repo::record::Entry;
use crate::repo::store::Store;

/// Writes a shard of these entries (in order) whose cell has so many streams. It is durable after [`Store::settle`].
pub(in crate::repo) fn write(store: &Store, entries: Vec<Entry>, streams: usize) -> Result<ShardReference, RepoError> {
    let failed = || RepoError::io("a part of the repository's state could not be written");
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let mut open = vec![Vec::new(); streams];
    let lines: Vec<Line> = entries
        .into_iter()
        .map(|Entry { record, texts }| {
            let lengths = open.iter_mut().zip(texts).map(|(open, text)| {
                open.extend_from_slice(&text);
                text.len() as u64
            });
            Line { texts: lengths.collect(), record }
        })
        .collect();
    let mut head = serde_json::to_vec(&lines).map_err(|error| failed()(error.into()))?;
    drop(lines);
    head.push(b'\n');
    let mut sizes = Vec::with_capacity(streams);
    let copied = store.produce(|writer| -> std::io::Result<()> {
        writer.write_all(&head)?;
        for texts in &open {
            let packed = compress::member(texts)?;
            writer.write_all(texts)?;
            writer.write_all(&packed)?;
            sizes.push((texts.len() as u64, packed.len() as u64));
        }
        Ok(())
    });
    let copied = copied.map_err(failed())?;
    let reference = ShardReference { digest: copied.sha256, count, head: head.len() as u64, streams: sizes };
    store.add_object(copied, &object(reference.digest)).map_err(failed())?;
    Ok(reference)
}
