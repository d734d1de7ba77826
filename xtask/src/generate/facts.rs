//! The schema files against `fixtures/messages/schema.tsv`: every field of every message of Kafka 4.3, as a table.
//!
//! The recorded bytes show which fields there are. Only this table shows what happens to a value at a version that
//! lacks its field, and what a new value begins with.

use super::schema::{Field, Kind, Message, Type, Versions};
use super::{GENERATED, SCHEMA};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Thalweg's own records begin here.
const OWN_RECORDS: i16 = 10_000;

/// Fields of stored records with JSON's null for their default.
const NO_DEFAULT: [&str; 3] = [".AssignmentEpochs", "ClassicMemberMetadata", "LastAssignmentConfigs"];

#[derive(Clone, PartialEq, Eq, Debug)]
struct Fact {
    path: String,
    kind: String,
    versions: Versions,
    nullable: Versions,
    tag: String,
    default: String,
    ignorable: bool,
    classic: bool,
}

// A wrong default or a forgotten `ignorable` changes no recorded byte, and yet what old clients are told.
#[test]
fn the_schema_files_say_what_kafka_says() {
    let root = crate::root();
    let table = fs::read_to_string(root.join("fixtures/messages/schema.tsv")).unwrap();
    let mut rows: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        rows.entry(columns[0]).or_default().push(columns);
    }
    let mut compared = 0;
    for path in super::files_below(&root, Path::new(SCHEMA), "msg").unwrap() {
        let text = fs::read_to_string(root.join(&path)).unwrap();
        for message in super::Schema::parse(&text).unwrap().messages {
            if matches!(message.kind, Kind::Record(kind) if kind >= OWN_RECORDS) {
                continue;
            }
            let rows = rows.get(message.name.as_str()).unwrap_or_else(|| panic!("Kafka has no {}", message.name));
            let head = &rows[0];
            assert_eq!(Some(message.versions), Versions::parse(head[3]), "{}", message.name);
            assert_eq!(message.flexible, range(head[4], message.versions), "{}", message.name);
            // Kafka keeps the names of fields whose last version is gone.
            let theirs: Vec<Fact> = rows
                .iter()
                .filter(|row| row[5] != "-")
                .map(|row| kafkas(row, rows, &message))
                .filter(|fact| !fact.versions.is_empty())
                .collect();
            let mut ours = Vec::new();
            flatten(&message, &message.fields, "", message.versions, &mut ours);
            for (ours, theirs) in ours.iter_mut().zip(&theirs) {
                // Null for "nothing yet" is handier than an empty string, and it reaches no version's bytes: the field
                // is always written, or silently left out.
                let always = ours.versions == message.versions || ours.ignorable || ours.path.contains('.');
                if ours.default == "null" && theirs.default.is_empty() && ours.tag == "-" && always {
                    ours.default.clear();
                }
                assert_eq!(ours, theirs, "{}", message.name);
            }
            assert_eq!(ours.len(), theirs.len(), "{}", message.name);
            compared += 1;
        }
    }
    assert!(compared >= 240, "{compared}");
    assert!(root.join(GENERATED).exists());
}

fn kafkas(row: &[&str], rows: &[Vec<&str>], message: &Message) -> Fact {
    // A field is there where all that it lies in is there.
    let mut versions = range(row[7], message.versions);
    let around = rows.iter().filter(|other| row[5].strip_prefix(other[5]).is_some_and(|rest| rest.starts_with('.')));
    for other in around {
        versions = versions.and(range(other[7], message.versions));
    }
    Fact {
        path: row[5].to_lowercase(),
        kind: if row[6].trim_start_matches("[]").starts_with(|c: char| c.is_ascii_uppercase()) {
            row[6].split_inclusive("[]").filter(|part| *part == "[]").collect::<String>() + "struct"
        } else {
            row[6].replace("records", "bytes")
        },
        versions,
        nullable: none_if_empty(range(row[8], versions)),
        tag: row[9].to_owned(),
        default: match row[11] {
            "-" | "0" | "false" => String::new(),
            // JSON's null in Kafka's schema, which its generator takes for no default. The recorded bytes say so, too.
            "null" if NO_DEFAULT.iter().any(|name| row[5].ends_with(name)) => String::new(),
            "0x7fffffff" => i32::MAX.to_string(),
            other => other.to_owned(),
        },
        ignorable: row[13] == "y",
        classic: row[16] == "none",
    }
}

fn flatten(message: &Message, fields: &[Field], above: &str, within: Versions, out: &mut Vec<Fact>) {
    for field in fields {
        let path = format!("{above}{}", field.name.replace('_', ""));
        let versions = field.versions.and(within);
        out.push(Fact {
            path: path.clone(),
            kind: kind_of(&field.kind),
            versions,
            nullable: none_if_empty(field.nullable.and(versions)),
            tag: field.tag.map_or_else(|| "-".to_owned(), |tag| tag.to_string()),
            default: field.default.clone().unwrap_or_default(),
            ignorable: field.ignorable,
            classic: field.classic,
        });
        if let Some(name) = field.kind.struct_name() {
            flatten(message, &message.find(name).fields, &format!("{path}."), versions, out);
        }
    }
}

fn kind_of(kind: &Type) -> String {
    match kind {
        Type::Id { of, .. } => kind_of(of),
        Type::Struct(_) => "struct".to_owned(),
        Type::Array(element) => format!("[]{}", kind_of(element)),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn range(text: &str, within: Versions) -> Versions {
    none_if_empty(Versions::parse(text).unwrap_or(Versions::NONE).and(within))
}

fn none_if_empty(versions: Versions) -> Versions {
    if versions.is_empty() { Versions::NONE } else { versions }
}
