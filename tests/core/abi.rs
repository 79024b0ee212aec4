//! The numbers that cross the border between Rust and JavaScript.

use lemondata_wasm::core::{
    Command, Kind, Name, Outcome, Source, Status,
    abi::{EventKind, Shape, Trait, javascript},
};

use crate::{
    help::{param, read},
    json::Json,
};

#[test]
fn javascript_has_the_same_numbers() {
    let checked_in = include_str!("../../js/client/abi.gen.js");
    let (_, code) = checked_in.split_once("\n\n").expect("a head");
    assert!(code == javascript(), "js/client/abi.gen.js is out of date: run `npm run build`");
}

#[test]
fn a_number_is_a_position_in_all() {
    macro_rules! check {
        ($($Table:ident)*) => { $(
            for (position, (variant, text)) in $Table::ALL.iter().zip($Table::TEXTS).enumerate() {
                assert_eq!(*variant as usize, position, "{text}");
                assert_eq!(variant.text(), *text);
            }
            assert_eq!($Table::ALL.len(), $Table::TEXTS.len());
        )* };
    }
    check!(Command EventKind Source Shape Status Outcome Kind Name Trait);
}

/// JavaScript merges the values of so many names, the first ones.
#[test]
fn the_first_names_are_those_of_all_options() {
    for (position, name) in Name::ALL.iter().enumerate() {
        let options = [(name.text(), Json::Symbol), ("apiKey", Json::Plain("sk-test".into()))];
        let refused = read(&options, false).err().map(|failure| param(&failure));
        assert_eq!(refused, (position < Name::OPTIONS).then(|| name.text()));
    }
}
