//! From a [`Schema`] to a Rust module: one struct per message and per struct inside it, its decoder and its encoder.

use super::json;
use super::schema::{Field, Kind, Message, Schema, Struct, Type, Versions};
use std::fmt::Write;

/// Something with fields: a message, or a struct inside one.
pub(super) struct Shape<'a> {
    pub name: &'a str,
    pub fields: &'a [Field],
    pub versions: Versions,
    pub message: &'a Message,
}

/// The module of one schema file, before rustfmt.
pub(super) fn module(schema: &Schema, file: &str) -> String {
    let mut out = String::new();
    for line in &schema.about {
        line_into(&mut out, "//!", line);
    }
    if !schema.notes.is_empty() {
        out.push_str("//!\n");
        for (version, note) in &schema.notes {
            line_into(&mut out, "//!", &format!("- v{version}: {note}"));
        }
    }
    line_into(&mut out, "//!", "");
    line_into(&mut out, "//!", &format!("Generated from `{file}` by `cargo xtask generate`."));
    out.push_str("\nuse crate::prelude::*;\n");
    for message in &schema.messages {
        let shape = Shape { name: &message.name, fields: &message.fields, versions: message.versions, message };
        let doc = match message.kind {
            Kind::Request(_) => "What the client asks.".to_owned(),
            Kind::Response(_) => "What the broker answers.".to_owned(),
            Kind::Key(_) => "What the record is about.".to_owned(),
            Kind::Value(_) => "What the record says.".to_owned(),
            Kind::Record(_) | Kind::Data => schema.about.first().cloned().unwrap_or_default(),
        };
        definition(&mut out, &shape, &doc);
        message_impl(&mut out, &shape);
        for inner in &message.structs {
            let shape = Shape { name: &inner.name, fields: &inner.fields, versions: inner.versions, message };
            definition(&mut out, &shape, &inner.doc);
            let _ = writeln!(out, "impl {} {{", inner.name);
            codec(&mut out, &shape, "pub(crate) ");
            out.push_str("}\n");
        }
    }
    json::module(&mut out, schema);
    out
}

impl<'a> Shape<'a> {
    pub(super) fn of(message: &'a Message, inner: &'a Struct) -> Shape<'a> {
        Shape { name: &inner.name, fields: &inner.fields, versions: inner.versions, message }
    }

    pub(super) fn tagged(&self) -> impl Iterator<Item = (u32, &'a Field)> {
        let mut tagged: Vec<(u32, &Field)> = self.fields.iter().filter_map(|f| f.tag.map(|tag| (tag, f))).collect();
        tagged.sort_by_key(|(tag, _)| *tag);
        tagged.into_iter()
    }

    /// Whether values of this shape can carry tags that we don't know.
    pub(super) fn has_tags(&self) -> bool {
        !self.message.flexible.and(self.versions).is_empty()
    }

    /// The condition for being in `versions`, or `None` when that is always so.
    pub(super) fn condition(&self, versions: Versions) -> Option<String> {
        let within = versions.and(self.versions);
        let (low, high) = (within.first > self.versions.first, within.last < self.versions.last);
        match (low, high) {
            _ if within.is_empty() => Some("false".to_owned()),
            (false, false) => None,
            (true, false) => Some(format!("version >= {}", within.first)),
            (false, true) => Some(format!("version <= {}", within.last)),
            (true, true) if within.first == within.last => Some(format!("version == {}", within.first)),
            (true, true) => Some(format!("({}..={}).contains(&version)", within.first, within.last)),
        }
    }
}

impl Shape<'_> {
    /// The opposite of [`Shape::condition`], where that is not `None`.
    fn outside(&self, versions: Versions) -> String {
        match self.condition(versions).unwrap_or_default().split_once(">= ") {
            Some((_, first)) => format!("version < {first}"),
            None => format!("!({})", self.condition(versions).unwrap_or_default()),
        }
    }
}

fn line_into(out: &mut String, mark: &str, text: &str) {
    let _ = writeln!(out, "{}", format!("{mark} {text}").trim_end());
}

fn definition(out: &mut String, shape: &Shape<'_>, doc: &str) {
    out.push('\n');
    line_into(out, "///", doc);
    let derived = if shape.fields.iter().all(has_plain_default) { ", Default" } else { "" };
    let _ = writeln!(out, "#[derive(Clone, PartialEq, Debug{derived})]\npub struct {} {{", shape.name);
    for field in shape.fields {
        let mut doc = field.doc.clone();
        if let Some(condition) = shape.condition(field.versions) {
            let _ = write!(doc, " ({})", words_of(&condition));
        }
        if !doc.is_empty() {
            line_into(out, "///", doc.trim());
        }
        let _ = writeln!(out, "pub {}: {},", field.ident(), field_type(field));
    }
    if shape.has_tags() {
        out.push_str("/// Tagged fields that have no name here; they are written back.\n");
        out.push_str("pub unknown_tags: Vec<UnknownTag>,\n");
    }
    out.push_str("}\n\n");
    if !derived.is_empty() {
        return;
    }
    let _ = write!(out, "impl Default for {} {{ fn default() -> Self {{ Self {{", shape.name);
    for field in shape.fields {
        let _ = write!(out, "{}: {},", field.ident(), default(field));
    }
    if shape.has_tags() {
        out.push_str("unknown_tags: Vec::new()");
    }
    out.push_str("} } }\n\n");
}

/// `version >= 3` as a reader says it: `v3+`.
fn words_of(condition: &str) -> String {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    if let Some(first) = condition.strip_prefix("version >= ") {
        format!("v{first}+")
    } else if let Some(last) = condition.strip_prefix("version <= ") {
        format!("up to v{last}")
    } else if let Some((first, last)) = condition.split_once("..=") {
        format!("v{} to v{}", digits(first), digits(last))
    } else {
        format!("v{} only", digits(condition))
    }
}

fn message_impl(out: &mut String, shape: &Shape<'_>) {
    let message = shape.message;
    let name = shape.name;
    let flexible_from =
        if message.flexible.is_empty() { "i16::MAX".to_owned() } else { message.flexible.first.to_string() };
    let _ = writeln!(
        out,
        "impl Message for {name} {{
            const NAME: &'static str = \"{name}\";
            const MIN_VERSION: i16 = {};
            const MAX_VERSION: i16 = {};
            const FLEXIBLE_FROM: i16 = {flexible_from};\n",
        message.versions.first, message.versions.last
    );
    codec(out, shape, "");
    out.push_str("}\n\n");
    let base = name.strip_suffix("Request").or(name.strip_suffix("Response")).unwrap_or(name);
    let _ = match message.kind {
        Kind::Request(key) => {
            writeln!(out, "impl Request for {name} {{ const API_KEY: i16 = {key}; type Response = {base}Response; }}")
        }
        Kind::Response(key) => {
            writeln!(out, "impl Response for {name} {{ const API_KEY: i16 = {key}; type Request = {base}Request; }}")
        }
        Kind::Record(kind) | Kind::Key(kind) | Kind::Value(kind) => {
            writeln!(out, "impl Record for {name} {{ const RECORD_TYPE: i16 = {kind}; }}")
        }
        Kind::Data => Ok(()),
    };
}

fn codec(out: &mut String, shape: &Shape<'_>, visibility: &str) {
    decoder(out, shape, visibility);
    out.push('\n');
    encoder(out, shape, visibility);
}

fn decoder(out: &mut String, shape: &Shape<'_>, visibility: &str) {
    let is_message = visibility.is_empty();
    let _ =
        writeln!(out, "{visibility}fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {{");
    if is_message {
        out.push_str("from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);\n");
    }
    let tags = shape.has_tags();
    let any_tagged = shape.tagged().next().is_some();
    out.push_str(match (tags, any_tagged) {
        (true, true) => "let mut this = Self {",
        (true, false) | (false, _) => "Ok(Self {",
    });
    for field in shape.fields {
        let _ = match (field.tag, shape.condition(field.versions)) {
            (Some(_), _) => write!(out, "{}: {},", field.ident(), default(field)),
            (None, None) => write!(out, "{}: {},", field.ident(), read(shape, field)),
            (None, Some(condition)) => {
                write!(
                    out,
                    "{}: if {condition} {{ {} }} else {{ {} }},",
                    field.ident(),
                    read(shape, field),
                    default(field)
                )
            }
        };
    }
    if tags && !any_tagged {
        out.push_str("unknown_tags: from.tags(|_, _| Ok(false))?,");
    }
    if tags && any_tagged {
        out.push_str("unknown_tags: Vec::new() };\nthis.unknown_tags = from.tags(|from, tag| { match tag {");
        let mut conditional = Vec::new();
        for (tag, field) in shape.tagged() {
            // In the classic form there are no tags at all; what counts is the range within the flexible versions.
            let guard = flexible_shape(shape).condition(field.versions);
            if guard.is_some() {
                conditional.push(tag.to_string());
            }
            let guard = guard.map(|condition| format!("if {condition}")).unwrap_or_default();
            let _ = writeln!(out, "{tag} {guard} => this.{} = {},", field.ident(), read(shape, field));
        }
        if !conditional.is_empty() {
            let _ = writeln!(out, "{} => return Err(DecodeError::MisplacedTag(tag)),", conditional.join("|"));
        }
        out.push_str("_ => return Ok(false), } Ok(true) })?;\nOk(this)\n}\n");
    } else {
        out.push_str("})\n}\n");
    }
}

fn encoder(out: &mut String, shape: &Shape<'_>, visibility: &str) {
    let is_message = visibility.is_empty();
    let _ =
        writeln!(out, "{visibility}fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {{");
    if is_message {
        out.push_str("into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);\n");
    }
    let mut open: Option<String> = None;
    for field in shape.fields {
        let condition = shape.condition(field.versions);
        let joins = field.tag.is_none() && field.ignorable && condition.is_some();
        // Neighbours under the same condition share one `if`.
        if open.is_some() && !(joins && open == condition) {
            out.push_str("}\n");
            open = None;
        }
        let refused = format!("return Err(EncodeError::NotInVersion {{ field: \"{}\", version }});", field.name);
        let _ = match (field.tag, condition, field.ignorable) {
            (Some(_), None, _) | (Some(_), _, true) => Ok(()),
            (Some(_), Some(_), false) => {
                writeln!(out, "if {} && {} {{ {refused} }}", shape.outside(field.versions), differs(field))
            }
            (None, None, _) => writeln!(out, "{}", write(shape, field)),
            (None, Some(condition), true) => {
                if open.is_none() {
                    let _ = writeln!(out, "if {condition} {{");
                    open = Some(condition);
                }
                writeln!(out, "{}", write(shape, field))
            }
            (None, Some(condition), false) => {
                writeln!(out, "if {condition} {{ {} }} else if {} {{ {refused} }}", write(shape, field), differs(field))
            }
        };
    }
    if open.is_some() {
        out.push_str("}\n");
    }
    if !shape.has_tags() {
        out.push_str("Ok(())\n}\n");
    } else if shape.tagged().next().is_none() {
        out.push_str("into.tags(&self.unknown_tags, |_| Ok(()))\n}\n");
    } else {
        out.push_str("into.tags(&self.unknown_tags, |tags| {");
        for (tag, field) in shape.tagged() {
            let condition = match flexible_shape(shape).condition(field.versions) {
                Some(condition) => format!("{condition} && {}", differs(field)),
                None => differs(field),
            };
            let written = write(shape, field);
            let written = match written.strip_suffix("?;") {
                Some(result) => result.to_owned(),
                None => format!("{{ {written} Ok(()) }}"),
            };
            let _ = writeln!(out, "if {condition} {{ tags.field({tag}, |into| {written})?; }}");
        }
        out.push_str("Ok(()) })\n}\n");
    }
}

/// The same shape as it is seen by code that only runs in flexible versions.
fn flexible_shape<'a>(shape: &Shape<'a>) -> Shape<'a> {
    Shape { versions: shape.versions.and(shape.message.flexible), ..*shape }
}

fn value_type(kind: &Type) -> String {
    match kind {
        Type::Bool => "bool".to_owned(),
        Type::Int8 => "i8".to_owned(),
        Type::Int16 => "i16".to_owned(),
        Type::Int32 => "i32".to_owned(),
        Type::Int64 => "i64".to_owned(),
        Type::Uint16 => "u16".to_owned(),
        Type::Uint32 => "u32".to_owned(),
        Type::Float64 => "f64".to_owned(),
        Type::Uuid => "Uuid".to_owned(),
        Type::String => "String".to_owned(),
        Type::Bytes => "Bytes".to_owned(),
        Type::Id { name, .. } => (*name).to_owned(),
        Type::Struct(name) => name.clone(),
        Type::Array(element) => format!("Vec<{}>", value_type(element)),
    }
}

fn field_type(field: &Field) -> String {
    let value = value_type(&field.kind);
    if field.nullable.is_empty() { value } else { format!("Option<{value}>") }
}

fn default(field: &Field) -> String {
    if field.default.as_deref() == Some("null") {
        return "None".to_owned();
    }
    let value = plain_default(&field.kind, field.default.as_deref());
    if field.nullable.is_empty() { value } else { format!("Some({value})") }
}

/// Whether the field's default is that of its Rust type.
fn has_plain_default(field: &Field) -> bool {
    if !field.nullable.is_empty() {
        return field.default.as_deref() == Some("null");
    }
    // An id has no default of its own: zero is a broker, an offset, an epoch.
    !matches!(field.kind, Type::Id { .. }) && matches!(field.default.as_deref(), None | Some("0" | "false"))
}

fn plain_default(kind: &Type, given: Option<&str>) -> String {
    match kind {
        Type::Bool => given.unwrap_or("false").to_owned(),
        Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 | Type::Uint16 | Type::Uint32 => {
            given.unwrap_or("0").to_owned()
        }
        Type::Float64 => format!("{}f64", given.unwrap_or("0")),
        Type::Uuid => "Uuid::ZERO".to_owned(),
        Type::String => match given {
            Some(text) => format!("\"{text}\".to_owned()"),
            None => "String::new()".to_owned(),
        },
        Type::Bytes => "Bytes::new()".to_owned(),
        Type::Id { name, of } => format!("{name}({})", plain_default(of, given)),
        Type::Struct(name) => format!("{name}::default()"),
        Type::Array(_) => "Vec::new()".to_owned(),
    }
}

/// An expression that is true when the field doesn't hold its default.
pub(super) fn differs(field: &Field) -> String {
    let place = format!("self.{}", field.ident());
    if !field.nullable.is_empty() {
        return match (field.default.as_deref(), &field.kind) {
            (Some("null"), _) => format!("{place}.is_some()"),
            (None, Type::String | Type::Bytes | Type::Array(_)) => {
                format!("{place}.as_ref().is_none_or(|value| !value.is_empty())")
            }
            _ => format!("{place} != {}", default(field)),
        };
    }
    match (&field.kind, field.default.as_deref()) {
        (Type::Bool, None | Some("false")) => place,
        (Type::Bool, _) => format!("!{place}"),
        (Type::String, None) | (Type::Bytes | Type::Array(_), _) => format!("!{place}.is_empty()"),
        _ => format!("{place} != {}", default(field)),
    }
}

/// An expression that reads the field off `from`.
fn read(shape: &Shape<'_>, field: &Field) -> String {
    let null = field.nullable;
    let shape = &within(shape, field);
    if field.classic {
        let plain = read(shape, &Field { classic: false, ..field.clone() });
        let result = plain.strip_suffix('?').map_or_else(|| format!("Ok({plain})"), str::to_owned);
        return format!("from.classic(|from| {result})?");
    }
    if null.is_empty() {
        return read_value(shape, &field.kind);
    }
    let nullable = match &field.kind {
        Type::String => "from.nullable_string()?".to_owned(),
        Type::Bytes => "from.nullable_bytes()?".to_owned(),
        Type::Array(element) => {
            format!("from.nullable_array({}, {})?", bytes_min(shape, element), element_reader(element))
        }
        other => {
            let present = if field.tag.is_some() { "from.uvarint()? != 0" } else { "from.present()?" };
            format!("if {present} {{ Some({}) }} else {{ None }}", read_value(shape, other))
        }
    };
    match shape.condition(null) {
        None => nullable,
        Some(condition) => {
            format!("if {condition} {{ {nullable} }} else {{ Some({}) }}", read_value(shape, &field.kind))
        }
    }
}

/// The shape as it is seen by code that only runs when the field is there.
fn within<'a>(shape: &Shape<'a>, field: &Field) -> Shape<'a> {
    Shape { versions: shape.versions.and(field.versions), ..*shape }
}

fn read_value(shape: &Shape<'_>, kind: &Type) -> String {
    match kind {
        Type::Array(element) => format!("from.array({}, {})?", bytes_min(shape, element), element_reader(element)),
        Type::Struct(name) => format!("{name}::decode(from, version)?"),
        Type::Id { name, of } => format!("{name}(from.{}()?)", method(of)),
        other => format!("from.{}()?", method(other)),
    }
}

fn element_reader(kind: &Type) -> String {
    match kind {
        Type::Struct(name) => format!("|from| {name}::decode(from, version)"),
        Type::Id { name, of } => format!("|from| Ok({name}(from.{}()?))", method(of)),
        other => format!("Decoder::{}", method(other)),
    }
}

/// Statements that write the field into `into`.
fn write(shape: &Shape<'_>, field: &Field) -> String {
    let place = format!("self.{}", field.ident());
    if field.classic {
        let plain = write(shape, &Field { classic: false, ..field.clone() });
        return format!("into.classic(|into| {})?;", plain.trim_end_matches("?;"));
    }
    if field.nullable.is_empty() {
        return write_value(&field.kind, &place);
    }
    let nullable = match &field.kind {
        Type::String => format!("into.nullable_string({place}.as_deref())?;"),
        Type::Bytes => format!("into.nullable_bytes({place}.as_ref())?;"),
        Type::Array(element) => write_array(element, &format!("{place}.as_deref()"), "nullable_"),
        other => {
            // Inside a tagged field the mark is a varint, 0 for null (KIP-893); elsewhere it is an int8, -1 for null.
            let present = match field.tag {
                Some(_) => format!("into.uvarint({place}.is_some().into())"),
                None => format!("into.present({place}.as_ref())"),
            };
            format!("{present}; if let Some(value) = &{place} {{ {} }}", write_value(other, "value"))
        }
    };
    match within(shape, field).condition(field.nullable) {
        None => nullable,
        Some(condition) => {
            let refused = format!("EncodeError::Null {{ field: \"{}\", version }}", field.name);
            let plain = write_value(&field.kind, "value");
            format!(
                "if {condition} {{ {nullable} }} else {{ let value = {place}.as_ref().ok_or({refused})?; {plain} }}"
            )
        }
    }
}

fn write_value(kind: &Type, place: &str) -> String {
    let reference = if place.starts_with("self.") { format!("&{place}") } else { place.to_owned() };
    match kind {
        Type::String => format!("into.string({reference})?;"),
        Type::Bytes => format!("into.bytes({reference})?;"),
        Type::Array(element) => write_array(element, &reference, ""),
        Type::Struct(_) => format!("{place}.encode(into, version)?;"),
        Type::Id { of, .. } => format!("into.{}({place}.0);", method(of)),
        number => format!("into.{}({place});", method(number)),
    }
}

fn write_array(element: &Type, place: &str, nullable: &str) -> String {
    match element {
        Type::String => format!("into.{nullable}array({place}, |into, each| into.string(each))?;"),
        Type::Bytes => format!("into.{nullable}array({place}, Encoder::bytes)?;"),
        Type::Struct(_) => format!("into.{nullable}array({place}, |into, each| each.encode(into, version))?;"),
        Type::Id { of, .. } => {
            format!("into.{nullable}plain_array({place}, |into, each| into.{}(each.0))?;", method(of))
        }
        number => format!("into.{nullable}plain_array({place}, |into, each| into.{}(*each))?;", method(number)),
    }
}

/// The decoder's and the encoder's method for a type.
fn method(kind: &Type) -> &'static str {
    match kind {
        Type::Bool => "bool",
        Type::Int8 => "i8",
        Type::Int16 => "i16",
        Type::Int32 => "i32",
        Type::Int64 => "i64",
        Type::Uint16 => "u16",
        Type::Uint32 => "u32",
        Type::Float64 => "f64",
        Type::Uuid => "uuid",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Id { of, .. } => method(of),
        Type::Struct(_) | Type::Array(_) => unreachable!("handled by the callers"),
    }
}

/// The size of the smallest value of a type on the wire, over all versions of the shape: what an array's count is
/// bounded by.
fn bytes_min(shape: &Shape<'_>, kind: &Type) -> usize {
    (shape.versions.first..=shape.versions.last)
        .map(|version| bytes_at(shape.message, kind, version))
        .min()
        .unwrap_or(1)
}

fn bytes_at(message: &Message, kind: &Type, version: i16) -> usize {
    let flexible = message.flexible.contains(version);
    match kind {
        Type::Bool | Type::Int8 => 1,
        Type::Int16 | Type::Uint16 => 2,
        Type::Int32 | Type::Uint32 => 4,
        Type::Int64 | Type::Float64 => 8,
        Type::Uuid => 16,
        Type::Id { of, .. } => bytes_at(message, of, version),
        _ if flexible && kind.struct_name().is_none() => 1,
        Type::Array(_) if flexible => 1,
        Type::String => 2,
        Type::Bytes | Type::Array(_) => 4,
        Type::Struct(name) => {
            let fields = message.find(name).fields.iter();
            let fields = fields.filter(|field| field.versions.contains(version) && field.tag.is_none());
            let sum: usize = fields
                .map(|field| match (&field.kind, field.classic) {
                    (Type::Struct(_), _) if field.nullable.contains(version) => 1,
                    // A classic length is longer than a compact one: counting the shorter is still a lower bound.
                    (kind, _) => bytes_at(message, kind, version),
                })
                .sum();
            // A struct that this version doesn't have counts as one byte: the bound is then a weaker one.
            (sum + usize::from(flexible)).max(1)
        }
    }
}
