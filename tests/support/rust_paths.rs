//! Finds the paths (`a::b::c`) that a Rust source names, without a compiler: comments and literals are skipped,
//! groups (`a::{b, c::d}`) spread out, `self` and `super` resolved.

/// One path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// Line, counted from 1.
    pub line: usize,
    /// Its names; `["crate", …]` where it is one of our own.
    pub names: Vec<String>,
}

/// What was found in a source.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Its paths, in order.
    pub paths: Vec<Named>,
    /// Lines on which `unsafe` stands.
    pub unsafe_lines: Vec<usize>,
}

/// Reads the source `text` of the module `module` (`["ops", "rope"]`; empty for the root).
pub(crate) fn read(text: &str, module: &[String]) -> Source {
    let tokens = tokens(text);
    let mut source = Source::default();
    let mut scope = module.to_vec();
    // For every open brace, whether it opened an inline module.
    let mut braces = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        match &tokens[i] {
            Token {
                kind: Kind::Mark('{'),
                ..
            } => {
                let opens_module = i >= 2 && is_name(&tokens, i - 2, "mod");
                if let (true, Kind::Name(name)) = (opens_module, &tokens[i - 1].kind) {
                    scope.push(name.clone());
                }
                braces.push(opens_module);
            }
            Token {
                kind: Kind::Mark('}'),
                ..
            } => {
                if braces.pop() == Some(true) {
                    scope.pop();
                }
            }
            Token {
                kind: Kind::Name(name),
                line,
            } => {
                if name == "unsafe" {
                    source.unsafe_lines.push(*line);
                }
                if name == "use" {
                    i = tree(&tokens, i + 1, &[], &mut |named| {
                        source.paths.push(resolved(named, &scope));
                    });
                    continue;
                }
                if !continues_a_path(&tokens, i) {
                    i = tree(&tokens, i, &[], &mut |named| {
                        if named.names.len() > 1 {
                            source.paths.push(resolved(named, &scope));
                        }
                    });
                    continue;
                }
            }
            Token { .. } => {}
        }
        i += 1;
    }
    source
}

/// Reads one path or group of paths from `i` on, each told with `prefix` before it; gives the index behind it.
fn tree(tokens: &[Token], mut i: usize, prefix: &[String], tell: &mut dyn FnMut(Named)) -> usize {
    let mut names = prefix.to_vec();
    let line = tokens.get(i).map_or(0, |token| token.line);
    if is_separator(tokens, i) {
        i += 2;
    }
    loop {
        match tokens.get(i).map(|token| &token.kind) {
            Some(Kind::Name(name)) => {
                names.push(name.clone());
                i += 1;
            }
            Some(Kind::Mark('{')) if names.len() > prefix.len() || i == 0 || prefix.is_empty() => {
                i += 1;
                while !matches!(
                    tokens.get(i).map(|token| &token.kind),
                    Some(Kind::Mark('}')) | None
                ) {
                    let before = i;
                    i = tree(tokens, i, &names, tell);
                    // Behind an item: `as name`, `*`, the comma.
                    while !matches!(
                        tokens.get(i).map(|token| &token.kind),
                        Some(Kind::Mark(',' | '}')) | None
                    ) {
                        i += 1;
                    }
                    if matches!(
                        tokens.get(i).map(|token| &token.kind),
                        Some(Kind::Mark(','))
                    ) {
                        i += 1;
                    }
                    if i == before {
                        break;
                    }
                }
                return i + 1;
            }
            _ => break,
        }
        let names_follow = is_separator(tokens, i)
            && matches!(
                tokens.get(i + 2).map(|token| &token.kind),
                Some(Kind::Name(_) | Kind::Mark('{'))
            );
        if !names_follow {
            break;
        }
        i += 2;
    }
    if names.len() > prefix.len() {
        tell(Named { line, names });
        i
    } else {
        i + usize::from(prefix.is_empty())
    }
}

/// `named` with `self` and `super` replaced by what they mean in the module `scope`.
fn resolved(named: Named, scope: &[String]) -> Named {
    let mut base = scope.to_vec();
    let mut rest = named.names.as_slice();
    let mut relative = false;
    while let [first, others @ ..] = rest {
        match first.as_str() {
            "self" if !relative => {}
            "super" => {
                base.pop();
            }
            _ => break,
        }
        relative = true;
        rest = others;
    }
    if !relative {
        return named;
    }
    let names = std::iter::once("crate".to_owned())
        .chain(base)
        .chain(rest.iter().cloned());
    Named {
        line: named.line,
        names: names.collect(),
    }
}

/// Whether the name at `i` goes on a path that began before it, or is a field or method.
fn continues_a_path(tokens: &[Token], i: usize) -> bool {
    let behind = |mark| i >= 1 && tokens[i - 1].kind == Kind::Mark(mark);
    if behind('.') {
        // `..` before a name is a range.
        return !(i >= 2 && tokens[i - 2].kind == Kind::Mark('.'));
    }
    // `<T as Trait>::name`, `Vec::<u8>::new`; a path that begins with `::` is none of these.
    behind(':')
        && i >= 3
        && tokens[i - 2].kind == Kind::Mark(':')
        && tokens[i - 3].kind == Kind::Mark('>')
}

fn is_separator(tokens: &[Token], i: usize) -> bool {
    let colon = |i: usize| {
        tokens
            .get(i)
            .is_some_and(|token| token.kind == Kind::Mark(':'))
    };
    colon(i) && colon(i + 1)
}

fn is_name(tokens: &[Token], i: usize, name: &str) -> bool {
    matches!(&tokens[i].kind, Kind::Name(found) if found == name)
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Name(String),
    Mark(char),
}

#[derive(Debug)]
struct Token {
    kind: Kind,
    line: usize,
}

/// Names and marks of `text`; comments, literals and lifetimes are left out.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut i, mut line) = (0, 1);
    while let Some(&c) = chars.get(i) {
        let start = i;
        if c == '/' && chars.get(i + 1) == Some(&'/') {
            while chars.get(i).is_some_and(|&c| c != '\n') {
                i += 1;
            }
        } else if c == '/' && chars.get(i + 1) == Some(&'*') {
            i = behind_block_comment(&chars, i);
        } else if let Some(end) = behind_literal(&chars, i) {
            i = end;
        } else if c.is_alphanumeric() || c == '_' {
            while chars
                .get(i)
                .is_some_and(|&c| c.is_alphanumeric() || c == '_')
            {
                i += 1;
            }
            let name: String = chars[start..i].iter().collect();
            if !c.is_ascii_digit() {
                tokens.push(Token {
                    kind: Kind::Name(name),
                    line,
                });
            }
        } else {
            if !c.is_whitespace() {
                tokens.push(Token {
                    kind: Kind::Mark(c),
                    line,
                });
            }
            i += 1;
        }
        line += chars[start..i].iter().filter(|&&c| c == '\n').count();
    }
    tokens
}

/// The index behind the block comment at `i`; they nest.
fn behind_block_comment(chars: &[char], mut i: usize) -> usize {
    let mut depth = 0;
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                i += 1;
            }
            ('*', Some('/')) => {
                depth -= 1;
                i += 1;
            }
            _ => {}
        }
        i += 1;
        if depth == 0 {
            break;
        }
    }
    i
}

/// The index behind the text, character or lifetime at `i`, where there is one.
fn behind_literal(chars: &[char], i: usize) -> Option<usize> {
    let mut at = i;
    let mut raw = false;
    while let Some('b' | 'c' | 'r') = chars.get(at) {
        raw |= chars[at] == 'r';
        at += 1;
    }
    let hashes = chars[at.min(chars.len())..]
        .iter()
        .take_while(|&&c| c == '#')
        .count();
    match chars.get(at + if raw { hashes } else { 0 }) {
        Some('"') if raw => {
            let closing: Vec<char> = std::iter::once('"').chain(vec!['#'; hashes]).collect();
            let body = at + hashes + 1;
            let found = chars[body..]
                .windows(closing.len())
                .position(|window| window == closing);
            Some(found.map_or(chars.len(), |end| body + end + closing.len()))
        }
        Some('"') => Some(behind_quote(chars, at, '"')),
        Some('\'') if at - i <= 1 && !raw => {
            let is_char = chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'');
            if is_char {
                return Some(behind_quote(chars, at, '\''));
            }
            let name = chars[at + 1..]
                .iter()
                .take_while(|c| c.is_alphanumeric() || **c == '_')
                .count();
            Some(at + 1 + name)
        }
        _ => None,
    }
}

/// The index behind the literal that the quote at `i` opens.
fn behind_quote(chars: &[char], mut i: usize, quote: char) -> usize {
    i += 1;
    while i < chars.len() && chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}
