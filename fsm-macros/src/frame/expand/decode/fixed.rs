use proc_macro2::{Literal as Token, TokenStream};
use quote::quote;

use super::super::super::ast::{Field, Int, Kind, Literal, Value};
use super::super::super::roles;
use super::super::names::byte;
use super::{At, Steps, is_wanted};

/// The number of integers in a row at the beginning of `fields`, which are read together.
pub(crate) fn run(fields: &[Field]) -> usize {
    let is_fixed = |(at, field): &(usize, &Field)| {
        let is_int = matches!(field.kind, Kind::Int(_));
        is_int && field.when.is_none() && (*at == 0 || field.part.is_none())
    };
    fields.iter().enumerate().take_while(is_fixed).count()
}

/// An integer that is always the same, as its bytes.
fn literal_bytes(int: &Int, is: &Literal) -> TokenStream {
    if let Value::Int(value) = is.value {
        let bytes = Token::byte_string(&int.bytes(value));
        generated!(#bytes)
    } else {
        let bytes = int.to_bytes(&is.tokens);
        generated!(&#bytes)
    }
}

impl Steps<'_> {
    /// Reads `count` integers from the field `first` on.
    pub(super) fn fixed(&mut self, first: usize, count: usize) {
        let (case, error, at) = (self.case, self.error(), self.at());
        let fields = &case.fields[first..first + count];
        let ints: Vec<&Int> = fields.iter().filter_map(|field| field.kind.int()).collect();
        let width: usize = ints.iter().map(|int| int.width).sum();
        let (mut values, mut early) = (TokenStream::new(), TokenStream::new());
        let mut names: Vec<TokenStream> = vec![quote!(_); width];
        let mut offset = 0;
        for (field, int) in fields.iter().zip(&ints) {
            let range = offset..offset + int.width;
            let bytes: Vec<TokenStream> = range.clone().map(byte).collect();
            let (name, value) = (&field.name, int.of_bytes(&bytes));
            let wanted = is_wanted(case, field);
            if wanted || field.is.is_some() {
                names[range].clone_from_slice(&bytes);
            }
            if let Some(is) = &field.is {
                let variant = roles::error_variant(field);
                let (tokens, literal) = (&is.tokens, literal_bytes(int, is));
                let place = if offset == 0 { at.clone() } else { generated!(#at + #offset) };
                let refused = |found: TokenStream| {
                    let found = (int.width == 1).then(|| generated!({ found: #found }));
                    generated!({ return __Err(#error::#variant #found); })
                };
                let of_values = refused(value.clone());
                values.extend(generated!(if #value != #tokens #of_values));
                let of_input = refused(int.of_bytes(&[generated!(input[#place])]));
                early.extend(generated! {
                    if __parts::begins(input, #place, #literal) == __Some(false) #of_input
                });
            }
            if wanted {
                values.extend(generated!(let #name = #value;));
            }
            offset += int.width;
        }
        let end = self.at.after(width);
        let missing = self.miss(first + count - 1, &end.tokens());
        self.push(generated! {
            let __Some(&[#(#names),*]) = __parts::chunk::<#width>(input, #at) else {
                #early
                #missing
            };
            #values
        });
        self.moved(end);
    }

    /// Reads bytes whose number is known.
    pub(super) fn array(&mut self, number: usize, len: &TokenStream) {
        let field = &self.case.fields[number];
        let (name, at, error) = (&field.name, self.at(), self.error());
        let end = match len.to_string().parse() {
            Ok(len) => self.at.after(len),
            Err(_) => At::There(generated!(#at + { #len })),
        };
        let missing = self.miss(number, &end.tokens());
        let literal = field.is.as_ref().map(|is| {
            let (variant, tokens) = (roles::error_variant(field), &is.tokens);
            let refused = generated!({ return __Err(#error::#variant); });
            let early = generated! {
                if __parts::begins(input, #at, #tokens) == __Some(false) #refused
            };
            (early, generated!(if #name != *#tokens #refused))
        });
        let (early, check) = literal.unzip();
        self.push(generated! {
            let __Some(&#name) = __parts::chunk::<{ #len }>(input, #at) else {
                #early
                #missing
            };
            #check
        });
        self.moved(end);
    }
}
