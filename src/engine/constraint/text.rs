//! A JSON string, byte by byte, without its opening quote.
//!
//! Halves of surrogate pairs are taken only as pairs. Bytes above 127 are not looked at: what is no UTF-8 becomes a
//! replacement character before anyone reads it.

/// What a byte did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fed {
    /// It is part of the string.
    Taken,
    /// It is the closing quote.
    Closed,
    /// It cannot stand here.
    Refused,
}

/// A string that has begun; what came last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// Nothing that binds what follows.
    Plain,
    /// A backslash.
    Backslash,
    /// A backslash that has to begin the second half of a pair.
    PairBackslash,
    /// `\u` and some digits; whether it is the second half of a pair.
    Hex {
        digits: u8,
        value: u16,
        is_second: bool,
    },
    /// The first half of a pair.
    FirstHalf,
}

impl Text {
    /// Takes the next byte.
    pub(super) fn feed(&mut self, byte: u8) -> Fed {
        let next = match (*self, byte) {
            (Self::Plain, b'"') => return Fed::Closed,
            (Self::Plain, b'\\') => Self::Backslash,
            (Self::Plain, 0..0x20) => return Fed::Refused,
            (Self::Plain, _) => Self::Plain,
            (Self::Backslash, b'u') => Self::Hex {
                digits: 0,
                value: 0,
                is_second: false,
            },
            (Self::Backslash, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                Self::Plain
            }
            (Self::FirstHalf, b'\\') => Self::PairBackslash,
            (Self::PairBackslash, b'u') => Self::Hex {
                digits: 0,
                value: 0,
                is_second: true,
            },
            (hex @ Self::Hex { .. }, _) => match hex.digit(byte) {
                Some(next) => next,
                None => return Fed::Refused,
            },
            _ => return Fed::Refused,
        };
        *self = next;
        Fed::Taken
    }

    /// One more digit of a `\u`; nothing where the digits could not become a character.
    fn digit(self, byte: u8) -> Option<Self> {
        let Self::Hex {
            digits,
            value,
            is_second,
        } = self
        else {
            return None;
        };
        let digit = u16::try_from(char::from(byte).to_digit(16)?).ok()?;
        let (digits, value) = (digits + 1, value << 4 | digit);
        let fits = match (is_second, digits) {
            (true, 1) => value == 0xd,
            (true, 2) => (0xdc..=0xdf).contains(&value),
            // A second half without a first one.
            (false, 2) => !(0xdc..=0xdf).contains(&value),
            _ => true,
        };
        if !fits {
            return None;
        }
        Some(match digits {
            4 if !is_second && (0xd800..0xdc00).contains(&value) => Self::FirstHalf,
            4 => Self::Plain,
            _ => Self::Hex {
                digits,
                value,
                is_second,
            },
        })
    }

    /// What ends the escape it is in, where it is in one.
    pub(super) fn escape_closing(self) -> String {
        match self {
            Self::Plain => String::new(),
            Self::Backslash => "n".to_owned(),
            Self::PairBackslash => "udc00".to_owned(),
            Self::FirstHalf => "\\udc00".to_owned(),
            Self::Hex {
                digits,
                value,
                is_second,
            } => {
                let pattern = if is_second { "dc00" } else { "0000" };
                let mut closing = pattern[usize::from(digits)..].to_owned();
                let is_first = !is_second && digits >= 2 && {
                    let padded = value << (4 * (4 - u16::from(digits)));
                    (0xd800..0xdc00).contains(&padded)
                };
                if is_first {
                    closing.push_str("\\udc00");
                }
                closing
            }
        }
    }
}
