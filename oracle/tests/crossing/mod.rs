//! Values that nobody recorded: fields of several recorded values of one message, put together anew.

use std::collections::BTreeMap;
use thalweg_messages::json::Value;

/// How many elements a crossed array has at most. Long arrays are recorded as they are.
const ELEMENTS_MAX: usize = 3;

/// What was recorded in one place of a message at one version: at its root, in a field, or in the elements of an array.
#[derive(Default)]
pub(crate) struct Recorded {
    /// Numbers, strings, nulls: whatever is taken as it is.
    leaves: Vec<Value>,
    /// The objects as they were, and what stood in their fields.
    objects: Vec<Value>,
    fields: BTreeMap<String, Recorded>,
    /// How many arrays stood here, and what was in them; nothing if all were empty.
    arrays: usize,
    elements: Option<Box<Recorded>>,
}

impl Recorded {
    pub(crate) fn add(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                self.objects.push(value.clone());
                for (name, value) in fields {
                    let field = self.fields.entry(name.clone()).or_default();
                    // A list of tags is sorted and names none twice: mixed with another it would be neither.
                    if name == "_unknownTaggedFields" { field.leaves.push(value.clone()) } else { field.add(value) }
                }
            }
            Value::Array(elements) => {
                self.arrays += 1;
                // Of a long array no more than of a short one: else its elements would be most of what there is.
                for element in elements.iter().take(ELEMENTS_MAX) {
                    self.elements.get_or_insert_default().add(element);
                }
            }
            leaf => self.leaves.push(leaf.clone()),
        }
    }

    /// Something that could stand in this place. Each of the kinds that stood here comes as often as it was recorded.
    pub(crate) fn cross(&self, chance: &mut Chance) -> Value {
        let pick = chance.below(self.times());
        if let Some(leaf) = self.leaves.get(pick) {
            leaf.clone()
        } else if pick < self.leaves.len() + self.objects.len() {
            self.fields
                .iter()
                .filter_map(|(name, field)| Some((name.clone(), self.cross_field(field, chance)?)))
                .collect()
        } else {
            let length = if self.elements.is_some() { chance.below(ELEMENTS_MAX + 1) } else { 0 };
            self.elements.iter().cycle().take(length).map(|elements| elements.cross(chance)).collect()
        }
    }

    /// A field that some objects lack is a tagged one, absent where it has its default. What is put together anew could
    /// come to be just that; so a struct is taken as it was, and an empty array left out.
    fn cross_field(&self, field: &Recorded, chance: &mut Chance) -> Option<Value> {
        if field.times() == self.objects.len() {
            return Some(field.cross(chance));
        }
        if chance.below(self.objects.len()) >= field.times() {
            return None;
        }
        match field.objects.len() {
            0 => Some(field.cross(chance)).filter(|value| value.as_array().is_none_or(|elements| !elements.is_empty())),
            objects => Some(field.objects[chance.below(objects)].clone()),
        }
    }

    fn times(&self) -> usize {
        self.leaves.len() + self.objects.len() + self.arrays
    }
}

/// Numbers out of a seed: splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % end as u64).unwrap()
    }
}
