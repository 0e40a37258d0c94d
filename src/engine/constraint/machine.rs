//! The acceptor: bytes in, and whether they are still the beginning of a document.
//!
//! A stack of what has begun and not ended; never deeper than [`DEPTH_MAX`] containers. It has no dead ends: from
//! every state it can reach, [`Machine::closing`] leads to a whole document.

use super::number::{self, Number};
use super::schema::{ANY, Node, NodeId, Types};
use super::text::{self, Text};
use super::{BLANKS_MAX, DEPTH_MAX, Schema};

/// The state between two bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Machine {
    stack: Vec<Frame>,
    /// The name being written in an object that may have names of its own, with its opening quote.
    name: Vec<u8>,
    /// White space since the last other byte.
    blanks: usize,
}

/// What has begun.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Frame {
    /// A value is to come.
    Value(NodeId),
    /// `true`, `false` or `null`, and how much of it there is.
    Word(&'static str, usize),
    Number(Number),
    Text(Text),
    /// One of a node's literals, and how much of it there is; others may begin alike.
    Literal(NodeId, usize, usize),
    Array {
        node: NodeId,
        count: usize,
    },
    Object {
        node: NodeId,
        /// A bit for each of the node's properties.
        seen: u128,
        place: Place,
    },
}

/// How far an object has come.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// Nothing is in it.
    Open,
    /// A comma came.
    Comma,
    /// In one of the node's names, this one or one that begins alike, at this byte of it.
    Known(usize, usize),
    /// In a name of its own choice.
    Free(Text),
    /// The name is there, the value under it is this.
    Name(NodeId),
    /// A value came.
    Value,
}

/// What a byte does.
enum Step {
    Refused,
    /// It is white space between other things.
    Blank,
    Taken,
    /// It ends what is on top.
    Ends,
    /// What is on top has ended before it.
    Ended,
    /// It is the beginning of what stands in place of what is on top.
    Becomes(Frame),
    /// It makes this come on top.
    Enters(Frame),
}

impl Machine {
    pub(super) fn new(schema: &Schema) -> Self {
        Self {
            stack: vec![Frame::Value(schema.root)],
            name: Vec::new(),
            blanks: 0,
        }
    }

    /// Takes bytes; false where one cannot stand there, after which the state means nothing.
    pub(super) fn take(&mut self, schema: &Schema, bytes: &[u8]) -> bool {
        bytes.iter().all(|&byte| self.step(schema, byte))
    }

    fn step(&mut self, schema: &Schema, byte: u8) -> bool {
        loop {
            let depth = self.stack.len();
            let step = match self.stack.last_mut() {
                None if is_blank(byte) => Step::Blank,
                None => Step::Refused,
                Some(top) => top.feed(byte, schema, depth, &mut self.name),
            };
            if !matches!(step, Step::Blank | Step::Ended) {
                self.blanks = 0;
            }
            match step {
                Step::Refused => return false,
                Step::Blank => {
                    self.blanks += 1;
                    return self.blanks <= BLANKS_MAX;
                }
                Step::Taken => return true,
                Step::Ends => {
                    self.stack.pop();
                    return true;
                }
                Step::Ended => {
                    self.stack.pop();
                }
                Step::Becomes(frame) => {
                    self.stack.pop();
                    self.stack.push(frame);
                    return true;
                }
                Step::Enters(frame) => {
                    self.stack.push(frame);
                    return true;
                }
            }
        }
    }

    /// Whether there is a whole document.
    pub(super) fn is_complete(&self, schema: &Schema) -> bool {
        match self.stack.as_slice() {
            [] => true,
            [last] => last.may_end(schema),
            _ => false,
        }
    }

    /// Whether nothing but white space can follow.
    pub(super) fn is_closed(&self) -> bool {
        self.stack.is_empty()
    }

    /// A short text that makes it a whole document. What was taken so far are whole characters.
    pub(super) fn closing(&self, schema: &Schema) -> String {
        let mut machine = self.clone();
        machine.blanks = 0;
        let mut closing = String::new();
        while !machine.is_complete(schema) {
            let piece = machine.closing_piece(schema);
            let is_taken = machine.take(schema, piece.as_bytes());
            assert!(is_taken && !piece.is_empty(), "a closing fits its state");
            closing.push_str(&piece);
        }
        closing
    }

    fn closing_piece(&self, schema: &Schema) -> String {
        let open = self.stack.iter().rev().find(|frame| !frame.may_end(schema));
        open.map_or_else(String::new, |frame| frame.closing_piece(schema, &self.name))
    }
}

impl Frame {
    /// The frame of a value that begins with `byte`, `depth` containers deep.
    fn begin(node: NodeId, byte: u8, schema: &Schema, depth: usize) -> Option<Self> {
        let rules = &schema.nodes[node];
        if !rules.literals.is_empty() {
            let fits = |literal: &String| literal.as_bytes().first() == Some(&byte);
            let literal = rules.literals.iter().position(fits)?;
            return Some(Self::Literal(node, literal, 1));
        }
        let (types, frame) = match byte {
            b'n' => (Types::NULL, Self::Word("null", 1)),
            b't' => (Types::BOOLEAN, Self::Word("true", 1)),
            b'f' => (Types::BOOLEAN, Self::Word("false", 1)),
            b'"' => (Types::STRING, Self::Text(Text::Plain)),
            b'[' => (Types::ARRAY, Self::Array { node, count: 0 }),
            b'{' => {
                let (seen, place) = (0, Place::Open);
                (Types::OBJECT, Self::Object { node, seen, place })
            }
            _ => {
                let is_integer = !rules.types.has(Types::NUMBER);
                let number = Number::begin(byte, is_integer)?;
                (Types::INTEGER, Self::Number(number))
            }
        };
        let is_container = matches!(frame, Self::Array { .. } | Self::Object { .. });
        (rules.types.has(types) && (!is_container || depth < DEPTH_MAX)).then_some(frame)
    }

    /// Takes a byte as what is on top of a stack of `height`.
    fn feed(&mut self, byte: u8, schema: &Schema, height: usize, name: &mut Vec<u8>) -> Step {
        match self {
            Self::Value(_) if is_blank(byte) => Step::Blank,
            Self::Value(node) => {
                // What is below the value are containers.
                let frame = Self::begin(*node, byte, schema, height - 1);
                frame.map_or(Step::Refused, Step::Becomes)
            }
            Self::Word(word, at) if word.as_bytes()[*at] == byte => {
                *at += 1;
                if *at == word.len() {
                    Step::Ends
                } else {
                    Step::Taken
                }
            }
            Self::Word(..) => Step::Refused,
            Self::Number(number) => match number.feed(byte) {
                number::Fed::Taken => Step::Taken,
                number::Fed::Ended => Step::Ended,
                number::Fed::Refused => Step::Refused,
            },
            Self::Text(text) => match text.feed(byte) {
                text::Fed::Taken => Step::Taken,
                text::Fed::Closed => Step::Ends,
                text::Fed::Refused => Step::Refused,
            },
            Self::Literal(node, literal, at) => {
                let literals = &schema.nodes[*node].literals;
                let next = literals
                    .iter()
                    .position(|other| goes_on(other, &literals[*literal], *at, byte));
                match next {
                    Some(next) => {
                        (*literal, *at) = (next, *at + 1);
                        if literals[next].len() == *at && !begins_another(literals, next) {
                            Step::Ends
                        } else {
                            Step::Taken
                        }
                    }
                    None if self.may_end(schema) => Step::Ended,
                    None => Step::Refused,
                }
            }
            Self::Array { .. } | Self::Object { .. } if is_blank(byte) && !self.is_in_name() => {
                Step::Blank
            }
            Self::Array { node, count } => {
                let rules = &schema.nodes[*node];
                match byte {
                    b']' if *count >= rules.items_min => Step::Ends,
                    b',' if *count > 0 && *count < rules.items_max => {
                        *count += 1;
                        Step::Enters(Self::Value(rules.items))
                    }
                    _ if *count == 0 && rules.items_max > 0 => {
                        let frame = Self::begin(rules.items, byte, schema, height);
                        *count = usize::from(frame.is_some());
                        frame.map_or(Step::Refused, Step::Enters)
                    }
                    _ => Step::Refused,
                }
            }
            Self::Object { node, seen, place } => {
                feed_object(&schema.nodes[*node], (seen, place), byte, name)
            }
        }
    }

    /// Whether white space would be part of it.
    fn is_in_name(&self) -> bool {
        let Self::Object { place, .. } = self else {
            return false;
        };
        matches!(place, Place::Known(..) | Place::Free(_))
    }

    /// Whether it is whole as it stands, though it may go on.
    fn may_end(&self, schema: &Schema) -> bool {
        match self {
            Self::Number(number) => number.may_end(),
            Self::Literal(node, literal, at) => {
                let literals = &schema.nodes[*node].literals;
                let written = &literals[*literal].as_bytes()[..*at];
                literals.iter().any(|other| other.as_bytes() == written)
            }
            _ => false,
        }
    }

    /// What brings it nearer to its end.
    fn closing_piece(&self, schema: &Schema, name: &[u8]) -> String {
        match self {
            Self::Value(node) => schema.nodes[*node].shortest.clone(),
            Self::Word(word, at) => word[*at..].to_owned(),
            Self::Number(number) => number.closing().to_owned(),
            Self::Text(text) => text.escape_closing() + "\"",
            Self::Literal(node, literal, at) => {
                let literals = &schema.nodes[*node].literals;
                let written = &literals[*literal].as_bytes()[..*at];
                let fits = |other: &&String| other.as_bytes().starts_with(written);
                let best = literals.iter().filter(fits).min_by_key(|other| other.len());
                best.expect("the literal itself fits")[*at..].to_owned()
            }
            Self::Array { node, count } => {
                let rules = &schema.nodes[*node];
                if *count >= rules.items_min {
                    return "]".to_owned();
                }
                let comma = if *count == 0 { "" } else { "," };
                format!("{comma}{}", schema.nodes[rules.items].shortest)
            }
            Self::Object { node, seen, place } => {
                object_closing(&schema.nodes[*node], *seen, place, (schema, name))
            }
        }
    }
}

/// Takes a byte within an object, white space between its parts excepted.
fn feed_object(
    rules: &Node,
    (seen, place): (&mut u128, &mut Place),
    byte: u8,
    name: &mut Vec<u8>,
) -> Step {
    let next = match *place {
        Place::Open | Place::Value if byte == b'}' => {
            let is_missing = |(index, property): (usize, &super::schema::Property)| {
                property.is_required && *seen & 1 << index == 0
            };
            let misses = rules.properties.iter().enumerate().any(is_missing);
            return if misses { Step::Refused } else { Step::Ends };
        }
        Place::Value if byte == b',' => match first_unseen(rules, *seen) {
            None if rules.additional.is_none() => return Step::Refused,
            _ => Place::Comma,
        },
        Place::Open | Place::Comma if byte == b'"' => {
            match (rules.additional, first_unseen(rules, *seen)) {
                (Some(_), _) => {
                    *name = vec![byte];
                    Place::Free(Text::Plain)
                }
                (None, Some(first)) => Place::Known(first, 1),
                (None, None) => return Step::Refused,
            }
        }
        Place::Known(index, at) => {
            let written = &rules.properties[index].key;
            let next = rules.properties.iter().enumerate().position(|(i, other)| {
                *seen & 1 << i == 0 && goes_on(&other.key, written, at, byte)
            });
            let Some(next) = next else {
                return Step::Refused;
            };
            let property = &rules.properties[next];
            if property.key.len() == at + 1 {
                *seen |= 1 << next;
                Place::Name(property.node)
            } else {
                Place::Known(next, at + 1)
            }
        }
        Place::Free(mut text) => {
            name.push(byte);
            match text.feed(byte) {
                text::Fed::Taken => Place::Free(text),
                text::Fed::Refused => return Step::Refused,
                text::Fed::Closed => match named(rules, name) {
                    None => Place::Name(rules.additional.unwrap_or(ANY)),
                    Some(index) if *seen & 1 << index != 0 => return Step::Refused,
                    Some(index) => {
                        *seen |= 1 << index;
                        Place::Name(rules.properties[index].node)
                    }
                },
            }
        }
        Place::Name(node) if byte == b':' => {
            *place = Place::Value;
            return Step::Enters(Frame::Value(node));
        }
        _ => return Step::Refused,
    };
    *place = next;
    Step::Taken
}

/// What brings an object nearer to its end.
fn object_closing(
    rules: &Node,
    seen: u128,
    place: &Place,
    (schema, name): (&Schema, &[u8]),
) -> String {
    let unseen = || {
        let properties = rules.properties.iter().enumerate();
        properties.filter(move |(index, _)| seen & 1 << index == 0)
    };
    let missing = unseen().find(|(_, property)| property.is_required);
    let cost = |key: &str, node: NodeId| key.len() + schema.nodes[node].shortest.len();
    match place {
        Place::Open | Place::Value => match missing {
            None => "}".to_owned(),
            Some((_, property)) if *place == Place::Open => property.key.clone(),
            Some((_, property)) => format!(",{}", property.key),
        },
        Place::Comma => match (missing, rules.additional) {
            (Some((_, property)), _) => property.key.clone(),
            (None, Some(_)) => format!("\"{}\"", fresh_name(rules, "")),
            (None, None) => unseen()
                .min_by_key(|(_, property)| cost(&property.key, property.node))
                .map_or_else(String::new, |(_, property)| property.key.clone()),
        },
        Place::Known(index, at) => {
            let written = &rules.properties[*index].key.as_bytes()[..*at];
            unseen()
                .filter(|(_, property)| property.key.as_bytes().starts_with(written))
                .min_by_key(|(_, property)| {
                    let cost = cost(&property.key, property.node);
                    (!property.is_required, cost)
                })
                .map_or_else(String::new, |(_, property)| property.key[*at..].to_owned())
        }
        Place::Free(text) => {
            let escape = text.escape_closing();
            let whole = [name, escape.as_bytes(), b"\""].concat();
            let is_taken = named(rules, &whole).is_some_and(|index| seen & 1 << index != 0);
            if !is_taken {
                return escape + "\"";
            }
            let written = serde_json::from_slice::<String>(&whole).unwrap_or_default();
            let fresh = fresh_name(rules, &written);
            let added = fresh[written.len()..].to_owned();
            escape + &added + "\""
        }
        Place::Name(_) => ":".to_owned(),
    }
}

/// `written` and as many underscores as make it none of the properties' names.
fn fresh_name(rules: &Node, written: &str) -> String {
    let mut name = written.to_owned();
    while rules.properties.iter().any(|other| other.name == name) {
        name.push('_');
    }
    name
}

/// The property whose name JSON writes as `written`, with quotes.
fn named(rules: &Node, written: &[u8]) -> Option<usize> {
    if rules.properties.is_empty() {
        return None;
    }
    let name: String = serde_json::from_slice(written).ok()?;
    rules
        .properties
        .iter()
        .position(|property| property.name == name)
}

fn first_unseen(rules: &Node, seen: u128) -> Option<usize> {
    (0..rules.properties.len()).find(|index| seen & 1 << index == 0)
}

/// Whether `other` begins with the first `at` bytes of `written` and then `byte`.
fn goes_on(other: &str, written: &str, at: usize, byte: u8) -> bool {
    let other = other.as_bytes();
    other.get(at) == Some(&byte) && other[..at] == written.as_bytes()[..at]
}

/// Whether another of `literals` goes on where `literals[index]` ends.
fn begins_another(literals: &[String], index: usize) -> bool {
    let whole = &literals[index];
    literals
        .iter()
        .any(|other| other.len() > whole.len() && other.starts_with(whole.as_str()))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}
