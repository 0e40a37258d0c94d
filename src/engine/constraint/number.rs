//! A JSON number, digit by digit.
//!
//! Takes what a double holds: at most 32 digits and exponents from -250 to 250, so that a model that has fallen into
//! repeating a digit comes out of it, and no parser finds a number out of range. Integers have at most 18 digits.

/// What a byte did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fed {
    /// It is part of the number.
    Taken,
    /// The number ended before it.
    Ended,
    /// It cannot stand here.
    Refused,
}

/// A number that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    is_integer: bool,
    place: Place,
    digits: usize,
    exponent: u32,
    exponent_digits: usize,
}

/// What came last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Minus,
    /// A zero in front, which no digit may follow.
    Zero,
    Whole,
    Point,
    Fraction,
    E,
    Sign,
    Exponent,
}

impl Number {
    /// The number that begins with `byte`.
    pub(super) fn begin(byte: u8, is_integer: bool) -> Option<Self> {
        let place = match byte {
            b'-' => Place::Minus,
            b'0' => Place::Zero,
            b'1'..=b'9' => Place::Whole,
            _ => return None,
        };
        Some(Self {
            is_integer,
            place,
            digits: usize::from(byte != b'-'),
            exponent: 0,
            exponent_digits: 0,
        })
    }

    /// Takes the next byte.
    pub(super) fn feed(&mut self, byte: u8) -> Fed {
        let next = match (self.place, byte) {
            // "-0" is no integer to many parsers.
            (Place::Minus, b'0') if !self.is_integer => Place::Zero,
            (Place::Minus, b'1'..=b'9') => Place::Whole,
            (Place::Zero, b'0'..=b'9') => return Fed::Refused,
            (Place::Whole, b'0'..=b'9') => Place::Whole,
            (Place::Zero | Place::Whole, b'.') if !self.is_integer => Place::Point,
            (Place::Point | Place::Fraction, b'0'..=b'9') => Place::Fraction,
            (Place::Zero | Place::Whole | Place::Fraction, b'e' | b'E') if !self.is_integer => {
                Place::E
            }
            (Place::E, b'+' | b'-') => Place::Sign,
            (Place::E | Place::Sign | Place::Exponent, b'0'..=b'9') => Place::Exponent,
            _ if self.may_end() => return Fed::Ended,
            _ => return Fed::Refused,
        };
        if byte.is_ascii_digit() && !self.count(next, u32::from(byte - b'0')) {
            return Fed::Refused;
        }
        self.place = next;
        Fed::Taken
    }

    /// Counts a digit; false where it is one too many.
    fn count(&mut self, next: Place, digit: u32) -> bool {
        if next == Place::Exponent {
            let exponent = self.exponent * 10 + digit;
            if self.exponent_digits == EXPONENT_DIGITS_MAX || exponent > EXPONENT_MAX {
                return false;
            }
            self.exponent = exponent;
            self.exponent_digits += 1;
            return true;
        }
        let most = if self.is_integer {
            INTEGER_DIGITS_MAX
        } else {
            DIGITS_MAX
        };
        // The digit after a point is needed, whatever came before.
        if self.digits >= most && self.place != Place::Point {
            return false;
        }
        self.digits += 1;
        true
    }

    /// Whether it is a number as it stands.
    pub(super) fn may_end(&self) -> bool {
        matches!(
            self.place,
            Place::Zero | Place::Whole | Place::Fraction | Place::Exponent
        )
    }

    /// What makes it one.
    pub(super) fn closing(&self) -> &'static str {
        match self.place {
            Place::Minus => "1",
            _ if self.may_end() => "",
            _ => "0",
        }
    }
}

const DIGITS_MAX: usize = 32;
const INTEGER_DIGITS_MAX: usize = 18;
const EXPONENT_MAX: u32 = 250;
const EXPONENT_DIGITS_MAX: usize = 3;
