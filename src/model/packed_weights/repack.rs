//! Packs one matrix after the other with all threads, in pieces, each with its checksum.
//!
//! Pieces are what threads share, when a matrix is packed and when it is checked. What has been packed leaves memory
//! by way of a [`Target`] before the next batch is packed, and so do the pages it was packed from: that is what
//! keeps the peak of a first start low.

use std::io;
use std::ops::Range;

use super::header::{ALIGNMENT, Entry};
use crate::kernels::{Layout, PackedShape, Packing, Threads};
use crate::model::checksum::{checksum, checksum_of};

/// Bytes of a piece, unless one tile has more.
const PIECE_BYTES: usize = 1 << 20;

/// Pieces that each thread packs before they go to the target.
const PIECES_PER_BATCH: usize = 4;

/// Matrices to be packed, one after the other.
pub(super) trait Source {
    /// How many they are.
    fn count(&self) -> usize;

    /// Sizes of matrix `index` when packed; nothing where its form alone says that no layout can hold it.
    fn shape(&self, index: usize) -> Option<PackedShape>;

    /// How matrix `index` is packed; nothing where no layout can hold it.
    fn packing(&self, index: usize) -> Option<Packing<'_>>;

    /// Called now and then: what was read so far is not read again soon.
    fn release(&self);
}

/// Where packed matrices go, in order.
pub(super) trait Target {
    /// Has `fill` write the `length` bytes at `offset`, which is not under the end of what was filled before.
    fn fill(
        &mut self,
        offset: usize,
        length: usize,
        fill: &mut dyn FnMut(&mut [u8]),
    ) -> io::Result<()>;
}

/// Bytes that all of `source` takes when packed, from 0 on.
pub(super) fn bytes_needed(source: &dyn Source, layout: Layout) -> usize {
    let shapes = (0..source.count()).filter_map(|index| source.shape(index));
    shapes.fold(0, |end, shape| {
        end.next_multiple_of(ALIGNMENT) + shape.bytes(layout)
    })
}

/// Packs all of `source` into `target` from `start` on; returns the entries and where the last matrix ends.
///
/// # Errors
/// If the target cannot take a matrix.
pub(super) fn pack(
    source: &dyn Source,
    (layout, threads): (Layout, &Threads),
    start: usize,
    target: &mut dyn Target,
) -> io::Result<(Vec<Option<Entry>>, usize)> {
    let mut end = start;
    let mut entries = Vec::with_capacity(source.count());
    for index in 0..source.count() {
        let entry = match source.packing(index) {
            None => None,
            Some(packing) => {
                let offset = end.next_multiple_of(ALIGNMENT);
                let checksum =
                    pack_matrix(&packing, (layout, threads), offset, &mut |place, fill| {
                        target.fill(place.start, place.len(), fill)?;
                        source.release();
                        Ok(())
                    })?;
                end = offset + packing.shape().bytes(layout);
                Some(Entry {
                    shape: packing.shape(),
                    output_scale: packing.output_scale(),
                    offset,
                    checksum,
                })
            }
        };
        entries.push(entry);
    }
    Ok((entries, end))
}

/// Has the bytes at a place of the target written by what it is given.
type FillPlace<'a> = dyn FnMut(Range<usize>, &mut dyn FnMut(&mut [u8])) -> io::Result<()> + 'a;

/// Packs one matrix to `offset`, a batch of pieces at a time; returns its checksum.
fn pack_matrix(
    packing: &Packing<'_>,
    (layout, threads): (Layout, &Threads),
    offset: usize,
    fill: &mut FillPlace<'_>,
) -> io::Result<u64> {
    let shape = packing.shape();
    let tile_bytes = shape.tile_bytes(layout);
    let tiles_per_piece = tiles_per_piece(shape, layout);
    let pieces: Vec<Range<usize>> = pieces(shape, layout).collect();
    let mut checksums = vec![0; pieces.len()];
    let batch = PIECES_PER_BATCH * threads.count();
    for (pieces, checksums) in pieces.chunks(batch).zip(checksums.chunks_mut(batch)) {
        let tiles = pieces[0].start..pieces[pieces.len() - 1].end;
        let place = offset + tiles.start * tile_bytes..offset + tiles.end * tile_bytes;
        fill(place, &mut |out| {
            let outs = out.chunks_mut(tiles_per_piece * tile_bytes);
            let jobs = pieces.iter().zip(outs).zip(checksums.iter_mut());
            threads.run_each(jobs, |((tiles, out), sum)| {
                packing.write_tiles(tiles.clone(), out);
                *sum = checksum(out);
            });
        })?;
    }
    Ok(checksum_of(checksums))
}

/// The tiles of a matrix in the pieces that its checksum is made of.
pub(super) fn pieces(
    shape: PackedShape,
    layout: Layout,
) -> impl ExactSizeIterator<Item = Range<usize>> {
    let tiles = shape.tiles(layout);
    let step = tiles_per_piece(shape, layout);
    (0..tiles.div_ceil(step)).map(move |piece| piece * step..tiles.min((piece + 1) * step))
}

fn tiles_per_piece(shape: PackedShape, layout: Layout) -> usize {
    (PIECE_BYTES / shape.tile_bytes(layout)).max(1)
}
