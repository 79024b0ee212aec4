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

/// Writes a number; the formatting machinery would cost kilobytes.
pub fn number(number: u32) -> String {
    let digit = (number % 10) as usize;
    let before = if number < 10 { String::new() } else { self::number(number / 10) };
    join(&[&before, &"0123456789"[digit..=digit]])
}

/// A copy of a text, by the means that texts are joined by: the standard library's would come beside them.
pub fn copy(text: &str) -> String {
    join(&[text])
}

/// Joins parts.
#[allow(unsafe_code)]
pub fn join(parts: &[&str]) -> String {
    // In memory of the right size: a string that grows would bring what makes it grow along.
    let mut bytes = vec![0; parts.iter().map(|part| part.len()).sum()];
    let mut rest = &mut bytes[..];
    for part in parts {
        let (place, behind) = rest.split_at_mut(part.len());
        place.copy_from_slice(part.as_bytes());
        rest = behind;
    }
    // SAFETY: these are the bytes of strings, one whole string after another.
    unsafe { String::from_utf8_unchecked(bytes) }
}
