//! Tests of [`super`]: by example, and whatever comes in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::service::job::{JobKey, ReplyTo};
use crate::service::mqtt::{RequestRules, parse};

fn job(id: &str, payload_bytes: usize) -> Job {
    Job {
        key: JobKey(0),
        id: id.to_owned(),
        is_named: true,
        reply: ReplyTo {
            topic: None,
            correlation: None,
            user_properties: Vec::new(),
        },
        publisher: None,
        request: parse(b"q", &RequestRules::default()).unwrap(),
        payload_hash: 0,
        payload: bytes::Bytes::new(),
        payload_bytes,
        arrived: Instant::now(),
        deliveries: Vec::new(),
        mark: crate::service::store::DeliveryMark::default(),
    }
}

impl Queue {
    /// Takes `job` in where there is room; it comes back where there is none.
    fn admit(&mut self, job: Job) -> Result<(), (Box<Job>, QueueFull)> {
        match self.check(&job) {
            Ok(()) => {
                self.push(job);
                Ok(())
            }
            Err(full) => Err((Box::new(job), full)),
        }
    }
}

/// The priority of the most urgent job that may run.
fn highest(queue: &Queue, may_run: impl Fn(&Job) -> bool) -> Option<Priority> {
    let jobs = queue.rings().into_iter().flat_map(Ring::jobs);
    let ready = jobs.filter(|job| may_run(job));
    ready.map(|job| job.request.priority).max()
}

fn of(client: &str, id: &str, priority: Priority) -> Job {
    let mut job = job(id, 1);
    job.request.client = Some(client.to_owned());
    job.request.priority = priority;
    job
}

fn queue(jobs_max: usize) -> Queue {
    Queue::new(QueueLimits {
        jobs_max,
        bytes_max: 100,
    })
}

fn ids(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.id.as_str()).collect()
}

fn drained(queue: &mut Queue) -> Vec<String> {
    std::iter::from_fn(|| queue.next(|_| true))
        .map(|job| job.id)
        .collect()
}

#[test]
fn gives_back_in_the_order_of_arrival() {
    let mut queue = queue(3);
    for id in ["a", "b"] {
        queue.admit(job(id, 1)).unwrap();
    }
    assert_eq!(drained(&mut queue), ["a", "b"]);
}

#[test]
fn an_alarm_passes_a_report_and_clients_take_turns() {
    let mut queue = queue(16);
    for (client, id, priority) in [
        ("x", "x1", Priority::Low),
        ("x", "x2", Priority::Normal),
        ("x", "x3", Priority::Normal),
        ("x", "x4", Priority::Normal),
        ("y", "y1", Priority::Normal),
        ("z", "z1", Priority::High),
    ] {
        queue.admit(of(client, id, priority)).unwrap();
    }
    let order = ["z1", "x2", "y1", "x3", "x4", "x1"];
    for (position, id) in order.into_iter().enumerate() {
        assert_eq!(queue.position(id), Some(position), "{id}");
    }
    assert_eq!(queue.position("?"), None);
    assert_eq!(highest(&queue, |_| true), Some(Priority::High));
    assert_eq!(drained(&mut queue), order);
}

#[test]
fn a_client_without_a_name_is_known_by_where_its_answers_go() {
    let mut queue = queue(16);
    for (topic, id) in [("t/1", "a1"), ("t/1", "a2"), ("t/2", "b1")] {
        let mut job = job(id, 1);
        job.reply.topic = Some(topic.to_owned());
        queue.admit(job).unwrap();
    }
    assert_eq!(drained(&mut queue), ["a1", "b1", "a2"]);
}

#[test]
fn a_turn_waits_for_the_one_before_it_and_lets_others_pass() {
    let mut queue = queue(16);
    for (id, session) in [("a", Some("s")), ("b", None), ("c", Some("s"))] {
        let mut job = job(id, 1);
        job.request.session = session.map(str::to_owned);
        queue.admit(job).unwrap();
    }
    let runs = |job: &Job| job.request.session.is_none();
    assert_eq!(queue.next(runs).unwrap().id, "b");
    assert!(queue.next(runs).is_none());
    assert_eq!(highest(&queue, runs), None);
    assert_eq!(drained(&mut queue), ["a", "c"]);
}

#[test]
fn refuses_over_either_limit_and_says_both() {
    let mut queue = queue(4);
    queue.admit(job("a", 60)).unwrap();
    let (refused, full) = queue.admit(job("b", 31)).unwrap_err();
    assert_eq!(refused.id, "b");
    assert_eq!(
        full.to_string(),
        "1 prompts of 60 bytes wait, the limits are 3 and 90; the rest is kept for high priority"
    );
    queue.admit(job("b", 1)).unwrap();
    queue.admit(job("c", 1)).unwrap();
    assert!(queue.admit(job("d", 1)).is_err());
    queue.next(|_| true).unwrap();
    assert!(queue.admit(job("d", 88)).is_ok(), "room is given back");
}

#[test]
fn room_is_kept_for_high_priority() {
    let mut queue = queue(3);
    for id in ["a", "b"] {
        queue.admit(job(id, 45)).unwrap();
    }
    assert!(queue.admit(job("c", 1)).is_err());
    queue.admit(of("x", "alarm", Priority::High)).unwrap();
    let (_, full) = queue.admit(of("x", "alarm2", Priority::High)).unwrap_err();
    assert_eq!(
        full.to_string(),
        "3 prompts of 91 bytes wait, the limits are 3 and 100"
    );
}

#[test]
fn a_queue_of_one_takes_one_however_long() {
    let mut queue = queue(1);
    assert!(queue.admit(job("a", 101)).is_err());
    queue.admit(job("a", 100)).unwrap();
    assert!(queue.admit(of("x", "alarm", Priority::High)).is_err());
}

#[test]
fn takes_out_the_cancelled_and_the_late() {
    let mut queue = queue(4);
    let mut late = job("late", 1);
    late.request.deadline = Some(Duration::from_secs(1));
    for job in [job("a", 1), late, job("b", 1)] {
        queue.admit(job).unwrap();
    }
    assert!(queue.take_expired(Instant::now()).is_empty());
    assert_eq!(
        ids(&queue.take_expired(Instant::now() + Duration::from_secs(2))),
        ["late"]
    );
    assert_eq!(ids(&queue.take_called("b")), ["b"]);
    assert_eq!(ids(&queue.take_all()), ["a"]);
    assert_eq!((queue.len(), queue.bytes()), (0, 0));
}

#[test]
fn the_wait_grows_with_those_before_and_shrinks_with_the_lanes() {
    let seconds = |before, lanes| wait_estimate(before, lanes, Duration::from_secs(10)).as_secs();
    assert_eq!((seconds(0, 1), seconds(3, 1), seconds(3, 4)), (5, 35, 5));
    assert_eq!(seconds(4, 0), 45);
    assert!(wait_estimate(usize::MAX, 1, Duration::MAX) == Duration::MAX);
}

/// What is done to a queue.
#[derive(Debug, Clone)]
enum Act {
    /// Client, priority, bytes, whether it is of a session.
    Admit(u8, u8, usize, bool),
    /// Whether jobs of sessions may run.
    Next(bool),
    Cancel(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_u8..4, 0_u8..3, 0_usize..30, any::<bool>())
            .prop_map(|(client, priority, bytes, session)| Act::Admit(client, priority, bytes, session)),
        2 => any::<bool>().prop_map(Act::Next),
        1 => (0_usize..40).prop_map(Act::Cancel),
    ]
}

proptest! {
    #[test]
    fn keeps_order_and_limits_and_loses_nothing(acts in proptest::collection::vec(act(), 0..80)) {
        let limits = QueueLimits { jobs_max: 12, bytes_max: 200 };
        let mut queue = Queue::new(limits);
        let mut waiting = BTreeSet::new();
        let mut last: BTreeMap<(Option<String>, Priority, bool), u64> = BTreeMap::new();
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                Act::Admit(client, priority, bytes, is_session) => {
                    let priority = [Priority::Low, Priority::Normal, Priority::High][usize::from(priority)];
                    let mut job = of(&client.to_string(), &number.to_string(), priority);
                    job.key = JobKey(number as u64);
                    job.payload_bytes = bytes;
                    job.request.session = is_session.then(|| "s".to_owned());
                    if queue.admit(job).is_ok() {
                        waiting.insert(number as u64);
                    }
                }
                Act::Next(sessions_run) => {
                    let highest = highest(&queue, |job| sessions_run || job.request.session.is_none());
                    let job = queue.next(|job| sessions_run || job.request.session.is_none());
                    prop_assert_eq!(job.as_ref().map(|job| job.request.priority), highest);
                    if sessions_run {
                        prop_assert_eq!(job.is_some(), !waiting.is_empty());
                    }
                    let Some(job) = job else { continue };
                    prop_assert!(waiting.remove(&job.key.0));
                    let name = (job.request.client, job.request.priority, job.request.session.is_some());
                    let before = last.insert(name, job.key.0);
                    prop_assert!(before < Some(job.key.0), "one passed another of its client");
                }
                Act::Cancel(number) => {
                    let taken = queue.take_called(&number.to_string());
                    prop_assert_eq!(taken.len(), usize::from(waiting.remove(&(number as u64))));
                }
            }
            prop_assert_eq!(queue.len(), waiting.len());
            prop_assert!(queue.len() <= limits.jobs_max && queue.bytes() <= limits.bytes_max);
        }
        let rest: BTreeSet<u64> = queue.take_all().iter().map(|job| job.key.0).collect();
        prop_assert_eq!(rest, waiting);
        prop_assert_eq!((queue.len(), queue.bytes()), (0, 0));
    }

    #[test]
    fn a_position_is_the_number_of_turns_to_wait(clients in proptest::collection::vec((0_u8..4, 0_u8..3), 0..12)) {
        let mut queue = Queue::new(QueueLimits { jobs_max: 16, bytes_max: 1000 });
        for (number, (client, priority)) in clients.iter().enumerate() {
            let priority = [Priority::Low, Priority::Normal, Priority::High][usize::from(*priority)];
            queue.admit(of(&client.to_string(), &number.to_string(), priority)).unwrap();
        }
        let positions: Vec<_> = (0..clients.len()).map(|number| queue.position(&number.to_string())).collect();
        let order = drained(&mut queue);
        for (number, position) in positions.into_iter().enumerate() {
            prop_assert_eq!(position, order.iter().position(|id| *id == number.to_string()));
        }
    }
}
