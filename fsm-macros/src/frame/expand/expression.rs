use proc_macro2::{Ident, TokenStream};

use super::super::ast::Case;
use super::super::roles::{self, Inverse, Length};
use crate::ast::Expr;
use crate::expand::Overflow;

impl Case {
    /// A length as an `Option<u64>`, where the fields are integers by their names.
    pub(crate) fn length(&self, expression: &TokenStream) -> TokenStream {
        match roles::length(expression) {
            Length::Of { field, inverse } => {
                let length = self.unsigned(&field);
                match inverse {
                    Inverse::Same => length,
                    Inverse::Plus(less) => {
                        generated!(#length.and_then(|length| length.checked_sub(#less)))
                    }
                    Inverse::Minus(more) => {
                        generated!(#length.and_then(|length| length.checked_add(#more)))
                    }
                    Inverse::DividedBy(by) => {
                        generated!(#length.and_then(|length| length.checked_mul(#by)))
                    }
                }
            }
            Length::Any => {
                let value = Expr::new(expression, &[]).length(Overflow::Fails);
                let signed = roles::names(expression).into_iter().filter(|it| self.is_signed(it));
                let signed: Vec<Ident> = signed.collect();
                generated! {
                    (|| -> ::core::result::Result<u64, __rt::Miss> {
                        #(
                            let #signed = __parts::unsigned(<i64 as ::core::convert::From<_>>::from(#signed))
                                .ok_or(__rt::Miss::Limit)?;
                        )*
                        __Ok(#value)
                    })().ok()
                }
            }
        }
    }

    fn is_signed(&self, name: &Ident) -> bool {
        let field = self.fields.iter().find(|field| field.name == *name);
        field.and_then(|field| field.kind.int()).is_some_and(|int| int.signed)
    }

    /// An integer as an `Option<u64>`.
    fn unsigned(&self, name: &Ident) -> TokenStream {
        if self.is_signed(name) {
            generated!(__parts::unsigned(<i64 as ::core::convert::From<_>>::from(#name)))
        } else {
            generated!(__Some(__rt::Length::length(#name)))
        }
    }

    /// A condition or a tag, whose operators do not wrap.
    pub(crate) fn value(expression: &TokenStream) -> TokenStream {
        Expr::new(expression, &[]).typed(Overflow::Saturates)
    }
}

impl Inverse {
    /// The value of the field for `length`, an `u64`, as an `Option<u64>`.
    pub(crate) fn of_length(self, length: &TokenStream) -> TokenStream {
        match self {
            Self::Same => generated!(__Some(#length)),
            Self::Plus(more) => generated!((#length).checked_add(#more)),
            Self::Minus(less) => generated!((#length).checked_sub(#less)),
            Self::DividedBy(by) => {
                generated!(__Some(#length).filter(|length| length % #by == 0).map(|length| length / #by))
            }
        }
    }
}
