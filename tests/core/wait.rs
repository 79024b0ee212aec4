//! The state machine of a wait, step by step.

use lemondata_wasm::core::{
    Answer, Kind, Ms, Options, Origin, Outcome, PollResult, Status, Task, TransportError, Wait, WaitAction,
};
use serde_json::{Value as Plain, json};

use crate::{
    help::{asking, bodiless, reply, task, with_key},
    json::Json,
};

const HOUR: f64 = 3_600_000.0;

/// A wait with a gap of 4 s and the time that passes for it.
struct Subject {
    wait: Wait,
    options: Options,
    now: f64,
}

impl Subject {
    fn new(task: Task, origin: Origin, settings: &[(&str, Plain)]) -> Subject {
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| (*name, Json::from(value.clone()))).collect();
        let options =
            Options { poll_min: Ms(3_000.0), poll_max: Ms(5_000.0), ..with_key(&settings).unwrap() };
        let wait = Wait::new::<Json>(task, &options, origin, 0.0, 0.5).expect("a path to poll");
        Subject { wait, options, now: 0.0 }
    }

    fn bare(settings: &[(&str, Plain)]) -> Subject {
        Subject::new(task("ldtask_1", ""), Origin::Elsewhere, settings)
    }

    fn next(&mut self) -> WaitAction {
        self.wait.next(self.now)
    }

    /// The path and the time-out of the poll that has to come now.
    fn poll(&mut self) -> (String, f64) {
        match self.next() {
            WaitAction::Poll(until) => (self.wait.path().into(), until - self.now),
            step => panic!("{step:?} at {}", self.now),
        }
    }

    /// Sleeps as long as wanted, and tells how long that was.
    fn sleep(&mut self) -> f64 {
        let WaitAction::Sleep(until) = self.next() else { panic!("no sleep at {}", self.now) };
        until - std::mem::replace(&mut self.now, until)
    }

    fn answer(&mut self, reply: &Answer<Json>) -> PollResult {
        self.wait.answer(&self.options.base, reply, self.now, 0.5)
    }

    fn lose(&mut self) {
        assert!(matches!(self.wait.lost(TransportError::Connection, self.now, 0.5), PollResult::Lost(_)));
    }

    /// The kind of the failure that has to come now, and how long the server asks to wait.
    fn failure(&mut self) -> (Kind, f64) {
        let WaitAction::Fail(failure) = self.next() else { panic!("no failure at {}", self.now) };
        assert_eq!(failure.outcome, Outcome::Accepted);
        assert!(failure.message.contains(&self.wait.task.id), "{}", failure.message);
        (failure.kind, failure.retry_after.0)
    }
}

fn running() -> Answer<Json> {
    reply(200, json!({"status": "processing", "id": "ldtask_1"}))
}

fn missing() -> Answer<Json> {
    reply(404, json!({"error": {"code": "async_task_not_found"}}))
}

#[test]
fn a_task_is_polled_until_it_is_done() {
    let mut subject = Subject::bare(&[]);
    assert_eq!(subject.poll(), ("/v1/tasks/ldtask_1".into(), 60_000.0));
    assert!(matches!(subject.answer(&running()), PollResult::Answered(_)));
    assert_eq!(subject.sleep(), 4_500.0);
    subject.poll();
    let done = reply(200, json!({"status": "completed", "data": [{"url": "x"}]}));
    let PollResult::Answered(parsed) = subject.answer(&done) else { panic!() };
    assert_eq!((parsed.status, parsed.task), (Status::Completed, Some(task("ldtask_1", ""))));
}

#[test]
fn a_stream_is_dead_once_it_has_been_silent_for_half_a_minute() {
    let mut subject = Subject::bare(&[]);
    subject.poll();
    assert_eq!(subject.wait.silent_at(), 30_000.0);
    subject.now = 10_000.0;
    subject.answer(&running());
    assert_eq!(subject.wait.silent_at(), 40_000.0);
}

#[test]
fn our_own_task_is_polled_after_one_gap() {
    let mut subject = Subject::new(task("img_1", ""), Origin::Created(Ms::ZERO), &[]);
    assert_eq!(subject.sleep(), 4_000.0);
    assert_eq!(subject.poll().0, "/v1/images/generations/img_1");
}

#[test]
fn the_answer_to_a_create_says_when_its_task_may_be_polled() {
    let mut subject = Subject::new(task("t", ""), Origin::Created(Ms(20_000.0)), &[]);
    // Half of what the interval leaves to chance comes on top.
    assert_eq!(subject.sleep(), 21_000.0);
    let mut subject =
        Subject::new(task("t", ""), Origin::Created(Ms(20_000.0)), &[("maxWait", json!(10_000))]);
    assert_eq!(subject.failure(), (Kind::WaitTimeout, 20_000.0));
}

#[test]
fn a_404_counts_as_running_for_ten_seconds_after_our_own_create() {
    for (origin, fresh_polls) in [
        (Origin::Created(Ms::ZERO), 2),
        (Origin::Generated(0.0), 3),
        (Origin::Generated(-5_000.0), 2),
        (Origin::Generated(-10_000.0), 0),
    ] {
        let mut subject = Subject::new(task("img_1", "/v1/tasks/img_1"), origin, &[]);
        if origin == Origin::Created(Ms::ZERO) {
            subject.sleep();
        }
        for _ in 0..fresh_polls {
            subject.poll();
            assert_eq!(subject.answer(&missing()), PollResult::Again, "{origin:?}");
            subject.sleep();
        }
        // Behind that, it has to be missing twice.
        subject.poll();
        assert_eq!(subject.answer(&missing()), PollResult::Again, "{origin:?}");
        assert!(subject.sleep() >= 3_000.0);
        subject.poll();
        let PollResult::Fail(failure) = subject.answer(&missing()) else { panic!("{origin:?} goes on") };
        assert_eq!((failure.kind, failure.outcome), (Kind::TaskNotFound, Outcome::Accepted));
    }
}

#[test]
fn a_404_counts_only_when_it_is_the_second_in_a_row() {
    let mut subject = Subject::new(task("t", "/v1/tasks/t"), Origin::Elsewhere, &[]);
    for (answer, is_end) in [
        (missing(), false),
        (running(), false),
        (missing(), false),
        // What is no answer says nothing of the task.
        (bodiless(502), false),
        (bodiless(404), true),
    ] {
        subject.poll();
        assert_eq!(matches!(subject.answer(&answer), PollResult::Fail(_)), is_end, "{answer:?}");
        if !is_end {
            subject.sleep();
        }
    }
}

#[test]
fn a_404_that_no_poll_can_follow_counts_at_once() {
    for (name, value) in [("maxPolls", json!(1)), ("maxWait", json!(0))] {
        let mut subject = Subject::new(task("t", "/v1/tasks/t"), Origin::Elsewhere, &[(name, value)]);
        subject.poll();
        let PollResult::Fail(failure) = subject.answer(&missing()) else { panic!("{name} goes on") };
        assert_eq!((failure.kind, failure.outcome), (Kind::TaskNotFound, Outcome::Accepted), "{name}");
    }
    // So does one that asks for more time than there is.
    let mut subject = Subject::new(task("t", "/v1/tasks/t"), Origin::Elsewhere, &[]);
    subject.poll();
    let PollResult::Fail(failure) = subject.answer(&asking(missing(), 400.0)) else { panic!("it goes on") };
    assert_eq!((failure.kind, failure.retry_after.0), (Kind::TaskNotFound, 400_000.0));
    // A fresh one is still running.
    let mut subject =
        Subject::new(task("t", "/v1/tasks/t"), Origin::Generated(0.0), &[("maxPolls", json!(1))]);
    subject.poll();
    assert_eq!(subject.answer(&missing()), PollResult::Again);
    assert_eq!(subject.failure().0, Kind::PollBudget);
}

#[test]
fn a_bare_id_is_looked_for_on_the_other_path_at_once() {
    for (id, paths) in [
        ("ldtask_1", ["/v1/tasks/ldtask_1", "/v1/images/generations/ldtask_1"]),
        ("img_1", ["/v1/images/generations/img_1", "/v1/tasks/img_1"]),
    ] {
        let mut subject = Subject::new(task(id, ""), Origin::Elsewhere, &[]);
        assert_eq!(subject.poll().0, paths[0]);
        assert_eq!(subject.answer(&missing()), PollResult::Again);
        assert_eq!(subject.poll().0, paths[1]);
        assert_eq!(subject.answer(&missing()), PollResult::Again);
        // After a gap, once more on both.
        assert_eq!(subject.sleep(), 4_500.0);
        assert_eq!(subject.poll().0, paths[1]);
        assert_eq!(subject.answer(&missing()), PollResult::Again);
        assert_eq!(subject.poll().0, paths[0]);
        let PollResult::Fail(failure) = subject.answer(&bodiless(404)) else { panic!("a third path") };
        assert_eq!((failure.kind, failure.outcome), (Kind::NotFound, Outcome::Accepted));
    }
}

#[test]
fn the_other_path_is_part_of_the_same_poll() {
    // It counts as no second poll, and shares the time of the first.
    let mut subject = Subject::bare(&[("maxPolls", json!(1))]);
    assert_eq!(subject.next(), WaitAction::Poll(60_000.0));
    assert_eq!(subject.wait.path(), "/v1/tasks/ldtask_1");
    subject.now = 20_000.0;
    assert_eq!(subject.answer(&missing()), PollResult::Again);
    assert_eq!(subject.next(), WaitAction::Poll(60_000.0));
    assert_eq!(subject.wait.path(), "/v1/images/generations/ldtask_1");
    assert!(matches!(subject.answer(&running()), PollResult::Answered(_)));
    assert_eq!(subject.failure().0, Kind::PollBudget);

    // A laptop that sleeps in between leaves it the time of a last poll.
    let mut subject = Subject::bare(&[]);
    subject.poll();
    assert_eq!(subject.answer(&missing()), PollResult::Again);
    subject.now = HOUR;
    assert_eq!(subject.poll().1, 5_000.0);

    // A first path that uses all of the time up leaves none for the other.
    let mut subject = Subject::bare(&[]);
    subject.poll();
    subject.now = 60_000.0;
    assert_eq!(subject.answer(&missing()), PollResult::Again);
    assert_eq!(subject.sleep(), 4_500.0);
}

#[test]
fn rule_6_the_other_path_is_not_asked_earlier_than_the_server_wants() {
    let mut subject = Subject::bare(&[]);
    subject.poll();
    assert_eq!(subject.answer(&asking(missing(), 20.0)), PollResult::Again);
    assert_eq!(subject.sleep(), 20_000.0);
}

#[test]
fn rule_4_a_hint_for_the_other_path_does_not_carry_a_late_poll_beyond_the_deadline() {
    let mut subject = Subject::bare(&[("maxWait", json!(9_000))]);
    subject.poll();
    assert!(matches!(subject.answer(&running()), PollResult::Answered(_)));
    // The machine sleeps, and the last poll comes late.
    subject.now = HOUR;
    subject.poll();
    assert!(matches!(subject.answer(&asking(missing(), 1.0)), PollResult::Fail(_)));
}

#[test]
fn rule_6_a_hint_counts_with_an_answer_that_broke_off_too() {
    let mut subject = Subject::bare(&[]);
    subject.poll();
    assert!(matches!(subject.answer(&asking(bodiless(200), 20.0)), PollResult::Lost(_)));
    assert_eq!(subject.sleep(), 21_500.0);
}

#[test]
fn the_first_usable_poll_url_serves_the_whole_wait() {
    let mut subject = Subject::bare(&[]);
    for (poll_url, expected) in [
        ("", "/v1/tasks/ldtask_1"),
        ("https://evil.example/a", "/v1/tasks/ldtask_1"),
        ("/v1/a?x=1", "/v1/tasks/ldtask_1"),
        ("/v1/b", "/v1/a?x=1"),
        ("https://evil.example/c", "/v1/a?x=1"),
    ] {
        assert_eq!(subject.poll().0, expected);
        subject.answer(&reply(200, json!({"status": "pending", "id": "u", "poll_url": poll_url})));
        subject.sleep();
    }
    assert_eq!(subject.wait.task, task("ldtask_1", "/v1/a?x=1"));
    // Where the server has said where to ask, there is no other path.
    subject.poll();
    subject.answer(&missing());
    subject.sleep();
    assert_eq!(subject.poll().0, "/v1/a?x=1");
    assert!(matches!(subject.answer(&missing()), PollResult::Fail(_)));
}

#[test]
fn rule_3_a_foreign_poll_url_is_refused_and_the_task_given_back_without_it() {
    let options = with_key(&[]).unwrap();
    for poll_url in ["https://evil.example/t", "//evil.example/t", "http://api.lemondata.cc/t", "http://["] {
        let (failure, left) =
            Wait::new::<Json>(task("t", poll_url), &options, Origin::Elsewhere, 0.0, 0.5).unwrap_err();
        assert_eq!((failure.kind, failure.outcome), (Kind::UntrustedUrl, Outcome::Accepted));
        assert_eq!(left, task("t", ""));
        assert!(!failure.message.contains(poll_url));
        assert!(Wait::new::<Json>(left, &options, Origin::Elsewhere, 0.0, 0.5).is_ok());
    }
}

#[test]
fn rule_4_a_task_that_is_asked_for_once_never_outlasts_one_poll() {
    let mut subject = Subject::bare(&[("maxWait", json!(0)), ("maxPolls", json!(1))]);
    subject.wait.once(0.0);
    assert_eq!(subject.poll(), ("/v1/tasks/ldtask_1".into(), 60_000.0));
    // A bare id that is not there is looked for on the other path, even so.
    assert_eq!(subject.answer(&missing()), PollResult::Again);
    assert_eq!(subject.poll(), ("/v1/images/generations/ldtask_1".into(), 60_000.0));
    assert!(matches!(subject.answer(&running()), PollResult::Answered(_)));

    // Whatever the server asks for, a refusal is told as itself.
    for (answer, kind) in [
        (missing(), Kind::TaskNotFound),
        (bodiless(404), Kind::NotFound),
        (bodiless(429), Kind::RateLimit),
        (bodiless(502), Kind::Server),
        (bodiless(200), Kind::Response),
    ] {
        for origin in [Origin::Elsewhere, Origin::Generated(0.0)] {
            let mut subject = Subject::new(task("ldtask_1", ""), origin, &[]);
            subject.wait.once(0.0);
            subject.poll();
            let PollResult::Fail(failure) = subject.answer(&asking(answer.clone(), 3_600.0)) else {
                panic!("{answer:?} goes on")
            };
            assert_eq!((failure.kind, failure.outcome), (kind, Outcome::Accepted));
            assert_eq!(failure.retry_after.0, HOUR);
        }
    }
    let mut subject = Subject::bare(&[]);
    subject.wait.once(0.0);
    subject.poll();
    assert!(matches!(subject.wait.lost(TransportError::Timeout, 0.0, 0.5), PollResult::Fail(_)));
}

#[test]
fn a_countdown_knows_when_the_next_poll_is_due() {
    let mut subject = Subject::bare(&[("maxPolls", json!(2))]);
    subject.poll();
    subject.answer(&running());
    assert_eq!(subject.wait.due(), Some(4_500.0));
    subject.sleep();
    subject.poll();
    subject.answer(&running());
    assert_eq!(subject.wait.due(), None);
}

#[test]
fn a_message_never_asks_to_wait_0_s() {
    for (seconds, expected) in [(0.4, "1 s"), (1.0, "1 s"), (7.2, "8 s")] {
        let mut subject = Subject::bare(&[("maxPolls", json!(1))]);
        subject.poll();
        subject.answer(&asking(running(), seconds));
        let WaitAction::Fail(failure) = subject.next() else { panic!("no failure") };
        let expected = format!("; the server asks to wait {expected}. The task goes on");
        assert!(failure.message.contains(&expected), "{}", failure.message);
    }
}

#[test]
fn no_time_at_all_still_allows_one_poll() {
    let mut subject = Subject::bare(&[("maxWait", json!(0))]);
    assert_eq!(subject.poll().1, 5_000.0);
    subject.answer(&running());
    assert_eq!(subject.failure(), (Kind::WaitTimeout, 0.0));
}

#[test]
fn the_last_poll_comes_at_the_deadline() {
    let mut subject = Subject::bare(&[("maxWait", json!(10_000))]);
    for (gap, timeout) in [(0.0, 10_000.0), (4_500.0, 5_500.0), (4_500.0, 5_000.0), (1_000.0, 5_000.0)] {
        if gap > 0.0 {
            assert_eq!(subject.sleep(), gap);
        }
        assert_eq!(subject.poll().1, timeout);
        subject.answer(&running());
    }
    assert_eq!(subject.failure(), (Kind::WaitTimeout, 0.0));
}

#[test]
fn a_poll_of_another_wait_counts_as_one_of_this() {
    let mut subject = Subject::bare(&[("maxWait", json!(10_000)), ("maxPolls", json!(5))]);
    subject.poll();
    subject.answer(&running());
    // In a sleep that the deadline cuts, it is not the last one.
    subject.now = 7_000.0;
    subject.poll();
    subject.answer(&running());
    assert_eq!(subject.next(), WaitAction::Sleep(10_000.0));
    subject.now = 8_000.0;
    subject.wait.join();
    assert!(matches!(subject.answer(&running()), PollResult::Answered(_)));
    assert_eq!(subject.sleep(), 2_000.0);
    subject.poll();
    subject.answer(&running());
    assert_eq!(subject.failure().0, Kind::WaitTimeout);

    let mut subject = Subject::bare(&[("maxPolls", json!(2))]);
    subject.poll();
    subject.answer(&running());
    subject.wait.join();
    subject.answer(&running());
    assert_eq!(subject.failure().0, Kind::PollBudget);
}

#[test]
fn rule_2_a_deadline_slept_through_allows_one_last_poll() {
    // In a sleep.
    let mut subject = Subject::bare(&[]);
    subject.poll();
    subject.answer(&running());
    subject.now += HOUR;
    assert_eq!(subject.poll().1, 5_000.0);
    subject.answer(&running());
    assert_eq!(subject.failure().0, Kind::WaitTimeout);

    // In a poll.
    let mut subject = Subject::bare(&[]);
    subject.poll();
    subject.now += HOUR;
    subject.lose();
    assert_eq!(subject.poll().1, 5_000.0);
    subject.now += 100.0;
    subject.lose();
    assert_eq!(subject.failure().0, Kind::WaitTimeout);
}

#[test]
fn rule_6_a_hint_beyond_the_deadline_fails_at_once() {
    for (answer, asked) in [
        (asking(bodiless(429), 400.0), 400_000.0),
        (asking(running(), 400.0), 400_000.0),
        (reply(503, json!({"error": {"retryable": true, "retry_after": 301}})), 301_000.0),
        (asking(bodiless(429), 1e9), 1e12),
    ] {
        let mut subject = Subject::bare(&[]);
        subject.poll();
        subject.answer(&answer);
        assert_eq!(subject.failure(), (Kind::WaitTimeout, asked));
    }
    // Up to the deadline it is waited for.
    let mut subject = Subject::bare(&[]);
    subject.poll();
    subject.answer(&asking(bodiless(429), 300.0));
    assert_eq!(subject.sleep(), 300_000.0);
    subject.poll();
}

#[test]
fn rule_6_retryable_false_ends_the_wait() {
    for status in [408, 429, 500, 503] {
        let mut subject = Subject::bare(&[]);
        subject.poll();
        let verdict = subject.answer(&reply(status, json!({"error": {"retryable": false}})));
        assert!(
            matches!(verdict, PollResult::Fail(failure) if failure.outcome == Outcome::Accepted),
            "{status}"
        );
    }
}

#[test]
fn rule_2_a_poll_that_never_reached_the_service_is_waited_out() {
    for status in [421, 425, 499] {
        for answer in [bodiless(status), reply(status, json!({"error": {"message": "Early data"}}))] {
            let mut subject = Subject::bare(&[]);
            subject.poll();
            assert!(matches!(subject.answer(&answer), PollResult::Lost(_)), "{status}");
        }
        // A server that says so knows better.
        let last = reply(status, json!({"error": {"message": "Gone", "retryable": false}}));
        let mut subject = Subject::bare(&[]);
        subject.poll();
        assert!(matches!(subject.answer(&last), PollResult::Fail(_)), "{status}");
    }
    // What refuses the poll itself ends the wait.
    for status in [400, 403, 409, 410, 418, 423, 451] {
        let mut subject = Subject::bare(&[]);
        subject.poll();
        assert!(matches!(subject.answer(&bodiless(status)), PollResult::Fail(_)), "{status}");
    }
}

#[test]
fn rule_2_a_success_that_says_nothing_of_the_task_is_waited_out() {
    for body in [
        json!({}),
        json!(null),
        json!([]),
        json!("ok"),
        json!({"error": {"message": "Overloaded"}}),
        json!({"error": {"retryable": true}}),
        json!({"error": "Internal Server Error", "status": 500}),
        json!({"data": [], "message": "Maintenance"}),
    ] {
        let mut subject = Subject::bare(&[]);
        for _ in 0..3 {
            subject.poll();
            let PollResult::Lost(failure) = subject.answer(&reply(200, body.clone())) else {
                panic!("{body}")
            };
            assert_eq!((failure.kind, failure.outcome), (Kind::Response, Outcome::Accepted), "{body}");
            subject.sleep();
        }
        subject.poll();
        assert!(matches!(subject.answer(&running()), PollResult::Answered(_)));
    }
    // With the hint of its error.
    let mut subject = Subject::bare(&[]);
    subject.poll();
    subject.answer(&reply(200, json!({"error": {"retry_after": 20}})));
    assert_eq!(subject.sleep(), 21_500.0);
    // Unless asking again cannot help.
    subject.poll();
    let verdict = subject.answer(&reply(200, json!({"error": {"message": "Gone", "retryable": false}})));
    assert!(matches!(verdict, PollResult::Fail(failure) if failure.outcome == Outcome::Accepted));
}

#[test]
fn a_redirect_of_a_poll_ends_the_wait() {
    let mut subject = Subject::bare(&[]);
    subject.poll();
    let moved = Answer { location: Json::Plain("https://api.tokenlab.sh".into()), ..bodiless(301) };
    let PollResult::Fail(failure) = subject.answer(&moved) else { panic!("it goes on") };
    assert_eq!((failure.kind, failure.outcome), (Kind::Response, Outcome::Accepted));
    assert!(failure.message.contains("https://api.tokenlab.sh"), "{}", failure.message);
}

#[test]
fn a_task_that_is_done_without_a_result_has_failed() {
    for status in ["completed", "SUCCEEDED"] {
        let mut subject = Subject::bare(&[]);
        subject.poll();
        let body = json!({"status": status, "data": [], "error": {"message": "Filtered"}});
        let PollResult::Fail(failure) = subject.answer(&reply(200, body)) else { panic!("{status} goes on") };
        assert_eq!((failure.kind, failure.outcome), (Kind::TaskFailed, Outcome::Failed));
    }
}

#[test]
fn a_used_up_budget_fails_without_a_sleep() {
    let mut subject = Subject::bare(&[("maxPolls", json!(2))]);
    subject.poll();
    subject.lose();
    subject.sleep();
    subject.poll();
    subject.answer(&asking(running(), 7.0));
    assert_eq!(subject.failure(), (Kind::PollBudget, 7_000.0));
}

/// A wait that has lost so many polls that the back-off is longer than the cadence, in its sleep since then.
fn backing_off() -> Subject {
    let mut subject = Subject::bare(&[]);
    for _ in 0..6 {
        subject.poll();
        subject.lose();
        subject.sleep();
    }
    subject.poll();
    subject
}

#[test]
fn an_answer_ends_the_back_off() {
    let mut subject = backing_off();
    subject.answer(&running());
    for _ in 0..2 {
        assert_eq!(subject.sleep(), 3_800.0);
        subject.poll();
        subject.lose();
    }
}

#[test]
fn a_wake_up_shortens_a_back_off_to_the_cadence() {
    let mut subject = backing_off();
    subject.lose();
    subject.now += 1_000.0;
    subject.wait.wake(subject.now);
    assert_eq!(subject.sleep(), 2_000.0);
    subject.poll();
}

#[test]
fn a_wake_up_after_the_cadence_polls_at_once() {
    let mut subject = backing_off();
    subject.lose();
    subject.now += 8_000.0;
    subject.wait.wake(subject.now);
    subject.poll();
}

#[test]
fn a_wake_up_never_shortens_a_gap_of_the_cadence() {
    let mut subject = Subject::bare(&[]);
    subject.poll();
    subject.answer(&running());
    subject.wait.wake(100.0);
    assert_eq!(subject.sleep(), 4_500.0);
}

#[test]
fn rule_6_a_wake_up_never_outranks_the_server() {
    let mut subject = backing_off();
    subject.answer(&asking(bodiless(429), 20.0));
    subject.now += 1_000.0;
    subject.wait.wake(subject.now);
    assert_eq!(subject.sleep(), 19_000.0);
}

#[test]
fn a_wake_up_never_outranks_the_cadence_where_the_server_asks_for_less() {
    let mut subject = backing_off();
    subject.answer(&asking(bodiless(429), 1.0));
    subject.wait.wake(subject.now);
    assert_eq!(subject.sleep(), 3_000.0);
}

#[test]
fn a_wake_up_takes_the_word_last_back() {
    // The back-off would end at the deadline; the poll after the wake-up comes long before it.
    let mut subject = Subject::bare(&[("maxWait", json!(70_000))]);
    while subject.now < 55_000.0 {
        subject.poll();
        subject.lose();
        subject.sleep();
    }
    subject.now = 60_000.0;
    subject.lose();
    subject.wait.wake(63_500.0);
    subject.now = 63_500.0;
    subject.poll();
    subject.answer(&running());
    assert_eq!(subject.sleep(), 3_800.0);
}

#[test]
fn gaps_are_long_while_few_tasks_are_done_and_shorter_afterwards() {
    let gaps = |random: f64| {
        let mut subject = Subject::bare(&[]);
        let mut gaps = Vec::new();
        for _ in 0..8 {
            subject.poll();
            subject.wait.answer(&subject.options.base, &running(), subject.now, random);
            gaps.push(subject.sleep());
        }
        gaps
    };
    assert_eq!(gaps(0.0), [4_000.0, 4_000.0, 4_000.0, 4_000.0, 4_000.0, 4_000.0, 3_000.0, 3_000.0]);
    assert_eq!(gaps(1.0), [5_000.0, 5_000.0, 5_000.0, 5_000.0, 5_000.0, 5_000.0, 4_600.0, 4_600.0]);
    // The first gap behind our own create uses the whole interval: many may be created at once.
    let own = |random| {
        let options = with_key(&[]).unwrap();
        let mut wait =
            Wait::new::<Json>(task("img_1", ""), &options, Origin::Created(Ms::ZERO), 0.0, random).unwrap();
        wait.next(0.0)
    };
    assert_eq!((own(0.0), own(1.0)), (WaitAction::Sleep(3_000.0), WaitAction::Sleep(5_000.0)));
}

#[test]
fn a_message_tells_neither_the_query_nor_the_key() {
    let mut subject = Subject::new(task("t", "/v1/tasks/t?token=secret"), Origin::Elsewhere, &[]);
    assert_eq!(subject.poll().0, "/v1/tasks/t?token=secret");
    for answer in [bodiless(400), bodiless(429), bodiless(302), bodiless(200), reply(200, json!({}))] {
        let (PollResult::Fail(failure) | PollResult::Lost(failure)) = subject.answer(&answer) else {
            panic!()
        };
        assert!(failure.message.starts_with("GET /v1/tasks/t "), "{}", failure.message);
        assert!(!failure.message.contains("secret") && !failure.message.contains("sk-test"));
    }
}

/// A wait as a store of JSON text gives it back.
fn stored(wait: &Wait) -> Wait {
    let text = serde_json::to_string(wait).unwrap();
    // JavaScript writes whole numbers without a fraction.
    let text = text.replace(".0,", ",").replace(".0}", "}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn a_wait_is_plain_json() {
    let mut subject =
        Subject::new(task("t", "/v1/tasks/t"), Origin::Created(Ms::ZERO), &[("maxPolls", json!(3))]);
    assert_eq!(stored(&subject.wait), subject.wait);
    subject.sleep();
    subject.poll();
    subject.answer(&asking(bodiless(429), 8.0));
    assert_eq!(stored(&subject.wait), subject.wait);
}

#[test]
fn a_wait_without_limits_is_plain_json_too() {
    let endless = Json::Number(f64::INFINITY);
    let options = with_key(&[("maxWait", endless.clone()), ("requestTimeout", endless)]).unwrap();
    let wait = Wait::new::<Json>(task("t", ""), &options, Origin::Elsewhere, 0.0, 0.5).unwrap();
    assert_eq!(stored(&wait), wait);
}

#[test]
fn a_wait_that_was_asked_to_wait_for_ever_is_plain_json_too() {
    // `Number("Infinity")` and the JSON number 1e999 are both infinite.
    let mut subject = Subject::bare(&[]);
    subject.poll();
    subject.answer(&asking(bodiless(429), f64::INFINITY));
    assert_eq!(stored(&subject.wait), subject.wait);
    assert_eq!(subject.failure().0, Kind::WaitTimeout);
}
