use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use syn::{BinOp, Lit};

use crate::ast::{self, Expr};

/// The answer of an expression to a result that does not fit.
#[derive(Clone, Copy)]
pub(crate) enum Overflow {
    /// The expression is left with `?`.
    Fails,
    /// The nearest number takes the place of the result.
    Saturates,
}

/// Replaces the operators of an expression by calls that neither wrap nor panic.
struct Rewriter<'a> {
    expr: &'a Expr,
    overflow: Overflow,
}

impl Expr {
    /// Whether it has operators, whose results may not fit.
    pub(crate) fn has_arithmetic(&self) -> bool {
        has_arithmetic(&mut self.value.clone())
    }

    /// As a `u64`. The numbers in it are `u64`, too, whatever their types, so that `len * 4` is right for
    /// each `len: u8`; those in the arguments of calls and under `as` keep their types.
    pub(crate) fn length(&self, overflow: Overflow) -> TokenStream {
        Rewriter { expr: self, overflow }.length(&self.value)
    }

    /// As the type that its operands have.
    pub(crate) fn typed(&self, overflow: Overflow) -> TokenStream {
        let mut value = self.value.clone();
        Rewriter { expr: self, overflow }.rewrite(&mut value);
        value.into_token_stream()
    }
}

impl Rewriter<'_> {
    fn length(&self, value: &syn::Expr) -> TokenStream {
        match value {
            syn::Expr::Paren(paren) => self.length(&paren.expr),
            syn::Expr::Group(group) => self.length(&group.expr),
            syn::Expr::Lit(lit) if has_no_type(&lit.lit) => value.to_token_stream(),
            syn::Expr::Binary(binary) => {
                let (left, right) = (self.length(&binary.left), self.length(&binary.right));
                match operator(&binary.op) {
                    Some(_) if is_constant(value) => value.to_token_stream(),
                    Some(name) => self.call(&binary.op, name, &left, &right),
                    None if is_bitwise(&binary.op) => {
                        let op = &binary.op;
                        generated!(((#left) #op (#right)))
                    }
                    None => self.leaf(value),
                }
            }
            _ => self.leaf(value),
        }
    }

    fn leaf(&self, value: &syn::Expr) -> TokenStream {
        let mut value = value.clone();
        self.rewrite(&mut value);
        generated!(__rt::Length::length(#value))
    }

    fn rewrite(&self, value: &mut syn::Expr) {
        if is_constant(value) {
            return;
        }
        match value {
            syn::Expr::Binary(binary) => {
                if let Some(name) = operator(&binary.op) {
                    self.operand(&mut binary.left);
                    self.operand(&mut binary.right);
                    let (left, right) = (&binary.left, &binary.right);
                    *value = syn::Expr::Verbatim(self.call(&binary.op, name, left, right));
                    return;
                }
            }
            syn::Expr::Cast(cast) => self.operand(&mut cast.expr),
            _ => {}
        }
        for part in ast::parts(value).into_iter().flatten() {
            self.rewrite(part);
        }
    }

    /// Rewrites the operand of an operator, which takes no reference such as that to a field.
    fn operand(&self, value: &mut syn::Expr) {
        match value {
            syn::Expr::Path(path)
                if path.path.get_ident().is_some_and(|name| self.is_field(name)) =>
            {
                *value = syn::Expr::Verbatim(generated!((*#path)));
            }
            _ => self.rewrite(value),
        }
    }

    fn is_field(&self, name: &syn::Ident) -> bool {
        self.expr.fields.contains(name)
    }

    fn call(
        &self,
        op: &BinOp,
        name: &str,
        left: &impl ToTokens,
        right: &impl ToTokens,
    ) -> TokenStream {
        let name = format_ident!("{name}");
        // rustc reports operands that do not fit each other at the operator.
        match self.overflow {
            Overflow::Fails => generated_at! { op =>
                __rt::__arithmetic::checked(__rt::__arithmetic::#name, #left, #right)?
            },
            Overflow::Saturates => generated_at! { op =>
                __rt::__arithmetic::saturating(__rt::__arithmetic::#name, #left, #right)
            },
        }
    }
}

fn has_arithmetic(value: &mut syn::Expr) -> bool {
    if let syn::Expr::Binary(binary) = value {
        if operator(&binary.op).is_some() && !is_constant(value) {
            return true;
        }
    }
    ast::parts(value).into_iter().flatten().any(has_arithmetic)
}

/// Whether it is made of literals alone: rustc finds an overflow in it.
fn is_constant(value: &syn::Expr) -> bool {
    match value {
        syn::Expr::Lit(_) => true,
        syn::Expr::Paren(paren) => is_constant(&paren.expr),
        syn::Expr::Binary(binary) => is_constant(&binary.left) && is_constant(&binary.right),
        _ => false,
    }
}

fn has_no_type(lit: &Lit) -> bool {
    matches!(lit, Lit::Int(number) if number.suffix().is_empty())
}

/// The name of an operator whose result may not fit.
fn operator(op: &BinOp) -> Option<&'static str> {
    Some(match op {
        BinOp::Add(_) => "Add",
        BinOp::Sub(_) => "Sub",
        BinOp::Mul(_) => "Mul",
        BinOp::Div(_) => "Div",
        BinOp::Rem(_) => "Rem",
        BinOp::Shl(_) => "Shl",
        BinOp::Shr(_) => "Shr",
        _ => return None,
    })
}

fn is_bitwise(op: &BinOp) -> bool {
    matches!(op, BinOp::BitAnd(_) | BinOp::BitOr(_) | BinOp::BitXor(_))
}
