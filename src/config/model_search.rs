//! Finds the model directory: the configured one, else the small model that comes with thinkd.

use std::path::{Path, PathBuf};

use super::error::{ConfigError, Mistake, Origin};

/// Where to begin looking.
#[derive(Debug, Clone, Default)]
pub struct SearchPlaces {
    /// Where the process was started.
    pub current_directory: Option<PathBuf>,
    /// The program itself; the directories above it are looked into, so that a clone's own build finds its model.
    pub executable: Option<PathBuf>,
    /// Where packages put it.
    pub installed: Vec<PathBuf>,
}

impl SearchPlaces {
    /// The places of this process.
    pub fn of_this_process() -> Self {
        Self {
            current_directory: std::env::current_dir().ok(),
            executable: std::env::current_exe().ok(),
            installed: INSTALLED.iter().map(PathBuf::from).collect(),
        }
    }

    /// The directories to look at, nearest first.
    fn candidates(&self) -> Vec<PathBuf> {
        let above_executable = self
            .executable
            .iter()
            .flat_map(|path| path.ancestors().skip(1))
            .map(Path::to_owned);
        let mut candidates: Vec<PathBuf> = Vec::new();
        let in_a_clone = self
            .current_directory
            .iter()
            .cloned()
            .chain(above_executable)
            .map(|directory| directory.join(SHIPPED_MODEL));
        for directory in in_a_clone.chain(self.installed.iter().cloned()) {
            if !candidates.contains(&directory) {
                candidates.push(directory);
            }
        }
        candidates
    }
}

/// The model directory: `configured` as it is, else the first of the places that holds a model.
///
/// # Errors
/// If nothing is configured and no place holds a model; the message says where it looked and what to set.
pub fn find_model(
    configured: Option<&Path>,
    places: &SearchPlaces,
) -> Result<PathBuf, ConfigError> {
    if let Some(directory) = configured {
        return Ok(directory.to_owned());
    }
    let candidates = places.candidates();
    if let Some(directory) = candidates
        .iter()
        .find(|place| place.join(MODEL_FILE).is_file())
    {
        return Ok(directory.clone());
    }
    let looked: Vec<String> = candidates
        .iter()
        .map(|place| place.display().to_string())
        .collect();
    Err(ConfigError {
        mistakes: vec![Mistake {
            origin: Origin::Default,
            key: "model.directory".to_owned(),
            reason: format!(
                "no model found; set model.directory in {}, THINKD_MODEL__DIRECTORY or --model \
                 (looked in {})",
                super::SYSTEM_FILE,
                looked.join(", ")
            ),
        }],
    })
}

/// The small model of the repository.
const SHIPPED_MODEL: &str = "models/thinkd-mini";
/// The file that makes a directory a model directory.
const MODEL_FILE: &str = "genai_config.json";
const INSTALLED: &[&str] = &[
    "/usr/share/thinkd/models/thinkd-mini",
    "/usr/local/share/thinkd/models/thinkd-mini",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn make_model(directory: &Path) {
        std::fs::create_dir_all(directory).unwrap();
        std::fs::write(directory.join(MODEL_FILE), "{}").unwrap();
    }

    #[test]
    fn takes_what_is_configured_without_looking() {
        let directory = find_model(Some(Path::new("/absent")), &SearchPlaces::default());
        assert_eq!(directory, Ok(PathBuf::from("/absent")));
    }

    #[test]
    fn looks_here_then_above_the_program_then_where_packages_put_it() {
        let root = tempfile::tempdir().unwrap();
        let here = root.path().join("here");
        let clone = root.path().join("clone");
        let installed = root.path().join("usr/share/thinkd/models/thinkd-mini");
        let places = SearchPlaces {
            current_directory: Some(here.clone()),
            executable: Some(clone.join("target/release/thinkd")),
            installed: vec![installed.clone()],
        };
        make_model(&installed);
        assert_eq!(find_model(None, &places), Ok(installed));
        make_model(&clone.join(SHIPPED_MODEL));
        assert_eq!(find_model(None, &places), Ok(clone.join(SHIPPED_MODEL)));
        make_model(&here.join(SHIPPED_MODEL));
        assert_eq!(find_model(None, &places), Ok(here.join(SHIPPED_MODEL)));
    }

    #[test]
    fn says_what_to_set_where_there_is_none() {
        let root = tempfile::tempdir().unwrap();
        let places = SearchPlaces {
            current_directory: Some(root.path().into()),
            ..SearchPlaces::default()
        };
        let message = find_model(None, &places).unwrap_err().to_string();
        for part in [
            "model.directory",
            "THINKD_MODEL__DIRECTORY",
            "--model",
            "thinkd-mini",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(message.lines().count(), 1);
    }
}
