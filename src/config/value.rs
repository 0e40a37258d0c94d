//! A setting's value, and what it may be.

use std::fmt;

/// A value, from a file, the environment or a flag.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text, or a word that a number may be instead.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// A list of texts.
    List(Vec<String>),
}

/// What a setting may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number in a range, or a word.
    Integer {
        /// Least number.
        min: i64,
        /// Greatest number.
        max: i64,
        /// The word it may be instead.
        or: Option<&'static str>,
    },
    /// A number in a range, or a word.
    Number {
        /// Least number.
        min: f64,
        /// Greatest number.
        max: f64,
        /// The word it may be instead.
        or: Option<&'static str>,
    },
    /// True or false.
    Boolean,
    /// A list of texts; in the environment and in flags separated by commas.
    List,
}

impl Kind {
    /// Gives `value` back where it is allowed, else what was found and what is allowed.
    ///
    /// # Errors
    /// If the value has another type, is out of range, or is not one of the words.
    pub fn check(&self, value: Value) -> Result<Value, String> {
        let allowed = match (self, &value) {
            (Self::Text, Value::Text(text)) => !text.chars().any(|c| c == '\0'),
            (Self::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Self::Integer { or, .. } | Self::Number { or, .. }, Value::Text(text)) => {
                *or == Some(text.as_str())
            }
            (Self::Integer { min, max, .. }, Value::Integer(number)) => {
                (min..=max).contains(&number)
            }
            (Self::Number { min, max, .. }, Value::Number(number)) => (min..=max).contains(&number),
            (Self::Number { .. }, Value::Integer(number)) => {
                // Whole numbers are numbers too; the ranges are far below 2⁵³.
                return self.check(Value::Number(*number as f64));
            }
            (Self::Boolean, Value::Boolean(_)) | (Self::List, Value::List(_)) => true,
            _ => false,
        };
        if allowed {
            Ok(value)
        } else {
            Err(format!("{value:#} is not allowed; it is {self}"))
        }
    }

    /// Reads a value written as one text, as in the environment and in flags.
    ///
    /// # Errors
    /// As [`Kind::check`].
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let value = match self {
            Self::Text | Self::Choice(_) => Value::Text(text.to_owned()),
            Self::Integer { .. } => text
                .parse()
                .map_or_else(|_| Value::Text(text.to_owned()), Value::Integer),
            Self::Number { .. } => text
                .parse()
                .map_or_else(|_| Value::Text(text.to_owned()), Value::Number),
            Self::Boolean => text
                .parse()
                .map_or_else(|_| Value::Text(text.to_owned()), Value::Boolean),
            Self::List => Value::List(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
        };
        self.check(value)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = match self {
            Self::Text => return f.write_str("a text"),
            Self::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                return write!(f, "one of {}", words.join(", "));
            }
            Self::Boolean => return f.write_str("true or false"),
            Self::List => return f.write_str("a list of texts"),
            Self::Integer { min, max, or } => {
                write!(f, "a whole number from {min} to {max}")?;
                or
            }
            Self::Number { min, max, or } => {
                write!(f, "a number from {min} to {max}")?;
                or
            }
        };
        or.map_or(Ok(()), |word| write!(f, ", or \"{word}\""))
    }
}

/// Plain is how flags write it; alternate (`{:#}`) is how messages and files do, texts in quotes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if f.alternate() => write!(f, "\"{}\"", text.escape_debug()),
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Boolean(yes) => write!(f, "{yes}"),
            Self::List(items) if f.alternate() => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| format!("\"{}\"", item.escape_debug()))
                    .collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::List(items) => f.write_str(&items.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: Kind = Kind::Integer {
        min: 1,
        max: 9,
        or: Some("auto"),
    };
    const SHARE: Kind = Kind::Number {
        min: 0.0,
        max: 1.0,
        or: None,
    };

    #[test]
    fn reads_what_is_in_range_and_the_word() {
        assert_eq!(SOME.parse("1"), Ok(Value::Integer(1)));
        assert_eq!(SOME.parse("9"), Ok(Value::Integer(9)));
        assert_eq!(SOME.parse("auto"), Ok(Value::Text("auto".into())));
        assert_eq!(SHARE.parse("0.5"), Ok(Value::Number(0.5)));
        assert_eq!(SHARE.parse("1"), Ok(Value::Number(1.0)));
        assert_eq!(SHARE.check(Value::Integer(1)), Ok(Value::Number(1.0)));
        assert_eq!(
            Kind::List.parse("a/b, c"),
            Ok(Value::List(vec!["a/b".into(), "c".into()]))
        );
        assert_eq!(Kind::List.parse(""), Ok(Value::List(vec![])));
        assert_eq!(Kind::Boolean.parse("true"), Ok(Value::Boolean(true)));
        assert_eq!(Kind::Boolean.parse("false"), Ok(Value::Boolean(false)));
    }

    #[test]
    fn says_what_it_found_and_what_is_allowed() {
        for (kind, text, message) in [
            (
                SOME,
                "10",
                "10 is not allowed; it is a whole number from 1 to 9, or \"auto\"",
            ),
            (
                SOME,
                "many",
                "\"many\" is not allowed; it is a whole number from 1 to 9, or \"auto\"",
            ),
            (
                SOME,
                "1.5",
                "\"1.5\" is not allowed; it is a whole number from 1 to 9, or \"auto\"",
            ),
            (
                SHARE,
                "nan",
                "NaN is not allowed; it is a number from 0 to 1",
            ),
            (
                SHARE,
                "-0.1",
                "-0.1 is not allowed; it is a number from 0 to 1",
            ),
            (
                Kind::Choice(&["a", "b"]),
                "c",
                "\"c\" is not allowed; it is one of \"a\", \"b\"",
            ),
            (
                Kind::Boolean,
                "1",
                "\"1\" is not allowed; it is true or false",
            ),
        ] {
            assert_eq!(kind.parse(text), Err(message.to_owned()), "{text}");
        }
        assert!(Kind::Text.check(Value::Integer(3)).is_err());
        assert!(Kind::List.check(Value::Text("a".into())).is_err());
    }
}
