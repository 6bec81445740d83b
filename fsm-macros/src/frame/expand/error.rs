use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::super::ast::{Case, Field, Frame, Kind, Labels, Literal, Value};
use super::super::roles;
use super::names::text;
use super::size;
use crate::spelling;

/// The errors of a frame, each if it can happen.
#[derive(Default)]
struct Variants {
    /// Those of literals and of other frames, in the order of the fields.
    own: Vec<(Ident, Own)>,
    shared: Vec<&'static str>,
}

enum Own {
    /// The field, what it always is, and its type if the error has what was found in its place.
    Literal(String, String, Option<Ident>),
    /// The field and its decoder.
    Inner(String, TokenStream),
}

/// The error type.
pub(crate) fn error(frame: &Frame) -> TokenStream {
    let (vis, name, item) = (&frame.vis, frame.error(), &frame.name);
    let about = format!("The reason why bytes are no [`{item}`], or why one cannot be encoded.");
    let variants = variants(frame);
    if variants.own.is_empty() && variants.shared.is_empty() {
        return quote! {
            #[doc = #about]
            #vis type #name = ::core::convert::Infallible;
        };
    }
    let own = variants.own.iter().map(|(name, own)| own.declared(name, frame));
    let shared = SHARED.iter().filter(|shared| variants.shared.contains(&shared.name));
    let (shared, displayed): (Vec<_>, Vec<_>) =
        shared.map(|shared| (shared.declared(), shared.displayed(frame))).unzip();
    let own_displayed = variants.own.iter().map(|(name, own)| own.displayed(name));
    quote! {
        #[doc = #about]
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
        #vis enum #name {
            #(#own,)*
            #(#shared,)*
        }

        #[automatically_derived]
        impl ::core::fmt::Display for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self {
                    #(#own_displayed)*
                    #(#displayed)*
                }
            }
        }

        #[automatically_derived]
        impl ::core::error::Error for #name {}
    }
}

/// An error that a frame of any name may have.
struct Shared {
    name: &'static str,
    about: &'static str,
    /// Its fields.
    fields: &'static str,
    text: &'static str,
}

const SHARED: [Shared; 11] = [
    Shared { name: "Tag", about: "No case has these tags.", fields: "", text: "" },
    Shared {
        name: "TooLong",
        about: "A part is longer than it may be.",
        fields: "len: u64, max: u64",
        text: "the length of `{field}` is {len}, and may be at most {max}",
    },
    Shared {
        name: "TooMany",
        about: "There are more frames than there may be.",
        fields: "len: u64, max: u64",
        text: "the number of `{field}` is {len}, and may be at most {max}",
    },
    Shared {
        name: "Short",
        about: "A length leaves no room for the field.",
        fields: "",
        text: "its length leaves no room for `{field}`",
    },
    Shared {
        name: "Surplus",
        about: "Something follows the last field.",
        fields: "",
        text: "something follows `{field}`, which is the last",
    },
    Shared {
        name: "Utf8",
        about: "A text is not UTF-8.",
        fields: "",
        text: "`{field}` is not UTF-8",
    },
    Shared {
        name: "Number",
        about: "Bytes are no number, or one that is out of range.",
        fields: "",
        text: "`{field}` is no number in its range",
    },
    Shared {
        name: "Missing",
        about: "The line ends before the field.",
        fields: "",
        text: "the line ends before `{field}`",
    },
    Shared {
        name: "End",
        about: "The field is not followed by what ends it.",
        fields: "",
        text: "`{field}` is not followed by what ends it",
    },
    Shared {
        name: "Contains",
        about: "The field, which was to be encoded, contains what ends it.",
        fields: "",
        text: "`{field}` contains what ends it",
    },
    Shared {
        name: "Disagrees",
        about: "The field, which was to be encoded, does not agree with the other fields.",
        fields: "",
        text: "`{field}` does not agree with the other fields",
    },
];

impl Shared {
    fn declared(&self) -> TokenStream {
        let (name, about) = (format_ident!("{}", self.name), self.about);
        let fields: Vec<TokenStream> = self
            .fields
            .split(", ")
            .filter(|field| !field.is_empty())
            .map(|field| {
                let name = format_ident!("{}", field.split(':').next().unwrap_or_default());
                let about = if name == "len" { "What it is." } else { "What it may be at most." };
                quote!(#[doc = #about] #name: u64)
            })
            .collect();
        if self.name == "Tag" {
            return quote!(#[doc = #about] #name);
        }
        quote! {
            #[doc = #about]
            #name {
                #[doc = "The field."]
                field: &'static str,
                #(#fields,)*
            }
        }
    }

    fn displayed(&self, frame: &Frame) -> TokenStream {
        let name = format_ident!("{}", self.name);
        let text = self.text;
        if self.name == "Tag" {
            let text = tags(frame);
            return quote!(Self::#name => f.write_str(#text),);
        }
        let names = self.fields.split(", ").filter_map(|field| field.split(':').next());
        let names = names.filter(|name| !name.is_empty()).map(|name| format_ident!("{name}"));
        let names: Vec<Ident> = names.collect();
        quote!(Self::#name { field, #(#names),* } => ::core::write!(f, #text),)
    }
}

/// The message about a tag that no case has.
fn tags(frame: &Frame) -> String {
    let labels = frame.cases.iter().flat_map(|case| match &case.labels {
        Labels::Are(labels) => labels.iter().map(written).collect(),
        _ => Vec::new(),
    });
    let labels: Vec<String> = labels.collect();
    let what = if frame.line.is_some() { "first word" } else { "tag" };
    if labels.len() > 12 {
        return format!("the {what} is none of the {} known ones", labels.len());
    }
    format!("the {what} is none of {}", labels.join(", "))
}

/// A literal as a message has it.
fn written(literal: &Literal) -> String {
    match &literal.value {
        Value::Bytes(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        _ => spelling::tokens(&literal.place),
    }
}

impl Own {
    fn declared(&self, name: &Ident, frame: &Frame) -> TokenStream {
        match self {
            Self::Literal(field, is, found) => {
                let about = format!("`{field}` is not {is}.");
                let found = found.as_ref().map(|ty| {
                    quote!({
                        #[doc = "What it is."]
                        found: #ty,
                    })
                });
                quote!(#[doc = #about] #name #found)
            }
            Self::Inner(field, decoder) => {
                let root = &frame.root;
                let about = format!("`{field}` is none.");
                quote!(#[doc = #about] #name(<#decoder as #root::__Nested>::Error))
            }
        }
    }

    fn displayed(&self, name: &Ident) -> TokenStream {
        match self {
            Self::Literal(field, is, None) => {
                let text = format!("`{field}` is not {is}");
                quote!(Self::#name => f.write_str(#text),)
            }
            Self::Literal(field, is, Some(_)) => {
                let is = is.replace('{', "{{").replace('}', "}}");
                let text = format!("`{field}` is {{found}}, and not {is}");
                quote!(Self::#name { found } => ::core::write!(f, #text),)
            }
            Self::Inner(field, _) => {
                let text = format!("`{field}`: {{error}}");
                quote!(Self::#name(error) => ::core::write!(f, #text, error = error),)
            }
        }
    }
}

fn variants(frame: &Frame) -> Variants {
    let mut variants = Variants::default();
    let has_other = frame.cases.iter().any(|case| matches!(case.labels, Labels::Other));
    let is_wide = frame.tag.as_ref().is_some_and(|tag| tag.width == 3);
    if frame.is_enum && (!has_other || frame.line.is_some() || is_wide) {
        variants.shared("Tag");
    }
    if frame.line.is_some() || frame.max.is_some() {
        variants.shared("TooLong");
    }
    for case in &frame.cases {
        let before = case.words().split_last().map_or(&[][..], |(_, before)| before);
        let may_miss = |field: &Field| field.optional || matches!(field.kind, Kind::Flag);
        if frame.line.is_some() && before.iter().any(may_miss) {
            variants.shared("Disagrees");
        }
        let is_first = |field: &Field| !matches!(case.labels, Labels::Are(_)) && may_miss(field);
        if frame.line.is_some() && case.words().first().is_some_and(is_first) {
            variants.shared("Missing");
        }
        if case.fields.iter().any(|field| matches!(field.kind, Kind::Tag(_))) {
            variants.shared("Disagrees");
        }
        for field in &case.fields {
            variants.field(frame, case, field);
        }
        if frame.line.is_some() || case.part().is_some() {
            variants.shared("Surplus");
        }
        if case.part().is_some() {
            variants.shared("Short");
            variants.shared("TooLong");
        }
    }
    variants
}

impl Variants {
    fn shared(&mut self, name: &'static str) {
        if !self.shared.contains(&name) {
            self.shared.push(name);
        }
    }

    fn field(&mut self, frame: &Frame, case: &Case, field: &Field) {
        let in_line = frame.line.is_some();
        if let Some(name) = roles::error_variant(field) {
            let text = text(&field.name);
            let own = match &field.is {
                Some(is) => {
                    let int = field.kind.int().filter(|int| int.width == 1 && !in_line);
                    Own::Literal(text, written(is), int.map(|int| int.rust.clone()))
                }
                None => Own::Inner(text, size::decoder(frame, field)),
            };
            if !self.own.iter().any(|(known, _)| *known == name) {
                self.own.push((name, own));
            }
        }
        if field.kind.is_text() {
            self.shared("Utf8");
        }
        if field.then.is_some() && !matches!(field.kind, Kind::Digits { .. }) {
            self.shared("End");
        }
        if field.when.is_some() {
            self.shared("Disagrees");
        }
        if field.part.as_ref().is_some_and(|part| part.then.is_some()) {
            self.shared("End");
        }
        for counted in field.counts() {
            self.shared("Short");
            let derives = match roles::length(&counted.len) {
                roles::Length::Of { field, inverse } => {
                    case.derived(&field).is_some() && inverse.is_total()
                }
                roles::Length::Any => false,
            };
            if !derives {
                self.shared("Disagrees");
            }
        }
        match &field.kind {
            Kind::Int(int) | Kind::Tag(int) if int.width == 3 => self.shared("Number"),
            Kind::Varint { .. } | Kind::Digits { .. } => self.shared("Number"),
            Kind::Bytes { .. } => self.shared("TooLong"),
            Kind::Until { .. } => {
                self.shared("TooLong");
                self.shared("Contains");
                if case.digits_before(field).is_some() {
                    self.shared("Disagrees");
                }
            }
            Kind::Times { counted, .. } => {
                if counted.is_some() {
                    self.shared("TooMany");
                }
                self.shared("Short");
            }
            Kind::Nested | Kind::Tagged(_) => self.shared("Short"),
            Kind::Rest { .. } | Kind::Word { .. } | Kind::Words if in_line => {
                self.shared("Missing");
                self.shared("Contains");
            }
            _ => {}
        }
        if matches!(field.kind, Kind::Tagged(_)) {
            self.shared("Disagrees");
        }
        if in_line && !matches!(field.kind, Kind::Bytes { .. } | Kind::Flag) {
            self.shared("Missing");
        }
    }
}
