use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Generics, Visibility, token};

use super::Parsed;
use super::attribute::{self, Attr, Level, Owner};
use super::variant::{Listed, RawVariant};
use crate::ast::Conditional;
use crate::code::Code;
use crate::errors::Errors;

/// An enum as it is written.
pub(crate) struct Item {
    pub(crate) attrs: Vec<Attr>,
    pub(crate) vis: Visibility,
    keyword: Ident,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    braces: Group,
    pub(crate) variants: Vec<RawVariant>,
    /// rustc has refused a part by its grammar.
    pub(crate) broken: bool,
    /// Some derive of it may bring helper attributes.
    pub(crate) helpers: bool,
    /// The variants that have a `cfg`, before rustc resolved it.
    pub(crate) conditional: Vec<Conditional>,
}

impl Item {
    /// Reads an enum; adds a finding about another item and returns `None`.
    pub(crate) fn read(item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let head = |input: ParseStream<'_>| {
            let Parsed { value: attrs, complete } = Attr::all(input)?;
            let vis = input.parse()?;
            let keyword = input.call(Ident::parse_any)?;
            if keyword != "enum" {
                input.parse::<TokenStream>()?;
                return Ok(Err(keyword));
            }
            let name = input.parse()?;
            let mut generics: Generics = input.parse()?;
            generics.where_clause = input.parse()?;
            if !input.peek(token::Brace) {
                return Err(input.error("expected the states in braces"));
            }
            let braces: Group = input.parse()?;
            let helpers = attribute::has_helpers(&attrs);
            let variants = Vec::new();
            let broken = !complete;
            let conditional = Vec::new();
            Ok(Ok(Self {
                attrs,
                vis,
                keyword,
                name,
                generics,
                braces,
                variants,
                broken,
                helpers,
                conditional,
            }))
        };
        // The states are read one by one below, so the body is empty here.
        let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
        let mut body = None;
        if let Some(TokenTree::Group(last)) = tokens.last_mut() {
            if last.delimiter() == Delimiter::Brace {
                let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
                empty.set_span(last.span());
                body = Some(std::mem::replace(last, empty));
            }
        }
        match head.parse2(tokens.into_iter().collect()) {
            Ok(Ok(mut item)) => {
                if let Some(body) = body {
                    item.braces = body;
                }
                let listed = Listed::<RawVariant>::read(item.braces.stream(), errors);
                item.broken |= listed.broken;
                item.variants = listed.items;
                Some(item)
            }
            Ok(Err(keyword)) => {
                let remedy = if ["struct", "union"].iter().any(|data| keyword == data) {
                    format!("replace `{keyword}` by `enum`")
                } else {
                    "put `#[state_machine(..)]` on an enum".to_owned()
                };
                let text = format!("a machine must be an enum; {remedy}");
                errors.at(Code::NotAnEnum, keyword, text);
                None
            }
            Err(error) => {
                errors.at(Code::Unreadable, item, error);
                None
            }
        }
    }

    /// Whether the enum or a part of it is deprecated.
    pub(crate) fn has_deprecated(&self) -> bool {
        let mut attrs = self.variants.iter().flat_map(RawVariant::attributes).map(|(_, attr)| attr);
        self.attrs.iter().any(|attr| attr.is("deprecated"))
            || attrs.any(|attr| attr.is("deprecated"))
    }

    /// Whether a part of it is conditional, which rustc resolves for a derive only.
    pub(crate) fn is_conditional(&self) -> bool {
        let mut attrs = self.variants.iter().flat_map(RawVariant::attributes);
        attrs.any(|(_, attr)| attr.is_conditional())
    }

    /// The enum as the macro emits it: with more `docs`, without its attributes and refused parts.
    pub(crate) fn kept(&self, docs: Option<&TokenStream>) -> TokenStream {
        self.tokens(docs, &|level, attr| match attr.owner(level, self.helpers) {
            Owner::Other => attr.to_token_stream(),
            Owner::Ours(_) | Owner::Misplaced(_) | Owner::Foreign(_) => TokenStream::new(),
        })
    }

    /// The item for a derive that reads it with `args`.
    pub(crate) fn deferred(&self, args: &TokenStream, root: &TokenStream) -> TokenStream {
        let helpers = self.helpers;
        let helper = Ident::new(attribute::ARGS, proc_macro2::Span::call_site());
        let item = self.tokens(None, &|level, attr| attr.deferred(level, self.helpers));
        let conditions = self.variants.iter().filter_map(|variant| {
            let cfg = variant.attrs.iter().find(|attr| attr.is("cfg"))?.list()?;
            let name = &variant.name;
            Some(quote!(#name (#cfg)))
        });
        quote! {
            #[derive(#root::__StateMachine)]
            #[#helper(#helpers [#(#conditions)*] #args)]
            #item
        }
    }

    /// The arguments that [`deferred`](Self::deferred) was given. It passes `helpers` and the
    /// conditions too, because a derive does not see the others.
    pub(crate) fn args(&mut self) -> TokenStream {
        let args = self.attrs.iter().find(|attr| attr.is(attribute::ARGS));
        let mut args = args.and_then(Attr::list).unwrap_or_default().into_iter();
        let helpers = args.next();
        self.helpers = helpers.is_some_and(|helpers| helpers.to_string() == "true");
        if let Some(TokenTree::Group(conditions)) = args.next() {
            let mut tokens = conditions.stream().into_iter();
            while let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(condition))) =
                (tokens.next(), tokens.next())
            {
                self.conditional.push(Conditional { name, condition: condition.stream() });
            }
        }
        args.collect()
    }

    fn tokens(
        &self,
        docs: Option<&TokenStream>,
        with: &dyn Fn(Level, &Attr) -> TokenStream,
    ) -> TokenStream {
        let Self { vis, keyword, name, generics, .. } = self;
        let attrs = self.attrs.iter().map(|attr| with(Level::Machine, attr));
        let variants = self.variants.iter().map(|variant| variant.tokens(with));
        let mut braces = Group::new(Delimiter::Brace, quote!(#(#variants,)*));
        braces.set_span(self.braces.span());
        let bounds = &generics.where_clause;
        quote!(#(#attrs)* #docs #vis #keyword #name #generics #bounds #braces)
    }
}
