//! Where a request may go.

use lemondata_wasm::core::{CREATE_PATH, Name, Platform, read_task, without_query};
use proptest::{collection::vec, prelude::*, sample::select};
use url::Url;

use crate::{
    help::{API, base, config, with_key},
    json::Json,
};

pub const BASES: [&str; 6] = [
    API,
    "https://relay.example/api/lemondata",
    "http://localhost:8787",
    "http://relay/v1/",
    "https://[::1]:8443/a//b",
    "https://relay.example//evil.example",
];

#[test]
fn a_base_url_may_end_with_a_slash_or_v1() {
    for (url, expected) in [
        ("https://x.example", "https://x.example"),
        ("https://x.example/", "https://x.example"),
        ("https://x.example/v1", "https://x.example"),
        ("https://x.example/v1/", "https://x.example"),
        ("https://x.example//v1//", "https://x.example"),
        ("HTTPS://X.example:443/v1", "https://x.example"),
        ("https://x.example/api", "https://x.example/api"),
        ("https://x.example/api/v1/", "https://x.example/api"),
        ("https://x.example/api/v12", "https://x.example/api/v12"),
        ("https://x.example/apiv1", "https://x.example/apiv1"),
        ("http://x.example:8080/a/b/", "http://x.example:8080/a/b"),
    ] {
        let base = base(url);
        assert_eq!(base.url(&base.own_path(CREATE_PATH)), format!("{expected}/v1/images/generations"));
    }
}

#[test]
fn an_id_chooses_its_path_and_stays_one_segment() {
    let (images, tasks) = ("/api/v1/images/generations/", "/api/v1/tasks/");
    for (id, first, other, segment) in [
        ("img_1", images, tasks, "img_1"),
        ("ldtask_1", tasks, images, "ldtask_1"),
        ("IMG_1", tasks, images, "IMG_1"),
        ("a/b", tasks, images, "a%2Fb"),
        ("img_/../../x", images, tasks, "img_%2F..%2F..%2Fx"),
        ("a b", tasks, images, "a%20b"),
        ("a?b#c", tasks, images, "a%3Fb%23c"),
        ("a\\b", tasks, images, "a%5Cb"),
        ("%2e%2e", tasks, images, "%252e%252e"),
        ("...", tasks, images, "..."),
        ("é🍋", tasks, images, "%C3%A9%F0%9F%8D%8B"),
    ] {
        let base = base("https://x.example/api");
        assert_eq!(base.task_path::<Json>(id, false), format!("{first}{segment}"));
        assert_eq!(base.task_path::<Json>(id, true), format!("{other}{segment}"));
    }
}

#[test]
fn a_poll_url_on_the_same_origin_is_called() {
    let (plain, prefixed) = (API, "https://api.lemondata.cc/relay");
    for (base_url, poll_url, expected) in [
        (plain, "/v1/tasks/t", "/v1/tasks/t"),
        (plain, "/v1/tasks/t?x=1", "/v1/tasks/t?x=1"),
        (plain, "/v1/tasks/t#x", "/v1/tasks/t"),
        (plain, "/elsewhere", "/elsewhere"),
        // Below a prefix, unless it is there already.
        (prefixed, "/v1/tasks/t", "/relay/v1/tasks/t"),
        (prefixed, "/relay/v1/tasks/t", "/relay/v1/tasks/t"),
        (prefixed, "/relayed/v1/tasks/t", "/relay/relayed/v1/tasks/t"),
        (prefixed, "/v1/tasks/t?x=/relay/", "/relay/v1/tasks/t?x=/relay/"),
        (prefixed, "/v1/tasks/t#x", "/relay/v1/tasks/t"),
        (prefixed, "/v1/tasks/t?x=1#https://api.lemondata.cc/", "/relay/v1/tasks/t?x=1"),
        (prefixed, "https:v1/tasks/t", "/relay/v1/tasks/t"),
        // Dot segments are gone before the prefix is looked for.
        (prefixed, "/relay/../v1/tasks/t", "/relay/v1/tasks/t"),
        (prefixed, "/relay/%2e%2E/admin", "/relay/admin"),
        (prefixed, "/../../v1/tasks/t", "/relay/v1/tasks/t"),
        (plain, "/v1/./tasks/%2e/t", "/v1/tasks/t"),
        // Absolute, whatever its case, its port or its credentials.
        (plain, "https://api.lemondata.cc/v1/tasks/t", "/v1/tasks/t"),
        (plain, "HTTPS://API.LemonData.cc/v1/tasks/t", "/v1/tasks/t"),
        (plain, "https://api.lemondata.cc:443/v1/tasks/t", "/v1/tasks/t"),
        (plain, "https://user:pw@api.lemondata.cc/v1/tasks/t", "/v1/tasks/t"),
        (plain, "//api.lemondata.cc/v1/tasks/t", "/v1/tasks/t"),
        (prefixed, "https://api.lemondata.cc/v1/tasks/t", "/v1/tasks/t"),
        (prefixed, "https://api.lemondata.cc/relay/v1/tasks/t", "/relay/v1/tasks/t"),
        (prefixed, "HTTPS://api.lemondata.cc/v1/tasks/t", "/v1/tasks/t"),
        // Relative to the root as well, although it does not say so.
        (prefixed, "v1/tasks/t", "/relay/v1/tasks/t"),
        (prefixed, "t?x=https://api.lemondata.cc/", "/relay/t?x=https://api.lemondata.cc/"),
        (prefixed, "?x=1", "/relay/?x=1"),
        // What looks like a host is a path here.
        (plain, "/.//evil.example/t", "//evil.example/t"),
        (plain, "api.lemondata.cc/t", "/api.lemondata.cc/t"),
        (plain, "@evil.example/t", "/@evil.example/t"),
    ] {
        let got = base(base_url).poll_path::<Json>(poll_url);
        assert_eq!(got.as_deref(), Some(expected), "{poll_url} below {base_url}");
    }
}

#[test]
fn rule_3_a_poll_url_on_another_origin_is_never_called() {
    for poll_url in [
        "https://evil.example/v1/tasks/t",
        "http://api.lemondata.cc/v1/tasks/t",
        "https://api.lemondata.cc:8443/v1/tasks/t",
        "https://api.lemondata.cc.evil.example/v1/tasks/t",
        "https://api.lemondata.cc@evil.example/v1/tasks/t",
        "https://api.lemondata.cc:pw@evil.example/v1/tasks/t",
        "https://evil.example\\@api.lemondata.cc/v1/tasks/t",
        "https://evil.example#@api.lemondata.cc/v1/tasks/t",
        "https://sub.api.lemondata.cc/v1/tasks/t",
        "https://lemondata.cc/v1/tasks/t",
        "https://api.lemondata.cc./v1/tasks/t",
        "//evil.example/v1/tasks/t",
        "\\\\evil.example/v1/tasks/t",
        "/\\evil.example/v1/tasks/t",
        "\\/evil.example/v1/tasks/t",
        "///evil.example/v1/tasks/t",
        "/\t/evil.example/v1/tasks/t",
        "\n//evil.example/v1/tasks/t",
        " //evil.example/v1/tasks/t",
        "ht\ntps://evil.example/v1/tasks/t",
        "https:\\\\evil.example\\v1",
        "https:///evil.example/v1",
        "wss://api.lemondata.cc/v1/tasks/t",
        "ftp://api.lemondata.cc/v1/tasks/t",
        "file:///etc/passwd",
        "javascript:fetch('//evil.example')",
        "data:application/json,{}",
        "about:blank",
        "https://",
        "https://api.lemondata.cc:99999/",
        "http://[",
    ] {
        assert_eq!(base(API).poll_path::<Json>(poll_url), None, "{poll_url}");
    }
}

#[test]
fn rule_3_a_blob_has_the_origin_of_its_maker_but_no_path_of_ours() {
    // Its path is a whole URL: behind our origin, it would make up another host, `api.lemondata.cchttps`.
    for poll_url in
        ["blob:https://api.lemondata.cc/t", "BLOB:https://api.lemondata.cc", "blob:https:api.lemondata.cc/t"]
    {
        assert_eq!(base(API).poll_path::<Json>(poll_url), None, "{poll_url}");
    }
    assert_eq!(base("http://relay").poll_path::<Json>("blob:http://relay/t"), None);
}

#[test]
fn rule_3_a_blob_is_no_base_url() {
    for url in ["blob:https://x.example/t", "BLOB:https://x.example", "blob:http://localhost:8787/t"] {
        let failure = with_key(&[("baseUrl", Json::Plain(url.into()))]).expect_err(url);
        assert_eq!(failure.param, Some(Name::BaseUrl), "{url}");
    }
}

/// Whether a URL is absolute must not hang on what a parser makes of a base without a path: that of Node 20 takes a
/// fragment with it for a relative URL.
#[test]
fn a_fragment_changes_nothing_of_where_a_poll_url_leads() {
    for poll_url in
        ["/v1/tasks/t", "v1/tasks/t", "?x=1", "https://api.lemondata.cc/v1/tasks/t", "//evil.example/t"]
    {
        for url in BASES {
            let base = base(url);
            let expected = base.poll_path::<Json>(poll_url);
            assert_eq!(base.poll_path::<Json>(&format!("{poll_url}#/x")), expected, "{poll_url} below {url}");
        }
    }
}

#[test]
fn a_query_is_told_from_a_path() {
    for (path, expected) in [("/a?b?c", "/a"), ("/a", "/a"), ("?b", ""), ("", ""), ("/é?x", "/é")] {
        assert_eq!(without_query(path), expected);
    }
}

/// Texts made of what tricks are made of.
fn tricks() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "https:",
        "HTTP:",
        "http:",
        "blob:",
        "javascript:",
        "data:",
        "file:",
        "//",
        "/",
        "\\",
        "\\\\",
        "@",
        ":",
        "443",
        "8443",
        "..",
        ".",
        "%2e",
        "%2F",
        "%5c",
        "\t",
        "\n",
        "\r",
        " ",
        "\0",
        "?",
        "#",
        "v1",
        "tasks",
        "user:pw",
        "https://api.lemondata.cc",
        "http://relay",
        "api.lemondata.cc",
        "relay.example",
        "evil.example",
        "localhost",
        "relay",
        "[::1]",
        "é",
        "🍋",
        "。",
        "。cc",
    ]);
    vec(pieces, 0..9).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rule_3_whatever_a_server_names_stays_on_the_origin(
        tricky in vec(tricks(), 20), wild in vec(".{0,40}", 4), any in vec(any::<String>(), 4),
    ) {
        for url in BASES {
            let base = base(url);
            let origin = Url::parse(url).unwrap().origin();
            let start = format!("{}/", origin.ascii_serialization());
            // Alone, behind our own URL, and behind what has our origin without being at it.
            let named = tricky.iter().chain(&wild).chain(&any);
            for named in named.flat_map(|text| [text.clone(), format!("{url}{text}"), format!("blob:{url}/{text}")]) {
                let named = named.as_str();
                let polled = base.poll_path::<Json>(named);
                let by_id = [base.task_path::<Json>(named, false), base.task_path::<Json>(named, true)];
                for path in polled.into_iter().chain(by_id) {
                    let called = base.url(&path);
                    prop_assert!(called.starts_with(&start), "{:?} leads to {}", named, called);
                    let parsed = Url::parse(&called).unwrap();
                    prop_assert_eq!(parsed.origin(), origin.clone(), "{:?} leads to {}", named, called);
                    prop_assert_eq!((parsed.username(), parsed.password()), ("", None));
                }
            }
        }
    }

    #[test]
    fn an_id_that_is_accepted_leads_to_its_own_path(id in prop_oneof![tricks(), any::<String>()]) {
        let accepted = read_task(&Json::from(serde_json::Value::from(id.as_str()))).is_ok();
        for url in BASES.into_iter().filter(|_| accepted) {
            let base = base(url);
            let path = base.task_path::<Json>(&id, false);
            let parsed = Json::parse_url(&base.url(&path), "").unwrap();
            prop_assert_eq!(&parsed.path, &path);
            prop_assert!(parsed.is_plain);
            prop_assert_eq!(path.rsplit('/').next().unwrap(), Json::encode_segment(&id));
        }
    }
}
