//! What may come from outside: answers made of the API's own words, options, requests and references. Most of it
//! makes sense, and any of it may be anything.

use std::ops::Range;

use lemondata_wasm::core::{RetryAfter, TransportError};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value as Plain, json};

use crate::{
    json::{Json, SIGNAL, signal},
    urls::BASES,
};

/// The key of every call that has one. No message may show it, although servers here echo it.
pub const KEY: &str = "sk-fuzz-0123456789";
/// Stands in the query of every poll URL that has one, and nowhere else. No message may show it.
pub const QUERY: &str = "the-secret-of-the-query";

/// A `Retry-After` header, by what the platform's parsers of numbers and of dates make of it.
#[derive(Clone, Copy, Debug)]
pub enum Header {
    /// Missing, or neither a number nor a date.
    Nothing,
    Seconds(f64),
    /// A date, so many milliseconds from now.
    Date(f64),
    /// Both parsers accept it.
    Both(f64, f64),
}

impl Header {
    pub fn read(self, now_ms: f64) -> RetryAfter {
        let (seconds, date_ms) = match self {
            Header::Nothing => (f64::NAN, f64::NAN),
            // `Date.parse("8")` is a day in August 2001.
            Header::Seconds(seconds) => (seconds, 996_616_800_000.0),
            Header::Date(ahead) => (f64::NAN, now_ms + ahead),
            Header::Both(seconds, date_ms) => (seconds, date_ms),
        };
        RetryAfter { seconds, date_ms, now_ms }
    }
}

/// What a request brings.
#[derive(Clone, Debug)]
pub enum Exchange {
    /// An answer; its body is none where it broke off or is no JSON.
    Answer { status: u16, body: Option<Plain>, header: Header },
    /// No answer, and whether the request had left this machine.
    Lost { error: TransportError, sent: bool },
}

/// One of these.
fn of<T: Clone + std::fmt::Debug + 'static>(values: impl Into<Vec<T>>) -> BoxedStrategy<T> {
    select(values.into()).boxed()
}

fn words(words: &[&'static str]) -> BoxedStrategy<Plain> {
    of(words.iter().map(|word| Plain::from(*word)).collect::<Vec<_>>())
}

/// Any JSON, shallow: most of it is of a type that the field does not have.
pub fn junk() -> BoxedStrategy<Plain> {
    let leaves = vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(2.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("?"),
        json!("."),
        json!(".."),
        json!("constructor"),
        json!("\u{0}\u{feff}🍋é"),
        json!(KEY),
        json!([]),
        json!({}),
        json!([[]]),
        json!({"message": {"message": "deep"}}),
        json!([{"url": "x"}]),
    ];
    let leaf = prop_oneof![6 => of(leaves), 1 => ".{0,12}".prop_map(Plain::from), 1 => any::<f64>().prop_map(Plain::from)];
    let leaf = leaf.boxed();
    prop_oneof![
        8 => leaf.clone(),
        1 => vec(leaf.clone(), 0..3).prop_map(Plain::from),
        1 => vec((select(NAMES.to_vec()), leaf), 0..3).prop_map(|fields| Plain::Object(object(fields))),
    ]
    .boxed()
}

/// Every name of a field that means something, and some that do not.
const NAMES: [&str; 36] = [
    "status",
    "task_id",
    "id",
    "poll_url",
    "data",
    "error",
    "progress",
    "cancelled",
    "created",
    "url",
    "b64_json",
    "video_url",
    "audio_url",
    "model_url",
    "video",
    "videos",
    "msg",
    "detail",
    "errors",
    "validation_errors",
    "field",
    "loc",
    "request_id",
    "image_url",
    "output",
    "result",
    "message",
    "code",
    "type",
    "hint",
    "param",
    "retryable",
    "retry_after",
    "provider_status",
    "__proto__",
    "",
];

fn id() -> BoxedStrategy<Plain> {
    let usual = words(&["img_abc123def456", "ldtask_aaaaaaaaaaaaaaaa"]);
    let numbers = of([json!(7), json!(4_503_599_627_370_497_u64), json!(-1), json!(1.5)]);
    prop_oneof![6 => usual, 1 => numbers, 2 => words(&["img_", "a/b", "..", ".", "", "é🍋", "a?b", "%2e%2e", "t"])].boxed()
}

fn poll_url() -> BoxedStrategy<Plain> {
    let paths = [
        "",
        "/v1/tasks/t",
        "/v1/tasks/t",
        "/v1/tasks/t/",
        "/v1/tasks/t#https://evil.example/",
        "https:v1/tasks/t",
        "/v1/images/generations/img_1",
        "/api/lemondata/v1/tasks/t",
        "/v1/tasks/../../admin",
        "/%2e%2e/%2e%2e/t",
        "/.//evil.example/t",
        "//evil.example/t",
        "/\\evil.example/t",
        "https://evil.example/t",
        "https://api.lemondata.cc/v1/tasks/t",
        "https://relay.example/v1/tasks/t",
        "http://localhost:8787/v1/tasks/t",
        "http://localhost/v1/tasks/t",
        "http://relay/t",
        "https://user:pw@api.lemondata.cc/t",
        "blob:https://api.lemondata.cc/t",
        "javascript:void 0",
        "http://[",
        "/",
        "/\u{0}\t\n/é",
    ];
    (of(paths), option::of(of(["token=", "next=/a/../", "?"])))
        .prop_map(|(path, query)| query.map_or(path.into(), |query| format!("{path}?{query}{QUERY}")).into())
        .boxed()
}

fn data() -> BoxedStrategy<Plain> {
    of([
        json!([]),
        json!([{"url": "", "revised_prompt": "a placeholder"}]),
        json!([{"url": "https://cdn.example.com/a.png"}]),
        json!([{"b64_json": "aGk="}, {"url": ""}]),
        json!([null, 1, [], {}]),
    ])
}

fn seconds() -> BoxedStrategy<f64> {
    prop_oneof![
        6 => (0_u32..40).prop_map(f64::from),
        2 => 0.0..3.0,
        1 => (40_u32..900).prop_map(f64::from),
        1 => of([-1.0, -1e300, 5e-324, 1e9, 1e300, f64::MAX]),
    ]
    .boxed()
}

/// A field with a value that it may have, or now and then with any.
fn field(name: &'static str, value: BoxedStrategy<Plain>) -> BoxedStrategy<(&'static str, Plain)> {
    (Just(name), prop_oneof![12 => value, 1 => junk()]).boxed()
}

/// A later field outdoes an earlier one of the same name.
fn object(fields: Vec<(&'static str, Plain)>) -> Map<String, Plain> {
    fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// A field of an error.
fn detail() -> impl Strategy<Value = (&'static str, Plain)> {
    let texts =
        ["", "Rate limit: 60 rpm exceeded", "Wait.", "Invalid key sk-fuzz-0123456789", "Did you mean 'x'?"];
    prop_oneof![
        field("message", words(&texts)),
        field("hint", words(&texts)),
        field("detail", reasons()),
        field("code", words(&["model_not_found", "async_task_not_found", "rate_limit_exceeded", "", KEY])),
        field("type", words(&["invalid_request_error", "all_channels_failed", "async_task_not_found"])),
        field("retryable", of([json!(true), json!(true), json!(false)])),
        field("retryable", of([json!(true), json!(true), json!(null)])),
        field("retry_after", seconds().prop_map(Plain::from).boxed()),
    ]
}

/// Why a server or a gateway refuses, in its own way.
fn reasons() -> BoxedStrategy<Plain> {
    of([
        json!("Bad size"),
        json!(KEY),
        json!([]),
        json!(["Bad size", null, {"message": "Huge n", "field": "n"}]),
        json!([{"loc": ["body", "size"], "msg": "Bad"}, {"loc": [], "msg": ""}]),
        json!({"message": "Bad size"}),
        json!([[[[[["deep"]]]]]]),
    ])
}

fn error() -> BoxedStrategy<Plain> {
    let details = vec(detail(), 0..5).prop_map(|details| Plain::Object(object(details)));
    prop_oneof![4 => details, 1 => words(&["", "Content policy violation", KEY])].boxed()
}

/// A field of an answer.
fn part() -> impl Strategy<Value = (&'static str, Plain)> {
    let status = words(&[
        "pending",
        "processing",
        "completed",
        "failed",
        "queued",
        "COMPLETED",
        "succeeded",
        "Running",
        "canceled",
        "EXPIRED",
        "dreaming",
        "",
    ]);
    prop_oneof![
        3 => field("status", status),
        2 => field("task_id", id()),
        1 => field("id", id()),
        2 => field("poll_url", poll_url()),
        2 => field("data", data()),
        1 => field("error", error()),
        1 => field("cancelled", of([json!(true), json!(false)])),
        1 => field("video_url", words(&["https://cdn.example.com/a.mp4", ""])),
        1 => field("videos", of([json!([{"url": "https://cdn.example.com/a.mp4"}]), json!([]), json!([""])])),
        1 => (select(vec!["detail", "errors", "validation_errors", "message"]), reasons()),
        1 => (select(NAMES.to_vec()), junk()),
    ]
}

macro_rules! examples {
    ($($name:literal)*) => { [$(include_str!(concat!("../server/examples/", $name, ".json"))),*] };
}

/// The examples of the contract.
fn example() -> BoxedStrategy<Plain> {
    let texts = examples![
        "cancelled" "completed" "error-400-model-not-found" "error-401" "error-402" "error-404-task" "error-429"
        "error-503" "failed-object" "failed-string" "inline-b64" "inline-url" "pending-images-path"
        "pending-no-poll-url" "pending-tasks-path" "processing"
    ];
    of(texts.map(|text| serde_json::from_str::<Plain>(text).expect("an example")))
}

/// A task that is not done, as it should be said.
fn running() -> BoxedStrategy<Plain> {
    (of(["pending", "processing", "processing", "QUEUED", "dreaming"]), id(), option::of(poll_url()))
        .prop_map(|(status, id, poll_url)| json!({"status": status, "task_id": id, "poll_url": poll_url, "data": []}))
        .boxed()
}

fn refusal() -> impl Strategy<Value = Option<Plain>> {
    let gateway = select(vec!["detail", "errors", "validation_errors", "message"]);
    prop_oneof![
        4 => error().prop_map(|error| Some(json!({"error": error}))),
        1 => (gateway, reasons()).prop_map(|(name, reasons)| Some(Plain::Object(object(vec![(name, reasons)])))),
    ]
}

/// The origin that a redirect leads to, as the shell reads it.
pub fn location(status: u16) -> Json {
    Json::Plain(["https://api.tokenlab.sh", "", "null"][usize::from(status % 3)].into())
}

fn body() -> BoxedStrategy<Option<Plain>> {
    let altered = |base: BoxedStrategy<Plain>, parts: Range<usize>| {
        (base, vec(part(), parts)).prop_map(|(mut base, parts)| {
            base.as_object_mut().expect("an object").extend(object(parts));
            base
        })
    };
    prop_oneof![
        3 => altered(example(), 0..2).prop_map(Some),
        5 => altered(running(), 0..1).prop_map(Some),
        2 => altered(running(), 1..3).prop_map(Some),
        2 => altered(Just(json!({})).boxed(), 0..6).prop_map(Some),
        3 => refusal(),
        1 => junk().prop_map(Some),
        1 => Just(None),
    ]
    .boxed()
}

fn header() -> BoxedStrategy<Header> {
    prop_oneof![
        10 => Just(Header::Nothing),
        3 => seconds().prop_map(Header::Seconds),
        2 => seconds().prop_map(|seconds| Header::Date(seconds * 1_000.0)),
        1 => (any::<f64>(), any::<f64>()).prop_map(|(seconds, date)| Header::Both(seconds, date)),
        1 => of([f64::INFINITY, f64::NEG_INFINITY]).prop_map(Header::Seconds),
    ]
    .boxed()
}

fn answer(
    status: impl Strategy<Value = u16>,
    body: impl Strategy<Value = Option<Plain>>,
) -> impl Strategy<Value = Exchange> {
    (status, body, header()).prop_map(|(status, body, header)| Exchange::Answer { status, body, header })
}

fn lost() -> impl Strategy<Value = Exchange> {
    (of([TransportError::Connection, TransportError::Timeout]), prop::bool::weighted(0.8))
        .prop_map(|(error, sent)| Exchange::Lost { error, sent })
}

fn status() -> impl Strategy<Value = u16> {
    let refused =
        of([0_u16, 301, 302, 304, 400, 401, 402, 403, 404, 404, 404, 408, 409, 422, 429, 500, 502, 503, 524]);
    prop_oneof![12 => Just(200_u16), 1 => 200_u16..300, 10 => refused, 1 => any::<u16>()]
}

/// What a create brings: now and then something that may be repeated.
pub fn got_by_create() -> BoxedStrategy<Exchange> {
    prop_oneof![
        6 => answer(status(), body()),
        6 => answer(of([429_u16, 429, 503, 503, 500, 408]), refusal()),
        4 => answer(Just(200_u16), running().prop_map(Some)),
        2 => lost(),
    ]
    .boxed()
}

/// What a poll brings: as a rule, something after which the wait goes on.
pub fn got_by_poll() -> BoxedStrategy<Exchange> {
    let gone = of([
        Some(json!({"error": {"code": "async_task_not_found"}})),
        Some(json!({"error": {"type": "async_task_not_found"}})),
        Some(json!({})),
        None,
    ]);
    let nothing = of([json!({}), json!(null), json!([]), json!({"error": {"message": "Overloaded"}})]);
    prop_oneof![
        6 => answer(status(), body()),
        10 => answer(Just(200_u16), running().prop_map(Some)),
        2 => answer(of([429_u16, 500, 502, 503]), refusal()),
        1 => answer(of([429_u16, 500, 502, 503]), body()),
        2 => answer(Just(404_u16), gone),
        1 => answer(Just(200_u16), nothing.prop_map(Some)),
        2 => lost(),
    ]
    .boxed()
}

/// Options: where to, and anything else that may be set.
pub fn options() -> BoxedStrategy<Vec<(&'static str, Json)>> {
    let number = |values: &[f64]| of(values.iter().map(|value| Json::Number(*value)).collect::<Vec<_>>());
    let plain = |values: &[Plain]| of(values.iter().cloned().map(Json::Plain).collect::<Vec<_>>());
    let named = |name: &'static str, values: BoxedStrategy<Json>| {
        let any = prop_oneof![junk().prop_map(Json::Plain), Just(Json::Symbol), Just(Json::Function)];
        (Just(name), prop_oneof![150 => values, 1 => any]).boxed()
    };
    let intervals = [
        json!({"min": 3_000, "max": 5_000}),
        json!({"min": 500, "max": 500}),
        json!({"min": 2_500.5}),
        json!({"max": 1_000}),
        json!({"min": 1e15, "max": 1e15}),
        json!({}),
    ];
    let option = prop_oneof![
        1 => named("relay", plain(&[json!(true), json!(false)])),
        2 => named("requestTimeout", number(&[0.5, 500.0, 60_000.0, 1e300, f64::INFINITY])),
        2 => named("maxRetries", number(&[0.0, 1.0, 5.0, 4_294_967_295.0])),
        2 => named("pollInterval", plain(&intervals)),
        3 => named("maxWait", number(&[0.0, 1.0, 9_000.0, 90_000.0, 600_000.0, 1e300, f64::INFINITY])),
        2 => named("maxPolls", number(&[1.0, 2.0, 7.0, 4_294_967_295.0])),
        1 => named("idempotencyKey", plain(&[json!("order-7")])),
        1 => named("signal", Just(signal(&SIGNAL)).boxed()),
        1 => named("headers", plain(&[json!({"x-a": "b"})])),
        1 => named("onTask", Just(Json::Function).boxed()),
    ];
    let base = named("baseUrl", plain(&BASES.map(Plain::from)));
    // A relay holds the key.
    let credential = prop_oneof![
        2 => named("apiKey", prop_oneof![2 => Just(Json::from(Plain::from(KEY))), 1 => Just(Json::Function)].boxed()),
        1 => named("relay", plain(&[json!(true)])),
    ];
    (base, credential, vec(option, 0..5))
        .prop_map(|(base, credential, mut options)| {
            options.extend([base, credential]);
            options
        })
        .boxed()
}

/// What is to be generated.
pub fn request() -> BoxedStrategy<Plain> {
    let good = of([
        json!({"prompt": "a lemon"}),
        json!({"prompt": "a lemon", "model": "flux-pro", "n": 2, "seed": 7}),
    ]);
    let part = prop_oneof![
        field("prompt", words(&["a lemon", ""])),
        field("n", of([json!(1), json!(0), json!(1.5)])),
        field("size", words(&["auto"])),
    ];
    let altered = vec(part, 0..3).prop_map(|parts| Plain::Object(object(parts)));
    prop_oneof![20 => good, 1 => altered, 1 => junk()].boxed()
}

/// What is to be edited.
pub fn edit() -> BoxedStrategy<Plain> {
    let good = of([
        json!({"prompt": "a lemon", "image_url": "https://cdn.example.com/a.png"}),
        json!({"prompt": "a lemon", "images": [{"image_url": "https://cdn.example.com/a.png"}]}),
    ]);
    prop_oneof![20 => good, 1 => request()].boxed()
}

/// What a caller waits with.
pub fn reference() -> BoxedStrategy<Plain> {
    prop_oneof![8 => id(), 8 => running(), 2 => example(), 1 => junk()].boxed()
}
