//! What is wrong with the configuration: every mistake at once, each with where it stands.

use std::fmt;
use std::path::PathBuf;

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// In a configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
    },
    /// In a configuration file as a whole.
    WholeFile(PathBuf),
    /// In an environment variable of this name.
    Variable(String),
    /// In a flag of this name.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::WholeFile(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands.
    pub origin: Origin,
    /// The setting, as `section.name`; empty where the mistake is not about one.
    pub key: String,
    /// What was found and what is allowed.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.origin != Origin::Default {
            write!(f, "{}: ", self.origin)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.reason)
    }
}

/// A configuration that cannot be used: all of its mistakes, one a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(mistakes))]
pub struct ConfigError {
    /// The mistakes; at least one.
    pub mistakes: Vec<Mistake>,
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_every_mistake_with_its_place() {
        let error = ConfigError {
            mistakes: vec![
                Mistake {
                    origin: Origin::File {
                        path: "a.toml".into(),
                        line: 3,
                    },
                    key: "log.level".into(),
                    reason: "no".into(),
                },
                Mistake {
                    origin: Origin::WholeFile("b.toml".into()),
                    key: String::new(),
                    reason: "cannot be read".into(),
                },
            ],
        };
        assert_eq!(
            error.to_string(),
            "a.toml:3: log.level: no\nb.toml: cannot be read"
        );
    }
}
