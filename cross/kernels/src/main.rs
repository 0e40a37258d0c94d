//! Runs one kernel at a fixed shape and does nothing else that counts: `kernels SET OPERATION ROWS ZERO_POINTS`.
//!
//! SET is one of `Kernels::by_name`, OPERATION `matmul` or `quantize`, ROWS a number, ZERO_POINTS `true` or `false`.
//! Prints how many blocks of 32 it worked on: of weights, once for each row, or of activations.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "thinkd uses all of the kernels, this program only some"
)]

#[path = "../../../src/kernels/mod.rs"]
mod kernels;

use std::env;
use std::process::ExitCode;

use kernels::{BLOCK, ColumnsMut, Kernels, PackedMatrix, PackedShape, Q8Panels};

/// Columns, whole tiles of every layout.
const N: usize = 64;
/// The hidden size of a model of 1.5 billion parameters.
const K: usize = 1536;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match &arguments[..] {
        [set, operation, rows, zero_points] => run(set, operation, rows, zero_points),
        _ => None,
    };
    let Some(blocks) = done else {
        eprintln!("usage: kernels SET matmul|quantize ROWS true|false, SET one this CPU has");
        return ExitCode::from(2);
    };
    println!("{blocks}");
    ExitCode::SUCCESS
}

/// Returns the number of blocks; nothing where an argument is wrong.
fn run(set: &str, operation: &str, rows: &str, zero_points: &str) -> Option<usize> {
    let kernels = Kernels::by_name(set)?;
    let rows: usize = rows.parse().ok().filter(|&rows| rows > 0)?;
    let zero_points = zero_points.parse().ok()?;
    let mut panels = Q8Panels::new();
    kernels.resize_panels(&mut panels, rows, K);
    match operation {
        "quantize" => {
            let x: Vec<f32> = (0..rows * K).map(|i| (i % 251) as f32 - 125.0).collect();
            for mut group in panels.groups_mut() {
                let rows = group.rows();
                kernels.quantize_panel(&x[rows.start * K..rows.end * K], &mut group);
            }
            Some(rows * K / BLOCK)
        }
        "matmul" => {
            let shape = PackedShape {
                n: N,
                k: K,
                zero_points,
            };
            let bytes = vec![0; shape.bytes(kernels.layout())];
            let w = PackedMatrix::new(kernels.layout(), shape, 1.0, &bytes)?;
            let mut out = vec![0.0; rows * N];
            let mut columns = ColumnsMut::whole(&mut out, rows, N);
            kernels.matmul_f32_q8_packed(&panels, &w, &mut columns);
            Some(rows * N * K / BLOCK)
        }
        _ => None,
    }
}
