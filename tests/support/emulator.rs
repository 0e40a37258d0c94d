//! Whether the tests run emulated, as `cross/test-as.sh` runs them.

/// True under an emulator, which takes tens of times as long for what a processor does at once.
pub(crate) fn is_emulated() -> bool {
    std::env::var("THINKD_TEST_RUNNER").is_ok_and(|runner| !runner.is_empty())
}
