//! The ladder: what its examples print, to the letter, and that three styles fetch the same bytes.

mod program;
mod wget;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use program::run;

/// For each example, a test that holds its lines to `examples/expected`.
macro_rules! prints_what_is_expected {
    ($($example:ident,)*) => {
        $(
            #[test]
            #[cfg_attr(miri, ignore = "runs another program")]
            fn $example() {
                let printed = run(stringify!($example), &[]);
                let expected = Path::new("examples/expected").join(stringify!($example));
                let expected = fs::read_to_string(expected.with_extension("txt")).unwrap();
                assert_eq!(String::from_utf8(printed.stdout).unwrap(), expected);
                assert!(printed.success && printed.stderr.is_empty(), "{}", printed.stderr);
            }
        )*
        const EXAMPLES: &[&str] = &[$(stringify!($example)),*];
    };
}

prints_what_is_expected! {
    interweave_squares,
    interweave_unequal,
    delegate_sum_of_squares,
    run_generator,
    run_async,
    interweave_async,
    display_in_turn,
    display_interwoven,
    weave,
}

/// The names of the files in `folder` that end in `extension`.
fn names(folder: &str, extension: &str) -> BTreeSet<String> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wanted = paths.filter(|path| path.extension() == Some(OsStr::new(extension)));
    wanted.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
#[cfg_attr(miri, ignore = "reads the sources")]
fn no_example_is_left_untested() {
    let tested: BTreeSet<String> = EXAMPLES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(names("examples/expected", "txt"), tested);
    let fetching = wget::STYLES.iter().map(|&name| name.to_owned());
    assert_eq!(names("examples", "rs"), tested.into_iter().chain(fetching).collect());
}
