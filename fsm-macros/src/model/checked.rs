use proc_macro2::{Ident, Span};
use quote::{ToTokens, format_ident};
use syn::Type;
use syn::spanned::Spanned;

/// A type of the user's that must implement a trait of the runtime. Generated code names it by an alias, which is
/// the type of an error if it does not: so rustc reports it once, at its name.
pub(crate) struct Checked {
    /// Its name in the module.
    pub(crate) alias: Ident,
    pub(crate) ty: Type,
    pub(crate) contract: Contract,
}

/// The trait that a type of the user's must implement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contract {
    Service,
    Machine,
    Frame,
}

impl Checked {
    /// The types with their contracts, each once, with names that no other item of the module has.
    pub(crate) fn all<'a>(
        types: impl Iterator<Item = (Contract, &'a Type)>,
        own: impl Fn(&Ident) -> bool,
    ) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (contract, ty) in types {
            if matches!(ty, Type::Infer(_)) || all.iter().any(|known| known.is(contract, ty)) {
                continue;
            }
            let mut alias = contract.alias(ty);
            while own(&alias) || all.iter().any(|known| known.alias == alias) {
                alias = format_ident!("{alias}_");
            }
            all.push(Self { alias, ty: ty.clone(), contract });
        }
        all
    }

    pub(crate) fn is(&self, contract: Contract, ty: &Type) -> bool {
        let text = |ty: &Type| ty.to_token_stream().to_string();
        self.contract == contract && text(&self.ty) == text(ty)
    }

    /// The name of the alias beside the enum.
    pub(crate) fn beside(alias: &Ident) -> Ident {
        format_ident!("__{alias}", span = Span::mixed_site().located_at(alias.span()))
    }
}

impl Contract {
    /// The trait's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Machine => "Machine",
            Self::Frame => "Frame",
        }
    }

    /// One of its associated types.
    pub(crate) fn item(self) -> &'static str {
        match self {
            Self::Service => "Job",
            Self::Machine => "Seed",
            Self::Frame => "Error",
        }
    }

    fn alias(self, ty: &Type) -> Ident {
        let last = match ty {
            Type::Path(path) => path.path.segments.last().map(|last| &last.ident),
            _ => None,
        };
        let last = last.map(|name| name.to_string().trim_start_matches("r#").to_owned());
        let name = format!("{}{}", self.name(), last.unwrap_or_default());
        Ident::new(&name, Span::mixed_site().located_at(ty.span()))
    }
}
