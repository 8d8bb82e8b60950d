//! Where the test data is, and how it is read.

use std::path::{Path, PathBuf};

/// The folder of the corpora: `CRM_HEALTH_TEST_DATA`, or `shared/data` beside the repository.
pub(crate) fn data_folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("CRM_HEALTH_TEST_DATA").map_or_else(beside, PathBuf::from)
}

/// The lines of a CSV file after its header, split at commas.
pub(crate) fn read(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| {
        panic!(
            "cannot read {}: {error}; point CRM_HEALTH_TEST_DATA at the data",
            path.display()
        )
    });
    text.lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}
