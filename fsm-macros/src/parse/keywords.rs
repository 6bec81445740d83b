use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;

use super::attribute::{Level, Owner};
use super::entry;
use super::item::Item;
use super::variant::RawVariant;

/// The keywords of a machine, for which an editor shows docs.
pub(crate) fn keywords(args: &TokenStream, item: &Item) -> Vec<Ident> {
    let mut keywords = Vec::new();
    keys(entry::split(args.clone(), false), &mut keywords);
    for (level, attr) in item.variants.iter().flat_map(RawVariant::attributes) {
        let Owner::Ours(meant) = attr.owner(level, item.helpers) else { continue };
        let Some(name) = attr.name().filter(|name| *name == meant) else { continue };
        keywords.push(name.clone());
        if level == Level::State && meant != "to" {
            let leads_out = matches!(meant, "call" | "handoff");
            let mut parts = entry::split(attr.list().unwrap_or_default(), leads_out);
            // The name of a type, unless that is missing.
            if leads_out && matches!(parts.first().map(Vec::as_slice), Some([TokenTree::Ident(_)]))
            {
                parts.remove(0);
            }
            keys(parts, &mut keywords);
        }
    }
    keywords
}

/// Adds the words in the place of a key, known or not, because an editor completes them.
fn keys(parts: Vec<Vec<TokenTree>>, keywords: &mut Vec<Ident>) {
    for part in parts {
        let mut tokens = part.into_iter();
        let Some(TokenTree::Ident(key)) = tokens.next() else { continue };
        let is_group = key.unraw().to_string().starts_with(char::is_uppercase);
        let is_key = match tokens.next() {
            None => true,
            Some(TokenTree::Punct(mark)) => matches!(mark.as_char(), '=' | '<'),
            Some(_) => false,
        };
        if !is_key || is_group || key == "crate" {
            continue;
        }
        keywords.push(key);
        match tokens.next() {
            Some(TokenTree::Ident(value)) if value == "never" && tokens.next().is_none() => {
                keywords.push(value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Errors;

    #[test]
    fn keys_and_attributes_are_keywords_and_names_are_not() {
        let item = "enum Demo {
            #[read(upto = max, max = LIMIT, within = never)] #[to(A | rest)] A { #[carry] max: u8 },
            #[sleep(idle * 2, max = 5min)] #[to(rest)] #[serde(flush)] B,
            #[call(index, gone => A)] #[to(A)] C { #[job] size: u8 }, #[run(blocking)] D,
            #[read(some, ma, eof => A)] #[rest] C, #[end] rest,
        }";
        let item = Item::read(item.parse().unwrap(), &mut Errors::default()).unwrap();
        let args = "start = A, error = never::Fault, Live = A | B, crate = ::a".parse().unwrap();
        let keywords: Vec<String> =
            keywords(&args, &item).iter().map(ToString::to_string).collect();
        assert_eq!(
            keywords.join(" "),
            "start error read upto max within never to carry sleep max to call gone to job run blocking read some ma eof rest end"
        );
    }
}
