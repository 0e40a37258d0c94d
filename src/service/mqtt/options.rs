//! What the MQTT side can be told.

use std::fmt;
use std::time::Duration;

use super::tls::Tls;
use super::topics::{self, Topics};

/// Bytes of a packet that are not its payload, at most: topic, response topic, correlation data, the rest.
pub(super) const PACKET_OVERHEAD_BYTES: u32 = 64 * 1024;

/// One prompt that is being answered, and one to go on with.
const RECEIVE_MAX_IN_GROUP: u16 = 2;

/// The broker, our name there, and what we send and take.
#[derive(Debug, Clone)]
pub struct Options {
    /// The broker's host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Our name at the broker; the broker keeps what arrives while we are away under it.
    pub client_id: String,
    /// Name and password, where the broker wants them.
    pub credentials: Option<Credentials>,
    /// How the connection is encrypted; not at all where there is none.
    pub tls: Option<Tls>,
    /// What our topics begin with.
    pub topics: Topics,
    /// Response topics clients may choose, as topic filters; empty allows all that are not ours.
    pub reply_topics_allowed: Vec<String>,
    /// How long a connection may be silent.
    pub keep_alive: Duration,
    /// How long the broker shall keep our session while we are away.
    pub session_expiry: Duration,
    /// Messages the broker may send before the first is acknowledged; more prompts than that wait at the broker.
    pub receive_max: u16,
    /// Largest packet we take. Above [`super::RequestRules::payload_bytes_max`], so that a payload over that limit
    /// still arrives and is refused with an answer; the broker drops what is larger still.
    pub packet_bytes_max: u32,
    /// Whether what the broker holds for us dies with us (the embedded one): a stop then refuses what waits.
    pub is_volatile: bool,
    /// Waits between attempts to connect.
    pub backoff: BackoffLimits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 1883,
            client_id: "thinkd".to_owned(),
            credentials: None,
            tls: None,
            topics: Topics::for_device("thinkd").expect("a plain word is a device name"),
            reply_topics_allowed: Vec::new(),
            keep_alive: Duration::from_secs(30),
            session_expiry: Duration::from_secs(24 * 60 * 60),
            receive_max: 64,
            packet_bytes_max: 1024 * 1024,
            is_volatile: false,
            backoff: BackoffLimits::default(),
        }
    }
}

impl Options {
    /// Messages the broker may send before the first is acknowledged. In a group few, so that what is asked of all
    /// waits at the broker for a board that is free, and not in the queue of one that is not.
    pub(crate) fn receive_max(&self) -> u16 {
        match self.topics.group() {
            Some(_) => self.receive_max.min(RECEIVE_MAX_IN_GROUP),
            None => self.receive_max,
        }
    }

    /// Looks for settings that cannot be used together; the text names them.
    pub(crate) fn validate(&self, payload_bytes_max: usize) -> Result<(), String> {
        if self.host.is_empty() {
            return Err("the broker's host is empty".to_owned());
        }
        if self.client_id.is_empty() {
            return Err("the client id is empty; a session needs one".to_owned());
        }
        if self.receive_max == 0 {
            return Err("receive_max must be at least 1".to_owned());
        }
        if !(5..=u64::from(u16::MAX)).contains(&self.keep_alive.as_secs()) {
            let seconds = self.keep_alive.as_secs();
            return Err(format!(
                "keep alive is {seconds} s, its range is 5 to 65535"
            ));
        }
        let packet_bytes_min = payload_bytes_max.saturating_add(PACKET_OVERHEAD_BYTES as usize);
        if (self.packet_bytes_max as usize) < packet_bytes_min {
            return Err(format!(
                "largest packet is {} bytes, a request of {payload_bytes_max} bytes needs {packet_bytes_min}",
                self.packet_bytes_max
            ));
        }
        match self
            .reply_topics_allowed
            .iter()
            .find(|filter| !topics::is_filter(filter))
        {
            Some(filter) => Err(format!("{filter:?} is not a topic filter")),
            None => Ok(()),
        }
    }
}

/// Waits between attempts to connect: they double from `first` to `most`, each varied at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackoffLimits {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
}

impl Default for BackoffLimits {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(250),
            most: Duration::from_secs(30),
        }
    }
}

/// Name and password for the broker.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password; never shown.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &"***")
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_the_password() {
        let credentials = Credentials {
            username: "u".to_owned(),
            password: "secret".to_owned(),
        };
        assert!(!format!("{credentials:?}").contains("secret"));
    }

    #[test]
    fn refuses_settings_that_cannot_work() {
        type Change = fn(&mut Options);
        let broken: [(&str, Change); 5] = [
            ("host", |o| o.host.clear()),
            ("client id", |o| o.client_id.clear()),
            ("receive_max", |o| o.receive_max = 0),
            ("keep alive", |o| o.keep_alive = Duration::from_secs(1)),
            ("filter", |o| {
                o.reply_topics_allowed.push("a/#/b".to_owned());
            }),
        ];
        for (word, break_it) in broken {
            let mut options = Options::default();
            break_it(&mut options);
            let error = options.validate(65_536).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        assert!(Options::default().validate(1024 * 1024).is_err());
    }
}
