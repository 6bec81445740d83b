mod counted;
mod numbers;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Path};

use super::super::ast::{Field, Kind, Literal, Unread, Value};
use super::args::{Entry, entries};
use super::owner::Owner;
use super::types::{self, Known};
use super::{list, literal, name_of, split};
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// The attributes of which a field has one at most, because each says how its bytes are found.
const SHAPES: [&str; 9] =
    ["varint", "decimal", "hex", "bytes", "until", "rest", "times", "tag", "is"];

/// The text to write for an attribute that looks like one of the macro's.
pub(crate) fn meant(name: &str) -> Option<String> {
    let remedy = match name {
        "magic" | "literal" | "equals" | "value" | "constant" | "variant" | "case" | "id"
        | "kind" => "write `#[is(..)]`",
        "len" | "length" | "size" | "count_bytes" => "write `#[bytes(len <= 64KiB)]` on the bytes",
        "count" | "repeat" | "many" => "write `#[times(n <= 64)]`",
        "cond" | "condition" | "given" | "optional" | "only_if" => "write `#[when(..)]`",
        "little" | "little_endian" | "endian" | "LE" => "write `#[le]` for the little-endian order",
        "leb128" | "vint" => "write `#[varint]`",
        "default" | "fallback" | "otherwise" | "unknown" => "write `#[other]`",
        "delimited" | "terminated" | "nul" | "cstr" => "write `#[until(b\"\\0\", max = 64)]`",
        "remaining" | "tail" => "write `#[rest]`",
        "redact" | "sensitive" => "write `#[secret]`",
        _ => {
            let near = spelling::nearest(name, &super::ATTRIBUTES)?;
            return Some(format!("did you mean `{near}`?"));
        }
    };
    Some(remedy.to_owned())
}

/// Reads a field; one that cannot be read has the kind `Unknown`.
pub(crate) fn field(field: syn::Field, owner: &Owner, errors: &mut Errors) -> Option<Field> {
    let said: TokenStream = field.attrs.iter().map(list).collect();
    let is_literal = field.attrs.iter().any(|attr| attr.path().is_ident("is"));
    let mut own = Errors::default();
    let (ours, attrs) = split(field.attrs, owner, &mut own);
    let name = field.ident?;
    let mut reader = Reader { owner, ours, then: None, open_digits: None, errors: &mut own };
    reader.once();
    let little = (owner.little || reader.has("le")) && !reader.has("be");
    let inner = types::optional(&field.ty);
    let optional = inner.is_some();
    let ty = inner.unwrap_or_else(|| field.ty.clone());
    let known = types::known(&ty, little, owner, reader.errors);
    let is = reader.is();
    let is_of_no_type = known.is_none();
    let kind = match known {
        Some(known) => reader.kind(&name, &ty, known, is.as_ref()),
        None => None,
    };
    let part = reader.get("part").and_then(|attr| reader.counted(&attr, "part(len <= 64KiB)"));
    let when = reader.get("when").and_then(|attr| reader.expression(&attr));
    let secret = reader.has("secret");
    let text = reader.text(&field.ty);
    if let Some(kind) = &kind {
        reader.order(kind);
    }
    let (then, open_digits) = (reader.then.take(), reader.open_digits.take());
    let mut field = Field {
        attrs,
        vis: field.vis,
        name,
        ty: field.ty,
        part,
        when,
        optional,
        is,
        kind: kind.unwrap_or(Kind::Unknown),
        then,
        open_digits,
        secret,
        text,
        unread: None,
    };
    if errors.first_of(own) {
        let is_literal = is_literal && !matches!(known_name(&ty).as_deref(), Some("bool"));
        let unread = Some(Unread { said, is_literal, is_of_no_type });
        field = Field {
            part: None,
            when: None,
            is: None,
            then: None,
            open_digits: None,
            kind: Kind::Unknown,
            unread,
            ..field
        };
    }
    Some(field)
}

/// The attributes of a field.
struct Reader<'a> {
    owner: &'a Owner,
    ours: Vec<Attribute>,
    then: Option<Literal>,
    open_digits: Option<Path>,
    errors: &'a mut Errors,
}

impl Reader<'_> {
    fn get(&self, name: &str) -> Option<Attribute> {
        self.ours.iter().find(|attr| attr.path().is_ident(name)).cloned()
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Adds findings about attributes that are there twice, or exclude each other.
    fn once(&mut self) {
        let mut shape: Option<String> = None;
        let mut seen: Vec<String> = Vec::new();
        for attr in &self.ours {
            let name = name_of(attr);
            if seen.contains(&name) {
                self.errors.at(
                    Code::Twice,
                    attr.path(),
                    format_args!("`{name}` is here twice; remove one"),
                );
            }
            if name == "other" {
                let text = "`#[other]` is for a variant";
                self.errors.at(Code::WrongPlace, attr.path(), text);
            }
            // A literal may be a word or a number in digits.
            let is_shape = SHAPES.contains(&name.as_str());
            match &shape {
                Some(first) if is_shape && *first != name => {
                    let text = format!(
                        "`#[{first}]` and `#[{name}]` both say how the bytes are found; remove one"
                    );
                    self.errors.at(Code::TwoLayouts, attr.path(), text);
                }
                None if is_shape => shape = Some(name.clone()),
                _ => {}
            }
            seen.push(name);
        }
    }

    fn is(&mut self) -> Option<Literal> {
        let attr = self.get("is")?;
        let labels = literal::labels(&attr, self.errors)?;
        if let Some(second) = labels.get(1) {
            let text = "a field that is always the same has one value; several are for variants";
            self.errors.at(Code::TooMuch, &second.tokens, text);
        }
        labels.into_iter().next()
    }

    fn kind(
        &mut self,
        name: &Ident,
        ty: &syn::Type,
        known: Known,
        is: Option<&Literal>,
    ) -> Option<Kind> {
        let in_line = self.owner.in_line;
        match known {
            Known::Int(int) => self.int(int, is),
            Known::Bool if in_line && is.is_some() => Some(Kind::Flag),
            Known::Bool if in_line => {
                let text = format!(
                    "a `bool` says whether a word is in the line; write `#[is(\"{name}\")]` over it"
                );
                self.errors.at(Code::FieldType, ty, text);
                None
            }
            Known::Bool => {
                let text = "a frame has no `bool`; write `u8`, and compare it in the handler";
                self.errors.at(Code::FieldType, ty, text);
                None
            }
            Known::Array(len) => {
                self.only(&["is"], "an array has its length in its type");
                Some(Kind::Array(len))
            }
            Known::Borrowed { text } => self.borrowed(ty, text, is),
            Known::Words if in_line => {
                self.only(&[], "`Words` are all words that are left");
                Some(Kind::Words)
            }
            Known::Words => {
                let text =
                    "only a line has words; add `line = b\"\\r\\n\", max = 1KiB` to `#[frame(..)]`";
                self.errors.at(Code::OnlyInLines, ty, text);
                None
            }
            Known::Times(decoder) => self.times(ty, decoder),
            Known::Other => {
                if let Some(attr) = self.get("tag") {
                    return Some(Kind::Tagged(self.expression(&attr)?));
                }
                self.only(&[], "a frame says itself how long it is");
                Some(Kind::Nested)
            }
        }
    }

    /// Refuses the shapes that are not in `allowed`.
    fn only(&mut self, allowed: &[&str], why: &str) {
        let others = self.ours.iter().filter(|attr| {
            let name = name_of(attr);
            SHAPES.contains(&name.as_str()) && !allowed.contains(&name.as_str())
        });
        for attr in others {
            let text = format!("{why}; remove `#[{}]`", name_of(attr));
            self.errors.at(Code::TwoLayouts, attr.path(), text);
        }
    }

    fn borrowed(&mut self, ty: &syn::Type, text: bool, is: Option<&Literal>) -> Option<Kind> {
        let written = if text { "&'a str" } else { "&'a [u8]" };
        self.only(&["is", "bytes", "until", "rest"], "this is bytes");
        if let Some(attr) = self.get("bytes") {
            let counted = self.counted(&attr, "bytes(len <= 64KiB)")?;
            self.then.clone_from(&counted.then);
            return Some(Kind::Bytes { counted: counted.into(), text });
        }
        if let Some(attr) = self.get("until").filter(|_| self.owner.in_line) {
            let text =
                "a word ends at the next space or at the end of the line; remove `#[until(..)]`";
            self.errors.at(Code::NotInLines, attr.path(), text);
            return None;
        }
        if let Some(attr) = self.get("until") {
            return self.until(&attr, text);
        }
        if self.has("rest") {
            return Some(Kind::Rest { text });
        }
        if self.owner.in_line {
            return Some(Kind::Word { text });
        }
        if let Some(Value::Bytes(bytes)) = is.map(|is| &is.value) {
            let remedy = format!("write `[u8; {}]` for `{written}`", bytes.len());
            let text = format!("bytes that are always the same are an array; {remedy}");
            self.errors.at(Code::FieldType, ty, text);
            return None;
        }
        let text = format!(
            "nothing says how long `{written}` is; write `#[bytes(len <= 64KiB)]` with a field `len` before \
             it, or `#[until(b\"\\0\", max = 64)]`"
        );
        self.errors.at(Code::NoLength, ty, text);
        None
    }

    fn until(&mut self, attr: &Attribute, text: bool) -> Option<Kind> {
        let (mut end, mut max) = (None, None);
        for Entry { key, value } in entries(list(attr), self.errors) {
            match key {
                None => end = Some(literal::bytes(&value, self.errors)?),
                Some(key) if key == "max" => max = Some(literal::size(&value, self.errors)?),
                Some(key) => {
                    let text = format!("unknown key `{key}`; write `until(b\"\\0\", max = 64)`");
                    self.errors.at(Code::UnknownKey, key, text);
                }
            }
        }
        match (end, max) {
            (Some(end), Some(max)) => Some(Kind::Until { end, max, text }),
            (Some(end), None) => {
                let written = &end.tokens;
                let text =
                    format!("nothing bounds these bytes; write `until({written}, max = 64)`");
                self.errors.at(Code::Unbounded, written, text);
                None
            }
            (None, _) => {
                let text = "`until` lacks what ends the bytes; write `until(b\"\\0\", max = 64)`";
                self.errors.at(Code::ValueMissing, attr.path(), text);
                None
            }
        }
    }

    fn times(&mut self, ty: &syn::Type, decoder: Box<syn::Type>) -> Option<Kind> {
        self.only(&["times", "rest"], "these are other frames");
        if let Some(attr) = self.get("times") {
            let counted = self.counted(&attr, "times(count <= 64)")?;
            self.then.clone_from(&counted.then);
            return Some(Kind::Times { decoder, counted: Some(counted.into()) });
        }
        if self.has("rest") {
            return Some(Kind::Times { decoder, counted: None });
        }
        let text = "nothing says how many there are; write `#[times(count <= 64)]` with a field `count` \
                    before it, or `#[rest]`";
        self.errors.at(Code::NoLength, ty, text);
        None
    }

    /// Adds a finding about the order of the bytes of what has none.
    fn order(&mut self, kind: &Kind) {
        let Some(attr) = self.get("le").or_else(|| self.get("be")) else { return };
        let name = name_of(&attr);
        if !matches!(kind, Kind::Int(_)) {
            let text = format!(
                "only an integer of several bytes has an order of them; remove `#[{name}]`"
            );
            self.errors.at(Code::WrongPlace, attr.path(), text);
        } else if self.has("le") && self.has("be") {
            let text = "`#[le]` and `#[be]` exclude each other; remove one";
            self.errors.at(Code::TwoLayouts, attr.path(), text);
        }
    }

    /// The type and the attributes, for the docs.
    fn text(&self, ty: &syn::Type) -> String {
        let ty = spelling::tokens(&ty.to_token_stream());
        let mut text = without_lifetimes(&ty);
        for attr in self.ours.iter().filter(|attr| !attr.path().is_ident("secret")) {
            // The compiler keeps the spaces of the source.
            let list = list(attr).to_string();
            let name = name_of(attr);
            text.push_str(", ");
            match name.as_str() {
                "is" => text.extend(["is ", &list]),
                _ if list.is_empty() => text.push_str(&name),
                _ => text.extend([&name, "(", &list, ")"]),
            }
        }
        text
    }
}

/// The name of a type without arguments.
fn known_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

/// A type without its lifetimes.
fn without_lifetimes(ty: &str) -> String {
    let mut text = String::new();
    let mut letters = ty.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\'' {
            text.push(letter);
            continue;
        }
        while letters.next_if(|next| next.is_alphanumeric() || *next == '_').is_some() {}
        while letters.next_if(|next| matches!(next, ' ' | ',')).is_some() {}
    }
    text.replace("<>", "")
}
