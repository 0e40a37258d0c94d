//! Passwords: read from a file, never from the command line, never shown.

use std::fmt;
use std::path::{Path, PathBuf};

/// A password. Its `Debug` form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The password itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Reads the password in the file `path`; one newline at its end is not part of it.
///
/// A relative path is looked up in `credentials_directory` where there is one: systemd's `LoadCredential=` puts
/// the file there. Gives the reason where it cannot be read.
pub(super) fn read_secret(
    path: &Path,
    credentials_directory: Option<&Path>,
) -> Result<Secret, String> {
    let path: PathBuf = match credentials_directory {
        Some(directory) if path.is_relative() => directory.join(path),
        _ => path.to_owned(),
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    if text.len() > PASSWORD_BYTES_MAX {
        return Err(format!(
            "{} holds {} bytes, a password at most {PASSWORD_BYTES_MAX}",
            path.display(),
            text.len()
        ));
    }
    Ok(Secret(text.to_owned()))
}

/// Longest password MQTT can carry.
const PASSWORD_BYTES_MAX: usize = 65_535;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_file_without_its_last_newline_and_shows_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        std::fs::write(&file, "two words \n").unwrap();
        let secret = read_secret(&file, None).unwrap();
        assert_eq!(secret.reveal(), "two words ");
        assert_eq!(format!("{secret:?}"), "***");
    }

    #[test]
    fn looks_for_a_relative_path_among_the_credentials() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("mqtt"), "s\r\n").unwrap();
        let secret = read_secret(Path::new("mqtt"), Some(directory.path())).unwrap();
        assert_eq!(secret.reveal(), "s");
    }

    #[test]
    fn says_why_a_password_cannot_be_had() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("empty");
        std::fs::write(&file, "\n").unwrap();
        assert!(read_secret(&file, None).unwrap_err().ends_with("is empty"));
        std::fs::write(&file, "x".repeat(PASSWORD_BYTES_MAX + 1)).unwrap();
        assert!(
            read_secret(&file, None)
                .unwrap_err()
                .contains("65536 bytes")
        );
        let absent = directory.path().join("absent");
        assert!(
            read_secret(&absent, None)
                .unwrap_err()
                .contains("cannot read")
        );
    }
}
