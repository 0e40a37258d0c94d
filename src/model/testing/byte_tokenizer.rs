//! A tokenizer of single bytes and the marks of a conversation.

use super::super::{ModelError, TokenText};

/// Begins a prompt.
pub const BOS: u32 = 256;
/// Ends an answer.
pub const EOS: u32 = 257;
/// Opens a turn of the system.
pub const SYSTEM: u32 = 258;
/// Opens a turn of the user.
pub const USER: u32 = 259;
/// Opens a turn of the model.
pub const ASSISTANT: u32 = 260;
/// Opens the thought.
pub const THINK_OPEN: u32 = 261;
/// Closes the thought.
pub const THINK_CLOSE: u32 = 262;
/// Number of tokens of [`ByteTokenizer`].
pub const VOCAB_SIZE: usize = 263;

/// Texts of the tokens from 256 on.
const MARKS: [&str; VOCAB_SIZE - 256] = [
    "<bos>",
    "<eos>",
    "<system>",
    "<user>",
    "<assistant>",
    "<think>",
    "</think>",
];

/// A chat template for [`ByteTokenizer`] that leaves it to the model to open a thought.
pub const CHAT_TEMPLATE: &str = "{{ bos_token }}{% for message in messages %}\
    {{ '<' + message.role + '>' + message.content }}{% endfor %}\
    {% if add_generation_prompt %}<assistant>{% endif %}";

/// A chat template for [`ByteTokenizer`] that opens the thought.
pub const CHAT_TEMPLATE_THINKING: &str = "{{ bos_token }}{% for message in messages %}\
    {{ '<' + message.role + '>' + message.content }}{% endfor %}\
    {% if add_generation_prompt %}{{ '<assistant><think>\n' }}{% endif %}";

/// One token a byte, and the marks of a conversation.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByteTokenizer;

impl TokenText for ByteTokenizer {
    fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let mut tokens = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some(&byte) = rest.first() {
            let mark = (BOS..)
                .zip(MARKS)
                .find(|(_, mark)| rest.starts_with(mark.as_bytes()));
            let (token, length) =
                mark.map_or((u32::from(byte), 1), |(token, mark)| (token, mark.len()));
            tokens.push(token);
            rest = &rest[length..];
        }
        Ok(tokens)
    }

    fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        let mut bytes = Vec::with_capacity(tokens.len());
        for &token in tokens {
            match token {
                0..BOS => bytes.push(token as u8),
                THINK_OPEN | THINK_CLOSE => {
                    bytes.extend_from_slice(MARKS[(token - BOS) as usize].as_bytes());
                }
                BOS..THINK_OPEN => {}
                _ => return Err(ModelError::Tokenizer(format!("no token {token}"))),
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn token_id(&self, text: &str) -> Option<u32> {
        match text.as_bytes() {
            [byte] => Some(u32::from(*byte)),
            _ => (BOS..)
                .zip(MARKS)
                .find(|(_, mark)| *mark == text)
                .map(|(token, _)| token),
        }
    }

    fn control_texts(&self) -> Vec<String> {
        MARKS.map(str::to_owned).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_marks_come_back_as_they_went() {
        let tokens = ByteTokenizer.encode("<think>é 1</think>🦙<").unwrap();
        assert_eq!(tokens[0], THINK_OPEN);
        assert_eq!(tokens.len(), 1 + 2 + 2 + 1 + 4 + 1);
        assert_eq!(
            ByteTokenizer.decode(&tokens).unwrap(),
            "<think>é 1</think>🦙<"
        );
    }

    #[test]
    fn an_unfinished_character_decodes_to_the_replacement_character() {
        assert_eq!(
            ByteTokenizer.decode(&[0x61, 0xF0, 0x9F]).unwrap(),
            "a\u{FFFD}"
        );
    }
}
