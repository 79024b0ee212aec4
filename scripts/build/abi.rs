//! Writes the JavaScript half of the numbers that cross the border to standard output.

fn main() {
    print!("{}", lemondata_wasm::core::abi::javascript());
}
