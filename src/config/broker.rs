//! Which broker, and what a board may be called there.

use super::keys::EMBEDDED;

/// Where messages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broker {
    /// A broker inside the daemon, on loopback.
    Embedded {
        /// The TCP port it listens on.
        port: u16,
    },
    /// A broker somewhere else.
    Remote {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// Whether with TLS.
        is_encrypted: bool,
    },
}

impl Broker {
    /// Host and port a client connects to.
    pub fn address(&self) -> (&str, u16) {
        match self {
            Self::Embedded { port } => ("127.0.0.1", *port),
            Self::Remote { host, port, .. } => (host, *port),
        }
    }

    /// Whether what is sent can be read on the way to it.
    pub fn is_in_the_clear(&self) -> bool {
        let is_loopback = |host: &str| {
            let address = host.parse::<std::net::IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        };
        match self {
            Self::Embedded { .. } => false,
            Self::Remote {
                host, is_encrypted, ..
            } => !is_encrypted && !is_loopback(host),
        }
    }
}

impl std::fmt::Display for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded { port } => write!(f, "{EMBEDDED} (127.0.0.1:{port})"),
            Self::Remote {
                host,
                port,
                is_encrypted,
            } => {
                let scheme = if *is_encrypted { "mqtts" } else { "mqtt" };
                if host.contains(':') {
                    write!(f, "{scheme}://[{host}]:{port}")
                } else {
                    write!(f, "{scheme}://{host}:{port}")
                }
            }
        }
    }
}

/// Reads `embedded`, `mqtt://host:port` or `mqtts://host:port`; the port may be left out. Gives the reason where it is neither.
pub(super) fn parse_broker(text: &str, embedded_port: u16) -> Result<Broker, String> {
    if text == EMBEDDED {
        return Ok(Broker::Embedded {
            port: embedded_port,
        });
    }
    let plain = text.strip_prefix("mqtt://").map(|rest| (rest, false));
    let encrypted = || text.strip_prefix("mqtts://").map(|rest| (rest, true));
    let Some((rest, is_encrypted)) = plain.or_else(encrypted) else {
        return Err(format!(
            "\"{text}\" is not allowed; it is \"embedded\", \"mqtt://host:port\" or \"mqtts://host:port\""
        ));
    };
    if rest.contains('@') {
        return Err(
            "name and password do not belong here; set mqtt.username and \
                    mqtt.password_file"
                .to_owned(),
        );
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or("?"))),
        None => rest
            .split_once(':')
            .map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None if is_encrypted => ENCRYPTED_PORT,
        None => STANDARD_PORT,
        Some(port) => port
            .parse()
            .ok()
            .filter(|&port| port != 0)
            .ok_or_else(|| format!("\"{port}\" is not a port; it is 1 to 65535"))?,
    };
    let strange = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '[' | ']');
    if host.is_empty() || host.contains(strange) {
        return Err(format!("\"{host}\" is not a host name or address"));
    }
    Ok(Broker::Remote {
        host: host.to_owned(),
        port,
        is_encrypted,
    })
}

/// `name` with everything that has no place in a topic level replaced by `-`; `thinkd` where nothing is left.
pub fn topic_safe(name: &str) -> String {
    let safe: String = name
        .chars()
        .take(DEVICE_CHARS_MAX)
        .map(|c| if fits_a_device(c) { c } else { '-' })
        .collect();
    let safe = safe.trim_matches('-');
    if safe.is_empty() {
        "thinkd".to_owned()
    } else {
        safe.to_owned()
    }
}

/// Gives the reason where `device` is not what [`topic_safe`] would leave as it is.
pub(super) fn check_device(device: &str) -> Result<(), String> {
    let chars = device.chars().count();
    if (1..=DEVICE_CHARS_MAX).contains(&chars) && device.chars().all(fits_a_device) {
        Ok(())
    } else {
        Err(format!(
            "\"{device}\" is not allowed; it is at most {DEVICE_CHARS_MAX} letters, digits, \
             \"-\", \"_\" and \".\""
        ))
    }
}

fn fits_a_device(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

const STANDARD_PORT: u16 = 1883;
const ENCRYPTED_PORT: u16 = 8883;
const DEVICE_CHARS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_brokers() {
        for (text, shown) in [
            ("embedded", "embedded (127.0.0.1:1900)"),
            ("mqtt://broker.lan", "mqtt://broker.lan:1883"),
            ("mqtt://broker.lan:1884/", "mqtt://broker.lan:1884"),
            ("mqtt://10.0.0.2:1", "mqtt://10.0.0.2:1"),
            ("mqtt://[::1]", "mqtt://[::1]:1883"),
            ("mqtt://[fe80::2]:99", "mqtt://[fe80::2]:99"),
            ("mqtts://broker.lan", "mqtts://broker.lan:8883"),
            ("mqtts://[::1]:1", "mqtts://[::1]:1"),
        ] {
            assert_eq!(
                parse_broker(text, 1900).map(|b| b.to_string()),
                Ok(shown.to_owned())
            );
        }
        assert_eq!(
            parse_broker("mqtt://[::1]:5", 1).unwrap().address(),
            ("::1", 5)
        );
    }

    #[test]
    fn only_what_leaves_the_board_without_tls_can_be_read() {
        for (text, is_in_the_clear) in [
            ("embedded", false),
            ("mqtt://localhost", false),
            ("mqtt://127.0.0.1", false),
            ("mqtt://[::1]", false),
            ("mqtt://10.0.0.2", true),
            ("mqtt://broker.lan", true),
            ("mqtts://broker.lan", false),
        ] {
            let broker = parse_broker(text, 1883).unwrap();
            assert_eq!(broker.is_in_the_clear(), is_in_the_clear, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_broker() {
        for (text, why) in [
            ("", "embedded"),
            ("broker.lan", "mqtt://host:port"),
            ("mqttss://broker.lan", "mqtts://host:port"),
            ("mqtts://me:secret@broker.lan", "password_file"),
            ("mqtt://me:secret@broker.lan", "password_file"),
            ("mqtt://", "host name"),
            ("mqtt://a b", "host name"),
            ("mqtt://a:0", "port"),
            ("mqtt://a:70000", "port"),
            ("mqtt://::1", "port"),
            ("mqtt://[::1]9", "port"),
        ] {
            let reason = parse_broker(text, 1883).unwrap_err();
            assert!(reason.contains(why), "{text}: {reason}");
            assert!(!reason.contains("secret"), "{reason}");
        }
    }

    #[test]
    fn makes_host_names_safe_for_topics() {
        for (name, safe) in [
            ("pi5", "pi5"),
            ("Pi 5/küche+#", "Pi-5-k-che"),
            ("", "thinkd"),
            ("++", "thinkd"),
            ("board.lan", "board.lan"),
        ] {
            assert_eq!(topic_safe(name), safe);
            assert_eq!(check_device(&topic_safe(name)), Ok(()));
        }
        assert!(check_device("a/b").is_err());
        assert!(check_device(&"x".repeat(65)).is_err());
    }
}
