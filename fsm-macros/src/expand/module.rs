use std::collections::HashSet;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::lints::lints;
use super::scope::{self, Scope};
use crate::model::{Body, Checked, Contract, Handler, Interface, Payload, Received, ReceivedKind};

/// The module with the handler trait and the verdicts.
pub(crate) fn module(interface: &Interface, docs: Option<&TokenStream>) -> TokenStream {
    Module::new(interface).expand(docs)
}

/// A method of the handler trait.
struct Method<'a> {
    name: &'a Ident,
    docs: &'a str,
    received: Option<&'a Received>,
    body: &'a Body,
    /// The method returns an `Option` of a verdict.
    may_wait_on: bool,
}

struct Module<'a> {
    interface: &'a Interface,
    scope: Scope<'a>,
    /// The visibility of items inside.
    vis: TokenStream,
}

impl<'a> Module<'a> {
    fn new(interface: &'a Interface) -> Self {
        let mut own: HashSet<String> =
            interface.handlers.iter().map(|handler| handler.after.to_string()).collect();
        own.insert("Handler".to_owned());
        if !interface.decoders.is_empty() {
            own.insert("Partial".to_owned());
        }
        own.extend(interface.checked.iter().map(|checked| checked.alias.to_string()));
        if interface.unknown_size.is_some() {
            own.insert("Unknown".to_owned());
        }
        let scope = Scope { name: &interface.name, own };
        Self { interface, scope, vis: scope::visibility(&interface.vis) }
    }

    fn expand(&self, more: Option<&TokenStream>) -> TokenStream {
        let Interface { vis: outer, module, name, handlers, allows, .. } = self.interface;
        let vis = &self.vis;
        let name = name.unraw();
        let about_module = format!("The handler trait and the verdicts of the machine [`{name}`].");
        let has = if self.interface.is_job() { "job" } else { "connection" };
        let about_trait = format!(
            "Handles a {has} of the machine `{name}`: one method for each state, called when \
             its wait completes."
        );
        let lints = lints();
        let methods = handlers.iter().flat_map(|handler| self.methods(handler));
        let verdicts = handlers.iter().map(|handler| self.verdicts(handler));
        let partial = self.partial();
        let checked = self.interface.checked.iter().map(|checked| self.checked(checked));
        let unknown = self.unknown();
        let also = self.interface.moves.then(|| {
            let moves = self.of_runtime("MovesHandler");
            quote!(: #moves)
        });
        let body = quote! {
            {
                use super::*;

                #[doc = #about_trait]
                #vis trait Handler #also {
                    #(#methods)*
                }

                #(#verdicts)*
                #partial
                #(#checked)*
                #unknown
            }
        };
        // With this span rustc reports a clash with another module at the name of the enum.
        quote_spanned! {module.span()=>
            #[doc = #about_module]
            #more
            #lints
            #(#allows)*
            #outer mod #module #body
        }
    }

    /// A type of the user's; for an unreadable one `Unknown`, which fits any use.
    fn ty(&self, ty: &Type) -> TokenStream {
        match ty {
            Type::Infer(_) => quote!(Unknown),
            known => self.scope.inner(known),
        }
    }

    /// The methods of a state: that of its main wait, and those of the waits beside it.
    fn methods(&self, handler: &Handler) -> Vec<TokenStream> {
        let Handler { name, docs, received, body, .. } = handler;
        let own = match body {
            Body::Stub => Body::Stub,
            _ => Body::Required,
        };
        let main = Method { name, docs, received: received.as_ref(), body, may_wait_on: false };
        let beside = handler.beside.iter().map(|method| Method {
            name: &method.name,
            docs: &method.docs,
            received: method.received.as_ref(),
            body: &own,
            may_wait_on: method.may_wait_on,
        });
        std::iter::once(main).chain(beside).map(|method| self.method(handler, &method)).collect()
    }

    fn method(&self, handler: &Handler, method: &Method<'_>) -> TokenStream {
        let Handler { fields, cx, after, .. } = handler;
        let Method { name, docs, received, body, may_wait_on } = *method;
        let root = self.scope.inner(&self.interface.root);
        let parameters = fields.iter().map(|(name, ty)| {
            let ty = self.ty(ty);
            // rustc reports no unused argument of a macro's.
            let mut name = name.clone();
            name.set_span(Span::mixed_site().located_at(name.span()));
            quote!(#name: &mut #ty,)
        });
        let received = received.map(|received| {
            let (name, ty) = (&received.name, self.received(&received.kind));
            quote!(#name: #ty,)
        });
        let settings = self.interface.settings.as_ref().map(|settings| self.ty(settings));
        let message = match &self.interface.message {
            Some(message) => Some(self.ty(message)),
            None => settings.is_some().then(|| quote!(#root::NoMessage)),
        };
        let types = message.into_iter().chain(settings);
        let context = self.interface.cx();
        let error = self.interface.error.as_ref().filter(|_| handler.fails);
        let error = error.map(|error| self.ty(error));
        let span = handler.state.span();
        let verdict = if may_wait_on {
            quote_spanned!(span => ::core::option::Option<#after>)
        } else {
            after.to_token_stream()
        };
        let returned = match &error {
            Some(error) => quote_spanned!(span => ::core::result::Result<#verdict, #error>),
            None => verdict,
        };
        let body = match body {
            Body::Required => quote_spanned!(handler.state.span() => ;),
            Body::Only(only) if error.is_some() => {
                quote!({ ::core::result::Result::Ok(#after::#only) })
            }
            Body::Only(only) => quote!({ #after::#only }),
            Body::Stub => quote!({ loop {} }),
        };
        let docs = (!docs.is_empty()).then(|| quote!(#[doc = #docs]));
        // With this span rustc reports a missing or a wrong method at the state.
        quote_spanned! { handler.state.span() =>
            #docs
            fn #name(
                &mut self,
                #(#parameters)*
                #received
                #cx: &mut #root::#context<'_ #(, #types)*>,
            ) -> #returned #body
        }
    }

    fn received(&self, kind: &ReceivedKind) -> TokenStream {
        match kind {
            ReceivedKind::Array(length) => quote!(&[u8; #length]),
            ReceivedKind::Bytes => quote!(&[u8]),
            ReceivedKind::Frame(decoder) => {
                let item = self.of(decoder, Contract::Frame, "Item");
                generated_at!(decoder => #item<'_>)
            }
            ReceivedKind::Message(ty) | ReceivedKind::Job(ty) => self.ty(ty),
            ReceivedKind::Reply(service) => self.of(service, Contract::Service, "Reply"),
            ReceivedKind::Connected => self.of_runtime("Connected"),
            ReceivedKind::Moved => self.of_runtime("Moved"),
            ReceivedKind::Tls => {
                let session = self.of_runtime("TlsSession");
                quote!(#session<'_>)
            }
            ReceivedKind::Unknown => quote!(Unknown),
        }
    }

    /// A type of the runtime.
    fn of_runtime(&self, name: &str) -> TokenStream {
        let (root, name) = (self.scope.inner(&self.interface.root), format_ident!("{name}"));
        quote!(#root::#name)
    }

    /// The associated type `name` of the runtime's trait for a type of the user's.
    fn of(&self, ty: &Type, contract: Contract, name: &str) -> TokenStream {
        let Some(alias) = self.interface.alias(contract, ty) else { return self.ty(ty) };
        let mut alias = alias.clone();
        alias.set_span(Span::mixed_site().located_at(ty.span()));
        self.projection(ty, &alias.into_token_stream(), contract, name)
    }

    /// The associated type `name` of `subject`, which is `ty`.
    fn projection(
        &self,
        ty: &Type,
        subject: &TokenStream,
        contract: Contract,
        name: &str,
    ) -> TokenStream {
        let root = self.scope.inner(&self.interface.root_at(ty.span()));
        let [contract, name] = [contract.name(), name].map(|name| Ident::new(name, ty.span()));
        generated_at!(ty => <#subject as #root::#contract>::#name)
    }

    /// The alias of a type that is checked, with the constant that checks it.
    fn checked(&self, checked: &Checked) -> TokenStream {
        let Checked { alias, ty, contract } = checked;
        let (vis, inner) = (at(&self.vis, ty.span()), self.scope.inner(ty));
        let root = self.scope.inner(&self.interface.root_at(ty.span()));
        let item = self.projection(ty, &inner, *contract, contract.item());
        let check = generated_at!(ty => {
            let _: ::core::marker::PhantomData<#item>;
            0
        });
        generated_at! { ty =>
            #[doc(hidden)]
            #vis type #alias = <#root::__Check<fn(#inner), #check> as #root::__Checked>::Type;
        }
    }

    /// The field of a verdict for its payload.
    fn payload(&self, payload: &Payload) -> TokenStream {
        let name = format_ident!("{}", payload.name());
        let (about, ty) = match payload {
            Payload::Job(service) => {
                ("The job for the other pool.", self.of(service, Contract::Service, "Job"))
            }
            Payload::Seed(machine) => {
                ("The seed of the other machine.", self.of(machine, Contract::Machine, "Seed"))
            }
            Payload::Reply(reply) => ("The reply to the job.", self.ty(reply)),
            Payload::Target => ("The target to connect to.", self.of_runtime("Target")),
        };
        quote!(#[doc = #about] #name: #ty,)
    }

    fn verdicts(&self, handler: &Handler) -> TokenStream {
        let Handler { after, state, .. } = handler;
        let mut after = after.clone();
        let place = Span::mixed_site().located_at(handler.to);
        after.set_span(place);
        let vis = at(&self.vis, place);
        let about = format!("The verdicts of the state `{}`.", state.unraw());
        let variants = handler.verdicts.iter().map(|verdict| {
            let (name, docs) = (&verdict.name, &verdict.docs);
            let fields = verdict.data.iter().map(|(name, ty)| {
                let ty = self.ty(ty);
                let about = format!("The `{}` of `{}`.", name.unraw(), verdict.name.unraw());
                quote!(#[doc = #about] #name: #ty,)
            });
            let payload = verdict.payload.as_ref().map(|payload| self.payload(payload));
            let has_data = payload.is_some() || !verdict.data.is_empty();
            // rustc does not report a variant as never constructed if it ends in a brace from a
            // macro, nor the variants of the same report. So the braces have the span of the name.
            let data = has_data.then(|| quote_spanned!(name.span() => { #payload #(#fields)* }));
            quote!(#[doc = #docs] #name #data,)
        });
        // With this span rustc shows the list of verdicts to a user who names another one, and reports no
        // style, because the code is a macro's.
        quote_spanned! { place =>
            #[doc = #about]
            #vis enum #after {
                #(#variants)*
            }
        }
    }

    /// An array whose size is an error. rustc reports that error once and accepts any use of the
    /// type.
    fn unknown(&self) -> Option<TokenStream> {
        let (unknown_size, vis) = (self.interface.unknown_size.as_ref()?, &self.vis);
        Some(quote! {
            const UNKNOWN: usize = #unknown_size;
            #[doc(hidden)]
            #[allow(dead_code)]
            #vis type Unknown = [u8; UNKNOWN];
        })
    }

    /// The enum of the decoders of incomplete frames.
    fn partial(&self) -> Option<TokenStream> {
        let decoders = &self.interface.decoders;
        if decoders.is_empty() {
            return None;
        }
        let vis = &self.vis;
        let none = self.interface.no_decoder();
        let variants = decoders.iter().map(|(state, decoder)| {
            let alias = self.interface.alias(Contract::Frame, decoder);
            let decoder =
                alias.map_or_else(|| self.scope.inner(decoder), ToTokens::to_token_stream);
            quote!(#state(#decoder),)
        });
        Some(quote! {
            #[doc(hidden)]
            #[derive(::core::default::Default)]
            #vis enum Partial {
                #[default]
                #none,
                #(#variants)*
            }
        })
    }
}

/// The same tokens with another span.
fn at(tokens: &TokenStream, span: Span) -> TokenStream {
    let shown = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), at(&group.stream(), span)).into();
        }
        token.set_span(span);
        token
    };
    tokens.clone().into_iter().map(shown).collect()
}

impl Interface {
    /// The name of the variant of `Partial` that remembers nothing; no state has it.
    pub(crate) fn no_decoder(&self) -> Ident {
        let mut none = format_ident!("None");
        while self.decoders.iter().any(|(state, _)| *state == none) {
            none = format_ident!("{none}_");
        }
        none
    }
}
