//! Tokens to [`ast`](super::ast).

mod args;
mod field;
mod literal;
mod owner;
mod types;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, GenericParam, Generics};

use self::args::Args;
use self::owner::Owner;
pub(crate) use self::types::{in_rust, lent};
use super::ast::{Case, Frame, Labels, Odd};
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// The attributes of the macro on variants and fields.
pub(crate) const ATTRIBUTES: [&str; 15] = [
    "is", "le", "be", "varint", "decimal", "hex", "bytes", "until", "rest", "part", "tag", "when",
    "times", "other", "secret",
];

/// The frame, as far as it can be read; `None` if there is nothing to make a decoder of.
pub(crate) fn parse(args: TokenStream, item: DeriveInput, errors: &mut Errors) -> Option<Frame> {
    let DeriveInput { attrs, vis, ident: name, generics, data } = item;
    let mut own = Errors::default();
    let is_struct = matches!(data, Data::Struct(_));
    let args = Args::parse(args, &name, is_struct, &mut own);
    let lifetime = generics.lifetimes().next().map(|it| it.lifetime.clone());
    let mut odd = None;
    if let Some(place) = second_generic(&generics) {
        let own_lifetime = lifetime.as_ref().map(|lifetime| format!("<{lifetime}>"));
        let own_lifetime = own_lifetime.unwrap_or_default();
        let text =
            format!("a frame has no generics but one lifetime; write `{name}{own_lifetime}`");
        own.at(Code::FrameGenerics, place, text);
        odd = Some(Odd::Generic);
    }
    if let Data::Union(data) = &data {
        let text = "a frame must be a struct or an enum; replace `union` by `struct`";
        errors.at(Code::NotAFrame, data.union_token, text);
        return None;
    }
    let in_doubt = errors.first_of(own);
    // The meaning of the fields depends on the arguments.
    let mut ignored = Errors::default();
    let errors = if in_doubt { &mut ignored } else { errors };
    let owner = Owner {
        name: name.clone(),
        lifetime: lifetime.as_ref().map(|lifetime| lifetime.ident.to_string()),
        in_line: args.line.is_some(),
        tag: args.tag.clone(),
        little: args.little,
        helpers: has_helpers(&attrs),
    };
    let is_enum = matches!(data, Data::Enum(_));
    if has_tuples(&data) {
        odd = odd.or(Some(Odd::Tuple));
    }
    let cases = match data {
        Data::Struct(data) => {
            let braced = matches!(data.fields, Fields::Named(_));
            let fields = fields(&name, data.fields, &owner, errors);
            let labels = Labels::Struct;
            vec![Case { attrs: Vec::new(), name: name.clone(), braced, labels, fields }]
        }
        Data::Enum(data) => {
            let cases: Vec<Case> =
                data.variants.into_iter().map(|variant| case(variant, &owner, errors)).collect();
            without_twins(cases, |case| &case.name, errors)
        }
        Data::Union(_) => return None,
    };
    let root = args.root();
    let decoder = args.decoder.unwrap_or_else(|| nameless(&name));
    Some(Frame {
        attrs,
        vis,
        name,
        lifetime,
        odd,
        root,
        decoder,
        is_enum,
        tag: args.tag,
        line: args.line,
        max: args.max,
        cases,
        in_doubt,
    })
}

/// The place of generics that a frame cannot have: a type or constant, a second lifetime, or a `where`.
fn second_generic(generics: &Generics) -> Option<TokenStream> {
    let other = generics.params.iter().find(|it| !matches!(it, GenericParam::Lifetime(_)));
    let second = generics.lifetimes().nth(1).map(ToTokens::to_token_stream);
    let where_clause = generics.where_clause.as_ref().map(ToTokens::to_token_stream);
    other.map(ToTokens::to_token_stream).or(second).or(where_clause)
}

/// Whether the item, or a variant of it, has fields without names.
fn has_tuples(data: &Data) -> bool {
    match data {
        Data::Enum(data) => {
            data.variants.iter().any(|variant| matches!(variant.fields, Fields::Unnamed(_)))
        }
        Data::Struct(data) => matches!(data.fields, Fields::Unnamed(_)),
        Data::Union(_) => false,
    }
}

/// The name of a decoder whose name is missing or taken.
pub(crate) fn nameless(item: &Ident) -> Ident {
    format_ident!("__{}Decoder", item)
}

/// The items whose names no item before them has, and a finding about each of the others.
fn without_twins<T>(items: Vec<T>, name: impl Fn(&T) -> &Ident, errors: &mut Errors) -> Vec<T> {
    let mut seen: Vec<Ident> = Vec::new();
    let mut kept = Vec::new();
    for item in items {
        let own = name(&item).unraw();
        if seen.contains(&own) {
            let text = format!("`{own}` is taken; give this another name");
            errors.at(Code::NameTaken, name(&item), text);
        } else {
            seen.push(own);
            kept.push(item);
        }
    }
    kept
}

fn case(variant: syn::Variant, owner: &Owner, errors: &mut Errors) -> Case {
    let mut own = Errors::default();
    let (ours, attrs) = split(variant.attrs, owner, &mut own);
    let name = variant.ident;
    let mut labels = None;
    if let Some((_, number)) = &variant.discriminant {
        let written = spelling::tokens(&number.to_token_stream());
        let text = format!("a tag is an attribute; write `#[is({written})]` over `{name}`");
        own.at(Code::NoCase, number, text);
    }
    for attr in ours {
        let key = name_of(&attr);
        let read = match key.as_str() {
            "is" => literal::labels(&attr, &mut own).map(Labels::Are),
            "other" => Some(Labels::Other),
            _ => {
                let text = format!("`#[{key}]` is for a field, and `{name}` is a variant");
                own.at(Code::WrongPlace, attr.path(), text);
                continue;
            }
        };
        if labels.is_some() {
            own.at(Code::Twice, attr.path(), "a variant has one `is` or `other`; remove one");
        }
        labels = Some(read.unwrap_or(Labels::Are(Vec::new())));
    }
    let labels = labels.unwrap_or_else(|| {
        let remedy = if owner.in_line {
            format!("write `#[is(\"{}\")]`", spelling::snake_case(&name))
        } else {
            "write its tag in `#[is(..)]`".to_owned()
        };
        let text = format!(
            "nothing says which frames are `{name}`; {remedy} over it, or `#[other]` for all others"
        );
        own.at(Code::NoCase, &name, text);
        Labels::Are(Vec::new())
    });
    let labels = if errors.first_of(own) { Labels::Are(Vec::new()) } else { labels };
    let braced = matches!(variant.fields, Fields::Named(_));
    let fields = fields(&name, variant.fields, owner, errors);
    Case { attrs, name, braced, labels, fields }
}

fn fields(
    name: &Ident,
    fields: Fields,
    owner: &Owner,
    errors: &mut Errors,
) -> Vec<super::ast::Field> {
    match fields {
        Fields::Named(fields) => {
            let fields = fields.named.into_iter();
            let fields = fields.filter_map(|field| field::field(field, owner, errors)).collect();
            without_twins(fields, |field: &super::ast::Field| &field.name, errors)
        }
        Fields::Unnamed(fields) => {
            let text = format!(
                "the fields of `{name}` have no names; write `{name} {{ name: Type, .. }}`"
            );
            errors.at(Code::DataWithoutNames, fields, text);
            Vec::new()
        }
        Fields::Unit => Vec::new(),
    }
}

/// Splits attributes into those of the macro, and the others. Unless a derive brings attributes of its own,
/// a name that looks like one of the macro's is a typo.
fn split(
    attrs: Vec<Attribute>,
    owner: &Owner,
    errors: &mut Errors,
) -> (Vec<Attribute>, Vec<Attribute>) {
    let mut ours = Vec::new();
    let mut others = Vec::new();
    for attr in attrs {
        let name = name_of(&attr);
        if ATTRIBUTES.contains(&name.as_str()) {
            ours.push(attr);
        } else if name == "cfg" || name == "cfg_attr" {
            let text = "a frame has all of its parts or none; write `#[cfg(..)]` on two frames, one with this";
            errors.at(Code::Conditional, attr.path(), text);
        } else if let Some(meant) = field::meant(&name).filter(|_| !owner.helpers) {
            errors.at(
                Code::UnknownAttribute,
                attr.path(),
                format_args!("unknown attribute `{name}`; {meant}"),
            );
        } else {
            others.push(attr);
        }
    }
    (ours, others)
}

/// Whether some derive may have attributes of its own.
fn has_helpers(attrs: &[Attribute]) -> bool {
    const PLAIN: [&str; 9] =
        ["Debug", "Clone", "Copy", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash", "Default"];
    attrs.iter().filter(|attr| attr.path().is_ident("derive")).any(|attr| {
        let list = attr.meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default();
        list.to_string().split(',').any(|name| !PLAIN.contains(&name.trim()))
    })
}

fn name_of(attr: &Attribute) -> String {
    attr.path().get_ident().map(ToString::to_string).unwrap_or_default()
}

/// The type in an `Option`, or the type.
pub(crate) fn inner(ty: &syn::Type) -> syn::Type {
    types::optional(ty).unwrap_or_else(|| ty.clone())
}

/// The tokens in the parentheses of an attribute.
fn list(attr: &Attribute) -> TokenStream {
    attr.meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default()
}
