//! The one OS thread that owns the model: orders in, events out, both through bounded channels.
//!
//! A panic costs the order it happened in: its asker gets an `internal` error, the model is built anew, and the thread
//! goes on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::mpsc;

use super::answerer::{AnswerError, Answerer, Rebuild};
use super::error::ServiceError;
use super::job::JobKey;
use super::mqtt::ChunkKind;
use crate::engine::{Completion, Control, Event, GenerationRequest, Interrupt};

/// Events that may wait for the loop before the worker does.
const EVENTS_MAX: usize = 256;

/// One request for the worker.
#[derive(Debug)]
pub(super) struct WorkOrder {
    /// The job it is of.
    pub(super) key: JobKey,
    /// What is asked.
    pub(super) generation: GenerationRequest,
    /// Whether pieces are wanted.
    pub(super) wants_pieces: bool,
    /// How it is ended from outside.
    pub(super) control: Arc<JobControl>,
}

/// What the worker tells.
#[derive(Debug)]
pub(super) enum WorkerEvent {
    /// A piece of the answer.
    Piece(JobKey, ChunkKind, String),
    /// The end of an order.
    Finished(JobKey, Result<Completion, AnswerError>),
    /// There is no model any more, and no thread.
    Lost(String),
}

/// How a running job is ended from outside, and how it shows that it lives.
#[derive(Debug)]
pub(super) struct JobControl {
    is_cancelled: AtomicBool,
    deadline: Option<Instant>,
    pulse: Arc<Pulse>,
}

impl JobControl {
    /// Ends the job soon.
    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}

impl Control for JobControl {
    fn interrupt(&self) -> Option<Interrupt> {
        if self.is_cancelled.load(Ordering::Relaxed) {
            return Some(Interrupt::Cancelled);
        }
        let is_late = self
            .deadline
            .is_some_and(|deadline| deadline <= Instant::now());
        is_late.then_some(Interrupt::Deadline)
    }

    fn progress(&self) {
        self.pulse.beat();
    }
}

/// Signs of life of the worker, for the watchdog.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    beats: AtomicU64,
    is_busy: AtomicBool,
}

impl Pulse {
    fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Number of signs so far, and whether more are to be expected.
    #[must_use]
    pub(super) fn read(&self) -> (u64, bool) {
        (
            self.beats.load(Ordering::Relaxed),
            self.is_busy.load(Ordering::Relaxed),
        )
    }
}

/// The handle of the thread.
#[derive(Debug)]
pub(super) struct Worker {
    orders: SyncSender<WorkOrder>,
    pulse: Arc<Pulse>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread with the model it shall own.
    ///
    /// # Errors
    /// If the system has no thread to give.
    pub(super) fn start(
        answerer: Box<dyn Answerer>,
        rebuild: Rebuild,
    ) -> Result<(Self, mpsc::Receiver<WorkerEvent>), ServiceError> {
        let (orders, orders_in) = sync_channel(1);
        let (events, events_in) = mpsc::channel(EVENTS_MAX);
        let pulse = Arc::new(Pulse::default());
        let mut thread = Thread {
            answerer,
            rebuild,
            events,
            pulse: Arc::clone(&pulse),
        };
        let thread = std::thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || thread.run(&orders_in))
            .map_err(|source| ServiceError::Start {
                what: "the worker thread",
                source,
            })?;
        Ok((
            Self {
                orders,
                pulse,
                thread,
            },
            events_in,
        ))
    }

    /// Makes the control of a job that is about to be ordered.
    #[must_use]
    pub(super) fn control(&self, deadline: Option<Instant>) -> Arc<JobControl> {
        let (is_cancelled, pulse) = (AtomicBool::new(false), Arc::clone(&self.pulse));
        Arc::new(JobControl {
            is_cancelled,
            deadline,
            pulse,
        })
    }

    /// Orders an answer; one order at a time.
    ///
    /// # Errors
    /// If the thread is gone.
    pub(super) fn order(&self, order: WorkOrder) -> Result<(), ServiceError> {
        self.orders.try_send(order).map_err(|error| match error {
            TrySendError::Disconnected(_) => ServiceError::WorkerGone,
            TrySendError::Full(_) => unreachable!("one order at a time is given"),
        })
    }

    /// Its signs of life.
    #[must_use]
    pub(super) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Lets the thread end when it has nothing to do; gives its handle to wait for.
    pub(super) fn dismiss(self) -> JoinHandle<()> {
        self.thread
    }
}

/// What lives on the thread.
struct Thread {
    answerer: Box<dyn Answerer>,
    rebuild: Rebuild,
    events: mpsc::Sender<WorkerEvent>,
    pulse: Arc<Pulse>,
}

impl Thread {
    fn run(&mut self, orders: &Receiver<WorkOrder>) {
        while let Ok(order) = orders.recv() {
            self.pulse.is_busy.store(true, Ordering::Relaxed);
            let goes_on = self.serve(&order);
            self.pulse.is_busy.store(false, Ordering::Relaxed);
            if !goes_on {
                return;
            }
        }
    }

    /// Serves one order; false where the thread is to end.
    fn serve(&mut self, order: &WorkOrder) -> bool {
        let events = self.events.clone();
        let mut sink = |event: Event<'_>| {
            let (kind, text) = match event {
                Event::Thought(text) => (ChunkKind::Thought, text),
                Event::Answer(text) => (ChunkKind::Answer, text),
            };
            if order.wants_pieces {
                // Where nobody listens any more, the job is being cancelled.
                events
                    .blocking_send(WorkerEvent::Piece(order.key, kind, text.to_owned()))
                    .ok();
            }
        };
        let answerer = &mut self.answerer;
        let control: &JobControl = &order.control;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            answerer.answer(&order.generation, control, &mut sink)
        }));
        match outcome {
            Ok(result) => self.tell(WorkerEvent::Finished(order.key, result)),
            Err(panic) => {
                let reason = panic_text(panic.as_ref());
                tracing::error!(
                    job = order.key.0,
                    reason,
                    "The model panicked; it is built anew."
                );
                let detail = "the model failed on this prompt and is being restarted".to_owned();
                let failed = WorkerEvent::Finished(order.key, Err(AnswerError::Failed(detail)));
                self.tell(failed) && self.renew()
            }
        }
    }

    /// Replaces the model, which may be half-way through anything.
    fn renew(&mut self) -> bool {
        let rebuild = &mut self.rebuild;
        let renewed = catch_unwind(AssertUnwindSafe(rebuild))
            .unwrap_or_else(|panic| Err(panic_text(panic.as_ref()).to_owned()));
        match renewed {
            Ok(answerer) => {
                let old = std::mem::replace(&mut self.answerer, answerer);
                if catch_unwind(AssertUnwindSafe(|| drop(old))).is_err() {
                    tracing::warn!("The old model panicked again while it was dropped.");
                }
                tracing::info!("The model is there again.");
                true
            }
            Err(reason) => {
                self.tell(WorkerEvent::Lost(reason));
                false
            }
        }
    }

    /// False where nobody listens any more.
    fn tell(&self, event: WorkerEvent) -> bool {
        self.events.blocking_send(event).is_ok()
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Budget, FinishReason, ResponseFormat, SamplingOptions, Timing, Usage};

    /// Says `ok` unless its build number says that it panics.
    struct Scripted {
        panics: bool,
    }

    impl Answerer for Scripted {
        fn answer(
            &mut self,
            _: &GenerationRequest,
            control: &dyn Control,
            sink: &mut dyn FnMut(Event<'_>),
        ) -> Result<Completion, AnswerError> {
            assert!(!self.panics, "as scripted");
            sink(Event::Answer("ok"));
            control.progress();
            Ok(Completion {
                thought: String::new(),
                answer: "ok".to_owned(),
                finish_reason: control.interrupt().map_or(FinishReason::Stop, Into::into),
                usage: Usage::default(),
                timing: Timing::default(),
            })
        }
    }

    fn start(
        panics: bool,
        rebuild: impl FnMut() -> Result<Box<dyn Answerer>, String> + Send + 'static,
    ) -> (Worker, mpsc::Receiver<WorkerEvent>) {
        Worker::start(Box::new(Scripted { panics }), Box::new(rebuild)).unwrap()
    }

    fn order(worker: &Worker, key: u64, cancelled: bool) {
        let control = worker.control(None);
        if cancelled {
            control.cancel();
        }
        let generation = GenerationRequest {
            messages: Vec::new(),
            sampling: SamplingOptions::default(),
            budget: Budget::default(),
            stop: Vec::new(),
            format: ResponseFormat::default(),
        };
        worker
            .order(WorkOrder {
                key: JobKey(key),
                generation,
                wants_pieces: true,
                control,
            })
            .unwrap();
    }

    fn finished(events: &mut mpsc::Receiver<WorkerEvent>) -> Result<Completion, AnswerError> {
        loop {
            match events.blocking_recv().unwrap() {
                WorkerEvent::Finished(_, result) => return result,
                WorkerEvent::Piece(..) => {}
                WorkerEvent::Lost(reason) => panic!("{reason}"),
            }
        }
    }

    #[test]
    fn answers_shows_life_and_heeds_a_cancel() {
        let (worker, mut events) = start(false, || Err(String::new()));
        order(&worker, 1, false);
        assert_eq!(
            finished(&mut events).unwrap().finish_reason,
            FinishReason::Stop
        );
        order(&worker, 2, true);
        assert_eq!(
            finished(&mut events).unwrap().finish_reason,
            FinishReason::Cancelled
        );
        assert_eq!(worker.pulse().read().0, 2);
        worker.dismiss().join().unwrap();
    }

    #[test]
    fn a_panic_costs_one_answer() {
        let (worker, mut events) = start(true, || Ok(Box::new(Scripted { panics: false })));
        order(&worker, 1, false);
        assert!(matches!(finished(&mut events), Err(AnswerError::Failed(_))));
        order(&worker, 2, false);
        assert_eq!(finished(&mut events).unwrap().answer, "ok");
    }

    #[test]
    fn says_when_there_is_no_model_any_more() {
        let (worker, mut events) = start(true, || Err("the file is gone".to_owned()));
        order(&worker, 1, false);
        assert!(matches!(finished(&mut events), Err(AnswerError::Failed(_))));
        let lost = events.blocking_recv();
        assert!(matches!(lost, Some(WorkerEvent::Lost(reason)) if reason == "the file is gone"));
    }
}
