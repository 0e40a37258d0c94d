//! A JSON schema as a table of nodes that can be followed byte by byte.
//!
//! Understood: `type` (one or a list), `properties`, `required`, `additionalProperties`, `enum`, `const`, `items`,
//! `minItems`, `maxItems`. What only explains (`title`, `description`, …) is passed over; every other keyword is
//! refused by name, because an answer would look checked that is not. Where `properties` or `items` stand without a
//! `type`, an object or a list is meant.

use serde_json::{Map, Value};

use super::Schema;

/// A place in [`Schema::nodes`].
pub(super) type NodeId = usize;

/// The node of any value at all.
pub(super) const ANY: NodeId = 0;

/// What may stand in one place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) types: Types,
    /// Where there are some, one of these stands there, written so, and nothing else.
    pub(super) literals: Vec<String>,
    pub(super) properties: Vec<Property>,
    /// What stands under other names; none where there are no others.
    pub(super) additional: Option<NodeId>,
    pub(super) items: NodeId,
    pub(super) items_min: usize,
    pub(super) items_max: usize,
    /// A short text that may stand there: `null` where it may.
    pub(super) shortest: String,
}

/// A named part of an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Property {
    pub(super) name: String,
    /// The name as JSON writes it, with quotes.
    pub(super) key: String,
    pub(super) node: NodeId,
    pub(super) is_required: bool,
}

/// A set of JSON's types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const INTEGER: Self = Self(4);
    /// Integers too.
    pub(super) const NUMBER: Self = Self(8 | 4);
    pub(super) const STRING: Self = Self(16);
    pub(super) const ARRAY: Self = Self(32);
    pub(super) const OBJECT: Self = Self(64);
    const ALL: Self = Self(127);

    pub(super) fn has(self, types: Self) -> bool {
        self.0 & types.0 == types.0
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => return None,
        })
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if number.is_f64() => Self::NUMBER,
            Value::Number(_) => Self::INTEGER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }
}

/// Why a schema cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct SchemaError {
    /// Where in the schema, as `schema.properties.a`.
    path: String,
    problem: String,
}

impl SchemaError {
    fn new(path: &str, problem: impl Into<String>) -> Self {
        Self {
            path: path.chars().take(PATH_CHARS_MAX).collect(),
            problem: problem.into(),
        }
    }
}

impl Schema {
    /// Any object at all.
    #[must_use]
    pub fn any_object() -> Self {
        let object = Node {
            types: Types::OBJECT,
            shortest: "{}".to_owned(),
            ..any()
        };
        Self {
            nodes: vec![any(), object],
            root: 1,
        }
    }

    /// Reads a schema.
    ///
    /// # Errors
    /// If it is none, has a keyword that is not supported, or no document can follow it.
    pub fn new(schema: &Value) -> Result<Self, SchemaError> {
        let mut nodes = vec![any()];
        let root = read(schema, "schema", &mut nodes, 0)?;
        Ok(Self { nodes, root })
    }
}

fn any() -> Node {
    Node {
        types: Types::ALL,
        literals: Vec::new(),
        properties: Vec::new(),
        additional: Some(ANY),
        items: ANY,
        items_min: 0,
        items_max: usize::MAX,
        shortest: "null".to_owned(),
    }
}

fn read(
    schema: &Value,
    path: &str,
    nodes: &mut Vec<Node>,
    depth: usize,
) -> Result<NodeId, SchemaError> {
    if depth >= super::DEPTH_MAX {
        let problem = format!("it is nested deeper than {} levels", super::DEPTH_MAX);
        return Err(SchemaError::new(path, problem));
    }
    let object = match schema {
        Value::Bool(true) => return Ok(ANY),
        Value::Object(object) => object,
        other => return Err(expected(path, other, "a schema, which is an object")),
    };
    check_keywords(object, path)?;
    let mut node = any();
    node.types = read_types(object, path)?;
    node.literals = read_literals(object, node.types, path)?;
    read_object(object, path, &mut node, (nodes, depth))?;
    read_items(object, path, &mut node, (nodes, depth))?;
    node.shortest = shortest(&node, nodes, path)?;
    nodes.push(node);
    Ok(nodes.len() - 1)
}

fn check_keywords(object: &Map<String, Value>, path: &str) -> Result<(), SchemaError> {
    let unknown = object
        .keys()
        .find(|key| !KEYWORDS.contains(&key.as_str()) && !REMARKS.contains(&key.as_str()));
    match unknown {
        Some(keyword) => {
            let shown: String = keyword.chars().take(40).collect();
            let known = KEYWORDS.join(", ");
            let problem = format!("the keyword {shown:?} is not supported; supported are {known}");
            Err(SchemaError::new(path, problem))
        }
        None => Ok(()),
    }
}

fn read_types(object: &Map<String, Value>, path: &str) -> Result<Types, SchemaError> {
    let has = |keyword: &str| object.contains_key(keyword);
    let Some(value) = object.get("type") else {
        let implied = if has("properties") || has("required") {
            Types::OBJECT
        } else if has("items") {
            Types::ARRAY
        } else {
            Types::ALL
        };
        return Ok(implied);
    };
    let path = format!("{path}.type");
    let names = match value {
        Value::Array(list) if !list.is_empty() => list.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut types = 0;
    for name in names {
        let named = name.as_str().and_then(Types::named);
        let known = "null, boolean, integer, number, string, array or object";
        types |= named.ok_or_else(|| expected(&path, name, known))?.0;
    }
    Ok(Types(types))
}

/// The values of `enum` or `const` that are of one of `types`.
fn read_literals(
    object: &Map<String, Value>,
    types: Types,
    path: &str,
) -> Result<Vec<String>, SchemaError> {
    let values = match (object.get("enum"), object.get("const")) {
        (None, None) => return Ok(Vec::new()),
        (Some(_), Some(_)) => return Err(SchemaError::new(path, "both enum and const are given")),
        (None, Some(value)) => std::slice::from_ref(value),
        (Some(Value::Array(list)), None) => list.as_slice(),
        (Some(other), None) => return Err(expected(&format!("{path}.enum"), other, "a list")),
    };
    let literals: Vec<String> = values
        .iter()
        .filter(|value| types.has(Types::of(value)))
        .map(Value::to_string)
        .collect();
    if literals.is_empty() {
        let problem = "none of the values of enum or const is of the type";
        return Err(SchemaError::new(path, problem));
    }
    Ok(literals)
}

fn read_object(
    object: &Map<String, Value>,
    path: &str,
    node: &mut Node,
    (nodes, depth): (&mut Vec<Node>, usize),
) -> Result<(), SchemaError> {
    if let Some(value) = object.get("properties") {
        let path = format!("{path}.properties");
        let Some(properties) = value.as_object() else {
            return Err(expected(&path, value, "an object"));
        };
        if properties.len() > PROPERTIES_MAX {
            let count = properties.len();
            let problem = format!("there are {count}, the limit is {PROPERTIES_MAX}");
            return Err(SchemaError::new(&path, problem));
        }
        for (name, schema) in properties {
            let id = read(schema, &format!("{path}.{name}"), nodes, depth + 1)?;
            node.properties.push(Property {
                name: name.clone(),
                key: Value::from(name.as_str()).to_string(),
                node: id,
                is_required: false,
            });
        }
    }
    match object.get("additionalProperties") {
        None => {}
        Some(Value::Bool(false)) => node.additional = None,
        Some(schema) => {
            let path = format!("{path}.additionalProperties");
            node.additional = Some(read(schema, &path, nodes, depth + 1)?);
        }
    }
    if let Some(value) = object.get("required") {
        read_required(value, &format!("{path}.required"), node)?;
    }
    Ok(())
}

fn read_required(value: &Value, path: &str, node: &mut Node) -> Result<(), SchemaError> {
    let Some(names) = value.as_array() else {
        return Err(expected(path, value, "a list of names"));
    };
    for name in names {
        let Some(name) = name.as_str() else {
            return Err(expected(path, name, "a name"));
        };
        let property = node
            .properties
            .iter_mut()
            .find(|property| property.name == name);
        let Some(property) = property else {
            let shown: String = name.chars().take(40).collect();
            let problem = format!("{shown:?} is not among the properties");
            return Err(SchemaError::new(path, problem));
        };
        property.is_required = true;
    }
    Ok(())
}

fn read_items(
    object: &Map<String, Value>,
    path: &str,
    node: &mut Node,
    (nodes, depth): (&mut Vec<Node>, usize),
) -> Result<(), SchemaError> {
    if let Some(schema) = object.get("items") {
        node.items = read(schema, &format!("{path}.items"), nodes, depth + 1)?;
    }
    let count = |keyword: &str| match object.get(keyword) {
        None => Ok(None),
        Some(value) => {
            let count = value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok());
            let path = format!("{path}.{keyword}");
            count
                .map(Some)
                .ok_or_else(|| expected(&path, value, "a whole number from 0"))
        }
    };
    node.items_min = count("minItems")?.unwrap_or(0);
    node.items_max = count("maxItems")?.unwrap_or(usize::MAX);
    if node.items_min > node.items_max {
        let (min, max) = (node.items_min, node.items_max);
        let problem = format!("minItems is {min}, above maxItems, which is {max}");
        return Err(SchemaError::new(path, problem));
    }
    Ok(())
}

/// A short text that follows `node`, whose parts are in `nodes`.
fn shortest(node: &Node, nodes: &[Node], path: &str) -> Result<String, SchemaError> {
    if let Some(literal) = node.literals.iter().min_by_key(|literal| literal.len()) {
        return Ok(literal.clone());
    }
    for (types, text) in [
        (Types::NULL, "null"),
        (Types::STRING, "\"\""),
        (Types::INTEGER, "0"),
        (Types::BOOLEAN, "false"),
    ] {
        if node.types.has(types) {
            return Ok(text.to_owned());
        }
    }
    let too_long = || {
        let problem = format!("no document of it is shorter than {SHORTEST_BYTES_MAX} bytes");
        SchemaError::new(path, problem)
    };
    if node.types.has(Types::ARRAY) {
        let item = nodes[node.items].shortest.as_str();
        if node.items_min.saturating_mul(item.len() + 1) > SHORTEST_BYTES_MAX {
            return Err(too_long());
        }
        return Ok(format!("[{}]", vec![item; node.items_min].join(",")));
    }
    let parts: Vec<String> = node
        .properties
        .iter()
        .filter(|property| property.is_required)
        .map(|property| format!("{}:{}", property.key, nodes[property.node].shortest))
        .collect();
    if parts.iter().map(|part| part.len() + 1).sum::<usize>() > SHORTEST_BYTES_MAX {
        return Err(too_long());
    }
    Ok(format!("{{{}}}", parts.join(",")))
}

fn expected(path: &str, found: &Value, expected: &str) -> SchemaError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    SchemaError::new(path, format!("found {found}, expected {expected}"))
}

/// Keywords that are followed.
const KEYWORDS: [&str; 9] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "enum",
    "const",
    "items",
    "minItems",
    "maxItems",
];

/// Keywords that say nothing of what is allowed.
const REMARKS: [&str; 9] = [
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$schema",
    "$comment",
];

/// As many as there are bits in what remembers those that were written.
const PROPERTIES_MAX: usize = 128;

/// Longest of the short texts.
const SHORTEST_BYTES_MAX: usize = 64 * 1024;

const PATH_CHARS_MAX: usize = 200;
