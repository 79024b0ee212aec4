//! The few questions that we ask of text, byte by byte: the standard library's general answers to them
//! bring kilobytes of search tables along.

/// Whether `text` contains `part`.
pub fn contains(text: &str, part: &str) -> bool {
    part.is_empty() || text.as_bytes().windows(part.len()).any(|window| window == part.as_bytes())
}

/// The index of the first byte for which `test` holds, or the length.
pub fn find(text: &str, test: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(test).unwrap_or(text.len())
}

/// Splits before an index that is known to be an ASCII character's or the end.
pub fn split(text: &str, index: usize) -> (&str, &str) {
    text.split_at_checked(index).unwrap_or((text, ""))
}

/// The part of a path before its query.
pub fn without_query(path: &str) -> &str {
    split(path, find(path, |byte| byte == b'?')).0
}

/// Appends a number; the formatting machinery would cost kilobytes.
pub fn push_number(text: &mut String, number: u32) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    let digit = (number % 10) as usize;
    text.push_str(&"0123456789"[digit..=digit]);
}

/// Joins parts.
pub fn join(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}
