//! Where a request may go. The key goes to the base URL's origin and nowhere else.

use super::{
    platform::{Location, Platform},
    text::{copy, join, split, without_query},
};

/// The path of a create, below the base URL.
pub const CREATE_PATH: &str = "/v1/images/generations";
/// The path of an edit, below the base URL.
pub const EDIT_PATH: &str = "/v1/images/edits";

/// The base URL, taken apart: everything that we call is its origin, its prefix and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    origin: String,
    prefix: String,
}

impl Base {
    /// From a parsed URL. A trailing slash and a trailing `/v1` are accepted, since other clients want them.
    pub fn new(location: Location) -> Base {
        let mut prefix = trim_slashes(&location.path);
        if let Some(rest) = prefix.strip_suffix("/v1") {
            prefix = trim_slashes(rest);
        }
        Base { origin: location.origin, prefix: copy(prefix) }
    }

    /// The path, below the origin, of one of our own routes.
    pub fn own_path(&self, route: &str) -> String {
        join(&[&self.prefix, route])
    }

    /// The origin of all requests.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The URL of a path below the origin.
    pub fn url(&self, path: &str) -> String {
        join(&[&self.origin, path])
    }

    /// The path to poll for an id; the `other` of the two that may know it.
    pub fn task_path<V: Platform>(&self, id: &str, other: bool) -> String {
        let images = id.starts_with("img_") != other;
        let route = if images { CREATE_PATH } else { "/v1/tasks" };
        join(&[&self.prefix, route, "/", &V::encode_segment(id)])
    }

    /// The path, below the origin, that a `poll_url` of the server's means; none where it leads to another
    /// origin.
    ///
    /// A server that names another origin, scheme or port would be handed the key, whether it was taken over
    /// or only misconfigured.
    pub fn poll_path<V: Platform>(&self, poll_url: &str) -> Option<String> {
        let Location { origin, path, .. } = V::parse_url(poll_url, &self.origin)?;
        // A `blob:` URL has the origin of its maker, but a whole URL for a path.
        if origin != self.origin || !path.starts_with("/") {
            return None;
        }
        let inside = path.strip_prefix(&*self.prefix).is_some_and(|rest| rest.starts_with("/"));
        // An absolute URL is meant as it is. With another base than ours, only an absolute one has our origin.
        let is_absolute =
            V::parse_url(poll_url, "x://y").is_some_and(|location| location.origin == self.origin);
        Some(if inside || is_absolute { path } else { self.own_path(&path) })
    }
}

/// The last segment of a poll URL: the id of a task that comes without one.
pub fn last_segment(poll_url: &str) -> &str {
    let path = trim_slashes(without_query(poll_url));
    split(path, end_behind(path, |byte| byte == b'/')).1
}

fn trim_slashes(path: &str) -> &str {
    split(path, end_behind(path, |byte| byte != b'/')).0
}

/// The index behind the last byte for which `test` holds, or 0.
fn end_behind(text: &str, test: fn(u8) -> bool) -> usize {
    text.bytes().rposition(test).map_or(0, |index| index + 1)
}
