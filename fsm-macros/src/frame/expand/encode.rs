//! The encoder: `check`, which finds what the decoder would refuse, and `put`, which writes the rest.

mod check;
mod digits;
mod line;
mod put;

use proc_macro2::TokenStream;
use quote::quote;

use super::super::ast::{Case, Field, Frame, Int, Kind, Labels};
use super::super::roles::{self, Derived, Length};

/// The impls of the item.
pub(crate) fn impls(frame: &Frame) -> TokenStream {
    let (item, error) = (&frame.name, frame.error());
    let any = frame.lifetime.as_ref().map(|_| generated!(<'_>));
    let cases = |body: &dyn Fn(&Case) -> TokenStream| {
        let arms = frame.cases.iter().map(|case| {
            let (pattern, body) = (case.whole(frame), body(case));
            generated!(#pattern => { #body })
        });
        generated!(match self { #(#arms)* })
    };
    let tag_len = frame.tag.as_ref().map_or(0, |tag| tag.width);
    let check = cases(&|case| check::check(frame, case));
    let len = cases(&|case| match &frame.line {
        Some(line) => line::len(frame, case, line),
        None => put::len(frame, case),
    });
    let put = cases(&|case| match &frame.line {
        Some(line) => line::put(frame, case, line),
        None => put::put(frame, case),
    });
    let tagged = frame.tag.as_ref().map(|tag| {
        let (rust, tags) = (&tag.rust, cases(&tag_of));
        generated! {
            #[automatically_derived]
            impl __rt::__EncodeTagged for #item #any {
                type Tag = #rust;

                #[allow(unused_variables)]
                fn tag(&self) -> #rust {
                    #tags
                }

                #[allow(unused_variables)]
                fn body_len(&self) -> usize {
                    #len
                }

                #[allow(unused_variables)]
                #[inline]
                fn put_body(&self, out: &mut impl __rt::Output) {
                    #put
                }
            }
        }
    });
    let (len, put) = match &frame.tag {
        Some(tag) => {
            let bytes = tag.to_bytes(&generated!(__rt::__EncodeTagged::tag(self)));
            let len = generated!(#tag_len + __rt::__EncodeTagged::body_len(self));
            let put = generated! {
                __rt::Output::put(out, &#bytes);
                __rt::__EncodeTagged::put_body(self, out);
            };
            (len, put)
        }
        None => (len, put),
    };
    generated! {
        #[automatically_derived]
        impl __rt::Encode for #item #any {
            type Error = #error;

            #[allow(unused_variables)]
            fn encoded_len(&self) -> usize {
                #len
            }

            #[allow(unused_variables)]
            fn check(&self) -> ::core::result::Result<(), #error> {
                #check
            }

            #[allow(unused_variables)]
            #[inline]
            fn put(&self, out: &mut impl __rt::Output) {
                #put
            }
        }

        #tagged
    }
}

/// The tag of a case.
fn tag_of(case: &Case) -> TokenStream {
    if let Some(field) = case.fields.iter().find(|field| matches!(field.kind, Kind::Tag(_))) {
        let name = &field.name;
        return generated!(*#name);
    }
    match &case.labels {
        Labels::Are(labels) => labels.first().map(|label| label.tokens.clone()).unwrap_or_default(),
        _ => TokenStream::new(),
    }
}

impl Case {
    /// Binds the integers that expressions name, by value: those that are kept, and those that are always
    /// the same.
    fn operands(&self) -> TokenStream {
        let used = self.fields.iter().filter(|field| self.uses(&field.name));
        let bound = used.filter_map(|field| {
            let (name, int) = (&field.name, field.kind.int()?);
            let rust = &int.rust;
            match &field.is {
                Some(is) => {
                    let is = &is.tokens;
                    Some(generated!(let #name: #rust = #is;))
                }
                None if self.keeps(field) => Some(generated!(let #name: #rust = *#name;)),
                None => None,
            }
        });
        bound.collect()
    }

    /// The value of a field that follows from others, as an `Option` of an `u64`, or as the tag of a frame.
    fn follows(&self, frame: &Frame, field: &Field) -> Option<Following> {
        Some(match self.derived(&field.name)? {
            Derived::Of(of) => match &of.kind {
                Kind::Tagged(_) => {
                    let name = &of.name;
                    Following::Tag(generated!(__rt::__EncodeTagged::tag(#name)))
                }
                Kind::Bytes { counted, .. } | Kind::Times { counted: Some(counted), .. } => {
                    Following::Length(inverse(&counted.len).of_length(&count(of)))
                }
                _ => return None,
            },
            Derived::Part(at, of) => {
                let part = of.part.as_ref()?;
                let lens = self.fields[at..].iter().map(|field| put::field_len(frame, self, field));
                let len = generated!(((0_usize #(+ #lens)*) as u64));
                Following::Length(inverse(&part.len).of_length(&len))
            }
        })
    }
}

/// The source from which the value of a field follows.
enum Following {
    Length(TokenStream),
    Tag(TokenStream),
}

fn inverse(length: &TokenStream) -> roles::Inverse {
    match roles::length(length) {
        Length::Of { inverse, .. } => inverse,
        Length::Any => roles::Inverse::Same,
    }
}

/// The number of bytes, or of frames, of a field with a length.
fn count(field: &Field) -> TokenStream {
    let name = &field.name;
    if field.optional {
        generated!((#name.as_ref().map_or(0, |it| it.len()) as u64))
    } else {
        generated!((#name.len() as u64))
    }
}

/// The code for a field, of which `value` is a reference to its value. Nothing is done for one that is not
/// there.
fn each(field: &Field, code: impl FnOnce(&TokenStream) -> TokenStream) -> TokenStream {
    let name = &field.name;
    if !field.optional {
        return code(&quote!(#name));
    }
    let value = generated!(value);
    let code = code(&value);
    generated!(if let __Some(value) = #name { #code })
}

/// The kept integer of `value`, as an `u64` or an `i64`.
fn wide(int: &Int, value: &TokenStream) -> TokenStream {
    if int.signed {
        generated!(<i64 as ::core::convert::From<_>>::from(*#value))
    } else {
        generated!(<u64 as ::core::convert::From<_>>::from(*#value))
    }
}

/// The bytes of a text, or of bytes.
fn as_bytes(field: &Field, value: &TokenStream) -> TokenStream {
    if field.kind.is_text() { generated!(#value.as_bytes()) } else { generated!(#value) }
}
