use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;

use super::super::super::ast::{Case, Counted, Field, Int, Kind, Literal};
use super::super::super::roles;
use super::super::names::{byte, bytes, literal_len};
use super::super::size::{self, Sum};
use super::{At, Steps, inner, slot};

/// A local that keeps what is to be remembered of a field that was read.
fn local(what: &str, field: &Ident) -> Ident {
    format_ident!("{what}_of_{field}", span = Span::mixed_site())
}

impl Steps<'_> {
    /// Reads a field that may not be there, or whose length varies.
    pub(super) fn field(&mut self, number: usize) {
        let field = &self.case.fields[number];
        let Some(when) = &field.when else {
            self.value(number);
            self.locals.clear();
            return;
        };
        let (name, condition) = (&field.name, Case::value(when));
        let (before, at) = (self.at.clone(), self.at());
        let outer = std::mem::take(&mut self.code);
        self.value(number);
        let inner = std::mem::replace(&mut self.code, outer);
        let end = std::mem::replace(&mut self.at, before).tokens();
        let (kept, absent): (Vec<_>, Vec<_>) = self.locals.drain(..).unzip();
        self.push(generated! {
            let (#name, end, #(#kept),*) = if #condition {
                #inner
                (__Some(#name), #end, #(#kept),*)
            } else {
                (__None, #at, #(#absent),*)
            };
        });
        self.moved(At::There(generated!(end)));
    }

    /// Reads a field, which the variable of its name then has.
    fn value(&mut self, number: usize) {
        let field = &self.case.fields[number];
        match &field.kind {
            Kind::Int(int) => self.int(number, int),
            Kind::Varint { int, bytes, padded } => self.varint(number, int, *bytes, *padded),
            Kind::Digits { int, hex } => self.digits(number, int, *hex),
            Kind::Array(len) => self.array(number, len),
            Kind::Bytes { counted, .. } => self.bytes(number, counted),
            Kind::Until { end, max, .. } => self.until(number, end, &max.value),
            Kind::Rest { .. } => {
                let (name, at) = (&field.name, self.at());
                self.push(generated!(let #name = input.get(#at..).unwrap_or_default();));
                self.moved(At::There(generated!(input.len())));
            }
            Kind::Nested => self.nested(number, None),
            Kind::Tagged(tag) => self.nested(number, Some(tag)),
            Kind::Times { decoder, counted: Some(counted) } => {
                self.times(number, &generated!(#decoder), counted);
            }
            Kind::Times { decoder, counted: None } => self.rest(number, &generated!(#decoder)),
            Kind::Tag(_) => {
                let name = &field.name;
                self.push(generated!(let #name = tag;));
            }
            Kind::Word { .. } | Kind::Flag | Kind::Words | Kind::Unknown => {}
        }
    }

    /// An integer that is not always there.
    fn int(&mut self, number: usize, int: &Int) {
        let names: Vec<TokenStream> = (0..int.width).map(byte).collect();
        let (name, value) = (&self.case.fields[number].name, int.of_bytes(&names));
        let (at, width, end) = (self.at(), int.width, self.at.after(int.width));
        let missing = self.miss(number, &end.tokens());
        self.push(generated! {
            let __Some(&[#(#names),*]) = __parts::chunk::<#width>(input, #at) else { #missing };
            let #name = #value;
        });
        self.moved(end);
    }

    fn varint(&mut self, number: usize, int: &Int, bytes: usize, padded: bool) {
        let at = self.at();
        self.number(number, int, &generated!(__parts::varint::<#bytes, #padded>(input, #at)));
    }

    fn digits(&mut self, number: usize, int: &Int, hex: bool) {
        let field = &self.case.fields[number];
        let (at, digits) = (self.at(), int.digits(hex));
        let end = field.then.as_ref().map_or_else(|| generated!(b""), bytes);
        let read = if hex {
            generated!(__parts::hex)
        } else if int.signed {
            generated!(__parts::signed)
        } else {
            generated!(__parts::decimal)
        };
        self.number(number, int, &generated!(#read(input, #at, #digits, #end)));
    }

    /// A number whose bytes say where it ends.
    fn number(&mut self, number: usize, int: &Int, read: &TokenStream) {
        let field = &self.case.fields[number];
        let (name, error, narrow) = (&field.name, self.error(), int.narrow());
        let text = self.name(number);
        let missing = self.miss(number, &generated!(total));
        let refused = generated!({ return __Err(#error::Number { field: #text }); });
        self.push(generated! {
            let (#name, end) = match #read {
                __parts::Number::Whole(number, end) => match #narrow {
                    __Ok(number) => (number, end),
                    __Err(_) => #refused
                },
                __parts::Number::More(total) => #missing
                __parts::Number::Wrong => #refused
            };
        });
        self.moved(At::There(generated!(end)));
    }

    /// Binds `count`, the length of the field, which is within its bound, or leaves.
    fn count(&self, number: usize, counted: &Counted, too_long: &TokenStream) -> TokenStream {
        let (len, max) = (self.case.length(&counted.len), counted.bound());
        let (error, text) = (self.error(), self.name(number));
        generated! {
            let __Some(len) = #len else {
                return __Err(#error::Short { field: #text });
            };
            let max = #max;
            let __Some(count) = __parts::bounded(len, max) else {
                return __Err(#error::#too_long { field: #text, len, max: max as u64 });
            };
        }
    }

    fn bytes(&mut self, number: usize, counted: &Counted) {
        let field = &self.case.fields[number];
        let (name, at) = (&field.name, self.at());
        let total = Sum::known(literal_len(field.then.as_ref())).after(&generated!(end));
        let count = self.count(number, counted, &generated!(TooLong));
        let missing = self.miss(number, &total);
        self.push(generated! {
            #count
            let end = #at + count;
            let __Some(#name) = input.get(#at..end) else { #missing };
        });
        self.then(number, field.then.as_ref());
    }

    /// Reads what ends a field, whose bytes end at `end`.
    fn then(&mut self, number: usize, then: Option<&Literal>) {
        let Some(then) = then else { return self.moved(At::There(generated!(end))) };
        let (error, text) = (self.error(), self.name(number));
        let (literal, len) = (bytes(then), literal_len(Some(then)));
        let missing = self.miss(number, &generated!(end + #len));
        self.push(generated! {
            match __parts::begins(input, end, #literal) {
                __Some(true) => {}
                __Some(false) => return __Err(#error::End { field: #text }),
                __None => #missing
            }
        });
        self.moved(At::There(generated!(end + #len)));
    }

    fn until(&mut self, number: usize, end: &Literal, max: &TokenStream) {
        let field = &self.case.fields[number];
        let (name, at, error) = (&field.name, self.at(), self.error());
        let (text, literal, len) = (self.name(number), bytes(end), literal_len(Some(end)));
        let before = self.case.fields[..number].iter();
        let slot = slot(before.filter(|field| matches!(field.kind, Kind::Until { .. })).count());
        let (searched, missing) = if self.in_part {
            (generated!(0), self.short(number))
        } else {
            let missing = self.miss(number, &generated!(searched + 1));
            (generated!(self.#slot), generated!({ self.#slot = __parts::mark(searched); #missing }))
        };
        let kept = local("end", &field.name);
        self.push(generated! {
            let #kept = match __parts::until(input, #at, #searched, #literal, #max) {
                __parts::Until::Found(end) => end,
                __parts::Until::More(searched) => #missing
                __parts::Until::TooLong(len) => {
                    let (len, max) = (len as u64, (#max) as u64);
                    return __Err(#error::TooLong { field: #text, len, max });
                }
            };
            let #name = &input[#at..#kept];
        });
        if !self.in_part {
            self.saves.push(generated!(self.#slot = __parts::mark(#kept);));
            self.locals.push((kept.clone(), at));
        }
        self.moved(At::There(generated!(#kept + #len)));
    }

    fn nested(&mut self, number: usize, tag: Option<&TokenStream>) {
        let field = &self.case.fields[number];
        let (name, at, error) = (&field.name, self.at(), self.error());
        let (variant, decoder) = (roles::error_variant(field), size::decoder(self.frame, field));
        let inner = inner(self.number, number);
        let missing = self.miss(number, &generated!(#at + total));
        let is_last = number + 1 == self.case.fields.len();
        let closed = (!self.in_part || !is_last).then(|| Self::closed(&decoder, field));
        let read = |state: TokenStream, input: TokenStream| {
            if let Some(tag) = tag.map(Case::value) {
                generated!(__rt::__Tagged::tagged(&mut #state, #tag, #input))
            } else {
                generated!(__rt::__Nested::nested(&mut #state, #input))
            }
        };
        let rest = generated!(input.get(#at..).unwrap_or_default());
        let (start, end) = (local("start", &field.name), local("end", &field.name));
        let refused = generated!(__Err(error) => return __Err(#error::#variant(error)),);
        if self.in_part {
            let state = generated!(<#decoder as ::core::default::Default>::default());
            let whole = read(state, rest);
            self.push(generated! {
                #closed
                let (#name, #end) = match #whole {
                    __Ok(__Frame(frame, used)) => (frame, #at + used),
                    __Ok(__More(_)) => #missing
                    #refused
                };
            });
        } else {
            let state = generated!(self.#inner.frame);
            let whole = read(state.clone(), rest);
            self.push(generated! {
                #closed
                let #start = #at;
                let (#name, #end) = match self.#inner.end {
                    0 => match #whole {
                        __Ok(__Frame(frame, used)) => (__Some(frame), #start + used),
                        __Ok(__More(total)) => #missing
                        #refused
                    },
                    // It is made when all of the outer frame is there.
                    end => (__None, end as usize),
                };
            });
            let again = read(state, generated!(&input[#start..#end]));
            self.later.push((
                number,
                generated! {
                    match #again {
                        __Ok(__Frame(frame, _)) => frame,
                        __Ok(__More(total)) => return __Ok(__More(#start + total)),
                        #refused
                    }
                },
            ));
            self.saves.push(generated!(self.#inner.end = __parts::mark(#end);));
            self.locals.extend([(start, at.clone()), (end.clone(), at)]);
        }
        self.moved(At::There(generated!(#end)));
    }

    /// Refuses a frame that takes the rest of its input, where nothing says where that ends.
    fn closed(decoder: &TokenStream, field: &Field) -> TokenStream {
        let text = format!(
            "`{}` takes the rest of its input, so it must be the last field of a `#[part(len <= ..)]`",
            field.name
        );
        generated! {
            const { ::core::assert!(!<#decoder as __rt::__Nested>::OPEN, #text) };
        }
    }

    fn times(&mut self, number: usize, decoder: &TokenStream, counted: &Counted) {
        let field = &self.case.fields[number];
        let (name, at, error) = (&field.name, self.at(), self.error());
        let (variant, inner) = (roles::error_variant(field), inner(self.number, number));
        let len = self.count(number, counted, &generated!(TooMany));
        let state = if self.in_part {
            generated!(<__rt::__TimesProgress<#decoder> as ::core::default::Default>::default())
        } else {
            generated!(self.#inner)
        };
        let (missing, closed) =
            (self.miss(number, &generated!(total)), Self::closed(decoder, field));
        let (kept, end) = (local("count", &field.name), local("end", &field.name));
        self.push(generated! {
            #closed
            #len
            let #kept = count;
            let end = match #state.resume(input, #at, count) {
                __rt::__Repeated::Whole(end) => end,
                __rt::__Repeated::More(total) => #missing
                __rt::__Repeated::Refused(error) => return __Err(#error::#variant(error)),
            };
            let #end = end;
            let #name = __rt::Times::<#decoder>::new(&input[#at..end], count);
        });
        if !self.in_part {
            self.saves.push(generated!(self.#inner.finish(#kept, #end);));
            self.locals.extend([(kept, generated!(0)), (end, at)]);
        }
        self.then(number, field.then.as_ref());
    }

    /// Frames up to the end of the input.
    fn rest(&mut self, number: usize, decoder: &TokenStream) {
        let field = &self.case.fields[number];
        let (name, at, error) = (&field.name, self.at(), self.error());
        let (variant, text) = (roles::error_variant(field), self.name(number));
        let closed = Self::closed(decoder, field);
        self.push(generated! {
            #closed
            let #name = match __rt::__rest::<#decoder>(input.get(#at..).unwrap_or_default()) {
                __rt::__Rest::Whole(frames) => frames,
                __rt::__Rest::Short => return __Err(#error::Short { field: #text }),
                __rt::__Rest::Refused(error) => return __Err(#error::#variant(error)),
            };
        });
        self.moved(At::There(generated!(input.len())));
    }
}

impl Int {
    /// The conversion of `number` to the type, as a `Result`.
    pub(super) fn narrow(&self) -> TokenStream {
        if self.width == 3 {
            return generated!(__parts::u24(number));
        }
        let rust = &self.rust;
        generated!(<#rust as ::core::convert::TryFrom<_>>::try_from(number))
    }
}
