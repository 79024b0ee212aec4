//! The numbers of names, on both sides of the border.

use lemondata_wasm::core::Name;

/// JavaScript knows a name by its number: its list has to be the core's.
#[test]
fn javascript_knows_the_names_by_the_same_numbers() {
    let source = include_str!("../../js/client/host.js");
    let (_, rest) = source.split_once("export const NAMES = /* @__PURE__ */ (").expect("the list");
    let (list, _) = rest.split_once(").split(' ')").expect("its end");
    let listed: Vec<&str> = list.split(['\'', '+', '\n', ' ']).filter(|part| !part.is_empty()).collect();
    let names: Vec<&str> = Name::ALL.iter().map(|name| name.text()).collect();
    assert_eq!(listed, names);
    for (number, name) in Name::ALL.iter().enumerate() {
        assert_eq!(*name as usize, number);
    }
}
