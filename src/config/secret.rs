//! Passwords: read from a file, never from the command line, never shown.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
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
    let path = among_credentials(path, credentials_directory);
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

/// `path` as it is opened: a relative one is looked up in `credentials_directory` where there is one.
pub(super) fn among_credentials(path: &Path, credentials_directory: Option<&Path>) -> PathBuf {
    match credentials_directory {
        Some(directory) if path.is_relative() => directory.join(path),
        _ => path.to_owned(),
    }
}

/// Why the secret in `path` is none, where everybody on this machine may read it.
pub(super) fn readable_by_all(path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & READABLE_BY_ALL != 0).then(|| {
        let path = path.display();
        format!("{path} can be read by every user of this machine; chmod o-r {path}")
    })
}

/// The bit of a file's mode that lets everybody read it.
const READABLE_BY_ALL: u32 = 0o004;

/// The unit's credential that is taken for the password where no file is named.
pub(super) const PASSWORD_CREDENTIAL: &str = "mqtt_password";

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
    fn a_file_that_everybody_may_read_is_told_of() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        std::fs::write(&file, "s").unwrap();
        for (mode, is_open) in [(0o600, false), (0o640, false), (0o644, true)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(readable_by_all(&file).is_some(), is_open, "{mode:o}");
        }
        assert_eq!(readable_by_all(&directory.path().join("absent")), None);
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
