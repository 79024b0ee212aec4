//! The contract between the call machine and its driver, which stands at the top of `src/core/call.rs`.

use lemondata_wasm::core::{
    Action, Call, Command, End, Environment, Event, Kind, Name, Outcome, Source, TransportError, Update,
    Value,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value as Plain, json};

use crate::{
    help::{attempt, bodiless, call, config, lost_attempt, message, reply},
    json::Json,
    vocabulary,
};

type Machine = Box<Call<Json>>;

const NOW: f64 = 1_000.0;
const SERVER: Environment = Environment { browser: false };
const GAP_MS: f64 = 4_000.0;

fn options() -> Vec<(&'static str, Json)> {
    vec![
        ("apiKey", json!("sk-test").into()),
        ("requestTimeout", json!(20_000).into()),
        ("maxWait", json!(90_000).into()),
        ("pollInterval", json!({"min": GAP_MS, "max": GAP_MS}).into()),
    ]
}

fn request() -> Json {
    json!({"prompt": "a lemon"}).into()
}

fn start(command: Command, input: Json) -> (Machine, Action) {
    Call::start(command, &call(input, &options()), SERVER, NOW, 0.5).expect("a call that can begin")
}

fn refusal(command: Command, input: Json, options: &[(&str, Json)]) -> (Kind, Outcome, String) {
    match Call::start(command, &call(input, options), SERVER, NOW, 0.5) {
        Err(End::Failed(end)) => (end.failure.kind, end.failure.outcome, message(&end.failure)),
        other => panic!("{other:?}"),
    }
}

fn credentials() -> Event<Json> {
    Event::Credentials(json!({"key": "sk-test"}).into())
}

fn answered(status: u16, body: Plain) -> Event<Json> {
    Event::Attempt(attempt(&reply(status, body)))
}

fn lost() -> Event<Json> {
    Event::Attempt(lost_attempt(TransportError::Connection, true))
}

fn running() -> Event<Json> {
    answered(200, json!({"task_id": "img_1", "status": "pending"}))
}

fn completed() -> Event<Json> {
    answered(
        200,
        json!({"task_id": "img_1", "status": "completed", "data": [{"url": "https://x.example/1"}]}),
    )
}

/// Hands in events one after another, each of which has to be answered by its action.
fn pass(machine: &mut Machine, events: Vec<(Event<Json>, Action)>) {
    for (event, expected) in events {
        let shown = format!("{event:?}");
        assert_eq!(machine.handle(event, NOW, 0.5), expected, "{shown}");
    }
}

/// What a call waits for, as its driver knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    CreateAuthorizing,
    CreateSending,
    BackingOff,
    Announcing,
    Sleeping,
    PollAuthorizing,
    PollSending,
    FollowingPoll,
    FollowingStream,
}

use State::*;

const STATES: [State; 9] = [
    CreateAuthorizing,
    CreateSending,
    BackingOff,
    Announcing,
    Sleeping,
    PollAuthorizing,
    PollSending,
    FollowingPoll,
    FollowingStream,
];

/// A call that has come so far.
fn machine_in(state: State) -> Machine {
    let ready = || (credentials(), Action::Send);
    let created = || (running(), Action::Announce);
    let following = |source| (Event::Following(source), Action::Sleep);
    let events = match state {
        CreateAuthorizing | PollAuthorizing => vec![],
        CreateSending | PollSending => vec![ready()],
        BackingOff => vec![ready(), (answered(429, json!({})), Action::Sleep)],
        Announcing => vec![ready(), created()],
        Sleeping => vec![ready(), created(), (Event::Announced(Json::nothing()), Action::Sleep)],
        FollowingPoll => vec![ready(), following(Source::Poll)],
        FollowingStream => vec![ready(), following(Source::Stream)],
    };
    let (command, input) = match state {
        PollAuthorizing | PollSending | FollowingPoll | FollowingStream => {
            (Command::WaitForTask, json!("img_1").into())
        }
        _ => (Command::GenerateAndWait, request()),
    };
    let (mut machine, action) = start(command, input);
    assert_eq!(action, Action::Authorize);
    pass(&mut machine, events);
    machine
}

type MakeEvent = fn() -> Event<Json>;

/// Every kind of event.
const EVENTS: [(&str, MakeEvent); 10] = [
    ("credentials", credentials),
    ("answer", running),
    ("lost", lost),
    ("poll of another call", || Event::Following(Source::Poll)),
    ("stream of another call", || Event::Following(Source::Stream)),
    ("leader left", || Event::LeaderLeft),
    ("announced", || Event::Announced(Json::nothing())),
    ("elapsed", || Event::Elapsed),
    ("woken", || Event::Woken),
    ("aborted", || Event::Aborted),
];

/// The action that answers an event; none where the call does not wait for that event.
#[allow(clippy::match_same_arms)] // a line for each transition
fn action_for(state: State, event: &str) -> Option<Action> {
    Some(match (state, event) {
        (_, "aborted") => Action::Finish,
        (CreateAuthorizing | PollAuthorizing, "credentials") => Action::Send,
        (CreateSending, "answer") => Action::Announce,
        // Without a relay, a create that may have been carried out is not repeated.
        (CreateSending, "lost") => Action::Finish,
        (PollSending, "poll of another call" | "stream of another call") => Action::Sleep,
        (PollSending | FollowingPoll | FollowingStream | Sleeping, "answer" | "lost") => Action::Sleep,
        (FollowingPoll | FollowingStream, "leader left") | (FollowingStream, "woken") => Action::Authorize,
        (Announcing, "announced") | (Sleeping, "woken") => Action::Sleep,
        (Announcing, "elapsed") => Action::Finish,
        (BackingOff | Sleeping, "elapsed") => Action::Authorize,
        (_, "elapsed") => Action::GiveUp,
        _ => return None,
    })
}

#[test]
fn every_event_in_every_state_is_answered_by_one_action() {
    for state in STATES {
        for (name, event) in EVENTS {
            // Only a poll is shared.
            if state == CreateSending && name.ends_with("of another call") {
                continue;
            }
            let mut machine = machine_in(state);
            let before = format!("{machine:?}");
            let now = if name == "elapsed" { machine.until() } else { NOW };
            let action = machine.handle(event(), now, 0.5);
            assert_eq!(action, action_for(state, name).unwrap_or(Action::Wait), "{state:?}: {name}");
            if action == Action::Wait {
                assert_eq!(format!("{machine:?}"), before, "{state:?}: {name}");
            }
        }
    }
}

#[test]
fn an_abort_ends_a_call_wherever_it_is() {
    for state in STATES {
        let mut machine = machine_in(state);
        assert_eq!(machine.handle(Event::Aborted, NOW, 0.5), Action::Finish, "{state:?}");
        assert!(matches!(machine.end(), End::Aborted), "{state:?}");
        assert!(machine.take_update().is_none(), "{state:?}");
    }
}

/// Any event, whether it fits or not.
fn any_event() -> impl Strategy<Value = (usize, Plain)> {
    (0..EVENTS.len(), prop_oneof![vocabulary::junk(), Just(json!({"status": 200, "isJson": true}))])
}

fn with_value(event: Event<Json>, value: Plain) -> Event<Json> {
    match event {
        Event::Credentials(_) => Event::Credentials(value.into()),
        Event::Attempt(_) => Event::Attempt(value.into()),
        Event::Announced(_) => Event::Announced(value.into()),
        event => event,
    }
}

proptest! {
    #![proptest_config(config())]

    /// Values come from callers and servers, and events from a driver that may err.
    #[test]
    fn no_event_and_no_value_panics(
        state in select(STATES.to_vec()),
        events in vec((any_event(), any::<bool>(), 0.0..40_000.0), 0..30),
    ) {
        let (mut machine, mut now) = (machine_in(state), NOW);
        for ((event, value), is_sound, ms) in events {
            let event = EVENTS[event].1();
            now += ms;
            machine.handle(if is_sound { event } else { with_value(event, value) }, now, 0.5);
            machine.request();
            machine.take_update();
        }
    }
}

#[test]
fn each_action_ends_at_its_own_time() {
    let poll_gap = NOW + GAP_MS;
    for (state, until) in [
        (CreateAuthorizing, NOW + 20_000.0),
        (CreateSending, NOW + 20_000.0),
        // Half of the first back-off of a second.
        (BackingOff, NOW + 500.0),
        (Announcing, NOW + 90_000.0),
        (Sleeping, poll_gap),
        (PollAuthorizing, NOW + 20_000.0),
        (PollSending, NOW + 20_000.0),
        (FollowingPoll, NOW + 20_000.0),
        (FollowingStream, NOW + 20_000.0),
    ] {
        assert_eq!(machine_in(state).until(), until, "{state:?}");
    }
}

/// A wait that follows a stream, whose polls have a minute.
fn following_stream() -> Machine {
    let patient = [("apiKey", json!("sk-test").into()), ("requestTimeout", json!(60_000).into())];
    let input = call(json!("img_1").into(), &patient);
    let (mut machine, _) = Call::start(Command::WaitForTask, &input, SERVER, NOW, 0.5).expect("a wait");
    pass(
        &mut machine,
        vec![(credentials(), Action::Send), (Event::Following(Source::Stream), Action::Sleep)],
    );
    machine
}

#[test]
fn a_silent_stream_leaves_the_rest_of_its_time_to_a_poll() {
    let mut machine = following_stream();
    let silent_at = NOW + 30_000.0;
    assert_eq!(machine.until(), silent_at);
    assert!(!machine.is_silent(silent_at - 1.0) && machine.is_silent(silent_at));
    assert_eq!(machine.handle(Event::Elapsed, silent_at, 0.5), Action::Authorize);
    assert_eq!(machine.until(), NOW + 60_000.0);
    assert_eq!(machine.handle(credentials(), silent_at, 0.5), Action::Send);
    assert_eq!((machine.until(), machine.request().number), (NOW + 60_000.0, 1));
}

#[test]
fn an_answer_that_arrived_while_the_runtime_slept_is_read() {
    let (mut machine, _) = start(Command::Generate, request());
    assert_eq!(machine.handle(credentials(), NOW, 0.5), Action::Send);
    // The laptop wakes up an hour later, and its timer fires before the answer is read.
    let woken = NOW + 3_600_000.0;
    assert_eq!(machine.handle(Event::Elapsed, woken, 0.5), Action::Sleep);
    assert_eq!(machine.until(), woken + 5_000.0);
    let inline = answered(200, json!({"data": [{"url": "https://x.test/1"}]}));
    assert_eq!(machine.handle(inline, woken + 20.0, 0.5), Action::Finish);
    assert!(matches!(machine.end(), End::Done(_)));
}

#[test]
fn a_request_without_an_answer_is_late_after_a_sleep_as_well() {
    let (mut machine, _) = start(Command::Generate, request());
    machine.handle(credentials(), NOW, 0.5);
    assert_eq!(machine.handle(Event::Elapsed, NOW + 20_000.0 + 1_001.0, 0.5), Action::Sleep);
    assert_eq!(machine.handle(Event::Elapsed, machine.until(), 0.5), Action::GiveUp);
}

#[test]
fn a_request_whose_timer_is_on_time_is_late_at_once() {
    let (mut machine, _) = start(Command::Generate, request());
    machine.handle(credentials(), NOW, 0.5);
    assert_eq!(machine.handle(Event::Elapsed, NOW + 20_000.0 + 1_000.0, 0.5), Action::GiveUp);
}

#[test]
fn a_stream_that_outlasts_its_poll_is_given_up() {
    let mut machine = following_stream();
    assert_eq!(machine.handle(Event::Elapsed, NOW + 60_000.0, 0.5), Action::GiveUp);
}

#[test]
fn rule_2_a_silent_stream_whose_poll_is_over_leaves_time_for_the_next_poll() {
    let mut machine = following_stream();
    // A laptop has slept beyond the silence of the stream and the time of its poll.
    let now = NOW + 65_000.0;
    assert_eq!(machine.handle(Event::Elapsed, now, 0.5), Action::GiveUp);
    let late = Event::Attempt(lost_attempt(TransportError::Timeout, false));
    assert_eq!(machine.handle(late, now, 0.5), Action::Sleep);
    let due = machine.until();
    assert_eq!(machine.handle(Event::Elapsed, due, 0.5), Action::Authorize);
    assert_eq!(machine.handle(credentials(), due, 0.5), Action::Send);
    assert_eq!((machine.until(), machine.request().number), (due + 60_000.0, 2));
}

fn status_of(update: Option<&Update<Json>>) -> String {
    update.map(|update| update.generation.text_of(Name::Status)).unwrap_or_default()
}

#[test]
fn an_update_comes_with_the_action_behind_it() {
    for (event, status, action, next_poll) in [
        (running(), "pending", Action::Sleep, Some(NOW + GAP_MS)),
        (completed(), "completed", Action::Finish, None),
        (answered(200, json!({"status": "failed"})), "failed", Action::Finish, None),
        (answered(502, json!({})), "", Action::Sleep, None),
        (answered(401, json!({})), "", Action::Finish, None),
        (lost(), "", Action::Sleep, None),
    ] {
        let mut machine = machine_in(PollSending);
        assert_eq!(machine.handle(event, NOW, 0.5), action, "{status}");
        let update = machine.take_update();
        assert_eq!(status_of(update.as_ref()), status);
        assert_eq!(update.and_then(|update| update.next_poll), next_poll, "{status}");
        assert!(machine.take_update().is_none(), "an update is taken once");
    }
}

#[test]
fn only_a_wait_has_updates() {
    let mut create = machine_in(CreateSending);
    create.handle(running(), NOW, 0.5);
    assert!(create.take_update().is_none());
    for event in [running(), completed(), answered(200, json!({"status": "failed"}))] {
        let (mut single, _) = start(Command::GetTask, json!("img_1").into());
        pass(&mut single, vec![(credentials(), Action::Send), (event, Action::Finish)]);
        assert!(single.take_update().is_none());
    }
}

#[test]
fn rule_1_a_refusal_behind_an_unknown_attempt_is_unknown() {
    let relay = [
        ("relay", json!(true).into()),
        ("baseUrl", json!("https://relay.example").into()),
        ("maxRetries", json!(1).into()),
    ];
    let unknown: [MakeEvent; 2] = [lost, || answered(502, json!({}))];
    let harmless: [(MakeEvent, Kind); 3] = [
        (|| answered(429, json!({})), Kind::RateLimit),
        (|| answered(400, json!({})), Kind::InvalidRequest),
        (|| Event::Attempt(lost_attempt(TransportError::Connection, false)), Kind::Connection),
    ];
    for first in unknown {
        for (last, kind) in harmless {
            let input = call(request(), &relay);
            let (mut machine, _) =
                Call::start(Command::Generate, &input, SERVER, NOW, 0.5).expect("a create");
            pass(
                &mut machine,
                vec![
                    (credentials(), Action::Send),
                    (first(), Action::Sleep),
                    (Event::Elapsed, Action::Authorize),
                    (credentials(), Action::Send),
                    (last(), Action::Finish),
                ],
            );
            let End::Failed(end) = machine.end() else { panic!("{:?}", machine.end()) };
            assert_eq!((end.failure.kind, end.failure.outcome), (kind, Outcome::Unknown));
            assert!(end.failure.message.ends_with("may have been carried out and billed."), "{kind:?}");
        }
    }
}

#[test]
fn a_new_task_is_announced_before_anything_else() {
    let edit: Json = json!({"prompt": "a lemon", "image_url": "https://x.example/1"}).into();
    for (command, input, action) in [
        (Command::Generate, request(), Action::Finish),
        (Command::GenerateAndWait, request(), Action::Sleep),
        (Command::Edit, edit.clone(), Action::Finish),
        (Command::EditAndWait, edit, Action::Sleep),
    ] {
        let (mut machine, _) = start(command, input);
        pass(&mut machine, vec![(credentials(), Action::Send), (running(), Action::Announce)]);
        assert_eq!(machine.task().map(|task| &*task.id), Some("img_1"));
        pass(&mut machine, vec![(Event::Announced(Json::nothing()), action)]);
        if action == Action::Finish {
            let End::Done(generation) = machine.end() else { panic!("{:?}", machine.end()) };
            assert_eq!(generation.text_of(Name::TaskId), "img_1");
        }
    }
}

#[test]
fn a_wait_begins_when_its_task_is_known_however_long_on_task_takes() {
    for (took, action, until) in [(3_000.0, Action::Sleep, GAP_MS), (80_000.0, Action::Authorize, 90_000.0)] {
        let (mut machine, _) = start(Command::GenerateAndWait, request());
        pass(&mut machine, vec![(credentials(), Action::Send), (running(), Action::Announce)]);
        assert_eq!(machine.handle(Event::Announced(Json::nothing()), NOW + took, 0.5), action);
        assert_eq!(machine.until(), NOW + until);
    }
}

#[test]
fn a_result_is_not_announced() {
    for command in [Command::Generate, Command::GenerateAndWait] {
        let (mut machine, _) = start(command, request());
        pass(&mut machine, vec![(credentials(), Action::Send), (completed(), Action::Finish)]);
        assert!(matches!(machine.end(), End::Done(_)), "{:?}", machine.end());
    }
}

#[test]
fn a_callback_that_fails_leaves_its_error_and_the_task() {
    let mut machine = machine_in(Announcing);
    let cause = Event::Announced(json!({"cause": "disk full"}).into());
    assert_eq!(machine.handle(cause, NOW, 0.5), Action::Finish);
    let End::Failed(end) = machine.end() else { panic!("{:?}", machine.end()) };
    assert_eq!((end.failure.kind, end.failure.outcome), (Kind::Callback, Outcome::Accepted));
    assert_eq!(end.failure.task.as_ref().map(|task| &*task.id), Some("img_1"));
    assert_eq!(end.attempt.plain()["cause"], "disk full");
}

#[test]
fn an_edit_has_its_own_path_and_checks_its_pictures() {
    let edit: Json = json!({"prompt": "a lemon", "images": ["https://x.example/1"]}).into();
    for command in [Command::Edit, Command::EditAndWait] {
        let (machine, action) = start(command, edit.clone());
        assert_eq!(action, Action::Authorize);
        let request = machine.request();
        assert_eq!(request.url, "https://api.lemondata.cc/v1/images/edits");
        assert!(request.is_create && !request.is_shared);
        let (kind, outcome, message) = refusal(command, self::request(), &options());
        assert_eq!((kind, outcome), (Kind::InvalidRequest, Outcome::NotSent));
        assert!(message.starts_with("image must be a Blob"), "{message}");
    }
    let (machine, _) = start(Command::Generate, request());
    assert_eq!(machine.request().path, "/v1/images/generations");
}

#[test]
fn get_task_never_shares_its_poll() {
    let relay = [("baseUrl", json!("https://relay.example").into()), ("relay", json!(true).into())];
    for (command, is_shared) in [(Command::GetTask, false), (Command::WaitForTask, true)] {
        let input = call(json!("img_1").into(), &relay);
        let (machine, _) = Call::start(command, &input, SERVER, NOW, 0.5).expect("a poll");
        let request = machine.request();
        assert_eq!((request.is_create, request.is_shared), (false, is_shared), "{command:?}");
        assert_eq!(request.uses_relay, is_shared, "{command:?}");
    }
}

#[test]
fn a_completed_generation_comes_back_without_options() {
    let generation: Json = json!({"status": "completed", "data": []}).into();
    let call = call(generation.clone(), &[("apiKey", Json::Symbol)]);
    match Call::start(Command::WaitForTask, &call, SERVER, NOW, 0.5) {
        Err(End::Done(result)) => assert_eq!(result.plain(), generation.plain()),
        other => panic!("{other:?}"),
    }
    // The other functions check theirs.
    let (kind, ..) = refusal(Command::GetTask, generation, &[("apiKey", Json::Symbol)]);
    assert_eq!(kind, Kind::InvalidRequest);
}

#[test]
fn the_last_lost_poll_is_the_cause_of_a_time_out() {
    let (mut machine, _) = start(Command::WaitForTask, json!("img_1").into());
    let mut now = NOW;
    let losses =
        [lost(), answered(503, json!({})), Event::Attempt(attempt(&bodiless(200))), answered(429, json!({}))];
    for event in losses {
        assert_eq!(machine.handle(credentials(), now, 0.5), Action::Send);
        assert_eq!(machine.handle(event, now, 0.5), Action::Sleep);
        now = machine.until();
        assert_eq!(machine.handle(Event::Elapsed, now, 0.5), Action::Authorize);
    }
    // The service asks for more time than there is.
    assert_eq!(machine.handle(credentials(), now, 0.5), Action::Send);
    let last = answered(503, json!({"error": {"code": "overloaded", "retry_after": 600}}));
    assert_eq!(machine.handle(last, now, 0.5), Action::Finish);
    let End::Failed(end) = machine.end() else { panic!("{:?}", machine.end()) };
    assert_eq!((end.failure.kind, end.failure.retry_after.0), (Kind::WaitTimeout, 600_000.0));
    let cause = end.cause.as_ref().expect("a cause");
    assert_eq!((cause.failure.kind, cause.failure.outcome), (Kind::Server, Outcome::Accepted));
    assert_eq!(cause.attempt.get(Name::Body).plain()["error"]["code"], "overloaded");
    assert!(cause.failure.task.is_some() && cause.cause.is_none());
}

#[test]
fn a_lost_poll_is_not_the_cause_of_a_time_out_behind_an_answered_one() {
    let (mut machine, _) = start(Command::WaitForTask, json!("img_1").into());
    pass(&mut machine, vec![(credentials(), Action::Send), (lost(), Action::Sleep)]);
    // The deadline has come, and allows one poll.
    let now = NOW + 90_000.0;
    assert_eq!(machine.handle(Event::Elapsed, now, 0.5), Action::Authorize);
    assert_eq!(machine.handle(credentials(), now, 0.5), Action::Send);
    assert_eq!(machine.handle(running(), now, 0.5), Action::Finish);
    let End::Failed(end) = machine.end() else { panic!("{:?}", machine.end()) };
    assert_eq!(end.failure.kind, Kind::WaitTimeout);
    assert!(end.cause.is_none(), "{:?}", end.cause);
}

#[test]
fn a_call_that_cannot_begin_sends_nothing() {
    let unreadable = Json::object([
        ("input", request()),
        ("options", Json::object([("apiKey", json!("sk-test").into())])),
        ("body", json!({"cause": "a cycle"}).into()),
    ]);
    let (machine, action) =
        Call::start(Command::Generate, &unreadable, SERVER, NOW, 0.5).expect("a call that ends by itself");
    assert_eq!(action, Action::Finish);
    let End::Failed(end) = machine.end() else { panic!("{:?}", machine.end()) };
    assert_eq!(message(&end.failure), "request must be plain JSON.");
    assert_eq!(end.attempt.plain()["cause"], "a cycle");

    for options in [json!("sk-test"), json!(["sk-test"]), json!(7)] {
        let mut call = call(request(), &self::options());
        if let Json::Object(fields) = &mut call {
            fields.push(("callOptions".into(), options.into()));
        }
        let Err(End::Failed(end)) = Call::start(Command::Generate, &call, SERVER, NOW, 0.5) else {
            panic!("options that are none")
        };
        assert!(message(&end.failure).starts_with("options must be an object"), "{}", end.failure.message);
    }
}
