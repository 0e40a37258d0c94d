//! The systemd unit: its paths and keys agree with the rest of the tree, and systemd itself finds nothing wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use thinkd::config::{self, Sources};

fn systemd_file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("systemd")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Section, directive and value of every line that is one.
fn directives(text: &str) -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = name.to_owned();
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .unwrap_or_else(|| panic!("line {} is no directive: {line}", i + 1));
        found.push((section.clone(), name.to_owned(), value.to_owned()));
    }
    found
}

fn value(section: &str, name: &str) -> String {
    let values: Vec<String> = directives(&systemd_file("thinkd.service"))
        .into_iter()
        .filter(|(s, n, _)| s == section && n == name)
        .map(|(_, _, value)| value)
        .collect();
    assert_eq!(
        values.len(),
        1,
        "{section}.{name} is set {} times",
        values.len()
    );
    values.concat()
}

fn seconds(name: &str) -> u64 {
    value("Service", name)
        .parse()
        .unwrap_or_else(|_| panic!("{name} is not in seconds"))
}

#[test]
fn the_unit_starts_this_package_s_program() {
    let program = concat!("/usr/bin/", env!("CARGO_PKG_NAME"));
    assert_eq!(value("Service", "ExecStart"), format!("{program} serve"));
    assert_eq!(
        value("Service", "ExecStartPre"),
        format!("-{program} check")
    );
    assert_eq!(value("Service", "Type"), "notify");
    assert_eq!(value("Install", "WantedBy"), "multi-user.target");
}

#[test]
fn a_wrong_configuration_is_not_started_again_and_everything_else_is() {
    assert_eq!(value("Service", "Restart"), "always");
    assert_eq!(value("Service", "RestartPreventExitStatus"), "78");
}

#[test]
fn a_stop_waits_longer_than_the_answer_under_way_may_take() {
    let drain = config::load(&Sources::default())
        .unwrap()
        .limits
        .drain_seconds;
    assert!(seconds("TimeoutStopSec") > drain);
    assert!(
        seconds("WatchdogSec") >= 60,
        "shorter than a chunk of prompt on a slow board"
    );
}

#[test]
fn the_user_of_the_unit_is_the_one_that_sysusers_makes() {
    let user = value("Service", "User");
    assert_eq!(value("Service", "Group"), user);
    let sysusers = systemd_file("thinkd.sysusers");
    let state = format!("/var/lib/{}", value("Service", "StateDirectory"));
    let line = sysusers
        .lines()
        .find(|line| line.starts_with("u "))
        .unwrap();
    assert!(line.starts_with(&format!("u {user} - ")), "{line}");
    assert!(line.ends_with(&state), "{line}");
}

#[test]
fn memory_is_throttled_before_it_is_refused() {
    let percent = |name| {
        value("Service", name)
            .trim_end_matches('%')
            .parse::<u32>()
            .unwrap()
    };
    assert!(percent("MemoryHigh") < percent("MemoryMax"));
}

#[test]
fn the_sandbox_leaves_what_is_needed() {
    let unit = directives(&systemd_file("thinkd.service"));
    assert!(
        !unit.iter().any(|(_, name, _)| name == "ProcSubset"),
        "hides /proc/cpuinfo"
    );
    assert!(
        !unit
            .iter()
            .any(|(_, _, value)| value.contains("~@resources")),
        "forbids affinity"
    );
    for family in ["AF_INET", "AF_INET6", "AF_UNIX"] {
        let allowed = value("Service", "RestrictAddressFamilies");
        assert!(allowed.split(' ').any(|word| word == family), "{family}");
    }
}

#[test]
fn the_readme_installs_every_file_where_the_unit_looks_for_it() {
    let readme = systemd_file("README.md");
    for path in [
        "/usr/bin/thinkd",
        config::SYSTEM_FILE,
        "/usr/lib/systemd/system/thinkd.service",
        "/usr/lib/sysusers.d/thinkd.conf",
        "/usr/share/thinkd/models",
    ] {
        let installs = |line: &str| line.contains("install") && line.ends_with(path);
        assert!(readme.lines().any(installs), "{path} is not installed");
    }
}

/// A copy of the unit that starts the program under test, which is there; the installed one may not be.
fn unit_with_program(directory: &Path) -> PathBuf {
    let unit =
        systemd_file("thinkd.service").replace("/usr/bin/thinkd", env!("CARGO_BIN_EXE_thinkd"));
    let path = directory.join("thinkd.service");
    std::fs::write(&path, unit).expect("a file of the test's own");
    path
}

/// What `systemd-analyze` says about the unit, or why this machine cannot tell.
fn analyze(arguments: &[&str]) -> Result<Output, String> {
    let directory = tempfile::tempdir().expect("a directory of the test's own");
    let unit = unit_with_program(directory.path());
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg(&unit)
        .output();
    let output = output.map_err(|error| format!("systemd-analyze cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("nrecognized option") || said.contains("not supported") {
        return Err(format!("this systemd-analyze is too old: {said}"));
    }
    Ok(output)
}

#[test]
fn systemd_finds_nothing_wrong() {
    let output = match analyze(&["verify", "--man=no"]) {
        Ok(output) => output,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let about_us: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("thinkd"))
        .collect();
    assert!(output.status.success() && about_us.is_empty(), "{said}");
}

#[test]
fn the_sandbox_is_no_weaker_than_it_was() {
    // Exposure times ten; what is left is the network, which is what a daemon on MQTT is for.
    let output = match analyze(&["security", "--offline=yes", "--threshold=13"]) {
        Ok(output) => output,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
