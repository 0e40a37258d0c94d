//! The topic grammar: build and parse, nothing else.
//!
//! ```text
//! thinkd/<device>/ask  ask/<client>  answer  answer/text  stream/<id>  cancel  state  info  status  reply/<client>
//! ```
//! `reply/…` is free for requesters' response topics; nothing else under the base may be one.

/// Longest topic MQTT can carry, bytes.
const TOPIC_BYTES_MAX: usize = 65_535;

/// Why a name, base or topic cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name:?} {problem}")]
pub struct TopicError {
    what: &'static str,
    name: String,
    problem: &'static str,
}

impl TopicError {
    fn new(what: &'static str, name: &str, problem: &'static str) -> Self {
        Self {
            what,
            name: name.chars().take(80).collect(),
            problem,
        }
    }
}

/// What arrives for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inbound<'a> {
    /// A prompt, and the client whose name its topic gives.
    Ask(Option<&'a str>),
    /// An id to cancel, or `all`.
    Cancel,
}

/// All topics of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    base: String,
}

impl Topics {
    /// Topics under `thinkd/<device>`.
    ///
    /// # Errors
    /// If the device's name cannot be one level of a topic.
    pub fn for_device(device: &str) -> Result<Self, TopicError> {
        check_level("device name", device)?;
        Ok(Self {
            base: format!("thinkd/{device}"),
        })
    }

    /// Topics under a base of one's own, such as `plant/line4/thinkd`.
    ///
    /// # Errors
    /// If the base has an empty level, a wildcard, a `$` or a control character.
    pub fn with_base(base: &str) -> Result<Self, TopicError> {
        for level in base.split('/') {
            check_level("topic base", level).map_err(|error| TopicError {
                name: base.to_owned(),
                ..error
            })?;
        }
        if base.len() > 1024 {
            return Err(TopicError::new(
                "topic base",
                base,
                "is longer than 1024 bytes",
            ));
        }
        Ok(Self {
            base: base.to_owned(),
        })
    }

    /// The part all topics begin with.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Where prompts arrive.
    #[must_use]
    pub fn ask(&self) -> String {
        self.under("ask")
    }

    /// Where prompts of one client arrive, so that a broker can say who may ask under which name; `client` has passed
    /// [`is_level`].
    #[must_use]
    pub fn ask_of(&self, client: &str) -> String {
        self.under(&format!("ask/{client}"))
    }

    /// The filter of all topics [`Self::ask_of`] gives.
    #[must_use]
    pub fn ask_of_any(&self) -> String {
        self.under("ask/+")
    }

    /// Where answers go that name no response topic.
    #[must_use]
    pub fn answer(&self) -> String {
        self.under("answer")
    }

    /// The bare text of those answers.
    #[must_use]
    pub fn answer_text(&self) -> String {
        self.under("answer/text")
    }

    /// Where the pieces of one answer go; `id` has passed [`is_level`].
    #[must_use]
    pub fn stream(&self, id: &str) -> String {
        self.under(&format!("stream/{id}"))
    }

    /// Where an id or `all` arrives.
    #[must_use]
    pub fn cancel(&self) -> String {
        self.under("cancel")
    }

    /// `online`, `offline` or `failed: <why>`, retained.
    #[must_use]
    pub fn state(&self) -> String {
        self.under("state")
    }

    /// Version, model and limits, retained.
    #[must_use]
    pub fn info(&self) -> String {
        self.under("info")
    }

    /// What it does now, retained.
    #[must_use]
    pub fn status(&self) -> String {
        self.under("status")
    }

    /// A response topic for one requester; `client` has passed [`is_level`].
    #[must_use]
    pub fn reply(&self, client: &str) -> String {
        self.under(&format!("reply/{client}"))
    }

    fn under(&self, rest: &str) -> String {
        format!("{}/{rest}", self.base)
    }

    /// What a message on `topic` is to us; nothing where it is not for us.
    #[must_use]
    pub fn parse<'a>(&self, topic: &'a str) -> Option<Inbound<'a>> {
        match topic.strip_prefix(&self.base)?.strip_prefix('/')? {
            "ask" => Some(Inbound::Ask(None)),
            "cancel" => Some(Inbound::Cancel),
            other => {
                let client = other.strip_prefix("ask/")?;
                is_level(client).then_some(Inbound::Ask(Some(client)))
            }
        }
    }

    /// Whether answers may go to `topic`, which a client chose: publishing there happens with our rights.
    ///
    /// # Errors
    /// If it is no topic name, begins with `$`, is ours, is another thinkd's inbox, or matches none of `allowed`
    /// (topic filters; an empty list allows all others).
    pub fn check_reply(&self, topic: &str, allowed: &[String]) -> Result<(), TopicError> {
        let refuse = |problem| Err(TopicError::new("response topic", topic, problem));
        if topic.is_empty() {
            return refuse("is empty");
        }
        if topic.len() > TOPIC_BYTES_MAX {
            return refuse("is longer than 65535 bytes");
        }
        if topic.contains(['+', '#']) {
            return refuse("has a wildcard");
        }
        if topic.starts_with('$') {
            return refuse("begins with $");
        }
        if topic.chars().any(char::is_control) {
            return refuse("has a control character");
        }
        let inside = topic
            .strip_prefix(&self.base)
            .and_then(|rest| rest.strip_prefix('/'));
        if topic == self.base || inside.is_some_and(|rest| !rest.starts_with("reply/")) {
            return refuse("is one of the daemon's own (reply/<name> under the base is free)");
        }
        let is_of_client = || topic.rsplit('/').nth(1) == Some("ask");
        let is_inbox = topic.ends_with("/ask") || topic.ends_with("/cancel") || is_of_client();
        if is_inbox && topic.split('/').next() == self.base.split('/').next() {
            return refuse("is another daemon's inbox");
        }
        if !allowed.is_empty() && !allowed.iter().any(|filter| matches(filter, topic)) {
            return refuse("is outside the topics allowed for answers");
        }
        Ok(())
    }
}

/// Whether `name` can stand as one level of a topic: not empty, no `/ + # $`, no control character, at most 128 bytes.
#[must_use]
pub fn is_level(name: &str) -> bool {
    check_level("name", name).is_ok()
}

fn check_level(what: &'static str, name: &str) -> Result<(), TopicError> {
    if name.is_empty() {
        return Err(TopicError::new(
            what,
            name,
            "is empty or has an empty level",
        ));
    }
    if name.len() > 128 {
        return Err(TopicError::new(what, name, "is longer than 128 bytes"));
    }
    if name.contains(['/', '+', '#', '$']) {
        return Err(TopicError::new(what, name, "has one of / + # $"));
    }
    if name.chars().any(char::is_control) {
        return Err(TopicError::new(what, name, "has a control character"));
    }
    Ok(())
}

/// Whether `filter` is a well-formed topic filter.
#[must_use]
pub fn is_filter(filter: &str) -> bool {
    let levels: Vec<&str> = filter.split('/').collect();
    !filter.is_empty()
        && filter.len() <= TOPIC_BYTES_MAX
        && !filter.contains('\0')
        && levels
            .iter()
            .enumerate()
            .all(|(index, level)| match *level {
                "#" => index + 1 == levels.len(),
                "+" => true,
                other => !other.contains(['+', '#']),
            })
}

/// Whether `topic` is one of those `filter` stands for.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    let mut topic_levels = topic.split('/');
    for level in filter.split('/') {
        match (level, topic_levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (expected, Some(found)) if expected == found => {}
            _ => return false,
        }
    }
    topic_levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics() -> Topics {
        Topics::for_device("oven").unwrap()
    }

    #[test]
    fn builds_and_parses_its_own_topics() {
        let topics = topics();
        assert_eq!(topics.ask(), "thinkd/oven/ask");
        assert_eq!(topics.stream("k1"), "thinkd/oven/stream/k1");
        assert_eq!(topics.parse(&topics.ask()), Some(Inbound::Ask(None)));
        assert_eq!(topics.ask_of("hall"), "thinkd/oven/ask/hall");
        let of_client = topics.parse("thinkd/oven/ask/hall");
        assert_eq!(of_client, Some(Inbound::Ask(Some("hall"))));
        assert!(matches(&topics.ask_of_any(), &topics.ask_of("hall")));
        assert_eq!(topics.parse(&topics.cancel()), Some(Inbound::Cancel));
        for other in [
            "thinkd/oven/answer",
            "thinkd/oven2/ask",
            "thinkd/oven",
            "ask",
            "thinkd/ovenask",
            "thinkd/oven/ask/",
            "thinkd/oven/ask/a/b",
            "",
        ] {
            assert_eq!(topics.parse(other), None, "{other}");
        }
    }

    #[test]
    fn refuses_names_that_would_change_the_topic() {
        for name in ["", "a/b", "+", "a#", "$x", "a\nb", &"x".repeat(129)] {
            assert!(Topics::for_device(name).is_err(), "{name:?}");
        }
        for base in ["", "/a", "a/", "a//b", "a/+/b", "#"] {
            assert!(Topics::with_base(base).is_err(), "{base:?}");
        }
        assert_eq!(
            Topics::with_base("plant/line4").unwrap().ask(),
            "plant/line4/ask"
        );
    }

    #[test]
    fn refuses_response_topics_that_misuse_our_rights() {
        let topics = topics();
        for topic in [
            "",
            "a/+",
            "#",
            "$SYS/x",
            "thinkd/oven",
            "thinkd/oven/ask",
            "thinkd/oven/state",
            "thinkd/oven/answer",
            "thinkd/other/ask",
            "thinkd/other/ask/hall",
            "thinkd/group/g/ask",
            "a\0b",
        ] {
            assert!(topics.check_reply(topic, &[]).is_err(), "{topic:?}");
        }
        for topic in [
            "my/topic",
            "thinkd/oven/reply/me",
            "thinkd/other/answer",
            "ask",
        ] {
            assert_eq!(topics.check_reply(topic, &[]), Ok(()), "{topic:?}");
        }
    }

    #[test]
    fn an_allow_list_closes_all_other_response_topics() {
        let allowed = ["home/+/in".to_owned(), "lab/#".to_owned()];
        for (topic, is_allowed) in [
            ("home/a/in", true),
            ("home/a/b/in", false),
            ("lab", true),
            ("lab/x/y", true),
            ("my/topic", false),
        ] {
            assert_eq!(
                topics().check_reply(topic, &allowed).is_ok(),
                is_allowed,
                "{topic}"
            );
        }
    }

    #[test]
    fn knows_a_filter_from_a_typing_mistake() {
        for (filter, is_good) in [
            ("a/b", true),
            ("+/b/#", true),
            ("#", true),
            ("a#", false),
            ("#/a", false),
            ("a/b+", false),
            ("", false),
        ] {
            assert_eq!(is_filter(filter), is_good, "{filter}");
        }
    }
}
