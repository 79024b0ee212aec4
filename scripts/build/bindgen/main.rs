//! `wasm-bindgen`, as far as `scripts/build/bind.js` calls it. It takes the arguments of the official tool, which the
//! build uses instead where it is installed.

use std::env::args;

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.omit_default_module_path(false);
    let mut out_dir = None;
    for argument in args().skip(1) {
        match argument.split_once('=').unwrap_or((&argument, "")) {
            ("--target", "module") => bindgen.module(true)?,
            ("--no-typescript", "") => bindgen.typescript(false),
            ("--remove-producers-section", "") => bindgen.remove_producers_section(true),
            ("--out-name", name) => bindgen.out_name(name),
            ("--out-dir", path) => {
                out_dir = Some(path.to_owned());
                &mut bindgen
            }
            (path, "") if !path.starts_with("--") => bindgen.input_path(path),
            _ => bail!("unknown argument: {argument}"),
        };
    }
    let Some(out_dir) = out_dir else { bail!("--out-dir is missing") };
    bindgen.generate(out_dir)
}
