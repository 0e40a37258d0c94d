//! The one OS thread that owns the model: orders in, events out.
//!
//! It takes orders between steps, runs as many as the model has streams, and puts the least urgent aside where a more
//! urgent one comes (`roster` says which). A panic costs the order it happened in: its asker gets an `internal` error,
//! the model is built anew, and everything else goes on.

mod roster;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::mpsc;

use super::answerer::{AnswerError, AnswerEvent, Answerer, Rebuild};
use super::error::ServiceError;
use super::job::JobKey;
use super::mqtt::ChunkKind;
use super::priority::Priority;
use crate::engine::{Completion, Control, GenerationRequest, Interrupt, TurnId};
use roster::{Move, Roster};

/// Events that may wait for the loop before the worker does.
const EVENTS_MAX: usize = 256;

/// Orders that may wait for the end of a step: far more than run at once.
const ORDERS_MAX: usize = 256;

/// One request for the worker.
#[derive(Debug)]
pub(super) struct WorkOrder {
    /// The job it is of.
    pub(super) key: JobKey,
    /// How urgent it is.
    pub(super) priority: Priority,
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
    /// An order that was under way is put aside for a more urgent one.
    Paused(JobKey),
    /// It goes on.
    Resumed(JobKey),
    /// The end of an order.
    Finished(JobKey, Result<Completion, AnswerError>),
    /// There is no model any more, and no thread.
    Lost(String),
}

/// How a job is ended from outside.
#[derive(Debug)]
pub(super) struct JobControl {
    is_cancelled: AtomicBool,
    deadline: Option<Instant>,
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
    streams: usize,
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
        let (orders, orders_in) = sync_channel(ORDERS_MAX);
        let (events, events_in) = mpsc::channel(EVENTS_MAX);
        let pulse = Arc::new(Pulse::default());
        let streams = answerer.streams().max(1);
        let mut thread = Thread {
            answerer,
            rebuild,
            roster: Roster::default(),
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
                streams,
                pulse,
                thread,
            },
            events_in,
        ))
    }

    /// Orders that run at once; more wait, and a more urgent one takes the place of a less urgent one.
    #[must_use]
    pub(super) fn streams(&self) -> usize {
        self.streams
    }

    /// Makes the control of a job that is about to be ordered.
    #[must_use]
    pub(super) fn control(&self, deadline: Option<Instant>) -> Arc<JobControl> {
        Arc::new(JobControl {
            is_cancelled: AtomicBool::new(false),
            deadline,
        })
    }

    /// Orders an answer; at any time.
    ///
    /// # Errors
    /// If the thread is gone, or has not taken the last `ORDERS_MAX`.
    pub(super) fn order(&self, order: WorkOrder) -> Result<(), ServiceError> {
        // From now on it has to show life, whether or not it gets so far as to take the order.
        self.pulse.is_busy.store(true, Ordering::Relaxed);
        self.orders
            .try_send(order)
            .map_err(|_| ServiceError::WorkerGone)
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
    roster: Roster,
    events: mpsc::Sender<WorkerEvent>,
    pulse: Arc<Pulse>,
}

/// The thread is to end: nobody listens any more, or there is no model.
struct Over;

impl Thread {
    fn run(&mut self, orders: &Receiver<WorkOrder>) {
        loop {
            if self.roster.is_empty() {
                self.pulse.is_busy.store(false, Ordering::Relaxed);
                let Ok(order) = orders.recv() else { return };
                self.pulse.is_busy.store(true, Ordering::Relaxed);
                self.roster.add(order);
            }
            orders.try_iter().for_each(|order| self.roster.add(order));
            if self.turn().is_err() {
                self.pulse.is_busy.store(false, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Ends what is to be ended, lets those run who should, and makes one step.
    fn turn(&mut self) -> Result<(), Over> {
        self.interrupt()?;
        self.seat()?;
        for change in self.roster.changes() {
            self.tell(change)?;
        }
        match self.guarded(|answerer| answerer.step()) {
            Ok(events) => events.into_iter().try_for_each(|event| self.pass_on(event)),
            Err(reason) => self.panicked(&self.roster.running(), &reason),
        }
    }

    /// Looks at the orders' controls.
    fn interrupt(&mut self) -> Result<(), Over> {
        let mut waiting = Vec::new();
        let mut ending = Vec::new();
        for entry in self.roster.entries() {
            let Some(interrupt) = entry.order.control.interrupt() else {
                continue;
            };
            match entry.turn() {
                None => waiting.push((entry.order.key, interrupt)),
                Some(turn) => ending.push((entry.order.key, turn, interrupt)),
            }
        }
        for (key, interrupt) in waiting {
            if let Some(entry) = self.roster.remove(key) {
                let completion = entry.cut_off(interrupt);
                self.tell(WorkerEvent::Finished(key, Ok(completion)))?;
            }
        }
        for (key, turn, interrupt) in ending {
            if let Err(reason) = self.guarded(|answerer| answerer.end(turn, interrupt)) {
                return self.panicked(&[key], &reason);
            }
        }
        Ok(())
    }

    /// Puts aside who has to make room, and lets those go on or begin who should run.
    fn seat(&mut self) -> Result<(), Over> {
        for next in self.roster.moves(self.answerer.streams()) {
            let (key, outcome) = match next {
                Move::Pause(key, turn) => {
                    let paused = self.guarded(|answerer| answerer.pause(turn));
                    if let (Ok(()), Some(entry)) = (&paused, self.roster.find(key)) {
                        entry.is_put_aside(turn);
                    }
                    (key, paused.map(Ok))
                }
                Move::Resume(key, turn) => {
                    let resumed = self.guarded(|answerer| answerer.resume(turn));
                    (
                        key,
                        resumed.map(|done| self.now_runs(key, done.map(|()| turn))),
                    )
                }
                Move::Begin(key) => {
                    let Some(entry) = self.roster.find(key) else {
                        continue;
                    };
                    let (answerer, generation) = (&mut self.answerer, &entry.order.generation);
                    let begun = guard(|| answerer.begin(generation));
                    self.pulse.beat();
                    (key, begun.map(|begun| self.now_runs(key, begun)))
                }
            };
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.finish(key, Err(error))?,
                // The other moves are of turns that are no more.
                Err(reason) => return self.panicked(&[key], &reason),
            }
        }
        Ok(())
    }

    fn now_runs(
        &mut self,
        key: JobKey,
        turn: Result<TurnId, AnswerError>,
    ) -> Result<(), AnswerError> {
        let turn = turn?;
        if let Some(entry) = self.roster.find(key) {
            entry.runs(turn);
        }
        Ok(())
    }

    fn pass_on(&mut self, event: AnswerEvent) -> Result<(), Over> {
        let (turn, kind, text) = match event {
            AnswerEvent::Thought(turn, text) => (turn, ChunkKind::Thought, text),
            AnswerEvent::Answer(turn, text) => (turn, ChunkKind::Answer, text),
            AnswerEvent::Finished(turn, result) => {
                let key = self.roster.of_turn(turn).map(|entry| entry.order.key);
                return key.map_or(Ok(()), |key| self.finish(key, result));
            }
        };
        let piece = self
            .roster
            .of_turn(turn)
            .and_then(|entry| entry.piece(kind, &text));
        piece.map_or(Ok(()), |piece| self.tell(piece))
    }

    fn finish(&mut self, key: JobKey, result: Result<Completion, AnswerError>) -> Result<(), Over> {
        self.roster.remove(key);
        self.tell(WorkerEvent::Finished(key, result))
    }

    /// One of `suspects` made the model panic: the only one fails, of several it will be found out.
    fn panicked(&mut self, suspects: &[JobKey], reason: &str) -> Result<(), Over> {
        let jobs: Vec<u64> = suspects.iter().map(|key| key.0).collect();
        tracing::error!(?jobs, reason, "The model panicked; it is built anew.");
        if let [guilty] = suspects {
            let detail = "the model failed on this prompt and is being restarted".to_owned();
            self.finish(*guilty, Err(AnswerError::Failed(detail)))?;
        }
        self.roster.restart(suspects);
        self.renew()
    }

    /// Replaces the model, which may be half-way through anything.
    fn renew(&mut self) -> Result<(), Over> {
        let rebuild = &mut self.rebuild;
        match guard(rebuild).and_then(|renewed| renewed) {
            Ok(answerer) => {
                let old = std::mem::replace(&mut self.answerer, answerer);
                if guard(|| drop(old)).is_err() {
                    tracing::warn!("The old model panicked again while it was dropped.");
                }
                tracing::info!("The model is there again.");
                Ok(())
            }
            Err(reason) => {
                self.tell(WorkerEvent::Lost(reason))?;
                Err(Over)
            }
        }
    }

    /// Does `work` with the model and shows that it lives; the reason where it panics.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut dyn Answerer) -> T) -> Result<T, String> {
        let answerer = &mut *self.answerer;
        let done = guard(|| work(answerer));
        self.pulse.beat();
        done
    }

    fn tell(&self, event: WorkerEvent) -> Result<(), Over> {
        self.events.blocking_send(event).map_err(|_| Over)
    }
}

/// What `work` gives, or the reason of its panic.
fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_text(panic.as_ref()).to_owned())
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
    use crate::engine::{
        Budget, Engine, EngineOptions, Message, ResponseFormat, Role, SamplingOptions,
    };
    use crate::model::testing::{ByteTokenizer, CHAT_TEMPLATE, EOS, ScriptedModel};

    /// Letters of an answer: more than events may wait, so that the worker waits in the middle of it.
    const LETTERS: usize = 3 * EVENTS_MAX;

    /// Says the alphabet again and again; panics in the middle where the prompt has an exclamation mark.
    fn engine(streams: usize) -> Box<dyn Answerer> {
        let model = ScriptedModel::from_fn(4096, |tokens| {
            let prompt = tokens.iter().position(|&token| token == 260).unwrap();
            let said = tokens.len() - prompt - 1;
            let panics = tokens[..prompt].contains(&u32::from(b'!'));
            assert!(!panics || said < 20, "as scripted");
            match said < LETTERS {
                true => u32::from(b'a') + (said % 26) as u32,
                false => EOS,
            }
        });
        let options = EngineOptions {
            chat_template: CHAT_TEMPLATE.to_owned(),
            eos_token_ids: vec![EOS],
            ..EngineOptions::default()
        };
        let model = Box::new(model.with_lanes(streams));
        Box::new(Engine::new(model, Arc::new(ByteTokenizer), options).unwrap())
    }

    fn alphabet() -> String {
        ('a'..='z').cycle().take(LETTERS).collect()
    }

    fn start(streams: usize) -> (Worker, mpsc::Receiver<WorkerEvent>) {
        let rebuild = Box::new(move || Ok(engine(streams)));
        Worker::start(engine(streams), rebuild).unwrap()
    }

    pub(super) fn an_order(key: u64, prompt: &str, priority: Priority) -> WorkOrder {
        let generation = GenerationRequest {
            messages: vec![Message {
                role: Role::User,
                content: prompt.to_owned(),
            }],
            sampling: SamplingOptions::default(),
            budget: Budget {
                max_tokens: 2 * LETTERS,
                max_think_tokens: None,
            },
            stop: Vec::new(),
            format: ResponseFormat::default(),
        };
        WorkOrder {
            key: JobKey(key),
            priority,
            generation,
            wants_pieces: true,
            control: Arc::new(JobControl {
                is_cancelled: AtomicBool::new(false),
                deadline: None,
            }),
        }
    }

    /// What was told of some orders until all of them have ended, as `word key`; pieces are gathered apart.
    fn told(events: &mut mpsc::Receiver<WorkerEvent>, orders: usize) -> (Vec<String>, Vec<String>) {
        let (mut words, mut pieces) = (Vec::new(), vec![String::new(); 10]);
        let mut ended = 0;
        while ended < orders {
            let word = match events.blocking_recv().unwrap() {
                WorkerEvent::Piece(key, _, text) => {
                    let pieces = &mut pieces[key.0 as usize];
                    pieces.push_str(&text);
                    if pieces.len() > text.len() {
                        continue;
                    }
                    format!("begun {}", key.0)
                }
                WorkerEvent::Paused(key) => format!("paused {}", key.0),
                WorkerEvent::Resumed(key) => format!("resumed {}", key.0),
                WorkerEvent::Finished(key, Ok(completion)) => {
                    ended += 1;
                    assert_eq!(completion.answer, pieces[key.0 as usize]);
                    format!("{:?} {}", completion.finish_reason, key.0)
                }
                WorkerEvent::Finished(key, Err(AnswerError::Failed(_))) => {
                    ended += 1;
                    format!("failed {}", key.0)
                }
                other => panic!("{other:?}"),
            };
            words.push(word);
        }
        (words, pieces)
    }

    /// Waits until the worker can tell no more.
    fn wait_until_it_waits(events: &mpsc::Receiver<WorkerEvent>) {
        while events.len() < EVENTS_MAX {
            std::thread::yield_now();
        }
    }

    #[test]
    fn answers_shows_life_and_heeds_a_cancel() {
        let (worker, mut events) = start(1);
        let order = an_order(1, "?", Priority::Normal);
        let control = Arc::clone(&order.control);
        worker.order(order).unwrap();
        wait_until_it_waits(&events);
        assert!(worker.pulse().read().0 >= EVENTS_MAX as u64);
        assert!(worker.pulse().read().1);
        control.cancel();
        let (words, pieces) = told(&mut events, 1);
        assert_eq!(words, ["begun 1", "Cancelled 1"]);
        assert!(alphabet().starts_with(&pieces[1]));
        worker.dismiss().join().unwrap();
    }

    #[test]
    fn orders_that_come_while_it_works_run_beside_the_others() {
        let (worker, mut events) = start(2);
        assert_eq!(worker.streams(), 2);
        worker.order(an_order(1, "a", Priority::Normal)).unwrap();
        wait_until_it_waits(&events);
        worker.order(an_order(2, "b", Priority::Normal)).unwrap();
        let (words, pieces) = told(&mut events, 2);
        assert_eq!(words, ["begun 1", "begun 2", "Stop 1", "Stop 2"]);
        assert_eq!((&pieces[1], &pieces[2]), (&alphabet(), &alphabet()));
    }

    #[test]
    fn a_more_urgent_order_goes_first_and_the_other_goes_on_without_loss() {
        let (worker, mut events) = start(1);
        worker.order(an_order(1, "report", Priority::Low)).unwrap();
        wait_until_it_waits(&events);
        worker.order(an_order(2, "waits", Priority::Low)).unwrap();
        worker.order(an_order(3, "alarm", Priority::High)).unwrap();
        let (words, pieces) = told(&mut events, 3);
        let expected = [
            "begun 1",
            "paused 1",
            "begun 3",
            "Stop 3",
            "resumed 1",
            "Stop 1",
            "begun 2",
            "Stop 2",
        ];
        assert_eq!(words, expected);
        assert!(pieces[1..4].iter().all(|text| *text == alphabet()));
    }

    #[test]
    fn a_panic_costs_one_answer_and_spares_the_others() {
        let (worker, mut events) = start(3);
        worker.order(an_order(1, "a", Priority::Normal)).unwrap();
        wait_until_it_waits(&events);
        worker.order(an_order(2, "!", Priority::Normal)).unwrap();
        worker.order(an_order(3, "b", Priority::Normal)).unwrap();
        let (words, pieces) = told(&mut events, 3);
        assert_eq!(
            words.iter().filter(|word| *word == "failed 2").count(),
            1,
            "{words:?}"
        );
        assert!(words.contains(&"Stop 1".to_owned()) && words.contains(&"Stop 3".to_owned()));
        assert_eq!((&pieces[1], &pieces[3]), (&alphabet(), &alphabet()));
        worker.order(an_order(4, "c", Priority::Normal)).unwrap();
        assert_eq!(told(&mut events, 1).1[4], alphabet());
    }

    #[test]
    fn an_order_that_waits_can_be_cancelled() {
        let (worker, mut events) = start(1);
        worker.order(an_order(1, "a", Priority::Normal)).unwrap();
        wait_until_it_waits(&events);
        let second = an_order(2, "b", Priority::Normal);
        second.control.cancel();
        worker.order(second).unwrap();
        assert_eq!(told(&mut events, 2).0, ["begun 1", "Cancelled 2", "Stop 1"]);
    }

    #[test]
    fn says_when_there_is_no_model_any_more() {
        let rebuild = Box::new(|| Err("the file is gone".to_owned()));
        let (worker, mut events) = Worker::start(engine(1), rebuild).unwrap();
        worker.order(an_order(1, "!", Priority::Normal)).unwrap();
        assert_eq!(told(&mut events, 1).0, ["begun 1", "failed 1"]);
        let lost = events.blocking_recv();
        assert!(matches!(lost, Some(WorkerEvent::Lost(reason)) if reason == "the file is gone"));
    }
}
