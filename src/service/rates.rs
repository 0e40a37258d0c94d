//! How often each client may ask: a bucket a client, which fills up again over a minute. Plain data; the clock comes from
//! outside.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Most clients that are counted one by one; the one that was silent longest makes room.
const CLIENTS_MAX: usize = 1024;

/// A client: its name, else where its answers go.
type Client = (Option<String>, Option<String>);

/// What is left of the clients' minutes.
#[derive(Debug)]
pub(super) struct Rates {
    /// No limit where there is none.
    per_minute: Option<u32>,
    buckets: HashMap<Client, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    /// Prompts that may come now.
    left: f64,
    at: Instant,
}

impl Rates {
    pub(super) fn new(per_minute: Option<u32>) -> Self {
        Self {
            per_minute,
            buckets: HashMap::new(),
        }
    }

    /// Lets `client` ask once.
    ///
    /// # Errors
    /// If it has asked too often: how long until it may again.
    pub(super) fn take(
        &mut self,
        (name, topic): (Option<&str>, Option<&str>),
        now: Instant,
    ) -> Result<(), Duration> {
        let Some(per_minute) = self.per_minute else {
            return Ok(());
        };
        let most = f64::from(per_minute);
        let client = (name.map(str::to_owned), topic.map(str::to_owned));
        if !self.buckets.contains_key(&client) {
            self.make_room();
        }
        let bucket = self.buckets.entry(client).or_insert(Bucket {
            left: most,
            at: now,
        });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = most.min(bucket.left + passed * most / 60.0);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.left) * 60.0 / most));
        }
        bucket.left -= 1.0;
        Ok(())
    }

    fn make_room(&mut self) {
        if self.buckets.len() < CLIENTS_MAX {
            return;
        }
        let silent = self.buckets.iter().min_by_key(|(_, bucket)| bucket.at);
        if let Some(client) = silent.map(|(client, _)| client.clone()) {
            self.buckets.remove(&client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_minute() {
        let (mut rates, now) = (Rates::new(Some(2)), Instant::now());
        let (a, b) = ((Some("a"), None), (None, Some("b/topic")));
        assert_eq!([rates.take(a, now), rates.take(a, now)], [Ok(()), Ok(())]);
        assert_eq!(rates.take(a, now), Err(Duration::from_secs(30)));
        assert_eq!(rates.take(b, now), Ok(()));
        let later = now + Duration::from_secs(20);
        assert_eq!(rates.take(a, later), Err(Duration::from_secs(10)));
        assert_eq!(rates.take(a, now + Duration::from_secs(31)), Ok(()));
        // Silence saves up no more than a minute.
        let much_later = now + Duration::from_secs(900);
        let taken = (0..5).filter(|_| rates.take(a, much_later).is_ok());
        assert_eq!(taken.count(), 2);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let (mut rates, now) = (Rates::new(None), Instant::now());
        assert!((0..1000).all(|_| rates.take((None, None), now).is_ok()));
        assert!(rates.buckets.is_empty());
    }

    #[test]
    fn many_clients_take_bounded_room() {
        let (mut rates, now) = (Rates::new(Some(1)), Instant::now());
        for number in 0..2 * CLIENTS_MAX {
            let name = format!("c{number}");
            let at = now + Duration::from_millis(number as u64);
            assert_eq!(rates.take((Some(&name), None), at), Ok(()));
        }
        assert_eq!(rates.buckets.len(), CLIENTS_MAX);
    }
}
