//! The JSON side of a generated module, behind the feature `json`: what tests compare and people read.

use super::rust::{Shape, differs};
use super::schema::Schema;
use std::fmt::Write;

/// Appends the inner module `json` with one impl per struct.
pub(super) fn module(out: &mut String, schema: &Schema) {
    out.push_str("\n#[cfg(feature = \"json\")]\nmod json {\nuse super::*;\nuse crate::json::*;\n");
    for message in &schema.messages {
        let whole = Shape { name: &message.name, fields: &message.fields, versions: message.versions, message };
        shape(out, &whole);
        for inner in &message.structs {
            shape(out, &Shape::of(message, inner));
        }
    }
    out.push_str("}\n");
}

fn shape(out: &mut String, shape: &Shape<'_>) {
    let _ = writeln!(out, "\nimpl Json for {} {{\nfn to_json(&self, version: i16) -> Value {{", shape.name);
    let mutable = if shape.fields.is_empty() && !shape.has_tags() { "" } else { "mut " };
    let _ = writeln!(out, "let {mutable}object = Object::at(version);");
    for field in shape.fields {
        let put = format!("object.put(\"{}\", &self.{});", camel(&field.name), field.ident());
        let mut conditions: Vec<String> = shape.condition(field.versions).into_iter().collect();
        if field.tag.is_some() {
            conditions.push(differs(field));
        }
        let _ = if conditions.is_empty() {
            writeln!(out, "{put}")
        } else {
            writeln!(out, "if {} {{ {put} }}", conditions.join(" && "))
        };
    }
    if shape.has_tags() {
        out.push_str("object.put_unknown_tags(&self.unknown_tags);\n");
    }
    out.push_str("object.finish()\n}\n\nfn from_json(value: &Value) -> Result<Self, JsonError> {\n");
    out.push_str("let mut fields = Fields::of(value)?;\n");
    let _ = writeln!(out, "let {mutable}this = Self::default();");
    for field in shape.fields {
        let _ = writeln!(out, "fields.read(\"{}\", &mut this.{})?;", camel(&field.name), field.ident());
    }
    if shape.has_tags() {
        out.push_str("fields.read_unknown_tags(&mut this.unknown_tags)?;\n");
    }
    out.push_str("fields.finish()?;\nOk(this)\n}\n}\n");
}

/// Kafka's spelling of a field in JSON.
fn camel(name: &str) -> String {
    let mut out = String::new();
    for (place, word) in name.split('_').enumerate() {
        let (first, rest) = word.split_at(word.len().min(1));
        out.push_str(&if place == 0 { first.to_owned() } else { first.to_uppercase() });
        out.push_str(rest);
    }
    out
}
