//! Simulates a hub at scale: `npm run scale`. Scenarios come in as JSON, a line each, and outcomes go out.
// Nothing here is counted up to 2^52.
#![allow(clippy::cast_precision_loss)]

#[cfg(not(target_arch = "wasm32"))]
mod body;
#[cfg(not(target_arch = "wasm32"))]
mod world;

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    for line in std::io::stdin().lines() {
        let scenario: world::Scenario = serde_json::from_str(&line.expect("a line")).expect("a scenario");
        println!("{}", serde_json::to_string(&world::run(&scenario)).expect("an outcome"));
    }
}

#[cfg(target_arch = "wasm32")]
fn main() {}
