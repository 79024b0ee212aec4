//! Tests of the core: tables for what is fixed, properties for what has to hold whatever comes.
//!
//! A test whose name begins with `rule_1_` to `rule_7_` shows one of the rules of the design.
#![cfg(not(target_arch = "wasm32"))]
// Times are sums of whole milliseconds, or compared with what was put in: they are equal or wrong.
#![allow(clippy::float_cmp)]
// They are far below what a float cannot count.
#![allow(clippy::cast_precision_loss)]

mod abi;
mod answers;
mod call_contract;
mod call_model;
mod calls;
mod clock;
mod create;
mod failures;
mod fuzz;
mod help;
mod hub;
mod hub_world;
mod json;
mod limiter;
mod limits;
mod options;
mod requests;
mod retry;
mod scale;
mod simulation;
mod urls;
mod vocabulary;
mod wait;
mod wait_model;
mod wait_properties;
