//! The loop that joins connection, desk and worker; ready, watchdog, drain.
//!
//! Stop order: refuse new, finish the answer under way or cut it short at the drain's deadline, let the broker take the
//! answers owed, publish `offline`, disconnect.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::attempts::Attempts;
use super::board::BoardWatch;
use super::clock::Clock;
use super::desk::Desk;
use super::error::ServiceError;
use super::home_assistant;
use super::metrics::{self, Metrics, Numbers};
use super::mqtt::Publication;
use super::mqtt::connection::{self, ConnectionEvent, Link};
use super::options::Options;
use super::outbox::OutKey;
use super::status::{self, StatusBoard};
use super::store::{Batch, Contents, Store, StoreEvent};
use super::systemd::{self, Watchdog};
use super::worker::{Worker, WorkerEvent};

/// Connection events that may wait for the loop.
const EVENTS_MAX: usize = 256;

/// How long the broker may take to take the last messages.
const FAREWELL: Duration = Duration::from_secs(3);

/// Looks at the clock this often while there is something to wait for, and
const TURN_BUSY: Duration = Duration::from_millis(50);
/// this often while there is not.
const TURN_IDLE: Duration = Duration::from_secs(1);

/// Asks a running service to stop; so does dropping it. A second request cuts the answer under way short.
#[derive(Debug)]
pub struct Stopper(mpsc::UnboundedSender<()>);

impl Stopper {
    /// Asks to stop.
    pub fn stop(&self) {
        // Where nobody hears it, the service has stopped.
        self.0.send(()).ok();
    }
}

/// The other end of a [`Stopper`].
#[derive(Debug)]
pub struct StopSignal(mpsc::UnboundedReceiver<()>);

/// A pair to stop a service with.
#[must_use]
pub fn stop_pair() -> (Stopper, StopSignal) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Stopper(sender), StopSignal(receiver))
}

impl StopSignal {
    /// Waits for a request to stop; false where none can follow.
    async fn requested(&mut self) -> bool {
        self.0.recv().await.is_some()
    }
}

/// The store, where there is one, and what it held at the start. Without one the desk has nothing written.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    store: Option<(Store, mpsc::UnboundedReceiver<StoreEvent>)>,
    contents: Contents,
    attempts: Attempts,
}

impl Keeper {
    /// Opens the store in `directory`, where one is named.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(super) fn open(directory: Option<&Path>) -> Result<Self, ServiceError> {
        let Some(directory) = directory else {
            return Ok(Self::default());
        };
        let (store, events, mut contents) = Store::open(directory)?;
        tracing::info!(directory = %directory.display(), "Prompts and answers are kept.");
        let mut attempts = Attempts::open(directory);
        let waiting = &contents.prompts;
        attempts.retain(|seq| waiting.iter().any(|prompt| prompt.seq == seq));
        contents.attempts.clone_from(attempts.all());
        Ok(Self {
            store: Some((store, events)),
            contents,
            attempts,
        })
    }

    fn write(&self, batch: Batch) -> Result<(), ServiceError> {
        let (store, _) = self.store.as_ref().ok_or(ServiceError::StoreGone)?;
        store.write(batch)
    }

    /// What the store tells next; never anything where there is none.
    async fn event(&mut self) -> Result<StoreEvent, ServiceError> {
        match &mut self.store {
            Some((_, events)) => events.recv().await.ok_or(ServiceError::StoreGone),
            None => std::future::pending().await,
        }
    }
}

/// How far a stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    /// The answer under way may go on until then.
    Draining(Instant),
    /// The broker may take the answers owed until then.
    Flushing(Instant),
    /// The goodbye may take until then.
    Leaving(Instant),
}

/// Runs until `stop`, then drains.
pub(super) async fn serve(
    options: Options,
    mut keeper: Keeper,
    (worker, worker_events): (Worker, mpsc::Receiver<WorkerEvent>),
    stop: StopSignal,
) -> Result<(), ServiceError> {
    let (events, connection_events) = mpsc::channel(EVENTS_MAX);
    let connection = tokio::spawn(connection::keep(options.mqtt.clone(), events));
    let metrics = listen_for_metrics(&options).await;
    let mut service = Service::new(options, worker, metrics);
    service
        .desk
        .restore(std::mem::take(&mut keeper.contents), Instant::now());
    systemd::ready();
    let topics = &service.options.mqtt.topics;
    tracing::info!(ask = topics.ask(), answer = topics.answer(), "Ready.");
    let result = service
        .run(connection_events, worker_events, &mut keeper, stop)
        .await;
    let (ended, has_ended) = oneshot::channel();
    let thread = service.worker.dismiss();
    // A worker that does not end is left behind; the process ends all the same.
    std::thread::spawn(move || ended.send(thread.join().is_ok()));
    tokio::time::timeout(FAREWELL, has_ended).await.ok();
    connection.abort();
    result
}

/// Lets metrics be read, where that is wanted. Where it cannot be, prompts are answered all the same.
async fn listen_for_metrics(options: &Options) -> Option<Metrics> {
    let address = options.metrics?;
    let metrics = Metrics::new(options.model.clone());
    match tokio::net::TcpListener::bind(address).await {
        Ok(listener) => {
            tracing::info!(%address, "Metrics can be read.");
            tokio::spawn(metrics::serve(listener, metrics.clone()));
            Some(metrics)
        }
        Err(error) => {
            tracing::error!(%address, %error, "Metrics cannot be read: see metrics.listen.");
            None
        }
    }
}

struct Service {
    options: Options,
    desk: Desk,
    worker: Worker,
    link: Option<Link>,
    /// Whether the broker passes on to us what others publish.
    is_subscribed: bool,
    /// State and info to be published; what could not be handed over yet.
    announcements: Vec<Publication>,
    board: StatusBoard,
    readings: BoardWatch,
    metrics: Option<Metrics>,
    watchdog: Watchdog,
    phase: Phase,
    connections: u64,
    /// The last reason told of a failed connection, so that each is told once.
    last_failure: Option<String>,
}

impl Service {
    fn new(options: Options, worker: Worker, metrics: Option<Metrics>) -> Self {
        let now = Instant::now();
        let clock = Clock::start(now, options.store_directory.as_deref(), &options.board_root);
        Self {
            desk: Desk::new(&options, clock),
            board: StatusBoard::new(options.mqtt.topics.status(), now),
            readings: BoardWatch::start(&options.board_root),
            metrics,
            watchdog: Watchdog::new(now),
            worker,
            link: None,
            is_subscribed: false,
            announcements: Vec::new(),
            phase: Phase::Serving,
            connections: 0,
            last_failure: None,
            options,
        }
    }

    async fn run(
        &mut self,
        mut connection_events: mpsc::Receiver<ConnectionEvent>,
        mut worker_events: mpsc::Receiver<WorkerEvent>,
        keeper: &mut Keeper,
        mut stop: StopSignal,
    ) -> Result<(), ServiceError> {
        let mut listens = true;
        loop {
            let turn = if self.is_waiting() {
                TURN_BUSY
            } else {
                TURN_IDLE
            };
            tokio::select! {
                event = connection_events.recv() => match event {
                    Some(event) => self.connection_event(event),
                    None if matches!(self.phase, Phase::Leaving(_)) => return Ok(()),
                    None => return Err(ServiceError::ConnectionGone),
                },
                event = worker_events.recv() => match event {
                    Some(WorkerEvent::Lost(reason)) => {
                        return self.lost(reason, &mut connection_events).await;
                    }
                    Some(event) => {
                        if let WorkerEvent::Finished(key, _) = &event {
                            keeper.attempts.end(key.seq());
                        }
                        self.desk.worker_event(event, Instant::now());
                    }
                    None => return Err(ServiceError::WorkerGone),
                },
                event = keeper.event() => {
                    if let Err(reason) = self.desk.store_event(event?) {
                        return self.store_failed(reason, &mut connection_events).await;
                    }
                }
                is_asked = stop.requested(), if listens => {
                    listens = is_asked && self.phase == Phase::Serving;
                    self.stop(is_asked);
                }
                () = tokio::time::sleep(turn.min(self.watchdog.turn_max())) => self.desk.tick(Instant::now()),
            }
            let now = Instant::now();
            if let Some(order) = self.desk.next_order(&self.worker, now) {
                keeper.attempts.begin(order.key.seq());
                self.worker.order(order)?;
            }
            if let Some(batch) = self.desk.next_batch(now) {
                keeper.write(batch)?;
            }
            self.observe(now);
            self.pump(now);
            self.watchdog.turn(self.worker.pulse(), now);
            if self.advance_stop(now) {
                return Ok(());
            }
        }
    }

    fn is_waiting(&self) -> bool {
        self.desk.is_busy()
            || self.desk.ledger.is_busy()
            || !self.desk.outbox.is_empty()
            || self.phase != Phase::Serving
    }

    fn connection_event(&mut self, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Connected { link, has_session } => {
                self.desk.connected(has_session, link.packet_bytes_max());
                self.desk.counts.reconnects = self.connections;
                self.connections += 1;
                self.link = Some(link);
                self.last_failure = None;
                let (host, port) = (&self.options.mqtt.host, self.options.mqtt.port);
                tracing::info!(host, port, has_session, "Connected to the broker.");
            }
            ConnectionEvent::Subscribed => {
                self.is_subscribed = true;
                self.board.connected();
                let topics = &self.options.mqtt.topics;
                let ask = topics.ask();
                tracing::info!(topic = ask, "Listening for prompts.");
                systemd::status(&format!("listening on {ask}"));
                self.announcements = vec![
                    Publication::text(topics.state(), "online").retained(),
                    status::info(&self.options),
                ];
                self.desk.is_introduction_wanted = true;
            }
            ConnectionEvent::Message(message) => self.desk.message(message, Instant::now()),
            ConnectionEvent::Sent(packet_id) => {
                if let Some(link) = &mut self.link {
                    link.sent(packet_id);
                }
            }
            ConnectionEvent::Acknowledged { packet_id, refused } => {
                let key = self
                    .link
                    .as_mut()
                    .and_then(|link| link.acknowledged(packet_id));
                if let Some(key) = key {
                    self.desk
                        .acknowledged(key, refused.as_deref(), Instant::now());
                }
            }
            ConnectionEvent::Disconnected { reason, retry_in } => {
                self.disconnected(reason, retry_in);
            }
        }
    }

    fn disconnected(&mut self, reason: String, retry_in: Duration) {
        let was_connected = self.link.take().is_some();
        self.is_subscribed = false;
        self.desk.disconnected();
        let (host, port) = (&self.options.mqtt.host, self.options.mqtt.port);
        let retry_seconds = retry_in.as_secs_f64();
        if was_connected || self.last_failure.as_ref() != Some(&reason) {
            tracing::warn!(
                host,
                port,
                error = reason,
                retry_seconds,
                "No connection to the broker; trying again until there is."
            );
            systemd::status(&format!(
                "no connection to {host}:{port} ({reason}), trying again"
            ));
        } else {
            tracing::debug!(
                error = reason,
                retry_seconds,
                "Still no connection to the broker."
            );
        }
        self.last_failure = Some(reason);
    }

    /// Hears the board, and tells those who ask for metrics.
    fn observe(&mut self, now: Instant) {
        if let Some(reading) = self.readings.news() {
            self.board.observe(reading, self.desk.is_busy(), now);
        }
        if let Some(metrics) = &self.metrics {
            metrics.put(Numbers {
                snapshot: self.desk.snapshot(),
                measured: self.desk.measured,
                reading: self.board.reading(),
                energy: self.board.energy(),
                uptime: self.board.uptime(now),
            });
        }
    }

    /// Hands over to the connection what it takes.
    fn pump(&mut self, now: Instant) {
        if self.is_subscribed && std::mem::take(&mut self.desk.is_introduction_wanted) {
            let reading = self.readings.latest();
            let introduction = home_assistant::introduction(&self.options, &reading);
            self.announcements.extend(introduction);
        }
        let Some(link) = &mut self.link else {
            return self.desk.drop_ephemeral();
        };
        self.desk
            .inbox
            .pump(|packet_id| link.acknowledge(packet_id));
        for publication in std::mem::take(&mut self.desk.ephemeral) {
            if !link.fits(&publication) || link.publish_once(&publication).is_err() {
                let topic = &publication.topic;
                tracing::debug!(topic, "Dropped: too large, or too much is to be sent.");
                self.desk.was_dropped(&publication);
            }
        }
        if self.is_subscribed {
            self.announcements
                .retain(|publication| link.publish(publication, None).is_err());
        }
        let mut unfit = Vec::new();
        self.desk.outbox.pump(|key, publication| {
            if link.fits(publication) {
                return link.publish(publication, Some(key));
            }
            unfit.push(key);
            Ok(())
        });
        for key in unfit {
            self.desk
                .acknowledged(key, Some("larger than the broker takes"), now);
        }
        let speaks = self.is_subscribed && !matches!(self.phase, Phase::Leaving(_));
        if speaks && let Some(document) = self.board.due(self.desk.snapshot(), now) {
            // A document that does not go out is followed by another.
            link.publish_once(&document).ok();
        }
    }

    /// Begins the stop, or hurries it.
    fn stop(&mut self, is_asked: bool) {
        if self.phase != Phase::Serving {
            if is_asked {
                tracing::info!("Asked again to stop: the answer under way is cut short.");
                self.desk.cut_short();
            }
            return;
        }
        tracing::info!(busy = self.desk.is_busy(), "Stopping.");
        systemd::stopping(self.options.drain + 4 * FAREWELL);
        self.desk.drain(Instant::now());
        self.phase = Phase::Draining(Instant::now() + self.options.drain);
    }

    /// Takes the next step of a stop where it is due; true where it is over.
    fn advance_stop(&mut self, now: Instant) -> bool {
        match self.phase {
            Phase::Serving => {}
            Phase::Draining(until) => {
                if now >= until {
                    self.desk.cut_short();
                }
                let is_hung = now >= until + FAREWELL;
                if !self.desk.is_busy() || is_hung {
                    self.phase = Phase::Flushing(now + FAREWELL);
                }
            }
            Phase::Flushing(until) => {
                let is_done = self.desk.is_settled();
                if is_done || now >= until || self.link.is_none() && self.desk.ledger.is_settled() {
                    self.leave();
                    self.phase = Phase::Leaving(now + FAREWELL);
                }
            }
            Phase::Leaving(until) => return now >= until || self.link.is_none(),
        }
        false
    }

    /// Publishes the last state and closes the connection after all that was handed over.
    fn leave(&mut self) {
        let topics = &self.options.mqtt.topics;
        let state = Publication::text(topics.state(), "offline").retained();
        if let Some(link) = &mut self.link
            && link.publish(&state, None).is_ok()
        {
            // Without room for a goodbye the last will says the same.
            link.close().ok();
        }
    }

    /// Says why it ends. A connection that ends before the broker has taken that would have the last will say `offline`.
    async fn leave_failed(
        &mut self,
        reason: &str,
        connection_events: &mut mpsc::Receiver<ConnectionEvent>,
    ) {
        let Some(mut link) = self.link.take() else {
            return;
        };
        let topic = self.options.mqtt.topics.state();
        let state = Publication::text(topic, format!("failed: {reason}")).retained();
        let last = OutKey::LAST;
        if link.publish(&state, Some(last)).is_err() {
            return;
        }
        let taken = async {
            while let Some(event) = connection_events.recv().await {
                match event {
                    ConnectionEvent::Sent(packet_id) => link.sent(packet_id),
                    ConnectionEvent::Acknowledged { packet_id, .. } => {
                        let is_last = link.acknowledged(packet_id) == Some(last);
                        if is_last && link.close().is_err() {
                            return;
                        }
                    }
                    ConnectionEvent::Disconnected { .. } => return,
                    _ => {}
                }
            }
        };
        // The connection's task ends when it is closed.
        tokio::time::timeout(FAREWELL, taken).await.ok();
    }

    /// Nothing can be promised any more: says so and ends.
    async fn store_failed(
        &mut self,
        reason: String,
        connection_events: &mut mpsc::Receiver<ConnectionEvent>,
    ) -> Result<(), ServiceError> {
        tracing::error!(reason, "The store failed.");
        self.desk.cut_short();
        self.leave_failed(&format!("the store failed: {reason}"), connection_events)
            .await;
        Err(ServiceError::StoreFailed { reason })
    }

    /// There is no model any more: says so and ends.
    async fn lost(
        &mut self,
        reason: String,
        connection_events: &mut mpsc::Receiver<ConnectionEvent>,
    ) -> Result<(), ServiceError> {
        tracing::error!(reason, "The model is lost.");
        self.desk.drain(Instant::now());
        self.pump(Instant::now());
        self.leave_failed(&reason, connection_events).await;
        Err(ServiceError::ModelLost { reason })
    }
}
