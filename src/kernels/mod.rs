//! The arithmetic: one table of functions per instruction set, and the threads that run them.
//!
//! [`Kernels`] is that table: chosen once ([`Kernels::best`]), passed down by value, printed by name. Its methods
//! check shapes, then call the set's function; a function gets slices, never allocates, spawns, logs or fails.
//!
//! Knows numbers and CPU features only. Invariants, each with its test in `check`:
//! - the int8 products, and the quantizing before them, give the same bits in every set;
//! - no result depends on how many rows or columns are computed together.

mod attention;
mod bandwidth;
mod block_matrix;
#[cfg(test)]
mod check;
mod columns;
mod exp;
mod lanes;
mod packed;
mod q8;
mod scalar;
pub mod set;
mod table;
mod threads;
mod tile;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use attention::{
    AttentionBlock, AttentionScratch, AttentionState, BLOCK_TOKENS, KeyValues, QUERY_TILE,
    TOKEN_TILE, pack_query, queries_len, row_len,
};
pub use bandwidth::read_bandwidth;
pub use block_matrix::{
    BLOCK_SIZE_MAX, BlockMatrix, BlockMatrixError, BlockShape, Floats, ZeroPoints,
};
pub use columns::ColumnsMut;
pub use packed::{
    BLOCK, Layout, PackedMatrix, PackedShape, Packing, Q8PanelMut, Q8Panels, ScaleForm,
};
pub use q8::{Q8RowMut, Q8Rows};
pub use table::Kernels;
pub use threads::{SPIN, ThreadOptions, Threads};
