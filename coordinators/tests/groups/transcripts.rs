//! Plays the transcripts in `testscripts/groups`: a line that begins with `>` is a command, the lines behind it are what
//! came of it, up to the next empty line. Nothing else in a transcript is looked at.
//!
//! `WROTE=1 cargo test` writes down how they went instead of complaining: read the difference before you commit it.

use std::path::Path;

use crate::stage::Stage;

macro_rules! transcripts {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            play(stringify!($name), include_str!(concat!("../../testscripts/groups/", stringify!($name))));
        })*
    };
}

transcripts! {
    a_group_begins
    administrators
    commits
    expiry
    forgotten
    growing
    large_commits
    leaving
    loading
    long_goodbyes
    new_members
    protocols
    refusals
    room
    sessions
    static_members
    syncing
    too_large
}

fn play(name: &str, script: &str) {
    let mut stage = Stage::new();
    let mut played = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        played += line;
        played.push('\n');
        let Some(command) = line.strip_prefix("> ") else { continue };
        while lines.peek().is_some_and(|line| !line.is_empty() && !line.starts_with("> ")) {
            lines.next();
        }
        for line in stage.run(command) {
            played += &line;
            played.push('\n');
        }
    }
    if played != script && std::env::var_os("WROTE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testscripts/groups").join(name);
        std::fs::write(path, &played).unwrap();
    }
    assert!(played == script, "the transcript went like this:\n{played}");
}
