use std::collections::HashSet;

use proc_macro2::{Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Visibility;

/// Rewrites paths that were written beside the enum for use inside the generated module.
pub(crate) struct Scope<'a> {
    /// The enum's name, for `Self`.
    pub(crate) name: &'a Ident,
    /// The names that the module itself declares.
    pub(crate) own: HashSet<String>,
}

impl Scope<'_> {
    /// A type that was written beside the enum, rewritten for the module.
    pub(crate) fn inner(&self, outer: &impl ToTokens) -> TokenStream {
        self.rewrite(outer.to_token_stream())
    }

    fn rewrite(&self, tokens: TokenStream) -> TokenStream {
        let mut rewritten = TokenStream::new();
        // Whether the token before ends in `::`, or in the first half of it.
        let (mut colon, mut in_path) = (false, false);
        for token in tokens {
            let continues = in_path;
            in_path = false;
            match token {
                TokenTree::Punct(mark) => {
                    if mark.as_char() == ':' {
                        in_path = colon;
                        colon = !colon && mark.spacing() == Spacing::Joint;
                    }
                    rewritten.extend([TokenTree::from(mark)]);
                    continue;
                }
                TokenTree::Ident(name) if !continues => rewritten.extend(self.first(name)),
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), self.rewrite(group.stream()));
                    inner.set_span(group.span());
                    rewritten.extend([TokenTree::from(inner)]);
                }
                other => rewritten.extend([other]),
            }
            colon = false;
        }
        rewritten
    }

    /// The first name of a path.
    fn first(&self, name: Ident) -> TokenStream {
        let span = name.span();
        // Not the author's word, so that rustc does not call it needless.
        let up = || Ident::new("super", Span::mixed_site().located_at(span));
        match name.to_string().as_str() {
            "self" => up().into_token_stream(),
            "Self" => {
                let (up, mut name) = (up(), self.name.clone());
                name.set_span(span);
                quote!(#up::#name)
            }
            text if text == "super" || self.own.contains(text) => {
                let up = up();
                quote!(#up::#name)
            }
            _ => name.into_token_stream(),
        }
    }
}

/// The visibility that makes an item in the module as visible as the enum.
pub(crate) fn visibility(vis: &Visibility) -> TokenStream {
    let path = match vis {
        Visibility::Public(_) => return quote!(pub),
        Visibility::Inherited => return quote!(pub(super)),
        Visibility::Restricted(restricted) => &restricted.path,
    };
    match path.segments.first().map(|segment| segment.ident.to_string()).as_deref() {
        Some("self") if path.segments.len() == 1 => quote!(pub(super)),
        Some("self") => {
            let rest = path.segments.iter().skip(1);
            quote!(pub(in super #(::#rest)*))
        }
        Some("super") => quote!(pub(in super::#path)),
        _ => vis.to_token_stream(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_from_inside() {
        let name: Ident = syn::parse_str("Demo").unwrap();
        let own = HashSet::from(["Handler", "AfterA"].map(str::to_owned));
        let scope = Scope { name: &name, own };
        for (outer, inner) in [
            ("String", "String"),
            ("self::Name", "super::Name"),
            ("super::Name", "super::super::Name"),
            ("super::super::a::Name", "super::super::super::a::Name"),
            ("crate::Name", "crate::Name"),
            ("::std::Name", "::std::Name"),
            ("Vec<Box<self::Name>>", "Vec<Box<super::Name>>"),
            ("(self::A, [super::B; self::N])", "(super::A, [super::super::B; super::N])"),
            ("Option<Box<Self>>", "Option<Box<super::Demo>>"),
            ("Handler", "super::Handler"),
            ("a::Handler", "a::Handler"),
            ("fn(x: AfterA) -> self::B", "fn(x: super::AfterA) -> super::B"),
            ("dyn for<'a> Fn(&'a str)", "dyn for<'a> Fn(&'a str)"),
        ] {
            let outer: TokenStream = outer.parse().unwrap();
            let inner: TokenStream = inner.parse().unwrap();
            assert_eq!(scope.inner(&outer).to_string(), inner.to_string());
        }
    }

    #[test]
    fn what_is_inside_is_seen_as_far_as_the_enum() {
        for (outer, inner) in [
            ("", "pub(super)"),
            ("pub", "pub"),
            ("pub(crate)", "pub(crate)"),
            ("pub(self)", "pub(super)"),
            ("pub(super)", "pub(in super::super)"),
            ("pub(in super::super)", "pub(in super::super::super)"),
            ("pub(in self::super)", "pub(in super::super)"),
            ("pub(in crate::a)", "pub(in crate::a)"),
        ] {
            let inner: TokenStream = inner.parse().unwrap();
            let found = visibility(&syn::parse_str(outer).unwrap());
            assert_eq!(found.to_string(), inner.to_string(), "{outer}");
        }
    }
}
