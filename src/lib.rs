//! LemonData image generation for browsers, edge workers, Node, Deno and Bun.
//!
//! The crate has two layers. The [`core`] decides: what an answer means, whether to send again, how long
//! to sleep, whether a URL may be called, which error it is. The shell, built for WebAssembly alone,
//! performs: `fetch`, timers, abort signals, JavaScript values. `js/` wraps the shell for npm.

pub mod core;

#[cfg(target_arch = "wasm32")]
mod shell;

#[cfg(target_arch = "wasm32")]
pub use shell::{run, wake};
