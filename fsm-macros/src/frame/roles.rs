//! The role of a field: it is kept in the item, or follows from other fields.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{BinOp, Expr, Lit};

use super::ast::{Case, Field, Frame, Kind, Literal, Value};
use crate::ast;
use crate::spelling;

/// The errors that frames have beside those of their literals and of the frames in them.
pub(crate) const ERRORS: [&str; 11] = [
    "Tag",
    "TooLong",
    "TooMany",
    "Short",
    "Surplus",
    "Utf8",
    "Number",
    "Missing",
    "End",
    "Contains",
    "Disagrees",
];

/// The field for a part, which follows from it.
#[derive(Clone, Copy)]
pub(crate) enum Derived<'a> {
    /// The field at this position begins the part that the field measures.
    Part(usize, &'a Field),
    /// The field at this position has the length, or the number of frames, or the tag.
    Of(&'a Field),
}

/// A length as an expression.
pub(crate) enum Length {
    /// A field, and how the field follows from the length.
    Of { field: Ident, inverse: Inverse },
    /// Anything else, which is only compared with the length.
    Any,
}

/// The value of a field for the length that follows from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inverse {
    Same,
    /// The length is the field less this.
    Plus(u64),
    /// The length is the field and this.
    Minus(u64),
    /// The length is so many times the field.
    DividedBy(u64),
}

impl Inverse {
    /// The value of the field for a length.
    pub(crate) fn of(self, length: u64) -> Option<u64> {
        match self {
            Self::Same => Some(length),
            Self::Plus(more) => length.checked_add(more),
            // A bound that is less than what is always there is not reached.
            Self::Minus(less) => Some(length.saturating_sub(less)),
            Self::DividedBy(by) => length.checked_div(by),
        }
    }

    /// Whether the field has a value for each length.
    pub(crate) fn is_total(self) -> bool {
        matches!(self, Self::Same | Self::Plus(_) | Self::DividedBy(1))
    }

    /// The largest length for the largest value of the field.
    pub(crate) fn most(self, largest: u64) -> u64 {
        match self {
            Self::Same => largest,
            Self::Plus(more) => largest.saturating_sub(more),
            Self::Minus(less) => largest.saturating_add(less),
            Self::DividedBy(by) => largest.saturating_mul(by),
        }
    }
}

/// How a length follows from a field.
pub(crate) fn length(expression: &TokenStream) -> Length {
    match syn::parse2(expression.clone()) {
        Ok(expression) => of(&expression),
        Err(_) => Length::Any,
    }
}

fn of(expression: &Expr) -> Length {
    match expression {
        Expr::Paren(paren) => of(&paren.expr),
        Expr::Group(group) => of(&group.expr),
        Expr::Path(_) => match field(expression) {
            Some(field) => Length::Of { field, inverse: Inverse::Same },
            None => Length::Any,
        },
        Expr::Binary(binary) => {
            let (Some(field), Some(number)) = (field(&binary.left), number(&binary.right)) else {
                return Length::Any;
            };
            let inverse = match binary.op {
                BinOp::Add(_) => Inverse::Minus(number),
                BinOp::Sub(_) => Inverse::Plus(number),
                BinOp::Mul(_) if number > 0 => Inverse::DividedBy(number),
                _ => return Length::Any,
            };
            Length::Of { field, inverse }
        }
        _ => Length::Any,
    }
}

/// The name that an expression is, if it can be that of a field.
fn field(expression: &Expr) -> Option<Ident> {
    let Expr::Path(path) = expression else { return None };
    let name = path.path.get_ident()?;
    let text = name.unraw().to_string();
    text.starts_with(|first: char| first.is_lowercase() || first == '_').then(|| name.clone())
}

fn number(expression: &Expr) -> Option<u64> {
    match expression {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) => int.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// The names in an expression that can only be fields.
pub(crate) fn names(expression: &TokenStream) -> Vec<Ident> {
    let mut found = Vec::new();
    if let Ok(mut expression) = syn::parse2(expression.clone()) {
        collect(&mut expression, &mut found);
    }
    found
}

fn collect(expression: &mut Expr, found: &mut Vec<Ident>) {
    if let Some(name) = field(expression) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    match expression {
        // The function is no field.
        Expr::Call(call) => call.args.iter_mut().for_each(|it| collect(it, found)),
        other => {
            for part in ast::parts(other).into_iter().flatten() {
                collect(part, found);
            }
        }
    }
}

/// Whether a name is somewhere in the tokens.
fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == *name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        _ => false,
    })
}

/// The largest number in so many bytes.
pub(crate) fn largest_varint(bytes: usize) -> u64 {
    let unused = 64_usize.saturating_sub(7 * bytes).min(63);
    u64::MAX >> unused
}

impl Case {
    /// The source from which the field follows, if it need not be kept: it is named once, as the length of a part
    /// or the tag of a frame. An optional part does not determine it.
    pub(crate) fn derived(&self, name: &Ident) -> Option<Derived<'_>> {
        let uses = self.fields.iter().flat_map(Field::expressions);
        let uses = uses.flat_map(names).filter(|used| used == name).count();
        let own = self.fields.iter().find(|field| field.name == *name)?;
        // An array is none of them, and there is a finding about it. The tag of a variant was written before
        // its fields are.
        let is_number = match &own.kind {
            Kind::Tag(_) => false,
            kind => kind.int().is_some() || matches!(kind, Kind::Array(_) | Kind::Unknown),
        };
        if uses != 1 || own.optional || own.is.is_some() || !is_number {
            return None;
        }
        let is_named = |expression: &TokenStream| matches!(length(expression), Length::Of { field, .. } if field == *name);
        self.fields.iter().enumerate().find_map(|(at, field)| {
            if field.part.as_ref().is_some_and(|part| is_named(&part.len)) {
                return Some(Derived::Part(at, field));
            }
            match &field.kind {
                Kind::Bytes { counted, .. } | Kind::Times { counted: Some(counted), .. }
                    if !field.optional && is_named(&counted.len) =>
                {
                    Some(Derived::Of(field))
                }
                Kind::Tagged(tag)
                    if !field.optional
                        && matches!(length(tag), Length::Of { field, inverse: Inverse::Same } if field == *name) =>
                {
                    Some(Derived::Of(field))
                }
                _ => None,
            }
        })
    }

    /// Whether the generated item has the field.
    pub(crate) fn keeps(&self, field: &Field) -> bool {
        match field.kind {
            Kind::Flag => true,
            _ => {
                field.is.is_none()
                    && self.derived(&field.name).is_none()
                    && !self.is_taken_away(field)
            }
        }
    }

    /// Whether the field would follow from others, as far as one with a finding says.
    fn is_taken_away(&self, field: &Field) -> bool {
        if field.unread.as_ref().is_some_and(|unread| unread.is_literal) {
            return true;
        }
        let unread = self.fields.iter().filter_map(|field| field.unread.as_ref());
        if unread.clone().any(|unread| mentions(&unread.said, &field.name)) {
            return true;
        }
        // A length with a typo.
        let (name, is_int) = (field.name.to_string(), field.kind.int().is_some());
        let is_known = |name: &Ident| self.fields.iter().any(|field| field.name == *name);
        let named = self.fields.iter().flat_map(Field::counts).flat_map(|it| names(&it.len));
        is_int
            && named
                .filter(|named| !is_known(named))
                .any(|named| spelling::nearest(&named.to_string(), &[name.as_str()]).is_some())
    }

    /// Whether the field behind these digits, which have no end of their own, begins with no digit. For an
    /// `until` that is so because the encoder refuses others. About a literal that does not fit its field
    /// there is another finding.
    pub(crate) fn ends_digits(&self, at: usize) -> bool {
        let digits = &self.fields[at];
        let Kind::Digits { hex, .. } = digits.kind else { return false };
        let no_digit = |literal: &Literal| literal.begins_with(|first| !is_digit(hex, first));
        let Some(next) = self.fields.get(at + 1) else { return false };
        if digits.optional || next.optional || next.part.is_some() {
            return false;
        }
        match (&next.kind, next.is.as_ref().map(|is| (is, &is.value))) {
            (Kind::Unknown, _) | (Kind::Array(_), Some((_, Value::Int(_)))) => true,
            (Kind::Until { end, .. }, _) => no_digit(end),
            (Kind::Int(int), Some((_, Value::Int(value)))) => {
                *value > int.largest()
                    || int.bytes(*value).first().is_some_and(|first| !is_digit(hex, *first))
            }
            (Kind::Int(_) | Kind::Array(_), Some((is, Value::Bytes(_)))) => no_digit(is),
            _ => false,
        }
    }

    /// The base of the digits that the field ends, which have no end of their own.
    pub(crate) fn digits_before(&self, field: &Field) -> Option<bool> {
        let at = self.fields.iter().position(|it| it.name == field.name)?;
        let before = &self.fields[at.checked_sub(1)?];
        match before.kind {
            Kind::Digits { hex, .. } if before.open_digits.is_some() => Some(hex),
            _ => None,
        }
    }

    /// The fields of a line that are words of it; the others are behind it.
    pub(crate) fn words(&self) -> &[Field] {
        let behind = self.fields.iter().position(|it| matches!(it.kind, Kind::Bytes { .. }));
        &self.fields[..behind.unwrap_or(self.fields.len())]
    }

    /// Whether some expression names the field.
    pub(crate) fn uses(&self, name: &Ident) -> bool {
        self.fields.iter().flat_map(Field::expressions).any(|it| names(it).contains(name))
    }

    /// The position of the field with which the part begins.
    pub(crate) fn part(&self) -> Option<usize> {
        self.fields.iter().position(|field| field.part.is_some())
    }

    /// Whether it takes the rest of its input, whose end another frame knows.
    pub(crate) fn is_open(&self) -> bool {
        let is_rest = |field: &Field| {
            matches!(field.kind, Kind::Rest { .. } | Kind::Times { counted: None, .. })
        };
        self.part().is_none() && self.fields.iter().any(is_rest)
    }
}

impl Frame {
    /// Whether it takes the rest of its input, whose end another frame knows.
    pub(crate) fn is_open(&self) -> bool {
        self.line.is_none() && self.cases.iter().any(Case::is_open)
    }

    /// The name of the error type.
    pub(crate) fn error(&self) -> Ident {
        format_ident!("{}Error", self.decoder)
    }
}

/// Whether the byte is a digit of a number in base 16 or 10.
pub(crate) fn is_digit(hex: bool, byte: u8) -> bool {
    if hex { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() }
}

/// The variant of the error for a field that is a literal or another frame.
pub(crate) fn error_variant(field: &Field) -> Option<Ident> {
    let has = match field.kind {
        Kind::Nested | Kind::Tagged(_) | Kind::Times { .. } => true,
        Kind::Flag => false,
        _ => field.is.is_some(),
    };
    has.then(|| camel_case(&field.name))
}

/// `body_len` as `BodyLen`.
fn camel_case(name: &Ident) -> Ident {
    let text = name.unraw().to_string();
    let words = text.split('_').map(|word| {
        let mut letters = word.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        first + letters.as_str()
    });
    let text: String = words.collect();
    spelling::identifier(&text, name.span()).unwrap_or_else(|| format_ident!("Field"))
}
