//! thinkd puts a reasoning model on an ARM board and answers IoT systems over MQTT.
//!
//! Levels; a module imports from the rows under it, never from the rows over it:
//!
//! ```text
//! 6  cli      command line, exit codes
//! 5  config   file + environment + flags -> options of each level
//! 4  service  jobs, MQTT, systemd, the worker thread that owns the model
//! 3  engine   messages -> tokens -> thought and answer; sampling, budgets
//! 2  model    a model directory -> a runnable tract plan, tokenizer, weight map
//! 1  ops      the com.microsoft operators as tract operators
//! 0  kernels  int4 arithmetic per instruction set, and the threads that run it
//! ```
//!
//! Start reading at [`engine::Engine::generate`] for what a prompt goes through, at [`model::load`] for what
//! a model directory goes through, and at `service` for what an MQTT message goes through.

pub mod cli;
pub mod config;
pub mod engine;
pub mod kernels;
pub mod model;
pub mod ops;
pub mod service;
