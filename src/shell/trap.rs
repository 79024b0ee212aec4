//! Traps where a test asks for one, in a build with the feature `traps`; nothing at all in any other.

#[cfg(feature = "traps")]
pub use wanted::at;

/// Without the feature, a place to trap is nothing.
#[cfg(not(feature = "traps"))]
#[inline(always)]
pub fn at(_place: &str) {}

#[cfg(feature = "traps")]
mod wanted {
    use std::hint::black_box;

    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        /// What is to happen at a place: `trap`, `overflow`, or nothing.
        #[wasm_bindgen(js_name = lemondataTrap)]
        fn wanted_at(place: &str) -> Option<String>;
    }

    /// A place where a test may have the module trap.
    pub fn at(place: &str) {
        match wanted_at(place).as_deref() {
            Some("trap") => panic!("asked to trap at {place}"),
            Some("overflow") => {
                black_box(overflow(1));
            }
            _ => {}
        }
    }

    /// Uses up the stack, frame by frame.
    #[allow(unconditional_recursion)] // that is the point
    fn overflow(depth: u8) -> u8 {
        let frame = black_box([depth; 1_024]);
        black_box(overflow as fn(u8) -> u8)(frame[7]).wrapping_add(frame[9])
    }
}
