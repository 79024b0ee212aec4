//! Where a request may go. The key goes to the base URL's origin and nowhere else.

use super::text::{find, join, split, without_query};

/// The path of a create, below the base URL.
pub const CREATE_PATH: &str = "/v1/images/generations";

/// The base URL, taken apart: everything that we call is its origin, its prefix and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    origin: String,
    prefix: String,
}

/// Why a poll URL cannot be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It names another origin than the base URL's.
    Foreign,
    /// It is not a plain path: relative, or with dot segments, back-slashes or control characters.
    Malformed,
}

impl Base {
    /// From the origin and the path of a URL that the platform has parsed. A trailing slash and a
    /// trailing `/v1` are accepted, since other clients want them.
    pub fn new(origin: String, mut path: String) -> Base {
        trim_slashes(&mut path);
        if path.ends_with("/v1") {
            path.truncate(path.len() - 3);
        }
        trim_slashes(&mut path);
        Base { origin, prefix: path }
    }

    /// The path, below the origin, of one of our own routes.
    pub fn own_path(&self, route: &str) -> String {
        join(&[&self.prefix, route])
    }

    /// The URL of a path below the origin.
    pub fn url(&self, path: &str) -> String {
        join(&[&self.origin, path])
    }

    /// The path to poll for an id; the `other` of the two that may know it.
    pub fn task_path(&self, id: &str, other: bool) -> String {
        let images = id.starts_with("img_") != other;
        let mut path = join(&[&self.prefix, if images { CREATE_PATH } else { "/v1/tasks" }, "/"]);
        encode(&mut path, id);
        path
    }

    /// The path, below the origin, that a `poll_url` of the server's means.
    ///
    /// A server that names another origin would be handed the key, whether it was taken over or only
    /// misconfigured, so such a URL is refused. So is whatever a URL parser might read differently.
    pub fn poll_path(&self, poll_url: &str) -> Result<String, PathError> {
        let (origin, path) = split_origin(poll_url);
        if !(origin.is_empty() || is_same_origin(origin, &self.origin)) || path.starts_with("//") {
            return Err(PathError::Foreign);
        }
        if !path.starts_with('/') || !path.bytes().all(is_path_byte) || has_dot_segment(path) {
            return Err(PathError::Malformed);
        }
        let inside = path.strip_prefix(&*self.prefix).is_some_and(|rest| rest.starts_with('/'));
        Ok(if inside || !origin.is_empty() { path.into() } else { self.own_path(path) })
    }
}

/// The last segment of a poll URL: the id of a task that was given without one.
pub fn last_segment(poll_url: &str) -> &str {
    let path = without_query(poll_url);
    let start = path.bytes().rposition(|byte| byte == b'/').map_or(0, |slash| slash + 1);
    split(path, start).1
}

fn trim_slashes(path: &mut String) {
    while path.ends_with('/') {
        path.pop();
    }
}

/// Splits an absolute URL behind its authority. The first part is empty where there is none.
fn split_origin(url: &str) -> (&str, &str) {
    let scheme = find(url, |byte| !(byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)));
    let (_, rest) = split(url, scheme);
    if scheme == 0 || !rest.starts_with(':') {
        return ("", url);
    }
    // `https:path` and `javascript:` have no authority that could be ours.
    let Some(rest) = rest.strip_prefix("://") else { return (url, "") };
    let host = find(rest, |byte| b"/?#\\".contains(&byte));
    split(url, scheme + 3 + host)
}

/// Whether two origins are the same, letter case and default ports aside.
fn is_same_origin(left: &str, right: &str) -> bool {
    without_default_port(left).eq_ignore_ascii_case(without_default_port(right))
}

fn without_default_port(origin: &str) -> &str {
    // The fifth letter tells `https:` from `http:`, in either case.
    let port = if origin.as_bytes().get(4).is_some_and(|byte| byte | 32 == b's') { ":443" } else { ":80" };
    origin.strip_suffix(port).unwrap_or(origin)
}

/// The bytes that may stand in a path and its query, so that every parser reads it alike.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%:@!$&'()*+,;=/?".contains(&byte)
}

/// Whether a segment climbs out of the path, plainly or percent-encoded.
fn has_dot_segment(path: &str) -> bool {
    without_query(path).as_bytes().split(|byte| *byte == b'/').any(is_dots)
}

/// Whether a segment reads as `.` or `..` to a URL parser.
pub fn is_dots(segment: &[u8]) -> bool {
    let mut rest = segment;
    let mut dots = 0;
    while !rest.is_empty() {
        rest = match rest {
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return false,
        };
        dots += 1;
    }
    dots == 1 || dots == 2
}

/// Percent-encodes an opaque id as one path segment.
fn encode(out: &mut String, id: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}
