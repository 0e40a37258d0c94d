//! The topic grammar: build and parse, nothing else.
//!
//! ```text
//! thinkd/<device>/ask  ask/<client>  answer  answer/text  stream/<id>  cancel  ping  pong  position/<id>  state  info  status
//!                 reply/<client>
//! thinkd/group/<group>/ask  ask/<client>  cancel
//! <home assistant>/status  device/<object>/config
//! ```
//! `reply/…` is free for requesters' response topics; nothing else under the base may be one. The group's `ask` is
//! subscribed to as `$share/<group>/…`, so that the broker gives each prompt to one board; its `cancel` goes to all.

/// What the topics of all groups begin with.
const GROUPS: &str = "thinkd/group";

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
    /// A prompt, and the client whose name its topic gives; it may be one that [`check_client`] refuses.
    Ask(Option<&'a str>),
    /// An id to cancel, or `all`.
    Cancel,
    /// Something to send back at once.
    Ping,
    /// An id of which somebody wants to know where it stands.
    Position,
    /// Home Assistant says whether it is there.
    HomeAssistant,
}

/// A topic filter of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inbox {
    /// What is subscribed to.
    pub(crate) filter: String,
    /// Whether what comes is acknowledged, and sent again until it is. What is not passes by prompts that wait for
    /// their acknowledgement.
    pub(crate) is_acknowledged: bool,
    /// Whether there is no use in a connection without it.
    pub(crate) is_needed: bool,
}

/// All topics of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    base: String,
    group: Option<String>,
    home_assistant: Option<String>,
}

impl Topics {
    /// Topics under `thinkd/<device>`.
    ///
    /// # Errors
    /// If the device's name cannot be one level of a topic.
    pub fn for_device(device: &str) -> Result<Self, TopicError> {
        check_level("device name", device)?;
        Ok(Self::of(format!("thinkd/{device}")))
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
        Ok(Self::of(base.to_owned()))
    }

    fn of(base: String) -> Self {
        Self {
            base,
            group: None,
            home_assistant: None,
        }
    }

    /// The same, for a board that also answers prompts to the group `group`.
    ///
    /// # Errors
    /// If the group's name cannot be one level of a topic.
    pub fn with_group(self, group: &str) -> Result<Self, TopicError> {
        check_level("group", group)?;
        Ok(Self {
            group: Some(group.to_owned()),
            ..self
        })
    }

    /// The same, for a board that shows itself to the Home Assistant whose topics begin with `prefix`.
    ///
    /// # Errors
    /// If the prefix cannot be the beginning of a topic.
    pub fn with_home_assistant(self, prefix: &str) -> Result<Self, TopicError> {
        for level in prefix.split('/') {
            check_level("prefix", level).map_err(|error| TopicError {
                name: prefix.to_owned(),
                ..error
            })?;
        }
        Ok(Self {
            home_assistant: Some(prefix.to_owned()),
            ..self
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

    /// Where something arrives that is to come back at once.
    #[must_use]
    pub fn ping(&self) -> String {
        self.under("ping")
    }

    /// Where it comes back that names no response topic.
    #[must_use]
    pub fn pong(&self) -> String {
        self.under("pong")
    }

    /// Where an id arrives of which somebody wants to know where it stands.
    #[must_use]
    pub fn position(&self) -> String {
        self.under("position")
    }

    /// Where that is told, where no response topic is named; `id` has passed [`is_level`].
    #[must_use]
    pub fn position_of(&self, id: &str) -> String {
        self.under(&format!("position/{id}"))
    }

    /// The group this board is one of.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// Where prompts to the group arrive.
    #[must_use]
    pub fn group_ask(&self) -> Option<String> {
        self.in_group("ask")
    }

    /// Where an id or `all` arrives that is meant for whichever board of the group has it.
    #[must_use]
    pub fn group_cancel(&self) -> Option<String> {
        self.in_group("cancel")
    }

    fn in_group(&self, rest: &str) -> Option<String> {
        let group = self.group.as_ref()?;
        Some(format!("{GROUPS}/{group}/{rest}"))
    }

    /// What Home Assistant is to know of us, retained.
    #[must_use]
    pub fn home_assistant_config(&self) -> Option<String> {
        let prefix = self.home_assistant.as_ref()?;
        Some(format!("{prefix}/device/{}/config", self.object_id()))
    }

    /// Where Home Assistant says whether it is there.
    #[must_use]
    pub fn home_assistant_status(&self) -> Option<String> {
        let prefix = self.home_assistant.as_ref()?;
        Some(format!("{prefix}/status"))
    }

    /// The base as one word of letters, digits, `_` and `-`.
    #[must_use]
    pub fn object_id(&self) -> String {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        self.base
            .chars()
            .map(|c| if fits(c) { c } else { '_' })
            .collect()
    }

    /// All that is subscribed to. A cancel and a ping must not wait behind prompts that are not acknowledged yet.
    #[must_use]
    pub(crate) fn inboxes(&self) -> Vec<Inbox> {
        let inbox = |filter, is_acknowledged, is_needed| Inbox {
            filter,
            is_acknowledged,
            is_needed,
        };
        let mut inboxes = vec![
            inbox(self.ask(), true, true),
            inbox(self.under("ask/+"), true, true),
            inbox(self.cancel(), false, true),
            inbox(self.ping(), false, false),
            inbox(self.position(), false, false),
        ];
        if let Some(group) = &self.group {
            for rest in ["ask", "ask/+"] {
                let filter = format!("$share/{group}/{GROUPS}/{group}/{rest}");
                inboxes.push(inbox(filter, true, true));
            }
        }
        inboxes.extend(self.group_cancel().map(|topic| inbox(topic, false, false)));
        let status = self.home_assistant_status();
        inboxes.extend(status.map(|topic| inbox(topic, false, false)));
        inboxes
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
        if self.home_assistant_status().as_deref() == Some(topic) {
            return Some(Inbound::HomeAssistant);
        }
        let of_group = self.strip_group(topic);
        match of_group.or_else(|| strip_base(topic, &self.base))? {
            "ask" => Some(Inbound::Ask(None)),
            "cancel" => Some(Inbound::Cancel),
            "ping" if of_group.is_none() => Some(Inbound::Ping),
            "position" if of_group.is_none() => Some(Inbound::Position),
            other => {
                let client = other.strip_prefix("ask/")?;
                (!client.contains('/')).then_some(Inbound::Ask(Some(client)))
            }
        }
    }

    fn strip_group<'a>(&self, topic: &'a str) -> Option<&'a str> {
        let in_groups = strip_base(topic, GROUPS)?;
        strip_base(in_groups, self.group.as_deref()?)
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
        let inside = strip_base(topic, &self.base);
        if topic == self.base || inside.is_some_and(|rest| !rest.starts_with("reply/")) {
            return refuse("is one of the daemon's own (reply/<name> under the base is free)");
        }
        let is_inbox = topic.contains("/ask/")
            || ["/ask", "/cancel", "/ping", "/position"]
                .iter()
                .any(|inbox| topic.ends_with(inbox));
        if is_inbox && topic.split('/').next() == self.base.split('/').next() {
            return refuse("is another daemon's inbox");
        }
        if !allowed.is_empty() && !allowed.iter().any(|filter| matches(filter, topic)) {
            return refuse("is outside the topics allowed for answers");
        }
        Ok(())
    }
}

/// What of `topic` stands behind `base` and a slash.
fn strip_base<'a>(topic: &'a str, base: &str) -> Option<&'a str> {
    topic.strip_prefix(base)?.strip_prefix('/')
}

/// Whether `name` can stand as one level of a topic: not empty, no `/ + # $`, no control character, at most 128 bytes.
#[must_use]
pub fn is_level(name: &str) -> bool {
    check_level("name", name).is_ok()
}

/// Looks whether a client may have the name that its topic gives.
///
/// # Errors
/// If it is empty, too long, or has a character that no name may have.
pub fn check_client(name: &str) -> Result<(), TopicError> {
    check_level("client", name)
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
        let nameless = topics.parse("thinkd/oven/ask/");
        assert_eq!(nameless, Some(Inbound::Ask(Some(""))), "to be told so");
        assert!(matches(&topics.ask_of_any(), &topics.ask_of("hall")));
        assert_eq!(topics.parse(&topics.cancel()), Some(Inbound::Cancel));
        for other in [
            "thinkd/oven/answer",
            "thinkd/oven2/ask",
            "thinkd/oven",
            "ask",
            "thinkd/ovenask",
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
            "thinkd/other/ask/me",
            "thinkd/other/ping",
            "thinkd/oven/pong",
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
    fn a_board_of_a_group_hears_what_is_asked_of_the_group() {
        let alone = topics();
        assert_eq!(alone.parse("thinkd/group/kitchen/ask"), None);
        let topics = topics().with_group("kitchen").unwrap();
        assert_eq!(
            topics.group_ask().as_deref(),
            Some("thinkd/group/kitchen/ask")
        );
        for (topic, inbound) in [
            ("thinkd/group/kitchen/ask", Some(Inbound::Ask(None))),
            ("thinkd/group/kitchen/cancel", Some(Inbound::Cancel)),
            ("thinkd/group/kitchen/ping", None),
            ("thinkd/group/cellar/ask", None),
            ("thinkd/group/kitchen", None),
            ("thinkd/oven/ask", Some(Inbound::Ask(None))),
        ] {
            assert_eq!(topics.parse(topic), inbound, "{topic}");
        }
        let shared: Vec<String> = topics
            .inboxes()
            .into_iter()
            .filter(|inbox| inbox.filter.starts_with('$') && inbox.is_acknowledged)
            .map(|inbox| inbox.filter)
            .collect();
        assert_eq!(shared[0], "$share/kitchen/thinkd/group/kitchen/ask");
        assert!(alone.with_group("a/b").is_err());
    }

    #[test]
    fn every_inbox_is_a_filter_whose_messages_are_understood() {
        let topics = topics()
            .with_group("kitchen")
            .unwrap()
            .with_home_assistant("home/assistant")
            .unwrap();
        for inbox in topics.inboxes() {
            assert!(is_filter(&inbox.filter), "{}", inbox.filter);
            let filter = inbox.filter.strip_prefix("$share/kitchen/");
            let topic = filter.unwrap_or(&inbox.filter);
            if !topic.ends_with("/+") {
                assert!(topics.parse(topic).is_some(), "{topic}");
            }
        }
        assert_eq!(
            topics.parse("home/assistant/status"),
            Some(Inbound::HomeAssistant)
        );
        assert_eq!(
            topics.home_assistant_config().as_deref(),
            Some("home/assistant/device/thinkd_oven/config")
        );
        assert!(topics.with_home_assistant("a/+").is_err());
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
