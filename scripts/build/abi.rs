//! Writes the JavaScript half of the numbers that cross the border to standard output.

fn main() {
    // The crate for WebAssembly has no writer.
    #[cfg(not(target_arch = "wasm32"))]
    print!("{}", lemondata_wasm::core::abi::javascript());
}
