//! The decoder: one straight run through the fields, which returns at the first byte that is missing.

mod field;
mod fixed;
mod line;
mod part;

use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;

use super::super::ast::{Case, Field, Frame, Int, Kind, Labels};
use super::names::{byte, text};
use super::size::{self, Sum};

/// The code for the fields of a case, as far as it is written.
pub(crate) struct Steps<'a> {
    frame: &'a Frame,
    case: &'a Case,
    /// The position of the case in the frame.
    number: usize,
    code: TokenStream,
    /// Where the next field begins.
    at: At,
    /// All bytes of the part are there.
    in_part: bool,
    /// The statements that store the progress before `More` is returned.
    saves: Vec<TokenStream>,
    /// The locals of the last field that `saves` name, each with its value if the field is not there.
    locals: Vec<(Ident, TokenStream)>,
    /// The frames that were read before, each with the position of its field and the code that reads it again.
    later: Vec<(usize, TokenStream)>,
    /// The number of bytes of the tag, which was read before.
    before: usize,
}

/// A position in the input.
#[derive(Clone)]
enum At {
    Known(usize),
    /// An expression.
    There(TokenStream),
}

impl At {
    fn tokens(&self) -> TokenStream {
        match self {
            Self::Known(known) => generated!(#known),
            Self::There(there) => there.clone(),
        }
    }

    /// The position `width` bytes behind this one.
    fn after(&self, width: usize) -> Self {
        match self {
            Self::Known(known) => Self::Known(known + width),
            Self::There(there) => Self::There(generated!(#there + #width)),
        }
    }
}

/// The impls of the decoder.
pub(crate) fn impls(frame: &Frame) -> TokenStream {
    let (name, item) = (&frame.decoder, &frame.name);
    let error = frame.error();
    let of = |lifetime: TokenStream| {
        if frame.lifetime.is_some() { generated!(#item<#lifetime>) } else { generated!(#item) }
    };
    let (lent, any) = (of(generated!('__input)), of(generated!('_)));
    let (max, min, open) = (frame.max(), frame.min(), frame.is_open());
    let body = body(frame);
    let layout = super::layout::layout(frame);
    let result = generated!(::core::result::Result<__rt::Decoded<#lent>, #error>);
    let (standalone, max, body) = if open {
        (None, max, body)
    } else {
        let standalone = generated! {
            impl #name {
                /// The largest number of bytes of a frame.
                pub const MAX: usize = #max;
            }

            const _: () = ::core::assert!(
                #name::MAX as u64 <= u32::MAX as u64,
                "a frame has at most 4294967295 bytes"
            );

            const _: () = ::core::assert!(
                <#name as __rt::__Nested>::MIN > 0,
                "a frame has at least one byte; give it a field that is always there"
            );

            #[automatically_derived]
            impl __rt::Frame for #name {
                type Item<'__input> = #lent;
                type Error = #error;
                const LAYOUT: ::core::option::Option<&'static __rt::Layout> =
                    __Some(<Self as __rt::__Nested>::LAYOUT);

                #[inline]
                fn decode<'__input>(&mut self, input: &'__input [u8]) -> #result {
                    #body
                }
            }
        };
        (Some(standalone), generated!(#name::MAX), generated!(__rt::Frame::decode(self, input)))
    };
    let tagged = frame.tag.as_ref().map(|tag| tagged(frame, tag, &result));
    generated! {
        #[automatically_derived]
        impl __rt::__Framed for #any {
            type Decoder = #name;
        }

        #standalone

        #[automatically_derived]
        impl __rt::__Nested for #name {
            type Item<'__input> = #lent;
            type Error = #error;
            const MAX: usize = #max;
            const MIN: usize = #min;
            const OPEN: bool = #open;
            const LAYOUT: &'static __rt::Layout = &#layout;

            #[inline]
            fn nested<'__input>(&mut self, input: &'__input [u8]) -> #result {
                #body
            }
        }

        #tagged
    }
}

/// The decoder of what follows a tag that another frame has read.
fn tagged(frame: &Frame, tag: &Int, result: &TokenStream) -> TokenStream {
    let (name, rust, max) = (&frame.decoder, &tag.rust, frame.max_body());
    let (cases, error) = (cases(frame), frame.error());
    let fits = (tag.width == 3).then(|| {
        generated! {
            if tag >= 1 << 24 {
                return __Err(#error::Tag);
            }
        }
    });
    generated! {
        #[automatically_derived]
        impl __rt::__Tagged for #name {
            type Tag = #rust;
            const MAX_BODY: usize = #max;

            #[inline]
            fn tagged<'__input>(&mut self, tag: #rust, input: &'__input [u8]) -> #result {
                #fits
                #cases
            }
        }
    }
}

/// The body of `decode`.
fn body(frame: &Frame) -> TokenStream {
    if let Some(line) = &frame.line {
        return line::body(frame, line);
    }
    let Some(tag) = &frame.tag else {
        return frame
            .cases
            .first()
            .map(|case| Steps::new(frame, case, 0, At::Known(0)).all())
            .unwrap_or_default();
    };
    let names: Vec<TokenStream> = (0..tag.width).map(byte).collect();
    let (width, value) = (tag.width, tag.of_bytes(&names));
    generated! {
        let __Some((&[#(#names),*], body)) = input.split_first_chunk::<#width>() else {
            return __Ok(__More(#width));
        };
        match __rt::__Tagged::tagged(self, #value, body) {
            __Ok(__Frame(frame, used)) => __Ok(__Frame(frame, #width + used)),
            __Ok(__More(total)) => __Ok(__More(#width + total)),
            __Err(error) => __Err(error),
        }
    }
}

/// The match on `tag`, with the fields of each case.
fn cases(frame: &Frame) -> TokenStream {
    let error = frame.error();
    let arms = frame.cases.iter().enumerate().filter_map(|(number, case)| {
        let Labels::Are(labels) = &case.labels else { return None };
        let labels = labels.iter().map(|label| &label.tokens);
        let steps = Steps::new(frame, case, number, At::Known(0)).all();
        Some(generated!(#(#labels)|* => { #steps }))
    });
    let other =
        frame.cases.iter().enumerate().find(|(_, case)| matches!(case.labels, Labels::Other));
    let other = if let Some((number, case)) = other {
        Steps::new(frame, case, number, At::Known(0)).all()
    } else {
        generated!(__Err(#error::Tag))
    };
    generated! {
        match tag {
            #(#arms)*
            _ => { #other }
        }
    }
}

/// The progress on an incomplete frame that the decoder stores.
pub(crate) fn progress(frame: &Frame) -> Vec<(Ident, TokenStream)> {
    let root = &frame.root;
    let mut all: Vec<(Ident, TokenStream)> = Vec::new();
    if frame.line.is_some() {
        all.push((slot(0), generated!(u32)));
        return all;
    }
    for (number, case) in frame.cases.iter().enumerate() {
        let before = case.part().unwrap_or(case.fields.len());
        let mut positions = 0;
        for (at, field) in case.fields[..before].iter().enumerate() {
            match &field.kind {
                Kind::Until { .. } => {
                    let name = slot(positions);
                    positions += 1;
                    if !all.iter().any(|(known, _)| *known == name) {
                        all.push((name, generated!(u32)));
                    }
                }
                Kind::Times { decoder, counted: Some(_) } => {
                    all.push((inner(number, at), generated!(#root::__TimesProgress<#decoder>)));
                }
                Kind::Nested | Kind::Tagged(_) => {
                    let decoder = size::decoder(frame, field);
                    all.push((inner(number, at), generated!(#root::__NestedProgress<#decoder>)));
                }
                _ => {}
            }
        }
    }
    all
}

/// The name of the position up to which the bytes of an `until` were searched.
fn slot(number: usize) -> Ident {
    format_ident!("searched_{number}", span = Span::mixed_site())
}

/// The name of the decoder of a field that is another frame.
fn inner(case: usize, field: usize) -> Ident {
    format_ident!("inner_{case}_{field}", span = Span::mixed_site())
}

impl<'a> Steps<'a> {
    fn new(frame: &'a Frame, case: &'a Case, number: usize, at: At) -> Self {
        let code = TokenStream::new();
        let (saves, locals, later) = (Vec::new(), Vec::new(), Vec::new());
        let before = frame.tag.as_ref().map_or(0, |tag| tag.width);
        Self { frame, case, number, code, at, in_part: false, saves, locals, later, before }
    }

    fn push(&mut self, code: TokenStream) {
        self.code.extend(code);
    }

    fn at(&self) -> TokenStream {
        self.at.tokens()
    }

    /// The next field begins at this place.
    fn moved(&mut self, to: At) {
        self.at = match to {
            At::Known(known) => At::Known(known),
            At::There(there) => {
                self.push(generated!(let at = #there;));
                At::There(generated!(at))
            }
        };
    }

    /// The frame that the fields make.
    fn done(mut self) -> TokenStream {
        let (whole, end) = (self.case.whole(self.frame), self.at());
        if let Some(name) = self.bounded() {
            let (error, before) = (self.error(), self.before);
            self.push(generated! {
                if #end + #before > Self::MAX {
                    let (len, max) = ((#end + #before) as u64, Self::MAX as u64);
                    return __Err(#error::TooLong { field: #name, len, max });
                }
            });
        }
        self.push(generated!(__Ok(__Frame(#whole, #end))));
        self.code
    }

    /// The name of the whole in messages, if it has a bound of its own.
    fn bounded(&self) -> Option<String> {
        self.frame.max.as_ref().map(|_| text(&self.frame.name))
    }

    fn error(&self) -> Ident {
        self.frame.error()
    }

    /// All fields, and the frame that they make.
    fn all(mut self) -> TokenStream {
        let fields = &self.case.fields;
        let mut at = 0;
        while let Some(field) = fields.get(at) {
            if let Some(part) = &field.part {
                self.part(at, part);
            }
            let run = fixed::run(&fields[at..]);
            if run > 0 {
                self.fixed(at, run);
                at += run;
            } else {
                self.field(at);
                at += 1;
            }
        }
        self.part_end();
        self.inner_frames();
        self.texts();
        self.done()
    }

    /// Leaves, because the input ends before `total`, which is behind the field of that position.
    fn miss(&self, field: usize, total: &TokenStream) -> TokenStream {
        if self.in_part {
            return self.short(field);
        }
        let fields = self.case.fields.iter();
        let part = self.case.part().unwrap_or(usize::MAX);
        let follow = fields.enumerate().filter(|(at, _)| *at > field && *at < part);
        let least = Sum::of_all(follow.map(|(_, field)| field.least(self.frame)));
        self.more(&least.after(total))
    }

    /// Remembers where it was, and leaves, because the frame has at least `total` bytes.
    fn more(&self, total: &TokenStream) -> TokenStream {
        let saves = &self.saves;
        if let Some(name) = self.bounded() {
            let (error, before) = (self.error(), self.before);
            return generated!({
                #(#saves)*
                let total = #total;
                if total + #before > Self::MAX {
                    let (len, max) = ((total + #before) as u64, Self::MAX as u64);
                    return __Err(#error::TooLong { field: #name, len, max });
                }
                return __Ok(__More(total));
            });
        }
        generated!({
            #(#saves)*
            return __Ok(__More(#total));
        })
    }

    /// Leaves, because the part ends before the field.
    fn short(&self, field: usize) -> TokenStream {
        let (error, name) = (self.error(), self.name(field));
        generated!({ return __Err(#error::Short { field: #name }); })
    }

    /// The name of a field in messages.
    fn name(&self, field: usize) -> String {
        text(&self.case.fields[field].name)
    }
}

/// Whether an expression names the field, or the frame keeps it.
fn is_wanted(case: &Case, field: &Field) -> bool {
    case.keeps(field) || case.uses(&field.name)
}
