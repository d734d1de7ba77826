//! The page that says what is served, held against what is.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::Path;

use thalweg_broker::handlers::SERVED;
use thalweg_messages::APIS;

/// A row of the table of APIs.
struct Row {
    key: i16,
    name: String,
    /// `None`: not served.
    versions: Option<(i16, i16)>,
}

fn rows() -> Vec<Row> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility.md")).unwrap();
    let cells = page.lines().map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let rows = cells.filter_map(|cells| {
        let [key, name, served, _, _] = cells[..] else { return None };
        let key = key.parse().ok()?;
        let range = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            (first.parse().unwrap(), last.parse().unwrap())
        };
        let versions = (served != "no").then(|| range(served));
        Some(Row { key, name: name.to_owned(), versions })
    });
    rows.collect()
}

#[test]
fn the_page_lists_every_api_and_the_versions_that_are_served() {
    let rows = rows();
    let listed: Vec<(i16, &str)> = rows.iter().map(|row| (row.key, row.name.as_str())).collect();
    let known: Vec<(i16, &str)> = APIS.iter().map(|api| (api.key, api.name)).collect();
    assert_eq!(listed, known);
    for Row { key, name, versions } in rows {
        let served = SERVED.iter().find(|api| api.key == key);
        let served = served.map(|api| (*api.versions.start(), *api.versions.end()));
        assert_eq!(versions, served, "{name}");
    }
}
