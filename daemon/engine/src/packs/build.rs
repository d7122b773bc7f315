//! Writing packs (P1): each content is digested again while it is packed, so
//! that a pack never holds a file as it was half-way through an edit.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use mirror_core::commit::{Method, Pack, PackedContent};
use mirror_core::digest::Hasher;
use mirror_core::{Digest, RelPath, Ulid};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{Meter, PACK_BYTES};
use crate::error::EngineError;
use crate::outside::{Disk, Interrupt, Scratch};

/// Opens what holds an item's content; `None` when it is gone.
pub type Opener =
    Arc<dyn Fn(&Item) -> Result<Option<Box<dyn Read + Send>>, EngineError> + Send + Sync>;

/// A content that a commit needs and no pack holds yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub digest: Digest,
    pub size: u64,
    /// The file that it is, or was, the content of.
    pub path: RelPath,
}

/// A pack that is complete in a temporary file.
pub(super) struct Built {
    pub pack: Pack,
    pub scratch: Box<dyn Scratch>,
}

/// A file that could not be packed as it was seen.
#[derive(Debug)]
pub struct Rejected {
    pub path: RelPath,
    /// `None`: it changed between the look and the read.
    pub error: Option<EngineError>,
}

/// How much of a file decides whether it is worth deflating.
const SAMPLE: usize = 64 << 10;

/// Shares the items out; a single larger content has a pack of its own.
pub(super) fn split(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut groups: Vec<Vec<Item>> = Vec::new();
    let (mut seen, mut filled) = (BTreeSet::new(), 0_u64);
    for item in items {
        if !seen.insert(item.digest) {
            continue;
        }
        let size = item.size;
        match groups.last_mut() {
            Some(group) if filled.saturating_add(size) <= PACK_BYTES => group.push(item),
            _ => {
                groups.push(vec![item]);
                filled = 0;
            }
        }
        filled = filled.saturating_add(size);
    }
    groups
}

pub(super) type BuiltOrNothing = (Option<Built>, Vec<Rejected>);

/// Packs one group; files that are no longer as they were seen are left out
/// and named.
pub(super) fn build(
    name: Ulid,
    items: Vec<Item>,
    opener: &Opener,
    disk: &dyn Disk,
    interrupt: &Interrupt,
    meter: &Meter,
) -> Result<BuiltOrNothing, EngineError> {
    let mut writer = ZipWriter::new(disk.scratch()?);
    let (mut packed, mut rejected) = (Vec::new(), Vec::new());
    for item in items {
        if interrupt.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        match add(&mut writer, &item, opener, interrupt, meter)? {
            Ok(method) => packed.push((item, method)),
            Err(error) => rejected.push(Rejected { path: item.path, error }),
        }
    }
    if packed.is_empty() {
        return Ok((None, rejected));
    }
    let mut scratch = writer.finish().map_err(io::Error::other)?;
    scratch.flush()?;
    let pack = describe(name, scratch.as_ref(), &packed)?;
    Ok((Some(Built { pack, scratch }), rejected))
}

/// Why an item was left out: an error, or `None` for "it has changed".
type LeftOut = Option<EngineError>;

fn add(
    writer: &mut ZipWriter<Box<dyn Scratch>>,
    item: &Item,
    opener: &Opener,
    interrupt: &Interrupt,
    meter: &Meter,
) -> Result<Result<Method, LeftOut>, EngineError> {
    let mut source = match opener(item) {
        Ok(Some(source)) => meter.count(interrupt.guard(source)),
        Ok(None) => return Ok(Err(None)),
        Err(error) => return Ok(Err(Some(error))),
    };
    let mut head = Vec::new();
    if let Err(error) = source.by_ref().take(SAMPLE as u64).read_to_end(&mut head) {
        return Ok(Err(Some(error.into())));
    }
    let method = method_for(&head);
    let options = SimpleFileOptions::default()
        .compression_method(match method {
            Method::Stored => CompressionMethod::Stored,
            Method::Deflated => CompressionMethod::Deflated,
        })
        .large_file(item.size >= u64::from(u32::MAX) - (1 << 20));
    writer.start_file(item.digest.to_string(), options).map_err(io::Error::other)?;
    match copy(&mut head.as_slice().chain(source), writer, item.size) {
        Ok(Some(digest)) if digest == item.digest => Ok(Ok(method)),
        Ok(_) => abort(writer).map(|()| Err(None)),
        Err(Failed::Reading(_)) if interrupt.is_cancelled() => Err(EngineError::Cancelled),
        Err(Failed::Reading(error)) => abort(writer).map(|()| Err(Some(error.into()))),
        Err(Failed::Writing(error)) => Err(error.into()),
    }
}

fn abort(writer: &mut ZipWriter<Box<dyn Scratch>>) -> Result<(), EngineError> {
    Ok(writer.abort_file().map_err(io::Error::other)?)
}

enum Failed {
    Reading(io::Error),
    Writing(io::Error),
}

/// Copies and digests; `None` when there is more than `size`.
fn copy(
    source: &mut dyn Read,
    target: &mut dyn Write,
    size: u64,
) -> Result<Option<Digest>, Failed> {
    let (mut buffer, mut hasher, mut total) = (vec![0; SAMPLE], Hasher::new(), 0);
    loop {
        let count = source.read(&mut buffer).map_err(Failed::Reading)?;
        if count == 0 {
            return Ok(Some(hasher.finish()));
        }
        total += count as u64;
        if total > size {
            return Ok(None);
        }
        hasher.update(&buffer[..count]);
        target.write_all(&buffer[..count]).map_err(Failed::Writing)?;
    }
}

/// Deflates what shrinks by a twentieth at least.
fn method_for(sample: &[u8]) -> Method {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let shrunk = encoder.write_all(sample).and_then(|()| encoder.finish());
    match shrunk {
        Ok(shrunk) if shrunk.len() * 20 < sample.len() * 19 => Method::Deflated,
        _ => Method::Stored,
    }
}

/// Reads back where each content lies, and digests the pack itself.
fn describe(
    name: Ulid,
    scratch: &dyn Scratch,
    packed: &[(Item, Method)],
) -> Result<Pack, EngineError> {
    let mut archive = ZipArchive::new(scratch.reopen()?).map_err(io::Error::other)?;
    let mut contents = Vec::with_capacity(packed.len());
    for (item, method) in packed {
        let entry =
            archive.by_name_raw(item.digest.to_string().as_bytes()).map_err(io::Error::other)?;
        let offset = entry.data_start().ok_or_else(|| io::Error::other("no place in the pack"))?;
        contents.push(PackedContent {
            sha256: item.digest,
            offset,
            stored_size: entry.compressed_size(),
            size: entry.size(),
            method: *method,
        });
    }
    let (sha256, size) = crate::outside::tree::digest_of(&mut scratch.reopen()?)?;
    Ok(Pack { name, sha256, size, header: None, contents })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs contents of these sizes and gives how many each pack got.
    #[track_caller]
    fn check(sizes: &[u64], packs: &[usize]) {
        let items = sizes.iter().enumerate().map(|(number, size)| Item {
            digest: Digest::of(&number.to_le_bytes()),
            size: *size,
            path: RelPath::new(&format!("{number}.md")).unwrap(),
        });
        let groups: Vec<usize> = split(items.collect()).iter().map(Vec::len).collect();
        assert_eq!(groups, packs, "{sizes:?}");
    }

    #[test]
    fn small_contents_share_a_pack() {
        check(&[], &[]);
        check(&[0], &[1]);
        check(&[0, 3_000, 0], &[3]);
        check(&[1; 500], &[500]);
    }

    #[test]
    fn pack_closes_at_its_size_and_a_larger_content_has_its_own() {
        check(&[PACK_BYTES, 0, 1], &[2, 1]);
        check(&[PACK_BYTES / 2, PACK_BYTES / 2, PACK_BYTES / 2], &[2, 1]);
        check(&[1, PACK_BYTES * 60, 1, 1], &[1, 1, 2]);
    }

    #[test]
    fn equal_contents_are_packed_once() {
        let item =
            |path| Item { digest: Digest::of(b"same"), size: 4, path: RelPath::new(path).unwrap() };
        assert_eq!(split(vec![item("a.md"), item("b.md")]), [[item("a.md")]]);
    }
}
