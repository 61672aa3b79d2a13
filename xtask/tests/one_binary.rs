//! The one test binary of each crate has every file of its tests: a file that no `mod` names is not even compiled.

use std::fs;
use std::path::Path;

#[test]
fn every_file_of_tests_is_a_module_of_main() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut checked = 0;
    for package in crates.chain([root.join("examples/rust-apps"), root.join("xtask")]) {
        let tests = package.join("tests");
        let Ok(main) = fs::read_to_string(tests.join("main.rs")) else { continue };
        for entry in fs::read_dir(tests).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.extension().is_some_and(|extension| extension == "rs") && name != "main" {
                let declared = main.lines().any(|line| line == format!("mod {name};"));
                assert!(declared, "{} is no module of main.rs", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "the tests were not found");
}
