//! Where a request may go. The key goes to the base URL's origin and nowhere else.

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
    pub fn new(origin: &str, path: &str) -> Base {
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path).trim_end_matches('/');
        Base { origin: origin.into(), prefix: path.into() }
    }

    /// The path, below the origin, of one of our own routes.
    pub fn own_path(&self, route: &str) -> String {
        [&self.prefix, route].concat()
    }

    /// The URL of a path below the origin.
    pub fn url(&self, path: &str) -> String {
        [&self.origin, path].concat()
    }

    /// The path to poll for an id, and the other one that may know it.
    pub fn task_paths(&self, id: &str) -> (String, String) {
        let mut encoded = String::new();
        encode(&mut encoded, id);
        let images = [&self.prefix, CREATE_PATH, "/", &encoded].concat();
        let tasks = [&self.prefix, "/v1/tasks/", &encoded].concat();
        if id.starts_with("img_") { (images, tasks) } else { (tasks, images) }
    }

    /// The path, below the origin, that a `poll_url` of the server's means.
    ///
    /// A server that names another origin would be handed the key, whether it was taken over or only
    /// misconfigured, so such a URL is refused. So is whatever a URL parser might read differently.
    pub fn poll_path(&self, poll_url: &str) -> Result<String, PathError> {
        let (rest, absolute) = match split_origin(poll_url) {
            Some((origin, rest)) if same_origin(origin, &self.origin) => (rest, true),
            Some(_) => return Err(PathError::Foreign),
            None => (poll_url, false),
        };
        if rest.starts_with("//") {
            return Err(PathError::Foreign);
        }
        if !rest.starts_with('/') || !rest.bytes().all(is_path_byte) || has_dot_segment(rest) {
            return Err(PathError::Malformed);
        }
        let inside = rest.strip_prefix(&*self.prefix).is_some_and(|rest| rest.starts_with('/'));
        Ok(if absolute || inside { rest.into() } else { self.own_path(rest) })
    }
}

/// The last segment of a poll URL: the id of a task that was given without one.
pub fn last_segment(poll_url: &str) -> Option<&str> {
    let path = poll_url.split('?').next()?;
    path.rsplit('/').next().filter(|segment| !segment.is_empty())
}

/// Splits an absolute URL behind its authority. None where the text is not absolute.
fn split_origin(url: &str) -> Option<(&str, &str)> {
    let colon = url.find(':')?;
    let scheme = &url[..colon];
    if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    {
        return None;
    }
    // `https:path` and `javascript:` have no authority that could be ours.
    let Some(rest) = url[colon + 1..].strip_prefix("//") else { return Some((url, "")) };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    Some((&url[..colon + 3 + end], &rest[end..]))
}

/// Whether two origins are the same, letter case and default ports aside.
fn same_origin(left: &str, right: &str) -> bool {
    without_default_port(left).eq_ignore_ascii_case(without_default_port(right))
}

fn without_default_port(origin: &str) -> &str {
    let secure = origin.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
    origin.strip_suffix(if secure { ":443" } else { ":80" }).unwrap_or(origin)
}

/// The bytes that may stand in a path and its query, so that every parser reads it alike.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%:@!$&'()*+,;=/?".contains(&byte)
}

/// Whether a segment climbs out of the path, plainly or percent-encoded.
fn has_dot_segment(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path);
    path.split('/').any(|segment| is_dots(segment))
}

/// Whether a segment reads as `.` or `..` to a URL parser.
pub fn is_dots(segment: &str) -> bool {
    let mut rest = segment.as_bytes();
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
