use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;

use super::super::ast::{Case, Counted, Field, Frame, Kind, Labels, Literal, Size, Value};

/// Constants for what the macro does not see, in the place of each use of it. So rustc reports another type
/// once, and where it was written.
#[derive(Default)]
struct Constants {
    items: TokenStream,
    count: usize,
}

/// Declares them, for a scope where `__rt` is the runtime.
pub(crate) fn bind(frame: &mut Frame) -> TokenStream {
    let mut constants = Constants::default();
    let sizes = frame.max.iter_mut().chain(frame.line.as_mut().map(|line| &mut line.max));
    sizes.for_each(|size| constants.size(size));
    let tag = frame.tag.as_ref().map(|tag| (tag.rust.clone(), tag.width));
    let mut labels = Vec::new();
    for case in &mut frame.cases {
        if let (Labels::Are(own), Some((rust, width))) = (&mut case.labels, &tag) {
            for label in own.iter_mut() {
                constants.int(label, rust, *width);
            }
            labels.extend(own.iter().cloned());
        }
        constants.case(case);
    }
    constants.distinct(&labels);
    constants.items
}

impl Constants {
    fn name(&mut self) -> Ident {
        self.count += 1;
        format_ident!("__CONSTANT_{}", self.count, span = Span::mixed_site())
    }

    /// Declares a constant, and returns its name.
    fn declare(&mut self, ty: &TokenStream, value: &TokenStream) -> TokenStream {
        let name = self.name();
        self.items.extend(generated!(const #name: #ty = #value;));
        generated!(#name)
    }

    fn size(&mut self, size: &mut Size) {
        if size.known.is_none() {
            size.value = self.declare(&generated!(usize), &size.value);
        }
    }

    fn int(&mut self, literal: &mut Literal, rust: &Ident, width: usize) {
        if literal.value != Value::Path {
            return;
        }
        literal.tokens = self.declare(&generated!(#rust), &literal.tokens);
        if width == 3 {
            let name = &literal.tokens;
            self.items.extend(generated! {
                const _: () = ::core::assert!(#name < 1 << 24, "a `u24` is at most 16777215");
            });
        }
    }

    /// No two tags are the same. The macro has compared those that it sees.
    fn distinct(&mut self, labels: &[Literal]) {
        for (at, label) in labels.iter().enumerate() {
            for other in &labels[..at] {
                if label.value != Value::Path && other.value != Value::Path {
                    continue;
                }
                let (one, two) = (&other.tokens, &label.tokens);
                let text = format!("`{}` and `{}` are the same tag", other.place, label.place);
                self.items.extend(generated!(
                    const _: () = ::core::assert!(#one != #two, #text);
                ));
            }
        }
    }

    fn case(&mut self, case: &mut Case) {
        for field in &mut case.fields {
            self.field(field);
        }
    }

    fn field(&mut self, field: &mut Field) {
        let own: Option<&mut Counted> = match &mut field.kind {
            Kind::Bytes { counted, .. } | Kind::Times { counted: Some(counted), .. } => {
                Some(counted)
            }
            Kind::Until { max, .. } => {
                self.size(max);
                None
            }
            _ => None,
        };
        for counted in own.into_iter().chain(&mut field.part) {
            self.size(&mut counted.max);
        }
        let Some(is) = &mut field.is else { return };
        match &field.kind {
            Kind::Int(int) => self.int(is, &int.rust, int.width),
            Kind::Array(len) if is.value == Value::Path => {
                is.tokens = self.declare(&generated!(&[u8; { #len }]), &is.tokens);
            }
            _ => {}
        }
    }
}
