//! Questions from the command line or standard input.

use std::io::{self, Read};

use anyhow::{Context, bail};

/// The question: `argument` itself, or all of standard input where it is `-`.
pub(super) fn question(argument: &str) -> anyhow::Result<String> {
    if argument == "-" {
        read(&mut io::stdin().lock())
    } else {
        Ok(argument.to_owned())
    }
}

/// All of `source`, without the newline at its end.
fn read(source: &mut dyn Read) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut limited = source.take(QUESTION_BYTES_MAX + 1);
    limited
        .read_to_string(&mut text)
        .context("cannot read the question from standard input")?;
    if text.len() as u64 > QUESTION_BYTES_MAX {
        bail!("the question on standard input is longer than {QUESTION_BYTES_MAX} bytes");
    }
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// The largest payload any setting allows.
const QUESTION_BYTES_MAX: u64 = 1 << 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_the_question_itself() {
        assert_eq!(question("a\n").unwrap(), "a\n");
    }

    #[test]
    fn what_is_read_ends_before_its_last_newline() {
        assert_eq!(read(&mut "a\nb\r\n".as_bytes()).unwrap(), "a\nb");
    }

    #[test]
    fn what_is_no_text_or_endless_is_refused() {
        assert!(read(&mut [0xff].as_slice()).is_err());
        let error = read(&mut io::repeat(b'a')).unwrap_err();
        assert!(error.to_string().contains("16777216"), "{error}");
    }
}
